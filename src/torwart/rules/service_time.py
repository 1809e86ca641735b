"""Service time and deadlines (T-1 to T-4; KL 3.1 and 4.2.1).

Theory of operation
- An instant is service time exactly if the clock on the wall in Berlin reads a time inside a window of that day's
  hours. Windows are half-open: 08:00 counts, 17:00 is closed. On days when the clocks change, what the wall clock
  reads decides, so an hour that happens twice counts twice and one that is left out counts nothing.
- All windows become one ledger of UTC intervals with running totals, made once per calendar. A deadline is then two
  binary searches: how much service time had passed at the start, and where that plus the duration is reached.
- A deadline that uses up exactly the rest of a day lies at the closing of that day, not at the next opening.

Instants in and out are aware; those given out are in the calendar's zone.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals import service_time as refused
from torwart.rules.holidays import FIRST_YEAR, nationwide

LAST_YEAR = 2099
_WHOLE = (FIRST_YEAR, LAST_YEAR)
_USUAL = (2016, 2040)
"""What a first ledger covers; the whole range is laid out when an instant outside is asked for."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NEAR = 16
"""Most deadlines end within so many intervals; looking there first halves the search."""
_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Window = tuple[int, int]
"""Opening and closing in minutes since midnight of the wall clock; closing is at most 1440."""


class Interval(NamedTuple):
    """A stretch of service time, half-open."""

    begin: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end.astimezone(UTC) - self.begin.astimezone(UTC)


class _Ledger(NamedTuple):
    """All service intervals of some years in UTC microseconds since 1970, with running totals.

    ``before[i]`` is the service time before interval ``i``, ``after[i]`` that up to its end. ``following[d]`` is the
    first interval that ends after day ``d`` of the ledger begins. ``span`` is what the ledger speaks about; an empty
    interval at its end closes the lists, so that every instant within has a next one.
    """

    span: tuple[int, int]
    begins: list[int]
    ends: list[int]
    before: list[int]
    after: list[int]
    following: list[int]


@dataclass(frozen=True)
class Calendar:
    """Service hours as configuration (T-1): windows per weekday, nationwide holidays and extra closed days.

    ``hours`` has seven entries, Monday first. The default is the customer guide's: „Montag–Freitag, 08:00–17:00 Uhr,
    ausgenommen sind bundeseinheitliche Feiertage“ (KL 3.1). Unusable hours raise ``service_time.calendar``.
    """

    hours: tuple[tuple[Window, ...], ...] = (((480, 1020),),) * 5 + ((),) * 2
    closed: frozenset[date] = frozenset()
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Berlin"))
    _ledger: _Ledger | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for windows in self.hours:
            edges = [edge for window in windows for edge in window]
            if sorted(set(edges)) != edges or any(not 0 <= edge <= 1440 for edge in edges):
                raise refused.CALENDAR(given=str(windows))
        if len(self.hours) != 7 or not any(self.hours):
            raise refused.CALENDAR(given=f"{sum(map(bool, self.hours))}/7")

    @classmethod
    def configured(cls, hours: Mapping[str, str], closed: Iterable[str] = (), zone: str = "Europe/Berlin") -> Self:
        """From settings: ``{"monday": "08:00-12:00 13:00-17:00", …}`` (days left out are closed), ISO dates."""
        unknown = set(hours) - set(_DAY_NAMES)
        if unknown:
            raise refused.CALENDAR(given=", ".join(sorted(unknown)))
        try:
            days = frozenset(date.fromisoformat(day) for day in closed)
            place = ZoneInfo(zone)
        except (ValueError, KeyError) as error:
            raise refused.CALENDAR(given=str(error)) from error
        return cls(tuple(_windows(hours.get(day, "")) for day in _DAY_NAMES), days, place)

    def is_open(self, at: datetime) -> bool:
        """Whether ``at`` is service time."""
        return _micros(self.next_open(at)) == _micros(at)

    def next_open(self, at: datetime) -> datetime:
        """``at`` itself if it is service time, else the next opening."""
        return deadline(at, 0, self)

    def windows(self, day: date) -> tuple[Window, ...]:
        """The windows of one day: none on holidays and extra closed days."""
        if day in self.closed or day in nationwide(day.year):
            return ()
        return self.hours[day.weekday()]

    def intervals(self, begin: datetime, end: datetime) -> Iterator[Interval]:
        """The service intervals that overlap ``[begin, end)``, cut to it, in order."""
        first, last = _micros(begin), _micros(end)
        if first >= last:
            return
        ledger = self._covering(first, last)
        for i in range(bisect_right(ledger.ends, first), bisect_left(ledger.begins, last)):
            yield Interval(
                self._instant(max(first, ledger.begins[i])),
                self._instant(min(last, ledger.ends[i])),
            )

    def _instant(self, micros: int) -> datetime:
        # Exact: until 2099 a double holds seconds to better than half a microsecond, and fromtimestamp rounds to one.
        return datetime.fromtimestamp(micros / 1_000_000, self.zone)

    def _covering(self, first: int, last: int) -> _Ledger:
        """A ledger that speaks about both instants; raises ``service_time.out_of_range``."""
        ledger = self._ledger or self._lay_out(_USUAL)
        if not (ledger.span[0] <= first and last < ledger.span[1]):
            ledger = self._lay_out(_WHOLE)
            for micros in (first, last):
                if not ledger.span[0] <= micros < ledger.span[1]:
                    raise _out_of_range(_micros_text(micros))
        return ledger

    def _lay_out(self, years: tuple[int, int]) -> _Ledger:
        ledger = self._ledger
        if ledger is None or ledger.span != _span(years):
            ledger = _make_ledger(self, years)
            object.__setattr__(self, "_ledger", ledger)  # a cache: it follows from the other fields alone
        return ledger


