"""Service time and deadlines: the vectors, a minute-stepping oracle that shares no code with the rules, and DST."""

import csv
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.rules.holidays import FIRST_YEAR, easter, nationwide
from torwart.rules.service_time import (
    CALENDAR,
    LAST_YEAR,
    Calendar,
    counted,
    deadline,
    local,
    service_time,
)

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
VECTORS = list(csv.DictReader((Path(__file__).parent / "data" / "service-time.csv").open()))
_GERMANY = holidays.country_holidays("DE")
Hours = dict[int, list[tuple[str, str]]]
DEFAULT: Hours = {weekday: [("08:00", "17:00")] for weekday in range(5)}


def is_open_minute(at: datetime, hours: Hours, closed: frozenset[date], zone: ZoneInfo = BERLIN) -> bool:
    """Whether the minute that starts at ``at`` is service time, by what the clock on the wall reads."""
    wall = at.astimezone(zone)
    if wall.date() in _GERMANY or wall.date() in closed:
        return False
    return any(opening <= f"{wall:%H:%M}" < closing for opening, closing in hours.get(wall.weekday(), []))


def open_minutes(start: datetime, hours: Hours, closed: frozenset[date], zone: ZoneInfo = BERLIN) -> Iterator[datetime]:
    """Every open minute from ``start`` on, in UTC."""
    at = start.astimezone(UTC)
    while True:
        if is_open_minute(at, hours, closed, zone):
            yield at
        at += MINUTE


def walked_deadline(
    start: datetime,
    minutes: int,
    hours: Hours = DEFAULT,
    closed: frozenset[date] = frozenset(),
    zone: ZoneInfo = BERLIN,
) -> datetime:
    """The end of the last of ``minutes`` open minutes, counted from ``start`` (a whole minute)."""
    for number, minute in enumerate(open_minutes(start, hours, closed, zone), start=1):
        if number == minutes:
            return minute + MINUTE
    raise AssertionError


def walked_minutes(
    begin: datetime,
    end: datetime,
    hours: Hours = DEFAULT,
    closed: frozenset[date] = frozenset(),
    zone: ZoneInfo = BERLIN,
) -> int:
    """How many open minutes lie in ``[begin, end)``, both whole minutes."""
    count, at = 0, begin.astimezone(UTC)
    while at < end.astimezone(UTC):
        count += is_open_minute(at, hours, closed, zone)
        at += MINUTE
    return count


def berlin(text: str) -> datetime:
    return local(datetime.fromisoformat(text))


def odd_hours() -> st.SearchStrategy[Hours]:
    """Any week with at least one open day: nights, Sundays, several windows a day, up to midnight."""
    edges = st.lists(st.integers(0, 96), min_size=4, max_size=6, unique=True).map(sorted)
    clock = [f"{quarter // 4:02d}:{quarter % 4 * 15:02d}" for quarter in range(97)]
    windows = edges.map(lambda e: [(clock[a], clock[b]) for a, b in zip(e[::2], e[1::2], strict=False)])
    return st.dictionaries(st.integers(0, 6), windows, min_size=1)


def configured(hours: Hours, closed: frozenset[date] = frozenset(), zone: str = "Europe/Berlin") -> Calendar:
    names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    texts = {names[day]: " ".join(f"{a}-{b}" for a, b in windows) for day, windows in hours.items()}
    return Calendar.configured(texts, [d.isoformat() for d in closed], zone)


