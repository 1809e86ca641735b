"""Orders as a client's own system sees them: one reader for list, single look and long poll (spec/07 point 2).

Every reader takes the client first and knows nothing of others (P-1).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from torwart.kernel.identifiers import CaseNumber
from torwart.kernel.order_state import ORDER, OrderState, OrderVerb
from torwart.kernel.refusals import Refusal
from torwart.store import statement
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
    rows = _read(_NUMBERED, {"client": client, "number": _canonical(number)}, now)
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
    narrowed = {
        "o.id < %(before)s": ("before", before),
        "o.state = %(state)s": ("state", state or None),
        "o.process = %(process)s": ("process", process or None),
        "g.device_id = %(subject)s": ("subject", subject or None),
        "o.reference = %(reference)s": ("reference", reference or None),
        "o.submitted_at >= %(since)s": ("since", since),
    }
    given = {condition: named for condition, named in narrowed.items() if named[1] is not None}
    tail = " ".join([*(f"AND {condition}" for condition in given), "ORDER BY o.id DESC LIMIT %(limit)s"])
    return _read(f"{_OF_CLIENT} {tail}", {"client": client, "limit": limit, **dict(given.values())}, now)


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


_ORDERS = """
SELECT o.id, o.number, t.number, o.process, o.state, o.state_since, o.submitted_at, o.requested_at, o.planned,
       o.due_at, coalesce(g.device_id, ''), o.reference,
       CASE WHEN o.ended_at IS NULL THEN coalesce(r.waiting_for, '') ELSE '' END,
       o.withdrawable_until, o.result::text, o.run_id
  FROM {orders} AS o JOIN store_ticket AS t ON t.order_id = o.id
       LEFT JOIN store_run AS r ON r.id = o.run_id LEFT JOIN store_gateway AS g ON g.id = o.gateway_id
 WHERE o.client_id = %(client)s
"""
_NUMBERED = _ORDERS.format(orders="(SELECT * FROM store_order WHERE number = %(number)s OFFSET 0)")
"""By its number, and only then whose it is: with OFFSET 0 the planner looks no further, and a plan made while the table
was small cannot go through all orders of a client for ever.
"""
_OF_CLIENT = _ORDERS.format(orders="store_order")
_RUN, _RESULT, _WITHDRAWABLE, _STATE, _STEP_AT = -1, -2, -3, 4, 13
"""Places in a row; where the step goes in, the columns before it are the first fields of an operation."""


def _read(sql: str, given: dict[str, Any], now: datetime) -> list[Operation]:
    """The orders of a client that fit; the client's system asks often, so it is one statement as it stands."""
    rows = statement.rows(sql, given)
    running = [row[_RUN] for row in rows if row[_STATE] == OrderState.IN_PROGRESS and row[_RUN]]
    current = _current(running) if running else {}
    proposed = [row[0] for row in rows if row[_STATE] == OrderState.PROPOSED]
    times = _times(proposed) if proposed else {}
    return [
        Operation(  # type: ignore[misc]  # how many columns come first is not in their type
            *row[:_STEP_AT],
            step=current.get(row[_RUN] or 0, ""),
            actions=_actions(row[_STATE], row[_WITHDRAWABLE], now),
            times=tuple(times.get(row[0], ())),
            result=json.loads(row[_RESULT] or "{}") or {},
        )
        for row in rows
    ]


def _actions(state: str, withdrawable_until: datetime, now: datetime) -> tuple[str, ...]:
    allowed = ORDER.allowed(OrderState(state))
    late = now >= withdrawable_until
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
