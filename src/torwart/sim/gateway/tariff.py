"""Tariff use cases 1, 2, 6 and 7: what the gateway derives from its captures (spec/04 §1.6).

Pure functions of captures and a plan. Days and months are those of Europe/Berlin. Where PTB-A 50.8 is not at hand
the rule is ours: energy between two captures counts into the stage in force at the earlier one if both are billable
and at most one registration period lies between; everything else goes into the error register, nothing is lost:
sum of the stages + error register = total, always.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from torwart.sim.gateway.series import NO_VALUE, Capture, Series
from torwart.wire.profiles.evaluation import BillingPeriod

BERLIN = ZoneInfo("Europe/Berlin")
SIX_WEEKS = 42
ERROR_STAGE = 63
"""The error register is tariff number 63 of its register, e.g. 1-0:1.8.63."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value to deliver: ``value`` in tenths of Wh (W for powers), ``None`` where nothing was received."""

    at: datetime
    register: str
    value: int | None
    status: int


@dataclass(frozen=True, slots=True)
class StagePlan:
    """When which tariff stage is in force: per weekday (0 = Monday) a day of (start, stage), and special days.

    ``default`` counts before the first switching time of a day and on days without one.
    """

    default: int
    weekdays: Mapping[int, tuple[tuple[time, int], ...]] = field(default_factory=dict)
    special: Mapping[date, tuple[tuple[time, int], ...]] = field(default_factory=dict)

    def stage(self, at: datetime) -> int:
        local = at.astimezone(BERLIN)
        day = self.special.get(local.date(), self.weekdays.get(local.weekday(), ()))
        stage = self.default
        for start, number in sorted(day):
            if start <= local.time():
                stage = number
        return stage

    def stages(self) -> set[int]:
        days = (*self.weekdays.values(), *self.special.values())
        return {self.default, *(number for day in days for _, number in day)}


def midnights(since: datetime, until: datetime) -> Iterator[datetime]:
    """Local midnights with ``since`` ≤ midnight ≤ ``until``, as UTC."""
    day = since.astimezone(BERLIN).date()
    while (midnight := _midnight(day)) <= until:
        if midnight >= since:
            yield midnight
        day += timedelta(days=1)


def month_starts(since: datetime, until: datetime) -> Iterator[datetime]:
    """First instants of local months with ``since`` ≤ instant ≤ ``until``, as UTC."""
    return (start for start in midnights(since, until) if start.astimezone(BERLIN).day == 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), BERLIN).astimezone(UTC)


def grid(since: datetime, until: datetime, period: int) -> Iterator[datetime]:
    """Multiples of ``period`` seconds in UTC with ``since`` < instant ≤ ``until``; 900 and 3600 fit local hours too."""
    instant = int(since.timestamp()) // period * period + period
    end = until.timestamp()
    while instant <= end:
        yield datetime.fromtimestamp(instant, UTC)
        instant += period


def pick(series: Series, register: str, instants: Iterable[datetime]) -> list[Value]:
    """The register's values at exactly these instants; where no capture is, a value-less one with the status bit."""
    return [_value(series.at(instant), register, instant) for instant in instants]


def _value(capture: Capture | None, register: str, instant: datetime) -> Value:
    if capture is None:
        return Value(instant, register, None, NO_VALUE)
    value = capture.registers.get(register)
    return Value(instant, register, value, capture.status | (NO_VALUE if value is None else 0))


def taf1(
    series: Series, register: str, since: datetime, until: datetime, billing: BillingPeriod | None = None
) -> list[Value]:
    """Data-sparing: only the register at each start of a billing period, of a month unless the profile says so."""
    if billing is None:
        return pick(series, register, month_starts(since, until))
    return pick(series, register, (start for start in billing_starts(billing, until) if start >= since))


