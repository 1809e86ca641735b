"""The EMT–GWA interface as the client's people see it: couplings, what was called, what was told."""

import json
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.views.decorators.http import require_GET

from torwart.faces._design import keyset
from torwart.faces._design.access import client_of, client_only, has_any
from torwart.faces._design.forms import DateField, Form
from torwart.faces._design.language import said, t
from torwart.kernel.identifiers import CaseNumber
from torwart.kernel.refusals import Refusal
from torwart.kernel.role import Role
from torwart.processes import api_call
from torwart.processes.definition import catalogue
from torwart.services.interface import COMPATIBILITY, SHOWN, Compatibility
from torwart.store.queries import interface as queries
from torwart.store.queries import portal
from torwart.store.queries import webhook as webhook_queries
from torwart.store.queries.interface import CallFilter

DELIVERY = {
    "pending": (t("unterwegs", "on its way"), "warning", "send"),
    "delivered": (t("zugestellt", "delivered"), "success", "check"),
    "dead": (t("aufgegeben", "given up"), "danger", "alert-triangle"),
}
"""States of a delivery: word, colour, sign."""
_TONES = {Compatibility.UNKNOWN: "neutral", Compatibility.COMPATIBLE: "success", Compatibility.INCOMPATIBLE: "danger"}
_OUTCOMES = {
    "gelungen": t("gelungen", "succeeded"),
    "abgelehnt": t("abgelehnt", "refused"),
    "fehler": t("Fehler bei uns", "our fault"),
}
_ELSE = {
    "/v1/webhooks": t("Webhooks", "Webhooks"),
    "/v1/events": t("Ereignisse abholen", "Fetch events"),
    f"{api_call.BASE}/A-": t("Einzelner Auftrag", "Single order"),
}


@require_GET
@client_only
def index(request: HttpRequest) -> HttpResponse:
    """Couplings with their versions, how to get coupled, and the webhooks."""
    client = client_of(request)
    lines = [
        (line, COMPATIBILITY[Compatibility(line.compatibility)], _TONES[Compatibility(line.compatibility)])
        for line in queries.couplings(client)
    ]
    context = {
        "couplings": lines,
        "coupled": any(line.active for line, _, _ in lines),
        "called": any(line.last_call_at for line, _, _ in lines),
        "webhooks": webhook_queries.webhooks(client),
        "orderer": has_any(request, Role.CONTACT),
        "hello": api_call.hello(settings.TORWART_API_URL),
        "url": settings.TORWART_API_URL,
        "tabs": tabs("portal:interface"),
    }
    return render(request, "portal/interface/index.html", context)


# --- what was called --------------------------------------------------------------------------------------------------


class Narrow(Form):
    """Which calls to show; the fields are named as in the address."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        anything: list[tuple[str, Any]] = [("", t("alle", "all"))]
        offered = [process for process in catalogue().values() if process.over_interface]
        processes = [(api_call.path(process), said(process.words)) for process in offered]
        results, kinds = [*anything, *_OUTCOMES.items()], [*anything, *processes, *_ELSE.items()]
        self.fields |= {
            "ergebnis": forms.ChoiceField(label=t("Ergebnis", "Result"), required=False, choices=results),
            "aufruf": forms.ChoiceField(label=t("Aufruf", "Call"), required=False, choices=kinds),
            "auftrag": forms.CharField(label=t("Auftrag", "Order"), required=False, max_length=20),
            "von": DateField(label=t("von", "from"), required=False),
            "bis": DateField(label=t("bis", "until"), required=False),
        }

    @property
    def asked(self) -> CallFilter:
        """What was asked for, as far as it can be."""
        self.is_valid()
        given = getattr(self, "cleaned_data", {})
        begin, end = given.get("von"), given.get("bis")
        return CallFilter(
            given.get("ergebnis", ""),
            given.get("aufruf", ""),
            _order(given.get("auftrag", "")),
            _midnight(begin) if begin else None,
            _midnight(end + timedelta(days=1)) if end else None,
        )


@require_GET
@client_only
def calls(request: HttpRequest) -> HttpResponse:
    """The interface log: every call that did something or failed, newest first."""
    form = Narrow(request.GET)
    found = keyset.page(queries.calls(client_of(request), form.asked), order=("-id",), at=request.GET.get("seite"))
    context = {
        "page": found,
        "narrow": form,
        "narrowed": any(form.data.get(name) for name in form.fields),
        "tabs": tabs("portal:interface_calls"),
    }
    return render(request, "portal/interface/calls.html", context)


@require_GET
@client_only
def call(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """One call, whole: what was asked and what was answered, without secrets."""
    client = client_of(request)
    found = queries.call(client, request_id)
    if found is None:
        raise Http404
    own = found.subject if found.subject and portal.order_state(client, found.subject) is not None else ""
    context = {
        "call": found,
        "order": own,
        "bodies": [(word, _pretty(body), len(body) >= SHOWN) for word, body in _bodies(found)],
    }
    return render(request, "portal/interface/call.html", context)


def _bodies(found: Any) -> list[tuple[Promise, str]]:
    return [(t("Anfrage", "Request"), found.asked), (t("Antwort", "Answer"), found.answered)]


def _pretty(text: str) -> str:
    """JSON with indents; what is none, or was cut, as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


# --- what was told ----------------------------------------------------------------------------------------------------


@require_GET
@client_only
def events(request: HttpRequest) -> HttpResponse:
    """What the system has been told, newest first, and what became of it at each webhook."""
    order = _order(request.GET.get("auftrag", ""))
    found = keyset.page(queries.events(client_of(request), subject=order), order=("-id",), at=request.GET.get("seite"))
    lines = [(row, json.dumps(row.data, indent=2, ensure_ascii=False), _deliveries(row)) for row in found.rows]
    context = {"page": found, "lines": lines, "order": order, "tabs": tabs("portal:interface_events")}
    return render(request, "portal/interface/events.html", context)


def _deliveries(event: Any) -> list[tuple[Any, tuple[Any, str, str]]]:
    return [(delivery, DELIVERY[delivery.state]) for delivery in event.deliveries.all()]


def tabs(current: str) -> list[dict[str, Any]]:
    """The three pages beside each other."""
    pages = (
        ("portal:interface", t("Kopplung und Webhooks", "Coupling and webhooks")),
        ("portal:interface_calls", t("Aufrufe", "Calls")),
        ("portal:interface_events", t("Ereignisse", "Events")),
    )
    return [{"href": reverse(name), "label": label, "current": name == current} for name, label in pages]


def _order(text: str) -> str:
    """The number of an order as it was meant; a text that is none finds nothing."""
    try:
        return CaseNumber.parse(text).order if text.strip() else ""
    except Refusal:
        return text.strip().replace("\0", "")[:20]


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
