"""Deadlines in words first: how much service time is left, until when, and that it rests now (T-2, T-5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from torwart.faces._design.language import active, said
from torwart.kernel.words import Words
from torwart.rules.lead_time import hours_and_minutes
from torwart.rules.service_clock import ServiceClock
from torwart.rules.service_time import CALENDAR, service_time

FIRST_ANSWER = timedelta(hours=4)
"""(ours) Within how much service time somebody who has written hears from a person."""
UPDATE = timedelta(hours=18)
"""(ours) After two working days without a word the client hears how it stands."""
URGENT = timedelta(hours=4)
"""(ours) A deadline with less service time left is at risk."""

_DAYS = {"de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"), "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_LEFT = Words("noch {left} Servicezeit", "{left} of service time left")
_OVER = Words("seit {left} Servicezeit überfällig", "overdue by {left} of service time")
_DUE = Words("fällig {at}", "due {at}")
_WAS_DUE = Words("war fällig {at}", "was due {at}")
_RESTS = Words("ruht bis {at}", "rests until {at}")
_PAUSED = Words("ruht", "rests")
_NOTHING = Words("keine Frist", "no deadline")
_TODAY, _TOMORROW = Words("heute", "today"), Words("morgen", "tomorrow")


@dataclass(frozen=True, slots=True)
class Left:
    """One clock as shown. ``state``: running, warning, late, paused or done; ``share``: what is left, 0 … 1, or "" """

    text: str
    due: str = ""
    state: str = "running"
    share: float | str = ""
    reason: str = ""


def of_deadline(due: datetime | None, now: datetime, *, reason: str = "", waiting: bool = False) -> Left:
    """A ticket's clock as the queue shows it, from its deadline alone; none is running while the client is asked."""
    if due is None:
        return Left(said(_PAUSED if waiting else _NOTHING), state="paused", reason=reason)
    left = service_time(now, due)
    if due < now:
        return Left(said(_OVER, left=hours_and_minutes(abs(left))), said(_WAS_DUE, at=when(due, now)), "over")
    text, state = said(_LEFT, left=hours_and_minutes(left)), "urgent" if left < URGENT else "running"
    return Left(text, _due(due, now), state)


def of_clock(clock: ServiceClock, now: datetime) -> Left:
    """A whole clock, with the share of its allowance that is left."""
    left, due = clock.remaining(now), clock.due
    share = max(left / clock.allowance, 0.0) if clock.allowance else 0.0
    if clock.resting:
        text = f"{said(_PAUSED)} – {said(_LEFT, left=hours_and_minutes(max(left, timedelta(0))))}"
        return Left(text, "", "paused", share, clock.resting.reason)
    shown = of_deadline(due, now)
    return Left(shown.text, shown.due, shown.state, share, shown.reason)


def _due(due: datetime, now: datetime) -> str:
    told = said(_DUE, at=when(due, now))
    if CALENDAR.is_open(now):
        return told
    return f"{said(_RESTS, at=when(CALENDAR.next_open(now), now))} – {told}"


def when(at: datetime, now: datetime) -> str:
    """An instant near the present: „heute 15:20“, „morgen 08:00“, „Di 09:20“, farther „Di 08.12. 09:20“."""
    local, today = timezone.localtime(at), timezone.localtime(now).date()
    days = (local.date() - today).days
    clock = f"{local:%H:%M}"
    if days == 0:
        return f"{said(_TODAY)} {clock}"
    if days == 1:
        return f"{said(_TOMORROW)} {clock}"
    name = _DAYS[active()][local.weekday()]
    if 1 < days < 7:
        return f"{name} {clock}"
    date = f"{local:%d.%m.}" if active() == "de" else f"{local.day} {local:%b}"
    if local.year != today.year:
        date = f"{local:%d.%m.%Y}" if active() == "de" else f"{local.day} {local:%b %Y}"
    return f"{name} {date} {clock}"
