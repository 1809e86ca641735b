"""Wake-ups: who is woken by what, and what is dropped in silence."""

import asyncio
import socket
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.kernel.identifiers import DeviceId
from torwart.wire.cms import LocalSigner
from torwart.wire.smgw import LogKind
from torwart.wire.wakeup import build, plain_signer

pytestmark = pytest.mark.requirement("WAN-1.5")


def dropped(w: Any) -> list[str]:
    """Why wake-ups were dropped, newest first, as the system log says."""
    entries = w.gateway.core.memory.logs[LogKind.SYSTEM].newest_first()
    return [entry.parameters[0] for entry in entries if entry.event == 10101]


def test_a_datagram_wakes_the_device_it_names(world: Any) -> None:
    """Sent to the fleet's socket, a true packet makes the named gateway call; nobody answers the datagram."""

    async def story() -> None:
        async with world() as w:
            (await w.connected()).end()
            await w.synchronised()
            await w.head_end.until(lambda: not w.head_end.sessions)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind(("127.0.0.1", 0))
                sender.setblocking(False)
                sender.sendto(w.wake_up(), w.fleet.wake_up_address)
                await w.connected(after=1)
                with pytest.raises(BlockingIOError):
                    sender.recv(2000)

    asyncio.run(story())


def test_a_packet_counts_once_and_only_in_its_window(world: Any) -> None:
    """Repeated, too old, too early, forged, for another or garbage: dropped and logged, never answered."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            await w.synchronised()
            now = w.gateway.core.clock.now()
            packet = w.wake_up(now)
            assert w.gateway.wake_up(packet)
            assert not w.gateway.wake_up(packet)
            assert not w.gateway.wake_up(w.wake_up(now - timedelta(seconds=31)))
            assert not w.gateway.wake_up(w.wake_up(now + timedelta(seconds=32)))
            assert dropped(w) == [
                "wakeup.outside_window",
                "wakeup.outside_window",
                "wakeup.replayed",
            ] or dropped(w) == ["wakeup.outside_window", "wakeup.replayed"]
            stranger = LocalSigner(w.pki.emt.sig.key, w.pki.emt.sig.certificate)
            sign = plain_signer(stranger.sign, ec.BrainpoolP256R1())
            forged = build(w.device, now + timedelta(seconds=2), sign_plain=sign)
            assert not w.gateway.wake_up(forged)
            assert dropped(w)[0] == "wakeup.signature_wrong"
            other = build(DeviceId.parse("EPPC0200000002"), now + timedelta(seconds=2), sign_plain=sign)
            assert not w.gateway.wake_up(other)
            assert dropped(w)[0] == "wakeup.not_addressed"
            assert not w.gateway.wake_up(b"WU")
            assert w.gateway.wake_up(w.wake_up(now + timedelta(seconds=3)))
            assert [event.event for event in w.events() if event.event == 10101] == []

    asyncio.run(story())


def test_replay_is_refused_across_a_restart(world: Any, tmp_path: Any) -> None:
    """The last accepted timestamp survives power cut and process: a recorded packet is of no use later."""

    async def story() -> None:
        async with world(state=tmp_path) as w:
            await w.connected()
            await w.synchronised()
            packet = w.wake_up(w.gateway.core.clock.now())
            assert w.gateway.wake_up(packet)
            await w.gateway.reboot()
            assert not w.gateway.wake_up(packet)
        async with world(state=tmp_path) as w:
            assert not w.gateway.wake_up(packet)
            assert dropped(w)

    asyncio.run(story())


def test_garbage_on_the_socket_disturbs_nobody(world: Any) -> None:
    """Random datagrams and packets for unknown devices are lost as on any network."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            sign = plain_signer(w.head_end.signer.sign, ec.BrainpoolP256R1())
            unknown = build(DeviceId.parse("EPPC0200000777"), w.timeline.now(), sign_plain=sign)
            for packet in (b"", b"WU", bytes(5000), unknown, unknown[:-1]):
                w.fleet.deliver(packet)
            assert dropped(w) == []

    asyncio.run(story())
