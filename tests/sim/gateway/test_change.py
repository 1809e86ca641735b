"""A simulated gateway that is told to change from one evaluation to another: it does so by its own clock."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from torwart.kernel.identifiers import ObisCode
from torwart.sim.emt import Behaviour
from torwart.sim.gateway.tariff import BERLIN, billing_starts
from torwart.wire.profiles import Schedule
from torwart.wire.profiles.evaluation import (
    BillingPeriod,
    DayProfile,
    DayTimeProfile,
    TariffChangeTrigger,
    TariffStage,
    TimeTrigger,
    WeekProfile,
)

pytestmark = [pytest.mark.requirement("P11", "WAN-1.7")]
OLD, NEW = "01005e318027.taf7-1.sm", "01005e318021.taf1-2.sm"


def of(world: Any, contract: str) -> Any:
    """What the EMT has got under one contract."""
    return next((r for (_, name, _), r in world.emt.received.items() if name == contract), None)


def test_it_changes_between_two_registrations_at_the_very_instant(world: Any) -> None:
    """Nobody tells it when: the old contract ends and the new one begins at 7 minutes past, each with a value there."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.commission()
            at = (w.gateway.core.clock.now() + timedelta(minutes=7)).replace(microsecond=0)
            await w.measure(w.contract(valid_until=at), w.contract(1, id="taf1-2", valid_from=at))
            await w.head_end.until(lambda: of(w, OLD) is not None)
            assert of(w, NEW) is None
            w.timeline.advance(timedelta(minutes=7, seconds=3))
            await w.head_end.until(lambda: of(w, NEW) is not None)
            assert abs(of(w, NEW).first - at) <= timedelta(seconds=2)
            states = {c.contract: c.state.value for c in await w.ask(w.smgw.list_contracts())}
            assert states == {"taf7-1": "archive", "taf1-2": "running"}
            assert of(w, OLD).last <= at

    asyncio.run(story())


def test_the_last_stages_of_an_ended_tariff_are_delivered_late_too(world: Any) -> None:
    """The recipient was down at the end: what the stages had counted by then comes later, unchanged."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.commission()
            now = w.gateway.core.clock.now()
            at = datetime.fromtimestamp((int(now.timestamp()) // 900 + 96) * 900, UTC)
            stages = tuple(TariffStage(n, ObisCode(f"1-0:1.8.{n}")) for n in (1, 2))
            trigger = TariffChangeTrigger(
                TimeTrigger((DayProfile(1, (DayTimeProfile(time(6), 1),)),), WeekProfile(*[1] * 7))
            )
            contract = w.contract(
                2,
                tariff_stage=stages,
                default_tariff_number=2,
                tariff_change_trigger=trigger,
                schedule=Schedule(86400),
                valid_until=at,
            )
            await w.measure(contract)
            await w.head_end.until(lambda: w.emt.values > 0)
            (received,) = w.emt.received.values()
            start = received.last_value["1-0:1.8.0"]
            w.emt.behaviour = Behaviour.DOWN
            w.timeline.advance(timedelta(hours=27))
            await w.head_end.until(lambda: w.gateway.delivery.errors)
            w.emt.behaviour = Behaviour.GOOD
            w.timeline.advance(timedelta(hours=1))
            await w.head_end.until(lambda: received.last == at)
            values = received.last_value
            assert values["1-0:1.8.1"] + values["1-0:1.8.2"] + values["1-0:1.8.63"] == values["1-0:1.8.0"] - start > 0

    asyncio.run(story())


@pytest.mark.parametrize(
    ("start", "duration", "found"),
    [
        ("2026-01-01T00:00+01:00", "P1M", ["01.01.", "01.02.", "01.03.", "01.04."]),
        ("2026-01-01T00:00+01:00", "P3M", ["01.01.", "01.04."]),
        ("2025-01-31T00:00+01:00", "P1M", [*["31.01.", "28.02.", "31.03.", "30.04."], "31.05."]),
        ("2024-02-29T00:00+01:00", "P1Y", ["29.02.", "28.02.", "28.02."]),
        ("2026-03-28T00:00+01:00", "P1D", ["28.03.", "29.03.", "30.03.", "31.03.", "01.04."]),
    ],
)
def test_billing_periods_follow_the_local_calendar(start: str, duration: str, found: list[str]) -> None:
    """Months of every length, leap years and the days on which clocks change; always local midnight."""
    begin = datetime.fromisoformat(start)
    until = datetime(2026, 4, 1, tzinfo=UTC) if begin.year != 2025 else datetime(2025, 6, 1, tzinfo=UTC)
    local = [at.astimezone(BERLIN) for at in billing_starts(BillingPeriod(begin, duration), until)]
    assert [f"{at:%d.%m.}" for at in local] == found
    assert {at.time() for at in local} == {time(0)}
