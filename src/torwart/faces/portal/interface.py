"""The EMT–GWA interface as the client's people see it: couplings, webhooks, what was called and what was told."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from torwart.faces._design import keyset
from torwart.faces._design.access import actor_of, client_of, client_only, has_any, may_order
from torwart.faces._design.forms import Form
from torwart.faces._design.language import active, t
from torwart.kernel.refusals import Refusal
from torwart.kernel.role import Role
from torwart.services import present
from torwart.services import webhook as webhooks
from torwart.services.interface import COMPATIBILITY, Compatibility
from torwart.store.queries import interface as queries
from torwart.store.queries import webhook as webhook_queries

_STATES = {
    "pending": (t("unterwegs", "on its way"), "warning"),
    "delivered": (t("zugestellt", "delivered"), "success"),
    "dead": (t("aufgegeben", "given up"), "danger"),
}
_TONES = {Compatibility.UNKNOWN: "neutral", Compatibility.COMPATIBLE: "success", Compatibility.INCOMPATIBLE: "danger"}


class Endpoint(Form):
    """A new webhook."""

    url = forms.CharField(
        label=t("Adresse Ihres Empfängers", "Address of your receiver"),
        max_length=2000,
        help_text=t("Beginnt mit https:// und ist öffentlich erreichbar.", "Begins with https:// and is public."),
    )


@require_GET
@client_only
def index(request: HttpRequest) -> HttpResponse:
    """Couplings with their versions, and the webhooks."""
    return _index(request, Endpoint())


@require_POST
@may_order
def add(request: HttpRequest) -> HttpResponse:
    """Add a webhook; what is wrong with its address is said at the field."""
    form = Endpoint(request.POST)
    if form.is_valid():
        try:
            row = webhooks.add(
                client_of(request), form.cleaned_data["url"].strip(), actor=actor_of(request), now=present.now()
            )
        except Refusal as refusal:
            form.add_error("url", refusal.text(active()))
        else:
            messages.success(request, str(t("Der Webhook ist eingerichtet.", "The webhook has been set up.")))
            return redirect("portal:webhook", webhook=row.webhook_id)
    return _index(request, form)


def _index(request: HttpRequest, form: Form) -> HttpResponse:
    client = client_of(request)
    lines = [
        (line, COMPATIBILITY[Compatibility(line.compatibility)], _TONES[Compatibility(line.compatibility)])
        for line in queries.couplings(client)
    ]
    context = {
        "couplings": lines,
        "suspended": [line for line, _, _ in lines if line.compatibility == Compatibility.INCOMPATIBLE],
        "webhooks": webhook_queries.webhooks(client),
        "orderer": has_any(request, Role.CONTACT),
        "form": form,
        "errors": bool(form.errors),
        "tabs": _tabs("portal:interface"),
    }
    return render(request, "portal/interface/index.html", context)


@require_GET
@client_only
def calls(request: HttpRequest) -> HttpResponse:
    """The interface log: every call that did something or failed, newest first."""
    failed = request.GET.get("nur") == "fehler"
    found = keyset.page(queries.calls(client_of(request), failed=failed), order=("-id",), at=request.GET.get("seite"))
    context = {"page": found, "failed": failed, "tabs": _tabs("portal:interface_calls")}
    return render(request, "portal/interface/calls.html", context)


@require_GET
@client_only
def events(request: HttpRequest) -> HttpResponse:
    """What the system has been told, newest first."""
    found = keyset.page(queries.events(client_of(request)), order=("-id",), at=request.GET.get("seite"))
    lines = [(row, json.dumps(row.data, indent=2, ensure_ascii=False)) for row in found.rows]
    context = {"page": found, "lines": lines, "tabs": _tabs("portal:interface_events")}
    return render(request, "portal/interface/events.html", context)


@require_GET
@client_only
def webhook(request: HttpRequest, webhook: UUID) -> HttpResponse:
    """One endpoint: keys, and what became of the last 50 deliveries with their attempts."""
    client = client_of(request)
    found = webhook_queries.webhook(client, str(webhook))
    if found is None:
        raise Http404
    lines = [(line, *_STATES[line.state]) for line in webhook_queries.deliveries(client, str(webhook))]
    context = {"webhook": found, "deliveries": lines, "orderer": has_any(request, Role.CONTACT)}
    return render(request, "portal/interface/webhook.html", context)


Act = Callable[[int, str, str, Any], object]
_ACTS: dict[str, tuple[Act, object]] = {
    "schluessel": (
        lambda client, hook, actor, now: webhooks.rotate(client, hook, actor=actor, now=now),
        t(
            "Der neue Schlüssel unterschreibt ab jetzt; der alte noch sieben Tage daneben.",
            "The new key signs from now on; the old one beside it for seven days.",
        ),
    ),
    "test": (
        lambda client, hook, actor, now: webhooks.test(client, hook, actor=actor, now=now),
        t("Das Testereignis ist unterwegs.", "The test event is on its way."),
    ),
    "erneut": (
        lambda client, hook, actor, now: webhooks.resend(client, hook, None, actor=actor, now=now),
        t("Aufgegebene Zustellungen werden erneut versucht.", "Deliveries given up are tried again."),
    ),
    "ruhen": (
        lambda client, hook, actor, now: webhooks.change(client, hook, url=None, active=False, actor=actor, now=now),
        t("Der Webhook ruht; nichts geht verloren.", "The webhook rests; nothing is lost."),
    ),
    "weiter": (
        lambda client, hook, actor, now: webhooks.change(client, hook, url=None, active=True, actor=actor, now=now),
        t("Der Webhook wird wieder beliefert.", "The webhook is delivered to again."),
    ),
    "entfernen": (
        lambda client, hook, actor, now: webhooks.remove(client, hook, actor=actor, now=now),
        t("Der Webhook ist entfernt.", "The webhook has been removed."),
    ),
}


@require_POST
@may_order
def act(request: HttpRequest, webhook: UUID, name: str) -> HttpResponse:
    """Rotate, test, send the dead again, rest, go on, remove."""
    if name not in _ACTS:
        raise Http404
    verb, done = _ACTS[name]
    return _done(
        request, lambda: verb(client_of(request), str(webhook), actor_of(request), present.now()), done, webhook
    )


@require_POST
@may_order
def resend(request: HttpRequest, webhook: UUID, event: UUID) -> HttpResponse:
    """Send the delivery of one event again."""
    delivery = webhook_queries.delivery_of(client_of(request), str(webhook), event)
    if delivery is None:
        raise Http404
    done = t("Die Zustellung wird erneut versucht.", "The delivery is tried again.")
    client, actor = client_of(request), actor_of(request)
    return _done(
        request, lambda: webhooks.resend(client, str(webhook), delivery, actor=actor, now=present.now()), done, webhook
    )


def _done(request: HttpRequest, verb: Callable[[], object], done: object, webhook: UUID) -> HttpResponse:
    try:
        verb()
    except Refusal:  # webhook.unknown is the only one: another's is not found like none (P-1)
        raise Http404 from None
    messages.success(request, str(done))
    if webhook_queries.webhook(client_of(request), str(webhook)) is None:
        return redirect("portal:interface")
    return redirect("portal:webhook", webhook=webhook)


def _tabs(current: str) -> list[dict[str, Any]]:
    pages = (
        ("portal:interface", t("Kopplung und Webhooks", "Coupling and webhooks")),
        ("portal:interface_calls", t("Aufrufe", "Calls")),
        ("portal:interface_events", t("Ereignisse", "Events")),
    )
    return [{"href": reverse(name), "label": label, "current": name == current} for name, label in pages]
