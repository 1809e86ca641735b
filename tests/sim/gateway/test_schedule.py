"""When things are due: slots of a schedule, regular calls, the ends of contracts."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.identifiers import ObisCode
from torwart.kernel.refusals import Refusal
from torwart.sim.gateway.schedule import last_slot
from torwart.sim.gateway.timeline import Timeline
from torwart.wire.profiles import CommunicationProfile, Endpoint, Peer, Scenario, Schedule
from torwart.wire.profiles.evaluation import Assignment

pytestmark = pytest.mark.requirement("WAN-1.7")

INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("schedule", "now", "expected"),
    [
        (Schedule(86_400, 600), datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 5, 31, 22, 10, tzinfo=UTC)),
        (Schedule(86_400, 600), datetime(2026, 5, 31, 22, 5, tzinfo=UTC), datetime(2026, 5, 30, 22, 10, tzinfo=UTC)),
        (Schedule(3600), datetime(2026, 6, 1, 12, 59, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC)),
        (Schedule(900, 60), datetime(2026, 1, 1, 12, 15, 30, tzinfo=UTC), datetime(2026, 1, 1, 12, 1, tzinfo=UTC)),
    ],
)
def test_slots_count_from_local_midnight(schedule: Schedule, now: datetime, expected: datetime) -> None:
    """Cases by hand, in summer and winter time."""
    assert last_slot(schedule, now, 0.0) == expected


@given(INSTANTS, st.sampled_from([900, 3600, 86_400, 7 * 86_400]), st.floats(0, 1))
def test_a_slot_is_never_in_the_future_and_never_too_old(now: datetime, period: int, share: float) -> None:
    """The last slot lies at most one period (and a changed clock hour) back."""
    slot = last_slot(Schedule(period, 0, period // 2), now, share)

    assert slot <= now
    assert now - slot <= timedelta(seconds=period, hours=1)


@given(INSTANTS, st.floats(0, 1))
def test_the_spread_moves_a_slot_within_its_width(now: datetime, share: float) -> None:
    """A device's part of the spread delays it by no more than the spread."""
    plain = last_slot(Schedule(3600), now, share)
    spread = last_slot(Schedule(3600, 0, 1800), now, share)

    assert (spread - plain) % timedelta(hours=1) <= timedelta(seconds=1800)


def test_a_regular_call_is_made(world: Any) -> None:
    """With a schedule in its MANAGEMENT profile the gateway calls at its time, though nobody woke it."""

    async def story() -> None:
        async with world() as w:
            session = await w.connected()
            await w.synchronised()
            tls, sig, enc = (credential.certificate_der for credential in w.pki.gwa)
            peer = Peer((Endpoint(*w.head_end.management),), (tls,), sig, enc)
            profile = CommunicationProfile("management", Scenario.MANAGEMENT, peer, schedule=Schedule(3600))
            await w.ask(w.smgw.write_profile(profile))
            session.end()
            await w.head_end.until(lambda: not w.head_end.sessions)
            w.timeline.advance(timedelta(hours=1, seconds=1))
            await w.connected(after=1)

    asyncio.run(story())


def test_a_contract_delivers_up_to_its_end_and_not_beyond(world: Any) -> None:
    """Values after the end are not the recipient's; those up to it are delivered though the time is over."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.commission()
            end = (w.gateway.core.clock.now() + timedelta(hours=1)).replace(microsecond=0)
            await w.measure(w.contract(valid_until=end))
            await w.head_end.until(lambda: w.emt.values == 1)
            w.timeline.advance(timedelta(hours=3))
            await w.head_end.until(lambda: w.emt.values >= 5)
            (received,) = w.emt.received.values()
            assert end - timedelta(minutes=15) < received.last <= end
            states = await w.ask(w.smgw.list_contracts())
            assert states[0].state.value == "archive"

    asyncio.run(story())


def test_a_contract_begins_at_its_time_on_the_grid(world: Any) -> None:
    """A contract valid from the next quarter-hour starts with exactly that capture."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.commission()
            now = w.gateway.core.clock.now()
            start = datetime.fromtimestamp((int(now.timestamp()) // 900 + 2) * 900, UTC)
            await w.measure(w.contract(valid_from=start))
            assert w.emt.values == 0
            w.timeline.advance(start - now + timedelta(seconds=2))
            await w.head_end.until(lambda: w.emt.values == 1)
            (received,) = w.emt.received.values()
            assert received.first == start

    asyncio.run(story())


def test_an_evaluation_of_a_register_nobody_captures_is_refused(world: Any) -> None:
    """The meter's profile must list the register."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.connected()
            await w.ask(w.smgw.write_profile(w.meter_profile()))
            await w.ask(w.smgw.write_profile(w.emt_profile()))
            wrong = (Assignment(w.meter.device, ObisCode("1-0:32.7.0")),)
            with pytest.raises(Refusal) as refusal:
                await w.ask(w.smgw.write_profile(w.contract(assignment=wrong)))
            assert refusal.value.code == "cosem.application"

    asyncio.run(story())


def test_deleting_a_meters_profile_unpairs_it(world: Any) -> None:
    """Without its profile the gateway has no business with a meter."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            await w.ask(w.smgw.write_profile(w.meter_profile()))
            await w.ask(w.smgw.pair_meter(w.meter.device))
            await w.ask(w.smgw.remove(w.meter_profile()))
            (device,) = await w.ask(w.smgw.list_lmn())
            assert (device.configured, device.paired, device.seen) == (False, False, True)

    asyncio.run(story())


def test_cancelled_alarms_do_not_pile_up() -> None:
    """Setting and cancelling a far alarm a hundred thousand times leaves little behind."""

    async def story() -> int:
        line = Timeline()
        for _ in range(100_000):
            line.after(1e6, lambda: None).cancel()
        return len(line._alarms)

    assert asyncio.run(story()) < 3000
