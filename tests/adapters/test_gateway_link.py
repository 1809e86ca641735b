"""A worker's way to gateways: refusals arrive as what they are, silence has an end, datagrams are just sent."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from torwart.adapters.bus import BlockingBus, InProcessBus
from torwart.adapters.gateway_link import BusGatewayLink
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.gateway import GATEWAY_CONNECTION_LOST
from torwart.ports.gateway_link import SUBJECT_POLICY_CHANGED, Answer, Command, command_subject

DEVICE = "EPPC0200000001"


@pytest.fixture
def bus() -> Iterator[BlockingBus]:
    async def connect() -> InProcessBus:
        return InProcessBus()

    bus = BlockingBus.start(connect)
    yield bus
    bus.close()


def _headend(bus: BlockingBus, answer: Callable[[Command], Answer | None]) -> None:
    """Serve the device's subject as a head-end does."""

    def serve(_subject: str, payload: bytes) -> bytes | None:
        found = answer(Command.decode(payload))
        return found.encode() if found is not None else None

    bus.subscribe(command_subject(DEVICE), serve, queue="headend")


def test_an_exchange_brings_the_gateways_answer(bus: BlockingBus) -> None:
    """Status, headers and body come back as the head-end told them."""
    _headend(bus, lambda command: Answer(200, {"x": command.target}, command.body * 2))

    answer = BusGatewayLink(bus).exchange(DEVICE, Command("PUT", "/a", {}, b"ab"))
    assert (answer.status, answer.headers, answer.body) == (200, {"x": "/a"}, b"abab")


@pytest.mark.requirement("D4")
def test_a_gateway_nobody_holds_is_not_connected(bus: BlockingBus) -> None:
    """No head-end serves its subject: refused at once; closing it is no error."""
    link = BusGatewayLink(bus)
    with pytest.raises(Refusal) as refused:
        link.exchange(DEVICE, Command())
    link.close(DEVICE)

    assert (refused.value.code, link.connected(DEVICE)) == ("gateway.not_connected", None)


def test_the_head_ends_refusal_is_the_workers(bus: BlockingBus) -> None:
    """What broke at the head-end is raised here with its own words."""
    lost = GATEWAY_CONNECTION_LOST(gateway=DEVICE, why="reset")
    _headend(bus, lambda command: Answer(refusal=lost.code, details=dict(lost.details)))
    with pytest.raises(Refusal) as refused:
        BusGatewayLink(bus).exchange(DEVICE, Command())

    assert (refused.value.code, refused.value.text("en")) == (lost.code, lost.text("en"))


def test_a_head_end_that_does_not_answer_is_a_timeout(bus: BlockingBus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the gateway acted is unknown then, and the refusal says timeout; a status question answers None."""
    monkeypatch.setattr("torwart.adapters.gateway_link._BUS_MARGIN", 0.05)
    _headend(bus, lambda command: None)
    link = BusGatewayLink(bus)
    with pytest.raises(Refusal) as refused:
        link.exchange(DEVICE, Command(timeout=0.05))

    assert refused.value.code == "gateway.timeout"
    assert link.connected(DEVICE) is None


def test_a_lost_bus_is_told_except_by_nudges(bus: BlockingBus) -> None:
    """An exchange over a closed bus is refused as ours; a nudge that gets lost is no error."""
    link = BusGatewayLink(bus)
    bus.close()
    with pytest.raises(Refusal) as refused:
        link.connected(DEVICE)
    link.policy_changed()

    assert refused.value.code == "bus.unavailable"


def test_the_policy_nudge_reaches_every_head_end(bus: BlockingBus) -> None:
    """All who listen are nudged, not one of a group."""
    nudged = [threading.Event(), threading.Event()]
    for event in nudged:
        bus.subscribe(SUBJECT_POLICY_CHANGED, lambda subject, payload, event=event: event.set())
    BusGatewayLink(bus).policy_changed()

    assert all(event.wait(5) for event in nudged)


@pytest.mark.requirement("WAN-1.5")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_wake_up_is_one_datagram(bus: BlockingBus, host: str) -> None:
    """The packet arrives as it is, over IPv4 and IPv6; nobody listening is no error."""
    link = BusGatewayLink(bus)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((host, 0))
        udp.settimeout(5)
        address = (host, udp.getsockname()[1])
        link.send_wake_up(address, b"packet")
        assert udp.recv(100) == b"packet"
    link.send_wake_up(address, b"packet")


def test_a_network_that_does_not_take_it_is_told(bus: BlockingBus) -> None:
    """No name, no route: refused as the network's fault, for now."""
    with pytest.raises(Refusal) as refused:
        BusGatewayLink(bus).send_wake_up(("nowhere.invalid", 1), b"packet")

    assert (refused.value.code, refused.value.side.value) == ("gateway.unreachable", "network")
