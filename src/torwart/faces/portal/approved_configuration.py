"""The published list of approved configurations: to read, print and take along (O-6, KL 4.3)."""

import csv
from io import StringIO

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from torwart.faces._design.access import client_only
from torwart.faces._design.language import active, said
from torwart.faces._design.saving import saved
from torwart.faces.portal import table_pdf
from torwart.kernel.words import Words
from torwart.rules.validity import Validity
from torwart.services import present
from torwart.store.queries import approved_configuration as queries
from torwart.store.queries.approved_configuration import Approved

_HEAD = (
    Words("Gateway-Typ", "Gateway type"),
    Words("Firmware", "Firmware"),
    Words("Zählertyp", "Meter type"),
    Words("Freigegeben von", "Approved from"),
    Words("Freigegeben bis", "Approved until"),
    Words("BSI-Zertifikat", "BSI certificate"),
    Words("Zertifikat gültig", "Certificate valid"),
    Words("Bestellbar", "Can be ordered"),
)
_YES, _NO = Words("ja", "yes"), Words("nein", "no")
TITLE = Words("Freigegebene iMSys-Konfigurationen", "Approved configurations")


@require_GET
@client_only
def index(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("suche", "").strip()[:60]
    context = {"rows": queries.published(present.now(), text=text), "text": text}
    return render(request, "portal/configurations.html", context)


@require_GET
@client_only
def as_csv(request: HttpRequest) -> HttpResponse:
    """The list for a spreadsheet, semicolons between cells as German ones expect."""
    written = StringIO()
    writer = csv.writer(written, delimiter=";")
    writer.writerow([said(head) for head in _HEAD])
    writer.writerows(_cells(row) for row in queries.published(present.now()))
    return saved("\ufeff" + written.getvalue(), "freigaben.csv", "text/csv; charset=utf-8")


@require_GET
@client_only
def as_pdf(request: HttpRequest) -> HttpResponse:
    """The list to print."""
    now = present.now()
    rows = [_cells(row) for row in queries.published(now)]
    content = table_pdf.render(said(TITLE), [said(head) for head in _HEAD], rows, at=now, language=active())
    return saved(content, "freigaben.pdf", "application/pdf")


def _cells(row: Approved) -> list[str]:
    numbers = ", ".join(number for number, _ in row.certificates) or "–"
    valid = ", ".join(_span(validity) for _, validity in row.certificates) or "–"
    begin, end = row.validity.begin_text, row.validity.end_text
    return [
        row.gateway_type,
        row.firmware,
        row.meter_type,
        begin,
        end,
        numbers,
        valid,
        said(_YES if row.in_force else _NO),
    ]


def _span(validity: Validity) -> str:
    return f"{validity.begin_text} – {validity.end_text}"