def deadline(start: datetime, hours: float | timedelta, calendar: Calendar | None = None) -> datetime:
    """The instant at which ``hours`` of service time have passed since ``start`` (T-2).

    „Kann die Bearbeitung eines Vorgangs nicht innerhalb der Servicezeit eines Werktags abgeschlossen werden, so
    endet die Zeit zur Bearbeitung an diesem Werktag zum Ende der Servicezeit, die Bearbeitung wird am nächsten
    Werktag mit dem Beginn der Servicezeit fortgesetzt.“ (KL 4.2.1.1 and 4.2.1.2)

    Zero hours give the start itself or the next opening. Raises ``service_time.duration`` for a negative duration,
    ``service_time.out_of_range`` outside 1995–2099.
    """
    calendar = calendar or CALENDAR
    begun, needed = _micros(start), _duration(hours)
    due = _reached(calendar._covering(begun, begun), begun, needed)
    if due is None:
        due = _reached(calendar._lay_out(_WHOLE), begun, needed)
    if due is None:
        raise _out_of_range(f"{start:%Y-%m-%d} + {hours}")
    return calendar._instant(due)


def counted(start: datetime, hours: float | timedelta, calendar: Calendar | None = None) -> list[Interval]:
    """The stretches of service time that make up a deadline, day by day; their lengths add up to ``hours``."""
    calendar = calendar or CALENDAR
    return list(calendar.intervals(start, deadline(start, hours, calendar)))


def service_time(begin: datetime, end: datetime, calendar: Calendar | None = None) -> timedelta:
    """Service time between two instants; negative when ``end`` is before ``begin``."""
    calendar = calendar or CALENDAR
    first, last = _micros(begin), _micros(end)
    ledger = calendar._covering(min(first, last), max(first, last))
    return timedelta(microseconds=_passed(ledger, last) - _passed(ledger, first))


def local(reading: datetime, calendar: Calendar | None = None) -> datetime:
    """A wall-clock reading as an instant in the calendar's zone; an aware datetime is brought there.

    A reading that happens twice (clocks go back) means the first; ``fold=1`` the second. One that never happens
    (clocks go forward) means the instant as far after the jump as the reading is after it: 02:30 is 03:30.
    """
    zone = (calendar or CALENDAR).zone
    aware = reading if reading.tzinfo else reading.replace(tzinfo=zone)
    try:
        return aware.astimezone(UTC).astimezone(zone)
    except OverflowError as error:
        raise _out_of_range(reading.isoformat()) from error


def _passed(ledger: _Ledger, at: int) -> int:
    """Service time from the beginning of the ledger up to ``at``."""
    i = bisect_right(ledger.ends, at)
    return ledger.before[i] + max(0, at - ledger.begins[i])


