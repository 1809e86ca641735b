"""Ordering: choose a process, read what it takes, fill in page by page, check, send once (O-1, O-2, O-4, T-6)."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from torwart.faces._design.access import actor_of, client_of, may_order
from torwart.faces._design.forms import Form
from torwart.faces._design.language import active, said, t
from torwart.faces.portal import api_call, requested_time
from torwart.faces.portal.engine import ENGINE
from torwart.faces.portal.flow import DEVICE, HEADER, HEADER_NAMES, TIME, Flow, Page, known_of, pages, prefilled
from torwart.faces.portal.order_form import PageForm
from torwart.kernel.client_state import ClientState
from torwart.kernel.refusals import Refusal
from torwart.processes import ordering
from torwart.processes.definition import Process, catalogue
from torwart.processes.ordering import Orderer
from torwart.processes.summary import LABELS, summary
from torwart.services import draft as drafts
from torwart.services import present
from torwart.store.queries import client as clients
from torwart.store.queries import gateway as gateways
from torwart.store.queries import portal as queries

View = Callable[..., HttpResponse]
_CHECK = "pruefen"
ROWS = "_rows"
"""Under this name a draft keeps the rows of a table instead of one order's values (O-9)."""


def orderable() -> list[Process]:
    """What a client may order in the portal."""
    return [each for each in catalogue().values() if each.over_form]


def orderable_or_404(name: str) -> Process:
    found = next((each for each in orderable() if each.name == name), None)
    if found is None:
        raise Http404
    return found


def _person(request: HttpRequest) -> int:
    """The account whose drafts these are."""
    user: Any = request.user
    return int(user.pk)


# --- choosing ---------------------------------------------------------------------------------------------------------


@require_GET
@may_order
def choose(request: HttpRequest) -> HttpResponse:
    """All processes with a form, in the order of the catalogue."""
    context = {
        "processes": orderable(),
        "drafts": named(queries.drafts(_person(request))),
        "gateway": request.GET.get("geraet", "")[:14],
        "client": clients.one(client_of(request)),
    }
    return render(request, "portal/draft/choose.html", context)


@require_http_methods(["GET", "POST"])
@may_order
def begin(request: HttpRequest, name: str) -> HttpResponse:
    """The start page of a process; POST begins a draft with what we know already."""
    chosen, client, now = orderable_or_404(name), client_of(request), present.now()
    wish = request.POST.get("geraet") or request.GET.get("geraet", "")
    if request.method == "POST":
        try:
            values = prefilled(client, chosen, wish)
            draft = drafts.begin(_person(request), chosen.name, values, now=now)
        except Refusal as refusal:
            messages.error(request, refusal.text(active()))
            return redirect("portal:order_choose")
        return redirect("portal:draft", pk=draft)
    context = {
        "process": chosen,
        "pages": pages(chosen),
        "gateway": wish[:14],
        "device": gateways.states(client, [wish]).get(wish) if wish else None,
        "client": clients.one(client),
        "preview": ordering.preview(chosen.name, None, now=now),
        "drafts": named([each for each in queries.drafts(_person(request)) if each.process == chosen.name]),
    }
    return render(request, "portal/draft/begin.html", context)


def named(rows: list[Any]) -> list[tuple[Any, Process, str, str]]:
    """Drafts with their process, device and address; one whose process has gone cannot be gone on with."""
    known = [(row, catalogue()[row.process]) for row in rows if row.process in catalogue()]
    return [(row, each, str(row.values.get(each.subject_field, "")), _address(row)) for row, each in known]


def _address(draft: Any) -> str:
    return reverse("portal:upload_check" if ROWS in draft.values else "portal:draft", args=[draft.pk])


# --- filling in -------------------------------------------------------------------------------------------------------


def _on_draft(view: View) -> View:
    """Gives the view the person's draft on its way; a sent one leads to its order, another's is not found."""

    @may_order
    @wraps(view)
    def found(request: HttpRequest, pk: int, *arguments: Any, **named: Any) -> HttpResponse:
        draft = queries.draft(_person(request), pk)
        if draft is None or draft.process not in catalogue() or ROWS in draft.values:
            raise Http404
        if draft.placed:
            return redirect("portal:order_sent", number=draft.placed)
        return view(request, Flow(draft, client_of(request), present.now()), *arguments, **named)

    return found  # type: ignore[return-value]  # what a view answers is an HttpResponse


@require_GET
@_on_draft
def tasks(request: HttpRequest, flow: Flow) -> HttpResponse:
    """The task list: every page and how far it is, and what the time promises."""
    return render(request, "portal/draft/tasks.html", {"flow": flow, "check_number": len(flow.pages) + 1})


