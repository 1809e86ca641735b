"""Orders as a client's own system sees them: one reader for list, single look and long poll (spec/07 point 2).

Every reader takes the client first and knows nothing of others (P-1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from torwart.kernel.identifiers import CaseNumber
from torwart.kernel.order_state import ORDER, OrderState, OrderVerb
from torwart.kernel.refusals import Refusal
from torwart.store.models import Exchange, InterfaceEvent, Order, Proposal, Step

_OFFERED = (OrderVerb.WITHDRAW, OrderVerb.CANCEL, OrderVerb.CHOOSE)
"""What a client may do with an order, of all its verbs."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One order. ``actions``: verbs possible now, by the state table and the time for withdrawing."""

    pk: int
    number: str
    ticket: str
    process: str
    state: str
    state_since: datetime
    submitted_at: datetime
    requested_at: datetime | None
    planned: bool
    due_at: datetime
    subject: str
    reference: str
    waiting_for: str
    step: str
    actions: tuple[str, ...]
    times: tuple[datetime, ...]
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StepLine:
    name: str
    de: str
    en: str
    state: str
    attempts: int
    started_at: datetime | None
    ended_at: datetime | None
    code: str


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event as it is told. ``place``: where it stands in the feed, for going on behind it."""

    place: int
    event_id: UUID
    type: str
    subject: str
    at: datetime
    data: dict[str, Any]


def find(client: int, number: str, now: datetime) -> Operation | None:
    """The client's order of that number; another's is ``None`` like one that does not exist."""
    rows = _read(_orders(client).filter(number=_canonical(number)), now)
    return rows[0] if rows else None


def page(
    client: int,
    now: datetime,
    *,
    before: int | None = None,
    limit: int,
    state: str = "",
    process: str = "",
    subject: str = "",
    reference: str = "",
    since: datetime | None = None,
) -> list[Operation]:
    """Newest first, from below the row ``before``; at most ``limit``."""
    rows = _orders(client)
    narrowed = {
        "pk__lt": before,
        "state": state or None,
        "process": process or None,
        "gateway__device_id": subject or None,
        "reference": reference or None,
        "submitted_at__gte": since,
    }
    given = {name: value for name, value in narrowed.items() if value is not None}
    return _read(rows.filter(**given).order_by("-id")[:limit], now)


def version(client: int, number: str) -> tuple[Any, ...] | None:
    """What changes whenever a client would see something new of an order; one cheap look."""
    row = Order.objects.filter(client=client, number=_canonical(number))
    return row.values_list("state", "state_since", "starts_at", "run__state", "run__state_since").first()


def steps(client: int, number: str) -> list[StepLine]:
    """The steps entered so far, in order."""
    order = Order.objects.filter(client=client, number=_canonical(number)).only("run_id", "wording").first()
    if order is None:
        return []
    words = {name: (de, en) for name, de, en in order.wording["steps"]}
    return [
        StepLine(
            step.name,
            *words.get(step.name, (step.name, step.name)),
            step.state,
            step.attempts,
            step.started_at,
            step.ended_at,
            step.code,
        )
        for step in Step.objects.filter(run=order.run_id).order_by("position")
    ]


def transcript(client: int, number: str, limit: int = 500) -> list[Exchange]:
    """What was said with gateway and Sub-CA for this order, oldest first; heads are redacted, bodies not kept."""
    order = Order.objects.filter(client=client, number=_canonical(number)).select_related("run").first()
    if order is None or order.run is None:
        return []
    return list(Exchange.objects.filter(run=order.run).order_by("id")[:limit])


def events(client: int, after: int, limit: int) -> list[EventLine]:
    """The client's events behind the place ``after``, oldest first; those without a place yet are not among them
    (``services.interface_event.arrange``).
    """
    rows = InterfaceEvent.objects.filter(client=client, place__gt=after).order_by("place")[:limit]
    return [EventLine(row.place or 0, row.event_id, row.type, row.subject, row.at, row.data) for row in rows]


_COLUMNS = (
    *("number", "process", "state", "state_since", "submitted_at", "requested_at", "planned", "due_at", "reference"),
    *("withdrawable_until", "ended_at", "result", "ticket__number", "run__waiting_for", "gateway__device_id"),
)


def _orders(client: int) -> QuerySet[Order]:
    return Order.objects.filter(client=client).select_related("ticket", "run", "gateway").only(*_COLUMNS)


def _read(rows: QuerySet[Order], now: datetime) -> list[Operation]:
    orders = list(rows)
    running = [order.run_id for order in orders if order.state == OrderState.IN_PROGRESS and order.run_id]
    current = _current(running) if running else {}
    proposed = [order.pk for order in orders if order.state == OrderState.PROPOSED]
    times = _times(proposed) if proposed else {}
    return [_operation(order, current.get(order.run_id or 0, ""), times.get(order.pk, ()), now) for order in orders]


def _operation(order: Order, step: str, times: Sequence[datetime], now: datetime) -> Operation:
    return Operation(
        pk=order.pk,
        number=order.number,
        ticket=order.ticket.number,
        process=order.process,
        state=order.state,
        state_since=order.state_since,
        submitted_at=order.submitted_at,
        requested_at=order.requested_at,
        planned=order.planned,
        due_at=order.due_at,
        subject=order.gateway.device_id if order.gateway else "",
        reference=order.reference,
        waiting_for=order.run.waiting_for if order.run and order.ended_at is None else "",
        step=step,
        actions=_actions(order, now),
        times=tuple(times),
        result=order.result or {},
    )


def _actions(order: Order, now: datetime) -> tuple[str, ...]:
    allowed = ORDER.allowed(OrderState(order.state))
    late = now >= order.withdrawable_until
    return tuple(verb.value for verb in _OFFERED if verb in allowed and not (verb is OrderVerb.WITHDRAW and late))


def _current(runs: Sequence[int]) -> dict[int, str]:
    rows = Step.objects.filter(run__in=runs, ended_at__isnull=True).order_by("position")
    return dict(rows.values_list("run_id", "name"))


def _times(orders: Sequence[int]) -> dict[int, Sequence[datetime]]:
    rows = Proposal.objects.filter(order__in=orders, answered_at__isnull=True).order_by("id")
    return dict(rows.values_list("order_id", "times"))


def _canonical(number: str) -> str:
    """The order's number, also where the ticket's was given; what is none finds nothing."""
    try:
        return CaseNumber.parse(number).order
    except Refusal:
        return ""
