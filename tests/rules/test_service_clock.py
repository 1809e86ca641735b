"""The clock of a ticket: it rests with a reason, resumes, and can be recomputed from its history."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.rules.service_clock import Pause, ServiceClock
from torwart.rules.service_time import Calendar, deadline, local, service_time

pytestmark = pytest.mark.requirement("T-5")
DAY = timedelta(hours=24)
MONDAY = local(datetime(2026, 11, 23, 8))


def at(text: str) -> datetime:
    return local(datetime.fromisoformat(text))


def clocks() -> st.SearchStrategy[ServiceClock]:
    """A clock with any history of pauses."""

    def build(start: datetime, gaps: list[timedelta]) -> ServiceClock:
        clock = ServiceClock(local(start), DAY)
        for gap in gaps:
            when = clock.last_change + gap
            clock = clock.resume(when) if clock.resting else clock.pause(when, "Rückfrage")
        return clock

    gaps = st.lists(st.timedeltas(timedelta(0), timedelta(days=4)), max_size=6)
    return st.builds(build, st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), gaps)


def test_without_pauses_it_is_the_deadline() -> None:
    """A clock that never rested is due where the deadline lies."""
    clock = ServiceClock(MONDAY, DAY)

    assert clock.due == deadline(MONDAY, 24)
    assert clock.remaining(at("2026-11-23T10:00")) == timedelta(hours=22)
    assert not clock.overdue(at("2026-11-25T14:00"))
    assert clock.overdue(at("2026-11-25T14:00:01"))


def test_a_pause_moves_the_deadline_by_its_service_time() -> None:
    """Resting from Monday noon to Wednesday nine o'clock postpones by 15 hours of service time, nights not counted."""
    clock = ServiceClock(MONDAY, DAY).pause(at("2026-11-23T12:00"), "Zählernummer unklar")
    assert clock.due is None
    assert clock.resting == Pause(at("2026-11-23T12:00").astimezone(UTC), None, "Zählernummer unklar")
    assert clock.remaining(at("2026-11-24T12:00")) == timedelta(hours=20)
    assert not clock.overdue(at("2030-01-01T00:00"))

    resumed = clock.resume(at("2026-11-25T09:00"))
    assert resumed.due == deadline(MONDAY, 24 + 5 + 9 + 1)
    assert resumed.resting is None


@given(clock=clocks())
def test_at_its_due_time_exactly_the_allowance_is_used(clock: ServiceClock) -> None:
    """Whatever the pauses: at the due instant nothing remains, a moment later it is overdue."""
    due = clock.due
    if due is None:
        assert clock.resting
        assert clock.remaining(clock.last_change + timedelta(days=400)) > timedelta(0)
    else:
        assert clock.used(due) == DAY
        assert not clock.overdue(due)
        assert clock.overdue(due.astimezone(UTC) + timedelta(microseconds=1))


@given(clock=clocks(), moment=st.datetimes(datetime(2019, 12, 1), datetime(2031, 1, 1)))
def test_used_time_is_service_time_outside_pauses(clock: ServiceClock, moment: datetime) -> None:
    """Used is all service time since the start minus that in the pauses."""
    when = max(local(moment).astimezone(UTC), clock.start)
    resting = sum(
        (service_time(min(p.begin, when), min(p.end or when, when)) for p in clock.pauses),
        timedelta(0),
    )
    assert clock.used(when) == service_time(clock.start, when) - resting


def test_a_corrected_calendar_corrects_history() -> None:
    """The same history under another calendar gives another due time: nothing is stored but the history."""
    clock = ServiceClock(MONDAY, DAY).pause(at("2026-11-23T12:00"), "?").resume(at("2026-11-23T13:00"))
    works_day_closed = Calendar(closed=frozenset({at("2026-11-24T00:00").date()}))

    corrected = ServiceClock(clock.start, clock.allowance, clock.pauses, works_day_closed)
    assert clock.due == at("2026-11-25T15:00")
    assert corrected.due == at("2026-11-26T15:00")


def test_impossible_histories_are_refused() -> None:
    """Resting twice, resuming what runs and going back in time are mistakes, not entries."""
    clock = ServiceClock(MONDAY, DAY)
    resting = clock.pause(at("2026-11-23T12:00"), "?")
    for code, act in (
        ("service_time.paused_already", lambda: resting.pause(at("2026-11-23T13:00"), "!")),
        ("service_time.not_paused", lambda: clock.resume(at("2026-11-23T13:00"))),
        ("service_time.not_later", lambda: resting.resume(at("2026-11-23T11:59"))),
        ("service_time.not_later", lambda: clock.pause(at("2026-11-23T07:59"), "?")),
    ):
        with pytest.raises(Refusal) as caught:
            act()
        assert caught.value.code == code
