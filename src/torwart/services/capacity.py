"""Capacity: how many planned orders of a process fit into an hour of service time, and which hours are free (T-6)."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from django.db import connection

from torwart.kernel.order_state import OPEN
from torwart.kernel.role import Role
from torwart.rules.lead_time import earliest_planned
from torwart.rules.service_time import CALENDAR, Calendar
from torwart.store.models import User

HOUR = timedelta(hours=1)
_LOOK = timedelta(days=14)
"""How far around a wanted time alternatives are looked for."""
_BOOKED = """
SELECT requested_at FROM store_order
 WHERE planned AND process = %(process)s AND state = ANY(%(open)s)
   AND requested_at >= %(begin)s AND requested_at < %(end)s
"""


class Bookable(Protocol):
    """What of a process decides: how many an operator can look after in an hour, and whether one is needed."""

    @property
    def name(self) -> str: ...
    @property
    def capacity(self) -> int: ...
    @property
    def unattended(self) -> bool: ...


def free(process: Bookable, at: datetime) -> int:
    """How many more planned orders of ``process`` the hour of ``at`` can take; never below 0."""
    begin = _hour(at)
    return max(0, _places(process) - _booked(process, begin, begin + HOUR).get(begin, 0))


def alternatives(
    process: Bookable, wanted: datetime, *, count: int = 3, now: datetime, calendar: Calendar = CALENDAR
) -> list[datetime]:
    """The ``count`` beginnings of free service hours nearest to ``wanted``, in order, all planned if ordered now."""
    places, first = _places(process), earliest_planned(now, calendar)
    begin, end = max(_hour(wanted) - _LOOK, first), max(wanted, first) + _LOOK
    booked = _booked(process, begin, end)
    fitting = [hour for hour in _hours(begin, end, calendar) if booked.get(hour, 0) < places]
    nearest = sorted(fitting, key=lambda hour: abs(hour - wanted.astimezone(UTC)))[:count]
    return [hour.astimezone(calendar.zone) for hour in sorted(nearest)]


def _places(process: Bookable) -> int:
    """Places in one hour. A process that needs nobody has places also while no operator has an account yet."""
    operators = User.objects.filter(client__isnull=True, is_active=True, roles__contains=[Role.OPERATOR.value]).count()
    return process.capacity * max(operators, 1 if process.unattended else 0)


def _booked(process: Bookable, begin: datetime, end: datetime) -> Mapping[datetime, int]:
    states = [state.value for state in OPEN]
    with connection.cursor() as cursor:
        cursor.execute(_BOOKED, {"process": process.name, "open": states, "begin": begin, "end": end})
        rows = cursor.fetchall()
    booked: dict[datetime, int] = {}
    for (at,) in rows:
        hour = _hour(at)
        booked[hour] = booked.get(hour, 0) + 1
    return booked


def _hour(at: datetime) -> datetime:
    """The beginning of its hour, in UTC: Berlin's offsets are whole hours, and UTC has none twice."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _hours(begin: datetime, end: datetime, calendar: Calendar) -> Iterator[datetime]:
    """The beginnings of the whole service hours between two instants."""
    for window in calendar.intervals(begin, end):
        hour = _hour(window.begin)
        if hour < window.begin:
            hour += HOUR
        while hour + HOUR <= window.end.astimezone(UTC):
            yield hour
            hour += HOUR
