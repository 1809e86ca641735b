"""Deadlines in words first: what is left in service time, until when, and why it rests (T-2, T-5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from torwart.faces._design.language import active, said
from torwart.kernel.words import Words
from torwart.rules.lead_time import hours_and_minutes
from torwart.rules.service_clock import ServiceClock
from torwart.rules.service_time import CALENDAR, service_time

URGENT = timedelta(hours=4)
"""(ours) With less service time left a deadline is urgent."""
_DAYS = {"de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"), "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_LEFT = Words("noch {left} Servicezeit", "{left} of service time left")
_OVER = Words("seit {left} Servicezeit überschritten", "overdue by {left} of service time")
_DUE = Words("– fällig {at}", "– due {at}")
_RESTS = Words("– ruht bis {at}, fällig {due}", "– rests until {at}, due {due}")
_PAUSED = Words("Die Frist ruht", "The clock rests")


@dataclass(frozen=True, slots=True)
class Left:
    """A clock as ``<c-countdown>`` shows it; ``share`` 0 … 1 of what is left, or ``""``."""

    text: str
    due: str = ""
    state: str = "running"
    share: float | str = ""


def until(due: datetime, now: datetime) -> Left:
    """A deadline in words: what of it is left, until when; outside service hours it says that it rests."""
    left = service_time(now, due)
    if due < now:
        return Left(said(_OVER, left=hours_and_minutes(abs(left))), said(_DUE, at=when(due)), "over", 0.0)
    text = said(_LEFT, left=hours_and_minutes(left))
    told = said(_DUE, at=when(due))
    if not CALENDAR.is_open(now):
        told = said(_RESTS, at=when(CALENDAR.next_open(now)), due=when(due))
    return Left(text, told, "urgent" if left < URGENT else "running")


def of_ticket(clock: ServiceClock, now: datetime) -> Left:
    """A ticket's clock, recomputed from the audit trail, with the share of its allowance that is left."""
    left = clock.remaining(now)
    share = min(max(left / clock.allowance, 0.0), 1.0) if clock.allowance else 0.0
    if clock.resting or clock.due is None:
        return Left(said(_PAUSED), "– " + said(_LEFT, left=hours_and_minutes(max(left, timedelta()))), "paused", share)
    shown = until(clock.due, now)
    return Left(shown.text, shown.due, shown.state, share)


def when(at: datetime) -> str:
    """„Di 24.11. 09:20“."""
    local = timezone.localtime(at)
    date = f"{local:%d.%m.}" if active() == "de" else f"{local.day} {local:%b}"
    return f"{_DAYS[active()][local.weekday()]} {date} {local:%H:%M}"
