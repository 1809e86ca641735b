"""Fleets: many devices in one loop, steered from outside, remembered across processes."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from torwart.kernel.refusals import Refusal
from torwart.sim.gateway import ControlServer, Fault, Fleet, FleetConfig, device_ids, initial_config, make_device
from torwart.sim.gateway.manufacture import devices_in, read_device, write_device
from torwart.sim.pki import TestPki
from torwart.wire.profiles import Schedule
from torwart.wire.smgw import Standing

pytestmark = pytest.mark.requirement("SIM-fleet")


def initial(pki: TestPki, head_end: Any) -> Any:
    return initial_config(pki, management=head_end.management, admin_service=head_end.admin_service, ntp=head_end.ntp)


def test_thirty_gateways_connect_at_once(pki: TestPki, head_end: Any) -> None:
    """All devices of a fleet are connected and have valid time within seconds; a summary counts them."""

    async def story() -> None:
        async with head_end() as he:
            made = tuple(make_device(pki, device, initial(pki, he)) for device in device_ids(30))
            for device in made:
                he.knows[str(device.device)] = device.seal.sig.certificate, device.seal.enc.certificate
            fleet = Fleet(FleetConfig(made))
            await fleet.start()
            await he.until(lambda: fleet.summary()["clock_valid"] == fleet.summary()["connected"] == 30)
            assert len(he.sessions) == 30
            await fleet.power_off("*")
            await he.until(lambda: not he.sessions)
            assert fleet.summary()["powered"] == 0
            await fleet.stop()

    asyncio.run(story())


def test_a_device_survives_its_process(world: Any, tmp_path: Path) -> None:
    """Certificates, profiles, pairings, series and running registers are there again in a new process."""

    async def first() -> tuple[Any, ...]:
        async with world(state=tmp_path, emt=True) as w:
            await w.commission()
            await w.measure(w.contract(schedule=Schedule(3600)))
            await w.head_end.until(lambda: w.emt.values == 1)
            w.timeline.advance(timedelta(minutes=31))
            memory = w.gateway.core.memory
            return (
                {path: p.digest for path, p in memory.profiles.items()},
                memory.pairings,
                memory.sets[Standing.CURRENT],
                len(memory.series[str(w.meter.device)]),
                w.head_end.knows,
            )

    async def second() -> tuple[Any, ...]:
        async with world(state=tmp_path) as w:
            session = await w.connected()
            memory = w.gateway.core.memory
            assert session.certificate.serial_number != w.gateway.core.config.seal.tls.certificate.serial_number
            return (
                {path: p.digest for path, p in memory.profiles.items()},
                memory.pairings,
                memory.sets[Standing.CURRENT],
                len(memory.series[str(w.meter.device)]),
            )

    *before, _ = asyncio.run(first())

    assert list(asyncio.run(second())) == before


def test_devices_are_written_and_read_back(pki: TestPki, head_end: Any, tmp_path: Path) -> None:
    """What the maker wrote to disk is the same device again: seal, meters, keys, household."""

    async def story() -> None:
        async with head_end() as he:
            config = initial(pki, he)
            made = [make_device(pki, device, config, meters=2) for device in device_ids(2)]
            for device in made:
                write_device(tmp_path / str(device.device), device)
            back = list(devices_in(tmp_path, config))
            assert [d.device for d in back] == [d.device for d in made]
            assert [d.meters for d in back] == [d.meters for d in made]
            assert [d.seal.sig.certificate for d in back] == [d.seal.sig.certificate for d in made]
            assert read_device(tmp_path / str(made[0].device), config).seal.sig.key.private_numbers() is not None
            assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.glob("*/*.key.pem"))

    asyncio.run(story())


async def order(address: tuple[str, int], *lines: bytes) -> list[dict[str, Any]]:
    reader, writer = await asyncio.open_connection(*address)
    answers = []
    for line in lines:
        writer.write(line + b"\n")
        await writer.drain()
        answers.append(json.loads(await reader.readline()))
    writer.close()
    return answers


def test_a_fleet_is_steered_through_its_socket(world: Any) -> None:
    """Faults, power, time and states go through one line of JSON each; nonsense is answered, not fatal."""

    async def story() -> None:
        async with world() as w:
            server = ControlServer(w.fleet)
            address = await server.start()
            await w.connected()
            await w.synchronised()

            async def do(**words: Any) -> dict[str, Any]:
                (answer,) = await order(address, json.dumps(words).encode())
                return answer

            assert (await do(do="summary"))["summary"]["connected"] == 1
            assert (await do(do="fault", device=str(w.device), fault="silent"))["ok"]
            assert (await do(do="states"))["states"][0]["faults"] == ["silent"]
            assert (await do(do="fault", fault="silent", on=False))["ok"]
            now = w.timeline.now()
            assert (await do(do="advance", seconds=3600))["ok"]
            assert w.timeline.now() - now >= timedelta(hours=1)
            assert (await do(do="power", device=str(w.device).lower(), on=False))["ok"]
            assert not w.gateway.core.powered
            assert (await do(do="power"))["ok"]
            assert (await do(do="reboot"))["ok"]
            assert set((await do(do="faults"))["faults"]) == set(Fault)
            assert (await do(do="fault", fault="wrong-cn"))["ok"]
            refusals = await order(
                address, b"{}", b"nonsense", b"[]", b'{"do": "fault", "fault": "x"}',
                b'{"do": "states", "device": "EPPC0299999999"}', b'{"do": "advance", "seconds": -1}',
                b'{"do": "advance", "seconds": "later"}', b'{"do": "advance", "seconds": 1e300}',
            )  # fmt: skip
            assert [answer["ok"] for answer in refusals] == [False] * len(refusals)
            await server.stop()

    asyncio.run(story())


def test_the_control_socket_listens_on_loopback_only(world: Any) -> None:
    """Steering devices is for the machine they run on."""

    async def story() -> None:
        async with world(power=False) as w:
            with pytest.raises(Refusal) as refusal:
                await ControlServer(w.fleet).start("0.0.0.0")
            assert refusal.value.code == "sim.fleet_control"

    asyncio.run(story())


@pytest.mark.requirement("WAN-1.9")
def test_a_long_outage_is_noticed(world: Any) -> None:
    """After 21 days without power the time is invalid until it is set, and the calibration log says so."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            await w.synchronised()
            await w.fleet.power_off("*")
            w.timeline.advance(timedelta(days=21))
            w.fleet.power_on("*")
            await w.told(10041)
            await w.synchronised()

    asyncio.run(story())