@require_http_methods(["GET", "POST"])
@_on_draft
def fill(request: HttpRequest, flow: Flow, name: str) -> HttpResponse:
    """One page of the form. What was typed is kept in any case; errors keep the person here."""
    page = flow.page(name)
    if page is None:
        raise Http404
    if page.name == TIME:
        return _time(request, flow, page)
    make: Callable[[Any], Form] = _header_form(flow) if page.name == HEADER else _page_form(flow, page)
    if request.method == "GET" or "suchen" in request.POST:
        return _shown(request, flow, page, make(None))
    form = make(request.POST)
    good = form.is_valid()
    values = form.typed()  # type: ignore[attr-defined]  # both kinds have it
    if page.name == DEVICE:
        values |= _known(flow, values)
    later = "spaeter" in request.POST
    drafts.keep(flow.draft.pk, _person(request), values, done=[name] if good or later else [], now=flow.now)
    if later:
        messages.success(request, str(t("Der Entwurf ist gespeichert.", "The draft has been saved.")))
        return redirect("portal:draft", pk=flow.draft.pk)
    if not good:
        return _shown(request, flow, page, form)
    return _onward(request, flow, page)


def _page_form(flow: Flow, page: Page) -> Callable[[Any], PageForm]:
    return lambda data: PageForm(page.fields, flow.client, flow.values, data)


def _known(flow: Flow, values: Mapping[str, Any]) -> dict[str, Any]:
    """What our data say of the device just named, where nothing has been entered yet."""
    known = known_of(flow.client, flow.process, str(values.get(flow.process.subject_field, "")).upper())
    return {name: value for name, value in known.items() if not flow.values.get(name) and name not in values}


def _shown(request: HttpRequest, flow: Flow, page: Page, form: Form, **more: Any) -> HttpResponse:
    context: dict[str, Any] = {"flow": flow, "page": page, "form": form, "errors": bool(form.errors), **more}
    context["steps"] = len(flow.pages) + 1
    context["missing"] = flow.missing_on(page)
    context["back_to_check"] = request.GET.get("zurueck") == _CHECK
    if page.name == DEVICE:
        text = request.POST.get(flow.process.subject_field, "") if "suchen" in request.POST else ""
        context |= {"found": gateways.suggestions(flow.client, text) if text else [], "searched": text}
    return render(request, "portal/draft/page.html", context)


def _onward(request: HttpRequest, flow: Flow, page: Page) -> HttpResponse:
    """After a good page: back to the check page if one came from there, else to the next open one."""
    again = Flow(queries.draft(_person(request), flow.draft.pk), flow.client, flow.now)
    if page.name == DEVICE and again.missing:
        return redirect("portal:draft_page", pk=flow.draft.pk, name=DEVICE)
    if request.GET.get("zurueck") == _CHECK and again.ready:
        return redirect("portal:draft_check", pk=flow.draft.pk)
    following = again.after(page.name) or again.next_open
    if following is not None:
        return redirect("portal:draft_page", pk=flow.draft.pk, name=following.name)
    return redirect("portal:draft_check", pk=flow.draft.pk)


class HeaderForm(Form):
    """The formal entries, prefilled where there is only one answer (O-1); the code number only has to be chosen where
    the client has several.
    """

    use_required_attribute = False
    participant = forms.ChoiceField(required=False, widget=forms.RadioSelect)
    reference = forms.CharField(required=False, max_length=100)
    remark = forms.CharField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, codes: list[tuple[str, str]], data: Any, initial: Mapping[str, Any]) -> None:
        super().__init__(data, initial=dict(initial))
        for name in HEADER_NAMES:
            self.fields[name].label = said(LABELS[name])
        participant: Any = self.fields["participant"]
        participant.choices = [(code, f"{code} – {name}") for code, name in codes]
        participant.required = len(codes) > 1
        self.fields["reference"].help_text = t(
            "Ihr eigenes Kennzeichen; es steht in allen Mails zu diesem Auftrag.",
            "Your own reference; it stands in all mails about this order.",
        )
        if not codes:
            del self.fields["participant"]

    def typed(self) -> dict[str, Any]:
        return {f"_{name}": str(self.data.get(name, "")).strip() for name in self.fields}


def _header_form(flow: Flow) -> Callable[[Any], HeaderForm]:
    initial = {name: flow.values.get(f"_{name}", "") for name in HEADER_NAMES}
    initial["participant"] = initial["participant"] or flow.only_code
    return lambda data: HeaderForm(flow.codes, data, initial)


# --- the time ---------------------------------------------------------------------------------------------------------


