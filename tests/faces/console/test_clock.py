"""Deadlines in words: service time first, then when; what rests says so."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from torwart.faces.console import clock
from torwart.rules.service_clock import ServiceClock

BERLIN = ZoneInfo("Europe/Berlin")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=BERLIN)


@pytest.mark.requirement("T-5")
@pytest.mark.parametrize(
    ("due", "now", "text", "due_text", "state"),
    [
        (at(24, 9, 20), at(23, 15, 0), "noch 3 h 20 min Servicezeit", "fällig morgen 09:20", "urgent"),
        (at(25, 9, 20), at(23, 15, 0), "noch 12 h 20 min Servicezeit", "fällig Mi 09:20", "running"),
        (at(23, 16, 0), at(23, 15, 0), "noch 1 h Servicezeit", "fällig heute 16:00", "urgent"),
        (at(23, 9, 0), at(23, 11, 5), "seit 2 h 5 min Servicezeit überfällig", "war fällig heute 09:00", "over"),
        (at(24, 9, 0), at(23, 18, 0), "noch 1 h Servicezeit", "ruht bis morgen 08:00 – fällig morgen 09:00", "urgent"),
        (at(24, 9, 0), at(23, 17, 0), "noch 1 h Servicezeit", "ruht bis morgen 08:00 – fällig morgen 09:00", "urgent"),
    ],
)
def test_a_deadline_says_what_is_left_and_until_when(
    due: datetime, now: datetime, text: str, due_text: str, state: str
) -> None:
    """Service time counts, not the wall clock; from closing time on the text says that it rests."""
    left = clock.of_deadline(due, now)

    assert (left.text, left.due, left.state) == (text, due_text, state)


def test_a_clock_that_rests_says_why() -> None:
    """While the client is asked nothing runs down, and the reason stands beside it."""
    left = clock.of_deadline(None, at(23, 10), reason="Zählernummer?", waiting=True)

    assert (left.text, left.due, left.state, left.reason) == ("ruht", "", "paused", "Zählernummer?")


def test_a_whole_clock_knows_the_share_that_is_left() -> None:
    """The ring shows the same as the words, paused too."""
    running = ServiceClock(at(23, 8), timedelta(hours=24))
    paused = running.pause(at(23, 14).astimezone(UTC), "Zählernummer?")

    assert clock.of_clock(running, at(23, 14)).share == 0.75
    assert clock.of_clock(paused, at(24, 9)).text == "ruht – noch 18 h Servicezeit"
    assert clock.of_clock(paused, at(24, 9)).reason == "Zählernummer?"


def test_english_is_complete() -> None:
    """The same in English."""
    with translation.override("en"):
        left = clock.of_deadline(at(25, 9, 20), at(23, 18))

    assert (left.text, left.due) == ("10 h 20 min of service time left", "rests until tomorrow 08:00 – due Wed 09:20")


@pytest.mark.parametrize(
    ("moment", "told"),
    [(at(30, 9), "Mo 30.11. 09:00"), (at(22, 9), "So 22.11. 09:00"), (at(29, 9), "So 09:00")],
)
def test_a_near_moment_is_told_as_one_speaks(moment: datetime, told: str) -> None:
    """Weekdays for the days ahead, dates for what is farther or past."""
    assert clock.when(moment, at(23, 10)) == told
