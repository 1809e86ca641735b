"""Pictures of the portal's pages: made here from what rules and queries say, drawn in ``plots``."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from torwart.faces._design.language import active
from torwart.plots import service_hours
from torwart.plots.picture import Picture
from torwart.plots.service_hours import ServiceHours
from torwart.rules.service_time import CALENDAR, Interval

MOST_DAYS = 14


def strip(start: datetime, due: datetime, counted: Iterable[Interval], *, width: float = 560) -> Picture | None:
    """Why it is due then: the counted service time day by day; ``None`` where that would be too long to look at."""
    first, last = (at.astimezone(CALENDAR.zone).date() for at in (start, due))
    if not timedelta() <= last - first <= timedelta(days=MOST_DAYS):
        return None
    days: list[date] = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    data = ServiceHours(
        start=start,
        due=due,
        counted=[(each.begin, each.end) for each in counted],
        open=[(day, CALENDAR.windows(day)) for day in days],
        zone=CALENDAR.zone,
    )
    return service_hours.draw(data, language=active(), width=width)
