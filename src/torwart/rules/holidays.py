"""Nationwide German holidays (KL 3.1: „ausgenommen sind bundeseinheitliche Feiertage“).

Nationwide means: a public holiday in all sixteen states. Those of some states only (6 Jan, Corpus Christi, 31 Oct,
1 Nov …) are working days here, and so are 24 and 31 December.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

from torwart.kernel.words import Words

FIRST_YEAR = 1995
"""Since 1995 (Buß- und Bettag given up by all states but one) the nationwide holidays are those of today."""

_FIXED: tuple[tuple[int, int, Words], ...] = (
    (1, 1, Words("Neujahr", "New Year's Day")),
    (5, 1, Words("Tag der Arbeit", "Labour Day")),
    (10, 3, Words("Tag der Deutschen Einheit", "German Unity Day")),
    (12, 25, Words("1. Weihnachtstag", "Christmas Day")),
    (12, 26, Words("2. Weihnachtstag", "Second Christmas Day")),
)
_FROM_EASTER: tuple[tuple[int, Words], ...] = (
    (-2, Words("Karfreitag", "Good Friday")),
    (1, Words("Ostermontag", "Easter Monday")),
    (39, Words("Christi Himmelfahrt", "Ascension Day")),
    (50, Words("Pfingstmontag", "Whit Monday")),
)
_ONCE: Mapping[date, Words] = {
    # All sixteen states made the 500th anniversary of the Reformation a public holiday, once.
    date(2017, 10, 31): Words("Reformationstag", "Reformation Day"),
}


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by the congruences of Gauss in the form of Meeus (every year valid)."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=512)
def nationwide(year: int) -> Mapping[date, Words]:
    """The nationwide holidays of ``year`` with their names, in order of the year."""
    sunday = easter(year)
    found = {date(year, month, day): name for month, day, name in _FIXED}
    found.update({sunday + timedelta(days=offset): name for offset, name in _FROM_EASTER})
    found.update({day: name for day, name in _ONCE.items() if day.year == year})
    return dict(sorted(found.items()))
