"""TAF 1, 2, 6 and 7 against cases computed by hand, and the sum rule of TAF 2 against random captures."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.sim.gateway.series import GATEWAY_WORD, NO_VALUE, TIME_INVALID, Capture, Series
from torwart.sim.gateway.tariff import (
    StagePlan,
    StageRegisters,
    grid,
    midnights,
    month_starts,
    taf1,
    taf6,
    taf7,
)

pytestmark = pytest.mark.requirement("WAN-1.6")

REGISTER = "1-0:1.8.0"
NORMAL = GATEWAY_WORD | 4
EVENING = StagePlan(default=2, weekdays={day: ((time(6), 1), (time(22), 2)) for day in range(5)})


def captures(start: datetime, values: list[int], period: int = 900) -> Series:
    series = Series((REGISTER,))
    for number, value in enumerate(values):
        series.append(Capture(start + timedelta(seconds=period * number), {REGISTER: value}, NORMAL))
    return series


def test_local_midnights_follow_summer_time() -> None:
    """Days are those of Berlin: 23 hours long when the clocks go forward."""
    found = list(midnights(datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)))

    assert found == [
        datetime(2026, 3, 28, 23, tzinfo=UTC),
        datetime(2026, 3, 29, 22, tzinfo=UTC),
        datetime(2026, 3, 30, 22, tzinfo=UTC),
    ]


def test_taf1_gives_only_the_starts_of_months() -> None:
    """TAF 1 is data-sparing: one value a month, at the first local midnight."""
    series = captures(datetime(2026, 1, 31, 22, tzinfo=UTC), [100, 110, 120, 130, 140, 150, 160, 170])

    values = taf1(series, REGISTER, datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 2, 10, tzinfo=UTC))

    assert [(v.at, v.value, v.status) for v in values] == [(datetime(2026, 1, 31, 23, tzinfo=UTC), 140, NORMAL)]
    assert list(month_starts(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 10, tzinfo=UTC))) == []


def test_taf7_marks_what_was_not_received() -> None:
    """A quarter-hour without a capture is delivered without value and with the bit for no value."""
    start = datetime(2026, 2, 1, tzinfo=UTC)
    series = captures(start, [10, 20])
    series.append(Capture(start + timedelta(minutes=45), {REGISTER: 40}, NORMAL))

    values = taf7(series, REGISTER, start - timedelta(seconds=1), start + timedelta(minutes=50), 900)

    assert [v.value for v in values] == [10, 20, None, 40]
    assert values[2].status & NO_VALUE


def test_taf6_reaches_six_weeks_back_and_no_further() -> None:
    """TAF 6 gives daily values of 42 days, however long the gateway has been registering."""
    series = Series((REGISTER,))
    start = datetime(2026, 4, 1, 22, tzinfo=UTC)
    for day in range(60):
        series.append(Capture(start + timedelta(days=day), {REGISTER: day}, NORMAL))

    values = taf6(series, REGISTER, start + timedelta(days=59, hours=5))

    assert [v.value for v in values] == list(range(18, 60))


def test_taf6_of_a_young_gateway_gives_what_there_is() -> None:
    """Days before the first capture are not invented."""
    start = datetime(2026, 4, 1, 22, tzinfo=UTC)
    series = captures(start, [7])

    assert [v.value for v in taf6(series, REGISTER, start + timedelta(days=3))] == [7]


def test_taf2_counts_each_quarter_into_the_stage_in_force_at_its_start() -> None:
    """Monday 21:45 to 22:15 local: one quarter in stage 1, one in stage 2, by hand."""
    registers = StageRegisters(EVENING, REGISTER, 900)
    for capture in captures(datetime(2026, 2, 2, 20, 45, tzinfo=UTC), [1000, 1007, 1012]).between(
        datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
    ):
        registers.count(capture)

    assert (registers.stages, registers.error, registers.total) == ({1: 7, 2: 5}, 0, 12)
    assert {v.register: v.value for v in registers.values(datetime(2026, 2, 3, tzinfo=UTC), NORMAL)} == {
        "1-0:1.8.1": 7,
        "1-0:1.8.2": 5,
        "1-0:1.8.63": 0,
        "1-0:1.8.0": 12,
    }


def test_taf2_pays_gaps_and_invalid_time_into_the_error_register() -> None:
    """What cannot be assigned to a stage is not lost: it goes into the error register."""
    registers = StageRegisters(EVENING, REGISTER, 900)
    start = datetime(2026, 2, 2, 10, tzinfo=UTC)
    for minutes, value, status in ((0, 0, NORMAL), (15, 3, NORMAL), (45, 10, NORMAL), (60, 14, NORMAL | TIME_INVALID)):
        registers.count(Capture(start + timedelta(minutes=minutes), {REGISTER: value}, status))

    assert (registers.stages, registers.error, registers.total) == ({1: 3, 2: 0}, 11, 14)


def test_special_days_replace_the_weekday() -> None:
    """A special day profile has precedence over that of the weekday."""
    plan = StagePlan(default=2, weekdays=EVENING.weekdays, special={date(2026, 2, 2): ()})

    assert plan.stage(datetime(2026, 2, 2, 11, tzinfo=UTC)) == 2
    assert plan.stage(datetime(2026, 2, 3, 11, tzinfo=UTC)) == 1


@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.integers(0, 5000), st.booleans(), st.booleans()), min_size=1, max_size=120
    ),
    st.integers(0, 10**9),
)
def test_taf2_stages_and_error_register_are_the_total(steps: list[tuple[int, int, bool, bool]], first: int) -> None:
    """Sum of the stages + error register = total = last − first reading, for any captures, gaps and flags."""
    registers = StageRegisters(EVENING, REGISTER, 900)
    at, value = datetime(2026, 3, 28, tzinfo=UTC), first
    readings = []
    for quarters, energy, flagged, missing in steps:
        at += timedelta(minutes=15 * quarters)
        value += energy
        present = {} if missing else {REGISTER: value}
        readings += [value] if not missing else []
        registers.count(Capture(at, present, NORMAL | (TIME_INVALID if flagged else 0)))

    total = readings[-1] - readings[0] if readings else 0
    assert sum(registers.stages.values()) + registers.error == registers.total == total

    restored = StageRegisters(EVENING, REGISTER, 900)
    restored.restore(registers.state())
    assert restored.state() == registers.state()


@given(st.lists(st.tuples(st.integers(-50, 900), st.integers(-5, 10**6), st.integers(0, 2**64 - 1)), max_size=60))
def test_series_keep_order_and_survive_their_state(rows: list[tuple[int, int, int]]) -> None:
    """Captures come back as written, in growing time, also after a restart; an older one is not taken."""
    series = Series((REGISTER, "1-0:2.8.0"))
    kept = []
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for seconds, value, status in rows:
        at += timedelta(seconds=seconds)
        capture = Capture(at, {REGISTER: value}, status)
        if series.append(capture):
            kept.append(capture)

    everything = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    assert list(Series.of_state(series.state()).between(*everything)) == list(series.between(*everything)) == kept
    assert [c.at for c in kept] == sorted({c.at for c in kept})


def test_grid_is_half_open() -> None:
    """The grid excludes its start and includes its end, so that consecutive deliveries neither repeat nor miss."""
    start = datetime(2026, 1, 1, tzinfo=UTC)

    assert list(grid(start, start + timedelta(hours=1), 900)) == [
        start + timedelta(minutes=15 * n) for n in range(1, 5)
    ]
