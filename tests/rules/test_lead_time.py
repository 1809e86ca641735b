"""Planned or unplanned: the twelve hours, the twenty-four, and what the form says about them."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.rules.lead_time import (
    PLANNED_LEAD,
    check_requested,
    commit,
    earliest_planned,
    hours_and_minutes,
)
from torwart.rules.service_time import CALENDAR, deadline, local, service_time

naive = st.datetimes(datetime(2018, 1, 1), datetime(2039, 1, 1))


def berlin(text: str) -> datetime:
    return local(datetime.fromisoformat(text))


@pytest.mark.requirement("T-3")
def test_twelve_hours_exactly_are_planned() -> None:
    """With exactly twelve hours of service time the requested time holds; a second less makes it unplanned."""
    submitted, requested = berlin("2026-11-20T14:00"), berlin("2026-11-23T17:00")

    planned = commit(submitted, requested)
    assert (planned.planned, planned.lead, planned.due) == (True, PLANNED_LEAD, requested)

    late = commit(submitted + timedelta(seconds=1), requested)
    assert (late.planned, late.due) == (False, berlin("2026-11-25T11:00:01"))


@pytest.mark.requirement("T-4", "KL-4.2.1.2")
def test_without_a_requested_time_an_order_is_unplanned() -> None:
    """It is due after 24 hours of service time from submission."""
    submitted = berlin("2026-12-24T12:00")
    unplanned = commit(submitted, None)

    assert (unplanned.planned, unplanned.lead, unplanned.due) == (False, None, berlin("2026-12-30T09:00"))


@pytest.mark.requirement("T-3", "T-4", "KL-4.2.1.1")
@given(submitted=naive, requested=naive)
def test_every_order_is_one_or_the_other(submitted: datetime, requested: datetime) -> None:
    """Planned exactly when twelve hours of service time lie between, else due 24 hours after submission."""
    sent, wished = local(submitted), local(requested)
    found = commit(sent, wished)

    assert found.planned == (service_time(sent, wished) >= PLANNED_LEAD)
    assert found.due == (wished if found.planned else deadline(sent, 24))


@pytest.mark.requirement("T-6")
@given(submitted=naive)
def test_the_earliest_planned_time_is_planned_and_open(submitted: datetime) -> None:
    """What the form offers as earliest planned time is accepted, and nothing earlier would be."""
    sent = local(submitted)
    earliest = earliest_planned(sent)

    check_requested(sent, earliest, unattended=False)
    assert commit(sent, earliest).planned
    assert CALENDAR.is_open(earliest)
    assert not commit(sent, earliest - timedelta(days=1) if earliest - sent > timedelta(days=1) else sent).planned


@pytest.mark.requirement("T-5")
def test_a_requested_time_outside_service_hours_needs_an_unattended_process() -> None:
    """People work in service hours; a process that runs by itself may run at night."""
    submitted, night = berlin("2026-11-20T14:00"), berlin("2026-11-28T03:00")

    check_requested(submitted, night, unattended=True)
    with pytest.raises(Refusal) as caught:
        check_requested(submitted, night, unattended=False)
    assert caught.value.code == "service_time.outside_hours"
    assert "30.11.2026 08:00" in caught.value.text("de")


@pytest.mark.requirement("T-5")
def test_a_requested_time_in_the_past_is_refused() -> None:
    """Nothing can be planned for a time that has come, even in the hour that happens twice."""
    first, second = (local(datetime(2026, 10, 25, 2, 30, fold=fold)) for fold in (0, 1))

    check_requested(first, second, unattended=True)
    for submitted, requested in ((second, first), (first, first)):
        with pytest.raises(Refusal) as caught:
            check_requested(submitted, requested, unattended=True)
        assert caught.value.code == "service_time.in_the_past"


@pytest.mark.requirement("T-6")
def test_the_reason_names_the_hours() -> None:
    """The sentence before sending says what lead there is and what is needed, in both languages."""
    submitted = berlin("2026-11-23T08:00")

    assert "9 h 30 min" in commit(submitted, berlin("2026-11-24T08:30")).why.de
    assert "12 h" in commit(submitted, berlin("2026-11-24T08:30")).why.en
    assert "18 h" in commit(submitted, berlin("2026-11-25T08:00")).why.en
    assert "24 h" in commit(submitted, None).why.de


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(), "0 min"),
        (timedelta(seconds=59), "0 min"),
        (timedelta(hours=3, minutes=20), "3 h 20 min"),
        (timedelta(hours=24), "24 h"),
        (timedelta(minutes=-90), "-1 h 30 min"),
    ],
)
def test_lengths_read_naturally(length: timedelta, text: str) -> None:
    """Hours and minutes, no zeros where nothing is to say."""
    assert hours_and_minutes(length) == text