instants = st.datetimes(datetime(2017, 1, 1), datetime(2039, 12, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(second=0, microsecond=0)
)
around_dst = st.sampled_from(
    [datetime(2026, 3, 28, 12), datetime(2026, 10, 24, 12), datetime(2027, 3, 27, 20)]
).flatmap(lambda base: st.integers(0, 60 * 36).map(lambda minutes: base.replace(tzinfo=UTC) + minutes * MINUTE))


@pytest.mark.requirement("T-1", "T-2", "T-3", "T-4")
@pytest.mark.parametrize("row", VECTORS, ids=lambda row: row["start_local"])
def test_the_published_vectors(row: dict[str, str]) -> None:
    """12 and 24 hours of service time after each start lie where the vectors say."""
    start = berlin(row["start_local"])

    assert deadline(start, 12) == berlin(row["plus_12h_local"])
    assert deadline(start, 24) == berlin(row["plus_24h_local"])
    assert service_time(start, deadline(start, 24)) == 24 * HOUR


@pytest.mark.requirement("T-1")
def test_holidays_are_those_of_all_states() -> None:
    """Our nationwide holidays are those the holidays library gives for Germany without a state, year by year."""
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        assert set(nationwide(year)) == set(holidays.country_holidays("DE", years=year))


@pytest.mark.requirement("T-1")
@pytest.mark.parametrize(
    ("day", "open_day"),
    [
        ("2026-01-06", True),
        ("2026-06-04", True),
        ("2026-10-31", False),
        ("2025-10-31", True),
        ("2017-10-31", False),
        ("2027-11-01", True),
        ("2026-12-24", True),
        ("2026-12-31", True),
        ("2026-04-03", False),
        ("2026-04-06", False),
        ("2026-05-14", False),
        ("2026-05-25", False),
        ("2024-10-03", False),
        ("2026-11-21", False),
    ],
)
def test_state_holidays_are_working_days(day: str, open_day: bool) -> None:
    """Epiphany, Corpus Christi, 31 Oct, All Saints, 24 and 31 Dec are open; nationwide ones and weekends closed."""
    assert CALENDAR.is_open(berlin(f"{day}T12:00")) is open_day


def test_easter_is_a_sunday_in_spring() -> None:
    """Known dates, the earliest and the latest possible among them."""
    assert [easter(year) for year in (1818, 2026, 2027, 2038)] == [
        date(1818, 3, 22),
        date(2026, 4, 5),
        date(2027, 3, 28),
        date(2038, 4, 25),
    ]


@pytest.mark.requirement("T-2")
def test_days_are_half_open() -> None:
    """08:00 counts, 17:00 is closed, the rest of a day used up exactly ends at 17:00."""
    assert CALENDAR.is_open(berlin("2026-11-23T08:00"))
    assert CALENDAR.is_open(berlin("2026-11-23T16:59:59.999999"))
    assert not CALENDAR.is_open(berlin("2026-11-23T17:00"))
    assert not CALENDAR.is_open(berlin("2026-11-23T07:59:59.999999"))
    assert deadline(berlin("2026-11-23T08:00"), 9) == berlin("2026-11-23T17:00")
    assert deadline(berlin("2026-11-23T17:00"), 9) == berlin("2026-11-24T17:00")
    assert deadline(berlin("2026-11-20T17:00"), 0) == berlin("2026-11-23T08:00")
    assert deadline(berlin("2026-11-20T09:30"), 0) == berlin("2026-11-20T09:30")
    assert counted(berlin("2026-11-20T09:30"), 0) == []


@pytest.mark.requirement("T-2", "T-4")
@given(start=instants, minutes=st.integers(1, 26 * 60))
@settings(max_examples=50, deadline=None)
def test_deadlines_are_those_of_the_oracle(start: datetime, minutes: int) -> None:
    """With the default calendar, walking the open minutes one by one leads to the same instant."""
    assert deadline(start, timedelta(minutes=minutes)) == walked_deadline(start, minutes)


@pytest.mark.requirement("T-1", "T-2")
@given(
    start=around_dst,
    minutes=st.integers(1, 200),
    hours=odd_hours(),
    closed=st.frozensets(st.dates(date(2026, 3, 27), date(2026, 3, 31))),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Atlantic/Azores"]),
)
@settings(max_examples=50, deadline=None)
def test_any_calendar_is_right_when_clocks_change(
    start: datetime, minutes: int, hours: Hours, closed: frozenset[date], zone: str
) -> None:
    """Nights, Sundays, lunch breaks and extra closed days, around the days when clocks change, in other zones too."""
    calendar = configured(hours, closed, zone)
    due = deadline(start, timedelta(minutes=minutes), calendar)

    # Compared in UTC: Python calls instants of two zones unequal in the hour that happens twice (PEP 495).
    assert due.astimezone(UTC) == walked_deadline(start, minutes, hours, closed, ZoneInfo(zone))
    end = start + 700 * MINUTE
    walked = walked_minutes(start, end, hours, closed, ZoneInfo(zone))
    assert service_time(start, end, calendar) == walked * MINUTE
    assert calendar.is_open(start) == is_open_minute(start, hours, closed, ZoneInfo(zone))


@pytest.mark.requirement("T-2")
@given(
    start=st.datetimes(datetime(1995, 1, 2), datetime(2098, 1, 1), timezones=st.just(BERLIN), allow_imaginary=False),
    need=st.timedeltas(timedelta(0), timedelta(hours=100)),
)
def test_a_deadline_consumes_exactly_its_hours(start: datetime, need: timedelta) -> None:
    """To the microsecond: service time up to the deadline is the allowance, and its steps add up to it."""
    due = deadline(start, need)
    steps = counted(start, need)

    assert service_time(start, due) == need
    assert service_time(due, start) == -need
    assert sum((step.length for step in steps), timedelta(0)) == need
    assert all(step.begin < step.end and CALENDAR.is_open(step.begin) for step in steps)
    assert all(step.end <= following.begin for step, following in pairwise(steps))
    if steps:
        assert steps[-1].end == due
    assert due.tzinfo is CALENDAR.zone


@pytest.mark.requirement("T-2")
@given(start=instants, first=st.integers(0, 2000), second=st.integers(0, 2000))
def test_deadlines_add_up(start: datetime, first: int, second: int) -> None:
    """Counting in two parts ends where counting at once ends, and more time never ends earlier."""
    middle = deadline(start, timedelta(minutes=first))
    whole = deadline(start, timedelta(minutes=first + second))

    assert service_time(middle, whole) == second * MINUTE
    assert middle <= whole


@pytest.mark.requirement("T-2")
def test_readings_of_the_wall_clock_when_clocks_change() -> None:
    """02:30 on the last Sunday of March is 03:30; on that of October it is the first of the two unless folded."""
    assert berlin("2027-03-28T02:30").isoformat() == "2027-03-28T03:30:00+02:00"
    assert berlin("2026-10-25T02:30").isoformat() == "2026-10-25T02:30:00+02:00"
    assert local(datetime(2026, 10, 25, 2, 30, fold=1)).isoformat() == "2026-10-25T02:30:00+01:00"


@pytest.mark.requirement("T-1")
def test_a_night_window_counts_what_the_clock_on_the_wall_reads() -> None:
    """01:00–04:00 on Sundays has two hours in March, four in October."""
    nights = Calendar.configured({"sunday": "01:00-04:00"})

    spring = nights.intervals(berlin("2027-03-28T00:00"), berlin("2027-03-29T00:00"))
    assert sum((s.length for s in spring), timedelta(0)) == 2 * HOUR
    autumn = nights.intervals(berlin("2026-10-25T00:00"), berlin("2026-10-26T00:00"))
    assert sum((s.length for s in autumn), timedelta(0)) == 4 * HOUR


@pytest.mark.requirement("T-1")
@pytest.mark.parametrize(
    ("hours", "closed", "zone"),
    [
        ({}, [], "Europe/Berlin"),
        ({"monday": ""}, [], "Europe/Berlin"),
        ({"montag": "08:00-17:00"}, [], "Europe/Berlin"),
        ({"monday": "17:00-08:00"}, [], "Europe/Berlin"),
        ({"monday": "08:00-12:00 11:00-17:00"}, [], "Europe/Berlin"),
        ({"monday": "08:00"}, [], "Europe/Berlin"),
        ({"monday": "08:00-25:00"}, [], "Europe/Berlin"),
        ({"monday": "08:00-17:00"}, ["31.12.2026"], "Europe/Berlin"),
        ({"monday": "08:00-17:00"}, [], "Europe/Koblenz"),
    ],
)
def test_an_unusable_calendar_is_refused(hours: dict[str, str], closed: list[str], zone: str) -> None:
    """A configuration that names no service time, or not clearly, does not start."""
    with pytest.raises(Refusal) as caught:
        Calendar.configured(hours, closed, zone)
    assert caught.value.code == "service_time.calendar"


@pytest.mark.parametrize("hours", [-1, float("nan"), float("inf"), timedelta(microseconds=-1)])
def test_a_negative_duration_is_refused(hours: float | timedelta) -> None:
    """Service time runs forward only."""
    with pytest.raises(Refusal) as caught:
        deadline(berlin("2026-11-23T08:00"), hours)
    assert caught.value.code == "service_time.duration"


@pytest.mark.parametrize(
    ("start", "hours"), [("1994-12-31T00:00", 1), ("2100-01-02T00:00", 1), ("2026-01-01T00:00", 1e7)]
)
def test_the_calendar_says_where_it_ends(start: str, hours: float) -> None:
    """Before 1995 and after 2099 no deadline is invented."""
    with pytest.raises(Refusal) as caught:
        deadline(berlin(start), hours)
    assert caught.value.code == "service_time.out_of_range"


def test_a_calendar_closed_for_good_has_no_deadline() -> None:
    """When configured closed days leave nothing open, the answer is a refusal, not an endless search."""
    sundays = [date(1995, 1, 1) + timedelta(days=7 * week) for week in range(5500)]
    with pytest.raises(Refusal) as caught:
        deadline(berlin("2026-11-23T08:00"), 1, configured({6: [("08:00", "09:00")]}, frozenset(sundays)))
    assert caught.value.code == "service_time.out_of_range"


def test_threads_share_a_calendar() -> None:
    """While one thread makes the ledger grow, others keep getting right answers."""
    calendar = Calendar()
    starts = [datetime(year, 6, 1, 12, tzinfo=UTC) for year in (1996, 2026, 2090, 2020)] * 5
    found: list[list[datetime]] = []
    threads = [
        threading.Thread(target=lambda: found.append([deadline(s, 24, calendar) for s in starts])) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [[deadline(s, 24) for s in starts]] * 4
