"""Capacity (T-6): alternatives come from what is really free."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from clientele import MONDAY, Clientele, clientele, staff

from torwart.kernel.role import Role
from torwart.rules.lead_time import commit, earliest_planned
from torwart.rules.service_time import CALENDAR
from torwart.services import capacity
from torwart.store.models import Order, User

pytestmark = [pytest.mark.requirement("T-6")]
WEDNESDAY_NOON = datetime(2026, 6, 3, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Kind:
    name: str = "commissioning"
    capacity: int = 2
    unattended: bool = True


@pytest.fixture
def people(db: None) -> Clientele:
    return clientele()


def book(
    people: Clientele, at: datetime, number: int, *, process: str = "commissioning", state: str = "accepted"
) -> None:
    Order.objects.create(
        number=f"A-{number:09d}",
        client=people.client,
        orderer_name="E",
        channel="form",
        process=process,
        fields={},
        summary=[],
        state=state,
        submitted_at=MONDAY,
        requested_at=at,
        planned=True,
        due_at=at,
        starts_at=at,
        withdrawable_until=MONDAY,
    )


def test_places_are_capacity_times_operators_less_what_is_booked(people: Clientele) -> None:
    """Other processes, other hours and ended orders do not count; those who cannot work now neither."""
    staff("Anna", Role.OPERATOR)
    staff("Otto", Role.OPERATOR)
    User.objects.filter(pk=staff("Weg", Role.OPERATOR).pk).update(is_active=False)
    staff("Ada", Role.AUDITOR)
    assert capacity.free(Kind(), WEDNESDAY_NOON) == 4

    book(people, WEDNESDAY_NOON + timedelta(minutes=59), 1)
    book(people, WEDNESDAY_NOON, 2, state="proposed")
    book(people, WEDNESDAY_NOON, 3, state="cancelled")
    book(people, WEDNESDAY_NOON, 4, process="removal")
    book(people, WEDNESDAY_NOON + HOUR, 5)
    book(people, WEDNESDAY_NOON - timedelta(seconds=1), 6)
    assert capacity.free(Kind(), WEDNESDAY_NOON + timedelta(minutes=30)) == 2
    for number in range(10, 14):
        book(people, WEDNESDAY_NOON, number)
    assert capacity.free(Kind(), WEDNESDAY_NOON) == 0


def test_an_attended_process_needs_somebody(people: Clientele) -> None:
    """Without operators nothing attended is offered; what runs by itself is."""
    assert capacity.free(Kind(unattended=False), WEDNESDAY_NOON) == 0
    assert capacity.alternatives(Kind(unattended=False), WEDNESDAY_NOON, now=MONDAY) == []
    assert capacity.free(Kind(), WEDNESDAY_NOON) == 2


def test_alternatives_are_the_nearest_free_hours(people: Clientele) -> None:
    """Full at noon: before and after it, in order, each planned if ordered now and in service hours."""
    for number in range(2):
        book(people, WEDNESDAY_NOON, number)
        book(people, WEDNESDAY_NOON + HOUR, 10 + number)
    found = capacity.alternatives(Kind(), WEDNESDAY_NOON + timedelta(minutes=10), now=MONDAY, count=3)

    assert found == [WEDNESDAY_NOON - 2 * HOUR, WEDNESDAY_NOON - HOUR, WEDNESDAY_NOON + 2 * HOUR]
    assert all(commit(MONDAY, each).planned and CALENDAR.is_open(each) for each in found)
    assert [f"{each:%H:%M}" for each in found] == ["10:00", "11:00", "14:00"]


def test_no_alternative_is_too_soon(people: Clientele) -> None:
    """Wanted in an hour: the earliest that keeps the twelve hours, whole hours only."""
    found = capacity.alternatives(Kind(), MONDAY + HOUR, now=MONDAY + timedelta(minutes=20))

    assert min(found) >= earliest_planned(MONDAY + timedelta(minutes=20))
    assert [f"{each:%d.%m. %H:%M}" for each in found] == ["02.06. 14:00", "02.06. 15:00", "02.06. 16:00"]
