"""The provider's inboxes: tickets by whose turn it is and how near their deadline, nearest first."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce

from torwart.kernel.run_state import RunState, WaitingFor
from torwart.kernel.ticket_state import TicketState
from torwart.store.models import Client, Gateway, Order, Ticket
from torwart.store.models.ticket import FAR, OPEN

_TRIGRAM = 3
"""What is shorter stands in too many ids for any index to help, or anybody to be helped."""
BOUND = 100
"""Nobody needs to know whether it is 100 or 3,000; counting stops here."""
ORDER = ("sort_at", "id")
"""What a page of a queue is ordered by."""
_SHOWN = Coalesce("due_at", FAR)
"""``sort_at``, as the indexes of open tickets know it."""


class Inbox(StrEnum):
    """An inbox has one fixed meaning; a ticket may lie in several."""

    AT_RISK = "frist"
    UNASSIGNED = "frei"
    MINE = "mir"
    CLIENT = "auftraggeber"
    DEVICE = "geraet"
    TIME = "termin"
    ALL = "offen"


_WAITS = {
    Inbox.CLIENT: TicketState.WAITING_CLIENT,
    Inbox.TIME: TicketState.WAITING_TIME,
}


def tickets(inbox: Inbox, *, user: int, soon: datetime) -> QuerySet[Ticket]:
    """The open tickets of an inbox. ``soon``: a deadline up to then is at risk."""
    if inbox is Inbox.DEVICE:
        # A run that waits for its silent gateway is waiting for a device too, while the ticket's clock goes on. Joined
        # to the index of open tickets: so only as many are looked at as a page needs.
        silent = Q(order__run__state=RunState.WAITING, order__run__waiting_for=WaitingFor.DEVICE)
        return Ticket.objects.filter(silent | Q(state=TicketState.WAITING_DEVICE), state__in=OPEN)
    if inbox in _WAITS:
        return Ticket.objects.filter(state=_WAITS[inbox].value)
    rows = Ticket.objects.filter(state__in=OPEN)
    if inbox is Inbox.AT_RISK:
        return rows.alias(end=_SHOWN).filter(end__lte=soon)
    if inbox is Inbox.UNASSIGNED:
        return rows.filter(assignee=None)
    return rows.filter(assignee=user) if inbox is Inbox.MINE else rows


def counts(*, user: int, soon: datetime) -> dict[Inbox, int]:
    """How many tickets each inbox holds, at most ``BOUND``; one query."""
    parts: list[str] = []
    values: list[Any] = []
    for inbox in Inbox:
        bounded = tickets(inbox, user=user, soon=soon).order_by().values_list(Value(1))[:BOUND]
        sql, params = bounded.query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS bounded)")  # noqa: S608 -- compiled by Django, values apart
        values.extend(params)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        found = cursor.fetchone()
    return dict(zip(Inbox, found, strict=True))


def queue(inbox: Inbox, *, user: int, soon: datetime, text: str = "") -> QuerySet[Ticket]:
    """The inbox as its list shows it: client, gateway, order with run and assignee beside each ticket, ``sort_at`` to
    order by. ``text``: part of number, subject or client, from three characters on of device id and client's reference.
    """
    rows = tickets(inbox, user=user, soon=soon)
    if text:
        rows = rows.filter(_containing(text))
    return rows.select_related("client", "gateway", "order__run", "assignee").annotate(sort_at=_SHOWN)


def due_until(until: datetime, limit: int) -> list[Ticket]:
    """Tickets whose clock runs and ends by ``until``, most urgent first."""
    rows = Ticket.objects.filter(state__in=OPEN).alias(end=_SHOWN).filter(end__lte=until).order_by("end", "id")
    return list(rows.select_related("client", "order")[:limit])


def _containing(text: str) -> Q:
    """Clients, gateways and references are found first, each by its own index. Where they are few they are named, so
    that the tickets are found by index too; where they are many, looking through the queue soon finds enough of them.
    """
    found = Q(number__contains=text.upper()) | Q(subject__iregex=re.escape(text))  # so the index is used, not by UPPER
    if len(text) < _TRIGRAM:
        return found | Q(client__in=Client.objects.filter(name__icontains=text).values("pk"))
    beside = {
        "client": Client.objects.filter(name__icontains=text),
        "gateway": Gateway.objects.filter(device_id__contains="".join(text.upper().split())),
        "order": Order.objects.filter(Q(reference__contains=text) | Q(reference__contains=text.upper())),
    }
    few = _few(beside)
    for name, rows in beside.items():
        among = few[name] if len(few[name]) <= BOUND else rows.values("pk")
        found |= Q(**{f"{name}__in": among})
    return found


def _few(beside: Mapping[str, QuerySet[Any]]) -> dict[str, list[int]]:
    """The ids of each of these, one more than ``BOUND`` at most; one query."""
    parts = [rows.order_by().values_list(Value(name), "pk")[: BOUND + 1] for name, rows in beside.items()]
    found: dict[str, list[int]] = {name: [] for name in beside}
    for name, pk in parts[0].union(*parts[1:], all=True):
        found[name].append(pk)
    return found