def billing_starts(billing: BillingPeriod, until: datetime) -> Iterator[datetime]:
    """The beginnings of the billing periods up to ``until``, by the local calendar, as UTC."""
    count, unit = int(billing.duration[1:-1]), billing.duration[-1]
    first = billing.start.astimezone(BERLIN)
    for number in range(0, 10_000 * count, count):
        if unit == "D":
            day = first.date() + timedelta(days=number)
        else:
            months = first.year * 12 + first.month - 1 + number * (12 if unit == "Y" else 1)
            # A period from the 31st begins on the last day of shorter months.
            last = monthrange(months // 12, months % 12 + 1)[1]
            day = date(months // 12, months % 12 + 1, min(first.day, last))
        start = datetime.combine(day, first.time(), BERLIN).astimezone(UTC)
        if start > until:
            return
        yield start


def taf6(series: Series, register: str, now: datetime) -> list[Value]:
    """On demand: the daily values of the last six weeks, as far as the gateway had been registering by then."""
    midnight = _midnight(now.astimezone(BERLIN).date() - timedelta(days=SIX_WEEKS - 1))
    known = (instant for instant in midnights(midnight, now) if series.at(instant) is not None)
    return pick(series, register, known)


def taf7(series: Series, register: str, since: datetime, until: datetime, period: int) -> list[Value]:
    """The series of register values on the grid of the registration period, after ``since`` up to ``until``."""
    return pick(series, register, grid(since, until, period))


class StageRegisters:
    """TAF 2: running registers per stage, the error register and the total since the first capture seen.

    ``until``: end of the contract, after which nothing more is to be counted.
    """

    __slots__ = (
        "_last_at",
        "_last_billable",
        "_last_value",
        "error",
        "first",
        "period",
        "plan",
        "register",
        "stages",
        "until",
    )

    def __init__(self, plan: StagePlan, register: str, period: int, until: datetime | None = None) -> None:
        self.plan = plan
        self.register = register
        self.period = period
        self.end(until)
        self.stages: dict[int, int] = dict.fromkeys(sorted(plan.stages()), 0)
        self.error = 0
        self.first: int | None = None
        self._last_value = 0
        self._last_at: datetime | None = None
        self._last_billable = False

    def end(self, until: datetime | None) -> None:
        """The contract's end, ``None``: open; it may be set while the registers are running."""
        self.until = until or datetime.max.replace(tzinfo=UTC)

    @property
    def total(self) -> int:
        return self._last_value - self.first if self.first is not None else 0

    def count(self, capture: Capture) -> None:
        """Take the next capture; one without the register leaves a gap that the next pays into the error register."""
        value = capture.registers.get(self.register)
        if value is None or (self._last_at is not None and capture.at <= self._last_at):
            return
        if self.first is None or self._last_at is None:
            self.first = value
        else:
            adjacent = capture.at - self._last_at <= timedelta(seconds=self.period)
            if adjacent and self._last_billable and capture.billable:
                self.stages[self.plan.stage(self._last_at)] += value - self._last_value
            else:
                self.error += value - self._last_value
        self._last_value, self._last_at, self._last_billable = value, capture.at, capture.billable

    def values(self, at: datetime, status: int) -> list[Value]:
        """Every register as a value at ``at``: stages 1-0:1.8.n, error 1-0:1.8.63, total 1-0:1.8.0."""
        stem = self.register.rsplit(".", 1)[0]
        rows = {**{f"{stem}.{n}": energy for n, energy in self.stages.items()}, f"{stem}.{ERROR_STAGE}": self.error}
        rows[f"{stem}.0"] = self.total
        return [Value(at, register, energy, status) for register, energy in rows.items()]

    def state(self) -> dict[str, Any]:
        return {
            "stages": {str(stage): energy for stage, energy in self.stages.items()},
            "error": self.error,
            "first": self.first,
            "last": [self._last_value, self._last_at.isoformat() if self._last_at else None, self._last_billable],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.stages |= {int(stage): energy for stage, energy in state["stages"].items()}
        self.error, self.first = state["error"], state["first"]
        self._last_value, at, self._last_billable = state["last"]
        self._last_at = datetime.fromisoformat(at) if at else None
