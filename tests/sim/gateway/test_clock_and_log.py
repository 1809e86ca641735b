"""The gateway's clock, the simulated world's timeline, and the three logs."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.sim.gateway.clock import POWER_RESERVE, GatewayClock
from torwart.sim.gateway.log import Level, Log, LogKind
from torwart.sim.gateway.timeline import Timeline

START = datetime(2026, 6, 1, tzinfo=UTC)


class World:
    """A true time a test moves by hand."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


@pytest.mark.requirement("WAN-1.9")
def test_a_clock_drifts_is_set_and_drifts_on() -> None:
    """100 ppm are 8.64 s a day; setting it removes the deviation, not the drift."""
    world = World()
    clock = GatewayClock(world, drift_ppm=100, offset=1.0)
    assert not clock.valid
    world.at += timedelta(days=1)
    assert clock.deviation == pytest.approx(9.64)

    clock.step(-clock.deviation)
    assert clock.valid
    assert clock.deviation == pytest.approx(0, abs=1e-9)
    world.at += timedelta(days=1)
    assert clock.deviation == pytest.approx(8.64)
    assert clock.true_of(clock.now()) == world.at


@pytest.mark.requirement("SIM-clock-20s")
def test_a_broken_oscillator_is_off_again_after_every_setting() -> None:
    """A correction by just what it is off leaves it as far off as before; repaired, it is right."""
    clock = GatewayClock(World())
    clock.disturbance = 20.0
    for _ in range(3):
        clock.step(-clock.deviation)
        assert clock.deviation == pytest.approx(20.0)

    clock.disturbance = 0.0
    assert clock.deviation == pytest.approx(0.0)


@pytest.mark.requirement("WAN-1.9")
def test_a_long_outage_makes_the_time_invalid() -> None:
    """Within the power reserve the clock runs on; beyond it the time is invalid until it is set again."""
    world = World()
    clock = GatewayClock(world)
    clock.step(0)
    clock.power_lost(POWER_RESERVE)
    assert clock.valid
    restored = GatewayClock(world)
    restored.restore(clock.state())
    assert restored.valid
    clock.power_lost(POWER_RESERVE + timedelta(seconds=1))
    assert not clock.valid


def test_alarms_ring_in_order_when_the_world_is_pushed() -> None:
    """Advancing rings everything that became due, by due time; a cancelled alarm stays silent."""

    async def story() -> list[str]:
        line = Timeline(lambda: START)
        heard: list[str] = []
        line.after(7200, lambda: heard.append("two hours"))
        line.after(3600, lambda: heard.append("one hour"))
        line.after(1800, lambda: heard.append("cancelled")).cancel()
        sleeper = asyncio.create_task(line.sleep(86_400))
        await asyncio.sleep(0)
        line.advance(timedelta(hours=3))
        assert not sleeper.done()
        line.advance(timedelta(hours=22))
        await asyncio.wait_for(sleeper, 1)
        line.close()
        return heard

    assert asyncio.run(story()) == ["one hour", "two hours"]


def test_alarms_ring_by_themselves() -> None:
    """Without pushing, time passes as it does."""

    async def story() -> None:
        line = Timeline()
        later, sooner = asyncio.Event(), asyncio.Event()
        line.after(0.05, later.set)
        line.after(0.01, sooner.set)
        await asyncio.wait_for(later.wait(), 2)
        assert sooner.is_set()
        line.close()

    asyncio.run(story())


def fill(log: Log, count: int) -> list[bool]:
    return [log.append(START, n, Level.INFO, 10_000, "Entry [n]", str(n)) is not None for n in range(count)]


@pytest.mark.requirement("WAN-1.8")
def test_system_and_consumer_log_overwrite_their_oldest() -> None:
    """Full, they lose the oldest entry; record numbers go on."""
    log = Log(LogKind.SYSTEM, 3)

    assert fill(log, 5) == [True] * 5
    assert [entry.number for entry in log.newest_first()] == [5, 4, 3]


@pytest.mark.requirement("WAN-1.8", "SIM-log-full")
def test_the_calibration_log_refuses_when_full() -> None:
    """Nothing relevant to calibration law is overwritten: the log says so, and metering stops."""
    log = Log(LogKind.CALIBRATION, 3)

    assert fill(log, 4) == [True, True, True, False]
    assert [entry.number for entry in log.newest_first()] == [3, 2, 1]


@pytest.mark.requirement("WAN-1.8")
def test_a_repeated_event_counts_up() -> None:
    """The same event again raises the repetition counter of the newest entry."""
    log = Log(LogKind.SYSTEM, 3)
    log.append(START, 1, Level.ERROR, 11, "Same", success=False)
    log.append(START + timedelta(seconds=9), 10, Level.ERROR, 11, "Same", success=False)

    (entry,) = log.newest_first()
    assert (entry.number, entry.repeated, entry.seconds) == (1, 1, 10)


@given(st.sampled_from(list(LogKind)), st.integers(1, 9), st.integers(0, 20))
def test_logs_survive_their_state(name: LogKind, capacity: int, count: int) -> None:
    """A log comes back from its state as it was, never above its capacity."""
    log = Log(name, capacity)
    fill(log, count)
    restored = Log(name, capacity)
    restored.restore(log.state())

    assert restored.newest_first() == log.newest_first()
    assert len(restored) == len(log) <= capacity
