"""Many orders at once: a table with one row an order, looked at row by row before anything is placed (O-9)."""

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from torwart.faces._design.access import may_order
from torwart.faces._design.forms import Form
from torwart.faces._design.language import active, t
from torwart.faces._design.saving import saved
from torwart.faces.portal import table
from torwart.faces.portal.draft import ROWS, orderable_or_404, orderer_of
from torwart.faces.portal.engine import ENGINE
from torwart.faces.portal.table import Row
from torwart.kernel.refusals import Refusal
from torwart.processes import ordering
from torwart.processes.definition import Process, process
from torwart.services import draft as drafts
from torwart.services import present
from torwart.store.queries import portal as queries

_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


class File(Form):
    """The filled-in table."""

    file = forms.FileField(
        label=t("Ausgefüllte Tabelle", "Filled-in table"),
        help_text=t("CSV oder XLSX, höchstens 500 Zeilen.", "CSV or XLSX, at most 500 rows."),
    )


@require_GET
@may_order
def template(request: HttpRequest, name: str, form: str) -> HttpResponse:
    """The empty table of a process."""
    chosen = orderable_or_404(name)
    if form not in _TYPES:
        raise Http404
    return saved(table.template(chosen, form), f"{chosen.name}.{form}", _TYPES[form])


@require_http_methods(["GET", "POST"])
@may_order
def upload(request: HttpRequest, name: str) -> HttpResponse:
    """Take a table; its rows are kept as a draft and looked at on the next page."""
    chosen, user = orderable_or_404(name), _user(request)
    form = File(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            rows = table.read(chosen, form.cleaned_data["file"].read())
            pk = drafts.begin(user, chosen.name, {ROWS: rows}, now=present.now())
        except Refusal as refusal:
            form.add_error("file", refusal.text(active()))
        else:
            return redirect("portal:upload_check", pk=pk)
    context = {"process": chosen, "form": form, "errors": bool(form.errors), "columns": table.columns(chosen)}
    return render(request, "portal/upload/file.html", context)


@require_http_methods(["GET", "POST"])
@may_order
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Every row with what is wrong in it; POST places all good ones, or all or none, as chosen."""
    draft = queries.draft(_user(request), pk)
    if draft is None or ROWS not in draft.values:
        raise Http404
    if draft.placed:
        return redirect("portal:orders")
    chosen = process(draft.process)
    rows = table.looked_at(chosen, draft.values[ROWS], orderer_of(request), present.now())
    good = [row for row in rows if row.good]
    if request.method == "POST" and good:
        whole = request.POST.get("wie") != "gute"
        if whole and len(good) < len(rows):
            return _nothing(request, pk, chosen)
        return _placed(request, pk, chosen, good, whole)
    context = {"draft": draft, "process": chosen, "rows": rows, "good": len(good), "bad": len(rows) - len(good)}
    return render(request, "portal/upload/check.html", context)


def _nothing(request: HttpRequest, pk: int, chosen: Process) -> HttpResponse:
    """Nothing is sent while a row is wrong: as chosen, or because something has changed since the page was shown."""
    if "wie" in request.POST:
        told = t("Nichts gesendet. Laden Sie die verbesserte Tabelle hoch.", "Nothing sent. Upload the mended table.")
        messages.info(request, str(told))
        return redirect("portal:upload", name=chosen.name)
    told = t("Nichts gesendet: Inzwischen hat eine Zeile Fehler.", "Nothing sent: a row has errors meanwhile.")
    messages.error(request, str(told))
    return redirect("portal:upload_check", pk=pk)


def _placed(request: HttpRequest, pk: int, chosen: Process, rows: list[Row], whole: bool) -> HttpResponse:
    """Place the rows in one transaction; what a single row is refused for at the last moment undoes all or is told."""
    numbers: list[str] = []
    refused: list[str] = []
    orderer = replace(orderer_of(request), channel="upload")

    def place(_: Any) -> str:
        for row in rows:
            try:
                with transaction.atomic():
                    now = present.now()
                    placed = ordering.place(
                        ENGINE, chosen.name, row.values, orderer=orderer, header=row.header, now=now
                    )
                numbers.append(placed)
            except Refusal as refusal:
                if whole:
                    raise
                refused.append(f"{row.number}: {refusal.text(active())}")
        return numbers[0] if numbers else ""

    try:
        if drafts.send(pk, _user(request), place) is None:
            raise Http404
    except Refusal as refusal:
        messages.error(request, refusal.text(active()))
        return redirect("portal:upload_check", pk=pk)
    for text in refused:
        messages.error(request, text)
    if numbers:
        told = t("{n} Aufträge gesendet: {numbers}", "{n} orders sent: {numbers}")
        messages.success(request, str(told).format(n=len(numbers), numbers=", ".join(numbers)))
    return redirect("portal:orders")


def _user(request: HttpRequest) -> int:
    user: Any = request.user
    return int(user.pk)
