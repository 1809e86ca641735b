"""The deadline of a ticket, told by the audit trail alone (T-5).

The entries about ``ticket:T-…`` say when its clock began, rested and went on; nothing else is asked. What the ticket's
row shows as ``due_at`` is written from here, so both can be compared at any time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from torwart.rules.lead_time import UNPLANNED_LIMIT
from torwart.rules.service_clock import ServiceClock
from torwart.rules.service_time import service_time
from torwart.store.models import AuditEntry

OPENED, RESCHEDULED, REOPENED = "ticket.opened", "ticket.rescheduled", "ticket.reopened"
PAUSED, RESUMED = "ticket.paused", "ticket.resumed"
Event = tuple[datetime, str, Mapping[str, Any]]
"""When, action and payload of an audit entry."""


@dataclass(frozen=True, slots=True)
class Timing:
    """``clock``: service time; ``requested_at``: what a planned order has been promised, else ``None``."""

    clock: ServiceClock
    requested_at: datetime | None = None

    @classmethod
    def begin(cls, start: datetime, requested_at: datetime | None) -> Self:
        """Planned: all the time until the promised instant. Unplanned: 24 hours of service time (T-4)."""
        allowance = UNPLANNED_LIMIT if requested_at is None else service_time(start, requested_at)
        return cls(ServiceClock(start, allowance), requested_at)

    @property
    def due(self) -> datetime | None:
        """The promised instant, or when the clock has run down, whichever is later; ``None`` while it rests."""
        due = self.clock.due
        if due is None or self.requested_at is None:
            return None if self.clock.resting else due
        return max(due, self.requested_at)

    def pause(self, at: datetime, reason: str) -> Self:
        return replace(self, clock=self.clock.pause(at, reason))

    def resume(self, at: datetime) -> Self:
        return replace(self, clock=self.clock.resume(at))


def rebuild(events: Iterable[Event]) -> Timing:
    """The clock after these events, oldest first; raises ``ValueError`` if none of them opened the ticket."""
    timing: Timing | None = None
    for at, action, payload in events:
        if action in (OPENED, RESCHEDULED, REOPENED):
            requested = payload.get("requested_at")
            timing = Timing.begin(at, datetime.fromisoformat(requested) if requested else None)
        elif timing is not None and action == PAUSED:
            timing = timing.pause(at, str(payload["reason"]))
        elif timing is not None and action == RESUMED:
            timing = timing.resume(at)
    if timing is None:
        raise ValueError("no entry of the audit trail opened this ticket")
    return timing


def timing(number: str) -> Timing:
    """The clock of the ticket ``number``, from the audit trail."""
    rows = AuditEntry.objects.filter(subject=f"ticket:{number}").order_by("id")
    return rebuild(rows.values_list("at", "action", "payload"))