def _time(request: HttpRequest, flow: Flow, page: Page) -> HttpResponse:
    """Planned or not, and what that promises; „Prüfen“ shows it without JavaScript."""
    if request.method == "GET":
        form = requested_time.TimeForm(None, initial=requested_time.initial(flow.values))
        return _shown(request, flow, page, form, preview=requested_time.shown(flow.process, form, flow.now))
    form = requested_time.TimeForm(request.POST)
    preview = requested_time.shown(flow.process, form, flow.now)
    good = form.is_valid() and requested_time.acceptable(form, preview)
    drafts.keep(flow.draft.pk, _person(request), form.typed(), done=[TIME] if good else [], now=flow.now)
    if "spaeter" in request.POST:
        return redirect("portal:draft", pk=flow.draft.pk)
    if not good or "vorschau" in request.POST:
        return _shown(request, flow, page, form, preview=preview)
    return _onward(request, flow, page)


@require_POST
@_on_draft
def preview(request: HttpRequest, flow: Flow) -> HttpResponse:
    """The live preview (htmx): what the entered time would mean. Keeps nothing."""
    form = requested_time.TimeForm(request.POST)
    shown = requested_time.shown(flow.process, form, flow.now)
    return render(request, "portal/draft/_preview.html", {"preview": shown})


@require_POST
@_on_draft
def devices(request: HttpRequest, flow: Flow) -> HttpResponse:
    """Gateways whose id or metering location contains what has been typed so far (htmx)."""
    text = request.POST.get(flow.process.subject_field, "")
    found = gateways.suggestions(flow.client, text) if len(text.strip()) > 1 else []
    return render(request, "portal/draft/_devices.html", {"flow": flow, "found": found, "searched": text})


# --- check and send ---------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@_on_draft
def check(request: HttpRequest, flow: Flow) -> HttpResponse:
    """The same rows as the mail, with a way back to each; POST sends, once."""
    if not flow.ready:
        messages.warning(request, str(t("Bitte füllen Sie zuerst alle Seiten aus.", "Please fill in all pages first.")))
        return redirect("portal:draft", pk=flow.draft.pk)
    if request.method == "GET":
        return _check_page(request, flow)
    promised = request.POST.get("geplant", "")
    if promised != _promise(flow):
        changed = t(
            "Während Sie geprüft haben, ist Zeit vergangen: Die Zusage hat sich geändert. Bitte prüfen Sie sie noch "
            "einmal.",
            "Time has passed while you checked: the commitment has changed. Please check it once more.",
        )
        return _check_page(request, flow, refusal=str(changed))
    try:
        number = drafts.send(flow.draft.pk, _person(request), lambda values: _place(request, flow))
    except Refusal as refusal:
        return _check_page(request, flow, refusal=refusal.text(active()))
    if number is None:
        raise Http404
    return redirect("portal:order_sent", number=number)


def _promise(flow: Flow) -> str:
    """What the check page has promised, as its form carries it: planned or not."""
    return "ja" if flow.preview.commitment.planned else "nein"


def orderer_of(request: HttpRequest) -> Orderer:
    """The person as who orders."""
    user: Any = request.user
    return Orderer(client_of(request), user.pk, user.full_name or user.email, actor_of(request))


def _place(request: HttpRequest, flow: Flow) -> str:
    orderer = orderer_of(request)
    return ordering.place(
        ENGINE, flow.process.name, flow.fields, orderer=orderer, header=flow.header, now=present.now()
    )


def _check_page(request: HttpRequest, flow: Flow, refusal: str = "") -> HttpResponse:
    orderer = orderer_of(request)
    examined = ordering.examine(
        flow.process.name, flow.fields, client=flow.client, now=flow.now, header=flow.header, orderer=orderer
    )
    rows = summary(flow.process, examined.fields, flow.header, orderer=orderer.name)
    context = {
        "flow": flow,
        "rows": [(row, _page_of(flow, row.name, row.section)) for row in rows],
        "refusal": refusal,
        "unmet": [*examined.errors.values(), *examined.unmet],
        "preview": requested_time.Shown(flow.preview, flow.now, ""),
        "promise": _promise(flow),
        "active": getattr(clients.one(flow.client), "state", "") == ClientState.ACTIVE,
        "errors": bool(refusal),
        "calls": [] if examined.errors else api_call.of(flow.process, examined.fields, flow.header),
    }
    return render(request, "portal/draft/check.html", context)


def _page_of(flow: Flow, name: str, section: str) -> str:
    """The page on which a row of the summary is changed, ``""`` where none can."""
    if name == flow.process.subject_field:
        return DEVICE
    if name == "requested_at":
        chosen = flow.process
        return chosen.field(chosen.time_field).section if chosen.time_field else TIME
    return HEADER if name in HEADER_NAMES and not section else section


@require_http_methods(["GET", "POST"])
@_on_draft
def delete(request: HttpRequest, flow: Flow) -> HttpResponse:
    """Throw the draft away, after a question."""
    if request.method == "GET":
        return render(request, "portal/draft/delete.html", {"flow": flow})
    drafts.delete(flow.draft.pk, _person(request))
    messages.success(request, str(t("Der Entwurf ist gelöscht.", "The draft has been deleted.")))
    return redirect("portal:start")
