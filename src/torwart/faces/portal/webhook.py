"""Webhooks in the portal: set up, changed, keys rotated, what was delivered and what was given up, sent again."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from torwart.faces._design import keyset
from torwart.faces._design.access import actor_of, client_of, client_only, has_any, may_order
from torwart.faces._design.forms import Form
from torwart.faces._design.language import active, t
from torwart.faces.portal.interface import DELIVERY
from torwart.kernel.refusals import Refusal
from torwart.kernel.role import Role
from torwart.processes import api_call
from torwart.services import present
from torwart.services import webhook as webhooks
from torwart.store.queries import webhook as queries
from torwart.store.queries.webhook import WebhookLine

_STATES = (
    ("", t("Alle", "All"), ""),
    ("aufgegeben", t("Aufgegeben", "Given up"), "dead"),
    ("unterwegs", t("Unterwegs", "On their way"), "pending"),
    ("zugestellt", t("Zugestellt", "Delivered"), "delivered"),
)


class Endpoint(Form):
    """Where events are to go."""

    url = forms.CharField(
        label=t("Adresse Ihres Empfängers", "Address of your receiver"),
        max_length=2000,
        help_text=t(
            "Beginnt mit https:// und ist öffentlich erreichbar, zum Beispiel https://emt.ihr-werk.de/torwart.",
            "Begins with https:// and is public, for example https://emt.your-works.de/torwart.",
        ),
    )


@require_http_methods(["GET", "POST"])
@may_order
def add(request: HttpRequest) -> HttpResponse:
    """A new webhook; what is wrong with its address is said at the field."""
    form = Endpoint(request.POST if request.method == "POST" else None)

    def verb(url: str) -> object:
        return webhooks.add(client_of(request), url, actor=actor_of(request), now=present.now()).webhook_id

    back = reverse("portal:interface")
    return _edit(request, form, verb, t("Der Webhook ist eingerichtet.", "The webhook has been set up."), back)


@require_http_methods(["GET", "POST"])
@may_order
def change(request: HttpRequest, webhook: UUID) -> HttpResponse:
    """Another address; what is pending goes there."""
    line = _found(request, webhook)
    form = Endpoint(request.POST if request.method == "POST" else None, initial={"url": line.url})

    def verb(url: str) -> object:
        client, actor = client_of(request), actor_of(request)
        webhooks.change(client, line.webhook, url=url, active=None, actor=actor, now=present.now())
        return line.webhook

    back = reverse("portal:webhook", args=[webhook])
    return _edit(request, form, verb, t("Die Adresse ist geändert.", "The address has been changed."), back, line)


def _edit(
    request: HttpRequest,
    form: Endpoint,
    verb: Callable[[str], object],
    done: object,
    back: str,
    line: WebhookLine | None = None,
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            name = verb(form.cleaned_data["url"].strip())
        except Refusal as refusal:
            form.add_error("url", refusal.text(active()))
        else:
            messages.success(request, str(done))
            return redirect("portal:webhook", webhook=name)
    context = {"form": form, "errors": bool(form.errors), "webhook": line, "back": back}
    return render(request, "portal/interface/endpoint.html", context)


@require_GET
@client_only
def page(request: HttpRequest, webhook: UUID) -> HttpResponse:
    """One endpoint: its keys, and what became of its deliveries with their attempts."""
    line = _found(request, webhook)
    tab = next((tab for tab in _STATES if tab[0] == request.GET.get("stand", "")), _STATES[0])
    rows = queries.delivery_rows(client_of(request), line.webhook, state=tab[2])
    found = keyset.page(rows, order=("-id",), at=request.GET.get("seite"), size=25)
    keys = [Key(key, present.now()) for key in line.keys]
    counts: dict[str, Any] = {"aufgegeben": line.dead, "unterwegs": line.pending}
    context = {
        "webhook": line,
        "keys": [key for key in keys if key.valid],
        "page": found,
        "lines": [(delivery, DELIVERY[delivery.state], list(delivery.tries.all())) for delivery in found.rows],
        "tabs": [
            {"href": f"?stand={name}" if name else "?", "label": word, "current": name == tab[0], "count": count}
            for name, word, _ in _STATES
            for count in [counts.get(name)]
        ],
        "stand": tab[0],
        "orderer": has_any(request, Role.CONTACT),
        "verify": api_call.verifying([key.public for key in keys if key.valid]),
    }
    return render(request, "portal/interface/webhook.html", context)


class Key:
    """A signing key as a page shows it. ``until``: when it stops to sign, ``None`` for the newest."""

    def __init__(self, key: dict[str, Any], now: datetime) -> None:
        self.public: str = key["public"]
        self.until = datetime.fromisoformat(key["until"]) if key["until"] else None
        self.valid = self.until is None or self.until > now


Act = Callable[[int, str, str, Any], object]
_ACTS: dict[str, tuple[Act, object]] = {
    "schluessel": (
        lambda client, hook, actor, now: webhooks.rotate(client, hook, actor=actor, now=now),
        t(
            "Der neue Schlüssel unterschreibt ab jetzt, der alte noch sieben Tage daneben. Tragen Sie den neuen bei "
            "sich ein.",
            "The new key signs from now on, the old one beside it for seven days. Enter the new one on your side.",
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
        t(
            "Der Webhook ruht. Was inzwischen geschieht, bleibt unter /v1/events abholbar.",
            "The webhook rests. What happens meanwhile can be fetched from /v1/events.",
        ),
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
    client, actor = client_of(request), actor_of(request)
    delivery = queries.delivery_of(client, str(webhook), event)
    if delivery is None:
        raise Http404
    done = t("Die Zustellung wird erneut versucht.", "The delivery is tried again.")
    return _done(
        request, lambda: webhooks.resend(client, str(webhook), delivery, actor=actor, now=present.now()), done, webhook
    )


def _done(request: HttpRequest, verb: Callable[[], object], done: object, webhook: UUID) -> HttpResponse:
    try:
        verb()
    except Refusal:  # webhook.unknown is the only one: another's is not found like none (P-1)
        raise Http404 from None
    messages.success(request, str(done))
    if queries.webhook(client_of(request), str(webhook)) is None:
        return redirect("portal:interface")
    return redirect("portal:webhook", webhook=webhook)


def _found(request: HttpRequest, webhook: UUID) -> WebhookLine:
    line = queries.webhook(client_of(request), str(webhook))
    if line is None:
        raise Http404
    return line
