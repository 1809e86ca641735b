"""The clock of a ticket: it runs in service time, rests while the client is asked, and can be recomputed (T-5).

A clock is a value: its start, its allowance and its pauses say everything, so it is rebuilt from the audit trail at
any time, and a corrected calendar corrects its history.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from torwart.kernel.refusals import service_time as refused
from torwart.rules.service_time import CALENDAR, Calendar, Interval, deadline, service_time


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch in which the clock rests; ``end`` is ``None`` while it still does.

    ``reason`` is shown to the client.
    """

    begin: datetime
    end: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class ServiceClock:
    """``allowance`` of service time from ``start``, not counting ``pauses`` (in order, at most the last open).

    Instants are kept in UTC, so that comparing them is right also in the hour that happens twice.
    """

    start: datetime
    allowance: timedelta
    pauses: tuple[Pause, ...] = ()
    calendar: Calendar = CALENDAR

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        pauses = (Pause(p.begin.astimezone(UTC), p.end and p.end.astimezone(UTC), p.reason) for p in self.pauses)
        object.__setattr__(self, "pauses", tuple(pauses))

    @property
    def resting(self) -> Pause | None:
        """The open pause, if the clock rests now."""
        return self.pauses[-1] if self.pauses and self.pauses[-1].end is None else None

    @property
    def last_change(self) -> datetime:
        """When the clock was last started, paused or resumed."""
        if not self.pauses:
            return self.start
        return self.pauses[-1].end or self.pauses[-1].begin

    def pause(self, at: datetime, reason: str) -> Self:
        """The clock, resting from ``at``. Raises ``service_time.paused_already`` or ``.not_later``."""
        if self.resting:
            raise refused.PAUSED_ALREADY(since=self.resting.begin.isoformat(), reason=self.resting.reason)
        self._check_later(at)
        return replace(self, pauses=(*self.pauses, Pause(at, None, reason)))

    def resume(self, at: datetime) -> Self:
        """The clock, running again from ``at``. Raises ``service_time.not_paused`` or ``.not_later``."""
        if not self.resting:
            raise refused.NOT_PAUSED()
        self._check_later(at)
        return replace(self, pauses=(*self.pauses[:-1], replace(self.resting, end=at)))

    def used(self, at: datetime) -> timedelta:
        """Service time used up by ``at``; it may exceed the allowance."""
        return sum((service_time(s.begin, s.end, self.calendar) for s in self._running(at)), timedelta(0))

    def remaining(self, at: datetime) -> timedelta:
        """Allowance minus what is used by ``at``; negative when overdue."""
        return self.allowance - self.used(at)

    @property
    def due(self) -> datetime | None:
        """When the allowance is used up, in the calendar's zone; ``None`` while the clock rests with something left."""
        left = self.allowance
        for stretch in self._running(None):
            length = service_time(stretch.begin, stretch.end, self.calendar)
            if length >= left:
                return deadline(stretch.begin, left, self.calendar)
            left -= length
        return None if self.resting else deadline(self.last_change, left, self.calendar)

    def counted(self) -> list[Interval]:
        """The stretches of service time that make up the deadline, day by day; those so far while the clock rests."""
        end = self.due or self.last_change
        stretches = self._running(end)
        return [each for stretch in stretches for each in self.calendar.intervals(stretch.begin, stretch.end)]

    def overdue(self, at: datetime) -> bool:
        due = self.due
        return due is not None and at > due

    def _running(self, until: datetime | None) -> Iterator[Interval]:
        """The closed stretches between pauses, and with ``until`` the one that leads up to it, if it runs then."""
        begin = self.start
        for pause in self.pauses:
            end = pause.begin if until is None else min(pause.begin, until)
            if begin < end:
                yield Interval(begin, end)
            if pause.end is None:
                return
            begin = pause.end
        if until is not None and begin < until:
            yield Interval(begin, until)

    def _check_later(self, at: datetime) -> None:
        if at < self.last_change:
            raise refused.NOT_LATER(given=at.isoformat(), last=self.last_change.isoformat())
