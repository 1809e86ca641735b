"""Bench ``deadline``: ``deadline(start, 24 h)`` against businesstimedelta, and 100,000 results against an oracle."""

import random
import time as timer
from array import array
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import businesstimedelta
import holidays
import pytz

from torwart.config.bench.harness import Result, alternate, at_least
from torwart.rules.service_time import CALENDAR, deadline

_YEARS = (2017, 2040)
_HOURS = 24
_COMPARED = 300
_CHECKED = 100_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


def run() -> list[Result]:
    """Two results: the speed ratio (≥ 200) and the share of random inputs on which rules and oracle agree (= 1)."""
    starts = _random_starts(random.Random(4211), _CHECKED)  # noqa: S311 -- inputs, repeatable, no secrets
    return [_speed(starts), _agreement(starts)]


def _speed(starts: list[datetime]) -> Result:
    allowance = _foreign_allowance()
    same = starts[:_COMPARED]
    cases, floors = alternate(
        lambda: _per_second(lambda at: deadline(at, _HOURS), same * 100),
        lambda: _per_second(lambda at: at + allowance, same),
    )
    return at_least(
        "deadline",
        "deadline(start, 24 h)",
        unit="per CPU-second",
        cases=cases,
        floors=floors,
        floor_what="per CPU-second by businesstimedelta",
        least=200,
    )


def _agreement(starts: list[datetime]) -> Result:
    opened = _open_minutes()
    draw = random.Random(4212)  # noqa: S311 -- inputs, repeatable, no secrets
    equal = 0
    for start in starts:
        hours = draw.randint(1, 100)
        equal += deadline(start, hours) == _walked(opened, start, hours * 60)
    return at_least(
        "deadline",
        "equal to the minute-stepping oracle",
        unit="results",
        cases=[float(equal)],
        floors=[float(len(starts))],
        floor_what="random inputs",
        least=1,
    )


def _random_starts(draw: random.Random, count: int) -> list[datetime]:
    """Whole minutes at any hour of any day, as local instants."""
    first = datetime(_YEARS[0], 1, 1, tzinfo=UTC)
    minutes = (datetime(_YEARS[1], 11, 1, tzinfo=UTC) - first) // _MINUTE
    return [(first + draw.randrange(minutes) * _MINUTE).astimezone(CALENDAR.zone) for _ in range(count)]


def _per_second(act: Callable[[datetime], object], starts: list[datetime]) -> float:
    begun = timer.process_time()
    for start in starts:
        act(start)
    return len(starts) / (timer.process_time() - begun)


def _foreign_allowance() -> Any:
    """The same service hours in the words of businesstimedelta."""
    kit: Any = businesstimedelta  # neither it nor its pytz has types
    zones: Any = pytz
    zone = zones.timezone(CALENDAR.zone.key)
    workdays = kit.WorkDayRule(start_time=time(8), end_time=time(17), working_days=[0, 1, 2, 3, 4], tz=zone)
    closed = kit.HolidayRule(holidays.country_holidays("DE"), tz=zone)
    return kit.BusinessTimeDelta(kit.Rules([workdays, closed]), hours=_HOURS)


def _open_minutes() -> "array[int]":
    """Every open minute of the years, one by one, as minutes since 1970 in UTC; holidays by the holidays library."""
    germany = holidays.country_holidays("DE")
    found = array("L")
    for ordinal in range(date(_YEARS[0], 1, 1).toordinal(), date(_YEARS[1] + 1, 12, 31).toordinal()):
        day = date.fromordinal(ordinal)
        if day.weekday() < 5 and day not in germany:
            opening = (datetime.combine(day, time(8), CALENDAR.zone) - _EPOCH) // _MINUTE
            found.extend(range(opening, opening + 9 * 60))
    return found


def _walked(opened: "array[int]", start: datetime, minutes: int) -> datetime:
    """The end of the last of ``minutes`` open minutes counted from ``start``."""
    first = bisect_left(opened, (start - _EPOCH) // _MINUTE)
    return _EPOCH + (opened[first + minutes - 1] + 1) * _MINUTE