def _reached(ledger: _Ledger, begun: int, needed: int) -> int | None:
    """When ``needed`` has passed since ``begun``; ``None`` if that is after the end of the ledger."""
    span, begins, ends, before, after, following = ledger
    i = following[(begun - span[0]) // _DAY]
    while ends[i] <= begun:
        i += 1
    opening = begins[i]
    target = before[i] + needed if begun <= opening else before[i] + needed + begun - opening
    near = i + _NEAR
    j = bisect_left(after, target, i, near if near < len(after) and after[near] > target else len(after))
    return begins[j] + target - before[j] if j < len(ends) - 1 else None


def _micros(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _out_of_range(given: str) -> Refusal:
    return refused.OUT_OF_RANGE(first=FIRST_YEAR, last=LAST_YEAR, given=given)


def _micros_text(micros: int) -> str:
    return f"{_EPOCH + timedelta(microseconds=micros):%Y-%m-%d}"


def _duration(hours: float | timedelta) -> int:
    if isinstance(hours, int):
        micros = hours * _HOUR
    elif isinstance(hours, timedelta):
        micros = hours // _MICROSECOND
    else:
        micros = round(hours * _HOUR) if math.isfinite(hours) else -1
    if micros < 0:
        raise refused.DURATION(given=str(hours))
    return micros


def _windows(text: str) -> tuple[Window, ...]:
    try:
        return tuple(
            (_minutes(opening), _minutes(closing)) for opening, closing in (w.split("-") for w in text.split())
        )
    except ValueError as error:
        raise refused.CALENDAR(given=text) from error


def _minutes(text: str) -> int:
    if text == "24:00":
        return 1440
    at = time.fromisoformat(text)
    return at.hour * 60 + at.minute


def _span(years: tuple[int, int]) -> tuple[int, int]:
    return _micros(datetime(years[0], 1, 1, tzinfo=UTC)), _micros(datetime(years[1] + 1, 1, 1, tzinfo=UTC))


def _make_ledger(calendar: Calendar, years: tuple[int, int]) -> _Ledger:
    span = _span(years)
    first, last = date(years[0], 1, 1).toordinal() - 1, date(years[1], 12, 31).toordinal() + 1
    days = map(date.fromordinal, range(first, last + 1))
    found = [i for day in days for i in _day_intervals(calendar, day) if span[0] < i[1] and i[0] < span[1]]
    begins, ends = [begin for begin, _ in found] + [span[1]], [end for _, end in found] + [span[1]]
    after = list(accumulate(end - begin for begin, end in zip(begins, ends, strict=True)))
    following = [bisect_right(ends, begin) for begin in range(*span, _DAY)]
    return _Ledger(span, begins, ends, [0, *after[:-1]], after, following)


def _day_intervals(calendar: Calendar, day: date) -> Iterator[tuple[int, int]]:
    """The service intervals of one local day in UTC microseconds."""
    windows = calendar.windows(day)
    if not windows:
        return
    midnight = _micros(datetime.combine(day, time(), UTC))
    for begin, end, offset in _stretches(day, calendar.zone):
        for opening, closing in windows:
            opened = max(begin, midnight + opening * 60_000_000 - offset)
            closed = min(end, midnight + closing * 60_000_000 - offset)
            if opened < closed:
                yield opened, closed


def _stretches(day: date, zone: ZoneInfo) -> list[tuple[int, int, int]]:
    """The stretches of a local day with one UTC offset each: (begin, end, offset), usually one."""
    morning = datetime.combine(day, time(), zone)
    evening = datetime.combine(day + timedelta(days=1), time(), zone)
    begin, end = _micros(morning), _micros(evening)
    early, late = _offset(begin, zone), _offset(end - 1, zone)
    if early == late:
        return [(begin, end, early)]
    change = begin + bisect_left(range(begin, end), True, key=lambda at: _offset(at, zone) == late)
    return [(begin, change, early), (change, end, late)]


def _offset(micros: int, zone: ZoneInfo) -> int:
    offset = (_EPOCH + timedelta(microseconds=micros)).astimezone(zone).utcoffset()
    return 0 if offset is None else offset // _MICROSECOND


CALENDAR = Calendar()
"""The default: Monday to Friday 08:00–17:00 Europe/Berlin without nationwide holidays (KL 3.1)."""
