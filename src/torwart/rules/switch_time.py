"""Switching times of a time-of-use tariff (TAF 2) as people write them: one line a stretch of time, local time.

    1 Mo-Fr 06:00-22:00        tariff stage 1 from Monday to Friday
    3 So 00:00-24:00           tariff stage 3 on Sundays
    2 2026-12-24 00:00-24:00   stage 2 on one day, which then does not follow its weekday

What no line names belongs to the stage for all other times. English days (Mon, Tue, Wed, Thu, Fri, Sat, Sun) are read
too; canonical are the German ones.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time

from torwart.kernel.refusals.profile import SWITCH_TIME, SWITCH_TIME_OVERLAP

DAYS = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")
MOST_STAGE = 62
"""Stages are numbered 1 to 62; 63 is the error register (wire/profiles/evaluation.py)."""

Change = tuple[time, int]
"""From this local time on, this stage."""

_ENGLISH = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NUMBERS = {name.lower(): number for names in (DAYS, _ENGLISH) for number, name in enumerate(names)}
_LINE = re.compile(
    r"(?P<stage>[0-9]{1,2})[:=]?\s+"
    r"(?:(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})|(?P<first>[A-Za-z]{2,3})(?:\s*[-–]\s*(?P<last>[A-Za-z]{2,3}))?)\s+"
    r"(?P<begin>[0-9]{1,2}:[0-9]{2})\s*[-–]\s*(?P<end>[0-9]{1,2}:[0-9]{2})"
)
_MIDNIGHT = 24 * 60


@dataclass(frozen=True, slots=True)
class SwitchTime:
    """A stretch of time in one tariff stage. ``days``: weekdays from 0 (Monday), empty for the one day ``on``;
    ``begin`` and ``end`` in minutes of the local day, ``end`` exclusive and up to 1440.
    """

    stage: int
    days: tuple[int, ...]
    on: date | None
    begin: int
    end: int

    def __str__(self) -> str:
        """The canonical line."""
        if self.on is not None:
            days = self.on.isoformat()
        else:
            days = "-".join(DAYS[number] for number in dict.fromkeys((self.days[0], self.days[-1])))
        return f"{self.stage} {days} {_clock(self.begin)}-{_clock(self.end)}"


def parse(text: str) -> SwitchTime:
    """Read one line; refuses ``profile.switch_time``."""
    found = _LINE.fullmatch(" ".join(text.split()))
    if found is None:
        raise SWITCH_TIME(given=text[:40])
    begin, end = _minutes(found["begin"], text), _minutes(found["end"], text)
    if not 1 <= int(found["stage"]) <= MOST_STAGE or begin >= end:
        raise SWITCH_TIME(given=text[:40])
    days: tuple[int, ...] = ()
    on: date | None = None
    try:
        if found["date"]:
            on = date.fromisoformat(found["date"])
        else:
            first = _NUMBERS[found["first"].lower()]
            last = _NUMBERS[found["last"].lower()] if found["last"] else first
            days = tuple(range(first, last + 1))
    except (KeyError, ValueError):
        raise SWITCH_TIME(given=text[:40]) from None
    if on is None and not days:
        raise SWITCH_TIME(given=text[:40])
    return SwitchTime(int(found["stage"]), days, on, begin, end)


def canonical(text: str) -> str:
    """One line in canonical form."""
    return str(parse(text))


def week(times: Iterable[SwitchTime], default: int) -> list[tuple[Change, ...]]:
    """The changes of each weekday from Monday; refuses ``profile.switch_time_overlap`` two stages at one time."""
    known = list(times)
    return [_day([each for each in known if number in each.days], default) for number in range(len(DAYS))]


def special_days(times: Iterable[SwitchTime], default: int) -> Mapping[date, tuple[Change, ...]]:
    """The changes of each single day that is named; refuses like ``week``."""
    by_date: dict[date, list[SwitchTime]] = {}
    for each in times:
        if each.on is not None:
            by_date.setdefault(each.on, []).append(each)
    return {on: _day(by_date[on], default) for on in sorted(by_date)}


def stages(times: Iterable[SwitchTime], default: int) -> list[int]:
    """All stages in use, in order."""
    return sorted({default, *(each.stage for each in times)})


def off_grid(times: Iterable[SwitchTime], minutes: int) -> SwitchTime | None:
    """The first stretch that does not begin and end on multiples of so many minutes of the day, if any: energy is
    known from registration to registration only, so a stage can change at none but these.
    """
    return next((each for each in times if each.begin % minutes or each.end % minutes), None)


def _day(times: list[SwitchTime], default: int) -> tuple[Change, ...]:
    """The changes of one day, from midnight on; what is not named is in the ``default`` stage."""
    changes: list[tuple[int, int]] = []
    free_from = 0
    for each in sorted(times, key=lambda known: known.begin):
        if each.begin < free_from:
            raise SWITCH_TIME_OVERLAP(line=str(each))
        if each.begin > free_from or not changes:
            changes.append((free_from, default))
        changes.append((each.begin, each.stage))
        free_from = each.end
    if free_from < _MIDNIGHT:
        changes.append((free_from, default))
    return tuple((time(*divmod(minute, 60)), stage) for minute, stage in _merged(changes))


def _merged(changes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without changes that change nothing, and of two at one time the later."""
    last_at = dict(changes)
    found: list[tuple[int, int]] = []
    for minute, stage in sorted(last_at.items()):
        if not found or found[-1][1] != stage:
            found.append((minute, stage))
    return found


def _minutes(text: str, line: str) -> int:
    hour, _, minute = text.partition(":")
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > _MIDNIGHT:
        raise SWITCH_TIME(given=line[:40])
    return total


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
