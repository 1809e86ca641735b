"""Meters: registers never run back, households look like households, troubles show."""

import statistics
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.sim.gateway.meter import EXPORT, FATAL, IMPORT, POWER, Household, Meter, MeterTrouble

pytestmark = pytest.mark.requirement("WAN-1.10")

START = datetime(2026, 6, 1, tzinfo=UTC)


def meter(household: Household | None = None) -> Meter:
    return Meter("1EMH0012345678", bytes(16), household or Household(7), START)


def quarters(household: Household, start: datetime, days: int) -> list[int]:
    first = int(start.timestamp()) // 900
    return [household.quarter(first + n) for n in range(96 * days)]


def test_a_year_of_a_household_draws_about_what_it_was_told_to() -> None:
    """The load curve integrates to the annual consumption within 10 %."""
    drawn = sum(quarters(Household(seed=3, annual_kwh=3500), datetime(2026, 1, 1, tzinfo=UTC), 365)) / 10_000

    assert drawn == pytest.approx(3500, rel=0.1)


def test_evenings_are_higher_than_nights() -> None:
    """The mean of 18 to 20 h local is more than twice that of 2 to 4 h."""
    values = quarters(Household(seed=3), datetime(2026, 1, 5, tzinfo=UTC), 28)
    by_hour = [statistics.mean(values[day * 96 + hour * 4] for day in range(28)) for hour in range(24)]

    assert by_hour[18] > 2 * by_hour[2]


def test_a_roof_feeds_in_at_noon_and_never_at_night() -> None:
    """PV feeds in on summer days; at night 2.8.0 stands still."""
    device = meter(Household(seed=5, pv_kwp=8))
    night = device.read(datetime(2026, 6, 2, 0, 0, tzinfo=UTC))
    later = device.read(datetime(2026, 6, 2, 2, 0, tzinfo=UTC))
    noon = device.read(datetime(2026, 6, 2, 12, 0, tzinfo=UTC))

    assert night is not None
    assert later is not None
    assert noon is not None
    assert night.registers[EXPORT] == later.registers[EXPORT] < noon.registers[EXPORT]
    assert night.registers[POWER] > 0 > noon.registers[POWER]


@given(st.lists(st.tuples(st.integers(0, 40_000), st.sampled_from(list(MeterTrouble))), max_size=30), st.integers())
def test_registers_never_run_back(steps: list[tuple[int, MeterTrouble]], seed: int) -> None:
    """Whatever troubles come and go, import and export never decrease."""
    device = meter(Household(seed, pv_kwp=6))
    at, before = START, (0, 0)
    for seconds, trouble in steps:
        at += timedelta(seconds=seconds)
        device.trouble ^= trouble
        values = device.read(at)
        if values is not None:
            now = values.registers[IMPORT], values.registers.get(EXPORT, before[1])
            assert now[0] >= before[0]
            assert now[1] >= before[1]
            before = now


def test_the_same_seed_is_the_same_household() -> None:
    """Two runs draw the same curve, and a meter looked at rarely agrees with one looked at often."""
    often, rarely = meter(), meter()
    for hour in range(50):
        last = often.read(START + timedelta(hours=hour))

    assert rarely.read(START + timedelta(hours=49)) == last


@pytest.mark.requirement("SIM-frozen-value", "SIM-missing-2.8.0", "SIM-meter-not-seen", "SIM-meter-wrong-key")
def test_troubles_show() -> None:
    """Frozen registers stand, 2.8.0 can be missing, an absent meter answers nothing, a wrong key does not pair."""
    device = meter()
    before = device.read(START + timedelta(hours=5))
    device.trouble = MeterTrouble.FROZEN | MeterTrouble.BROKEN
    frozen = device.read(START + timedelta(days=3))
    assert before is not None
    assert frozen is not None
    assert frozen.registers[IMPORT] == before.registers[IMPORT]
    assert frozen.status & FATAL

    device.trouble = MeterTrouble.NO_EXPORT
    thawed = device.read(START + timedelta(days=4))
    assert thawed is not None
    assert EXPORT not in thawed.registers
    assert thawed.registers[IMPORT] > frozen.registers[IMPORT]

    device.trouble = MeterTrouble.ABSENT
    assert device.read(START + timedelta(days=5)) is None
    assert not device.accepts(bytes(16))
    device.trouble = MeterTrouble.WRONG_KEY
    assert not device.accepts(bytes(16))
    device.trouble = MeterTrouble(0)
    assert device.accepts(bytes(16))
    assert not device.accepts(b"\1" * 16)
