"""One field for everything: a number leads to its case, a whole device id to its gateway, the rest is listed."""

from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from torwart.faces._design.access import provider_only
from torwart.faces.console.inbox import line
from torwart.faces.console.page import person_of, plain, show
from torwart.kernel.identifiers import CaseNumber, DeviceId
from torwart.kernel.refusals import Refusal
from torwart.rules.device_light import EXPIRING, silent_before
from torwart.services import present
from torwart.store.queries import case, client, fleet
from torwart.store.queries import inbox as inboxes
from torwart.store.queries.inbox import Inbox

_FEW = 8


@provider_only
def page(request: HttpRequest) -> HttpResponse:
    """The few best of each kind."""
    text = plain(request.GET.get("q", ""))
    goal = _meant(text)
    if goal:
        return HttpResponseRedirect(goal)
    found: dict[str, Any] = _found(person_of(request), text) if text else {}
    return show(request, "search", text=text, anything=any(found.values()), **found)


def _meant(text: str) -> str:
    """Where an exact number or device id leads, ``""`` if it is none of ours."""
    with suppress(Refusal):
        number = CaseNumber.parse(text).ticket
        if case.ticket(number) is not None:
            return reverse("console:ticket", args=[number])
    with suppress(Refusal):
        device = DeviceId.parse(text)
        if fleet.gateway(device) is not None:
            return reverse("console:gateway", args=[device])
    return ""


def _found(user: int, text: str) -> dict[str, list[Any]]:
    now = present.now()
    rows = inboxes.queue(Inbox.ALL, user=user, soon=now, text=text).order_by(*inboxes.ORDER)[:_FEW]
    gateways = fleet.gateways(text=text, silent_before=silent_before(now), expiring_before=now + EXPIRING)
    return {
        "tickets": [line(row, now) for row in rows],
        "gateways": list(gateways.order_by("-id")[:_FEW]),
        "clients": list(client.found(text, size=_FEW)),
    }
