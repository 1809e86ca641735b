"""ADMIN-SERVICE, EMT-SERVICE and NTP: what peers hand over is stored before they hear 2xx; time comes in 48 octets."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from torwart.headend.config import Scenario
from torwart.kernel.refusals import Refusal
from torwart.sim.pki import TestPki
from torwart.wire import ntp
from torwart.wire.cosem import MEDIA_TYPE_CMS, Request
from torwart.wire.emt_confirmation import MEDIA_TYPE, TARGET

DEVICE = "EPPC0212345678"
EVENT = Request("POST", "/cosem/ldevs/x/methods/1", {"Content-Type": MEDIA_TYPE_CMS, "x-CID": "uuid:1"}, b"\0cms")


@pytest.mark.requirement("WAN-1.1", "WAN-1.8")
def test_what_a_gateway_tells_is_stored_before_it_hears_yes(play: Any, pki: TestPki) -> None:
    """A POST becomes a fact with target, headers and body as received, and only then a 204."""
    credential = pki.operational_triple(DEVICE).tls

    async def story(world: Any) -> None:
        gateway = await world.connect(credential, Scenario.ADMIN_SERVICE)
        assert (await gateway.ask(EVENT)).status == 204
        (fact,) = world.told("notify")
        assert (fact.device, fact.body) == (DEVICE, b"\0cms")
        assert fact.details["target"] == EVENT.target
        assert fact.details["headers"]["x-cid"] == "uuid:1"
        assert fact.details["headers"]["content-type"] == MEDIA_TYPE_CMS
        assert fact.details["scenario"] == "ADMIN-SERVICE"
        await world.until(lambda: world.count("connected") == 1)

    play(story)


@pytest.mark.requirement("WAN-1.8")
@pytest.mark.parametrize("outage", ["failing", "absent"])
def test_what_cannot_be_stored_is_put_off(play: Any, pki: TestPki, outage: str) -> None:
    """Without a worker's ok the gateway is told to come again, so it keeps its event; the session stays."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls, Scenario.ADMIN_SERVICE)
        if outage == "failing":
            world.stores = False
        else:
            world.headend.station.facts._bus = type(world.bus)()
        answer = await gateway.ask(EVENT)
        assert (answer.status, answer.retry_after) == (503, 60)
        world.stores = True
        world.headend.station.facts._bus = world.bus
        assert (await gateway.ask(EVENT)).status == 204

    play(story)


@pytest.mark.requirement("WAN-1.8")
def test_a_repeated_post_is_the_same_fact(play: Any, pki: TestPki) -> None:
    """A gateway that missed our 204 repeats itself; protected content is recognised, anything else is a new fact."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls, Scenario.ADMIN_SERVICE)
        other = Request("POST", EVENT.target, EVENT.headers, b"\1cms")
        plain = Request("POST", EVENT.target, {"Content-Type": "text/plain"}, b"same")
        for request in (EVENT, EVENT, other, plain, plain):
            assert (await gateway.ask(request)).status == 204
        first, again, second, one, two = [fact.id for fact in world.told("notify")]
        assert first == again
        assert len({first, second, one, two}) == 4

    play(story)


@pytest.mark.parametrize(("method", "status"), [("GET", 404), ("PUT", 405), ("DELETE", 405)])
def test_there_is_nothing_to_fetch_yet(play: Any, pki: TestPki, method: str, status: int) -> None:
    """Other methods are answered, change nothing and keep the session."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls, Scenario.ADMIN_SERVICE)
        assert (await gateway.ask(Request(method, "/firmware/1"))).status == status
        assert (await gateway.ask(EVENT)).status == 204

    play(story)


@pytest.mark.requirement("WAN-1.2")
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" * 2, b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 2000 + b"\r\n", b"431"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nX-A: " + b"b" * 30000, b"431"),
        (b"POST /" + b"a" * 20000, b"414"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"\x16\x03nonsense\r\n\r\n", b"400"),
    ],
)
def test_a_request_that_breaks_http_is_answered_and_ends_the_session(
    play: Any, pki: TestPki, sent: bytes, status: bytes
) -> None:
    """Pipelining, header floods, endless lines and URIs, giant bodies, chunks, nonsense: a status, then the end."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls, Scenario.ADMIN_SERVICE)
        await gateway.send(sent)
        assert (await gateway.read()).split(b" ")[1] == status
        assert await gateway.ended() == ""
        assert world.count("notify") == 0

    play(story)


def test_a_second_request_before_the_answer_ends_the_session(play: Any, pki: TestPki) -> None:
    """No pipelining, even in separate records: the first is stored, nobody can tell which answer would be whose."""

    async def story(world: Any) -> None:
        release = asyncio.Event()

        async def slow(subject: str, payload: bytes) -> bytes:
            await release.wait()
            return b"ok"

        gateway = await world.connect(pki.operational_triple(DEVICE).tls, Scenario.ADMIN_SERVICE)
        world.headend.station.facts._bus = bus = type(world.bus)()
        await bus.subscribe("headend.fact", slow)
        request = b"POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
        await gateway.send(request % 1)
        await asyncio.sleep(0.05)
        await gateway.send(request % 2)
        assert await gateway.ended() == ""
        release.set()

    play(story)


def test_a_trickled_request_does_not_get_more_time(play: Any, pki: TestPki) -> None:
    """Slow loris inside TLS: a byte now and then does not stretch the time a request may take."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls, Scenario.ADMIN_SERVICE)

        async def trickle() -> None:
            for byte in b"POST / HTTP/1.1\r\nHost: x\r\n" * 10:
                await gateway.send(bytes([byte]))
                await asyncio.sleep(0.05)

        sending = asyncio.create_task(trickle())
        start = asyncio.get_running_loop().time()
        assert await gateway.ended() == ""
        assert asyncio.get_running_loop().time() - start < 4
        sending.cancel()
        await world.until(lambda: world.count("disconnected") == 1)
        assert world.told("disconnected")[0].details["why"] == "headend.slow"

    play(story, limits={"request_seconds": 0.5})


def test_an_idle_service_session_is_ended(play: Any, pki: TestPki) -> None:
    """Where the peer is client, an unused connection is not held for days."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls, Scenario.ADMIN_SERVICE)
        assert await gateway.ended() == ""
        await world.until(lambda: world.count("disconnected") == 1)
        assert world.told("disconnected")[0].details["why"] == ""

    play(story, limits={"idle_seconds": 0.3})


# --- EMT-SERVICE -----------------------------------------------------------------------------------------------


@pytest.mark.requirement("P03")
def test_an_emt_confirms_readings(play: Any, pki: TestPki) -> None:
    """The EMT's POST becomes a fact under its name; other paths and methods do not."""

    async def story(world: Any) -> None:
        emt = await world.connect(pki.emt.tls, Scenario.EMT_SERVICE)
        confirmation = Request("POST", TARGET, {"Content-Type": MEDIA_TYPE}, b"signed")
        assert (await emt.ask(confirmation)).status == 204
        (fact,) = world.told("emt")
        assert (fact.device, fact.body) == ("Stadtwerk Musterstadt.EMT", b"signed")
        assert fact.details["serial"] == f"{pki.emt.tls.certificate.serial_number:x}"
        assert (await emt.ask(Request("GET", TARGET))).status == 405
        assert (await emt.ask(Request("POST", "/other"))).status == 404
        world.stores = False
        assert (await emt.ask(confirmation)).status == 503
        assert world.count("emt") == 1

    play(story)


def test_an_emt_may_have_several_connections_but_not_any_number(play: Any, pki: TestPki) -> None:
    """An EMT runs more than one system: they do not push each other out, up to a limit."""

    async def story(world: Any) -> None:
        one, two = [await world.connect(pki.emt.tls, Scenario.EMT_SERVICE) for _ in range(2)]
        three = await world.connect(pki.emt.tls, Scenario.EMT_SERVICE)
        assert await three.ended() == ""
        request = Request("POST", TARGET, {"Content-Type": MEDIA_TYPE}, b"signed")
        assert [(await emt.ask(request)).status for emt in (one, two)] == [204, 204]
        await one.close()
        await world.until(lambda: len(world.headend.station.sessions) == 1)
        four = await world.connect(pki.emt.tls, Scenario.EMT_SERVICE)
        assert (await four.ask(request)).status == 204

    play(story, limits={"connections_per_emt": 2})


def test_a_gateway_is_no_emt(play: Any, pki: TestPki) -> None:
    """Each service lets in its own kind of peer only."""

    async def story(world: Any) -> None:
        with pytest.raises(Refusal) as caught:
            await world.connect(pki.operational_triple(DEVICE).tls, Scenario.EMT_SERVICE)
        assert caught.value.details["alert"] == "bad certificate"
        await world.until(lambda: world.count("refused") == 1)
        assert world.told("refused")[0].details["why"] == "headend.wrong_role"

    play(story)


# --- NTP -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("WAN-1.9")
def test_time_is_had_in_forty_eight_octets(play: Any, pki: TestPki) -> None:
    """A bare request in TLS is answered so that a client's own rules accept it; the workers hear of it once."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls, Scenario.NTP)
        for _ in range(3):
            asked, sent_at = ntp.request(), datetime.now(UTC)
            octets = asked.encode()
            await gateway.send(octets[:7])
            await gateway.send(octets[7:])
            answer = await gateway.read_exactly(48)
            told = ntp.evaluate(answer, asked=asked, sent_at=sent_at, received_at=datetime.now(UTC), synchronised=True)
            assert abs(told.offset) < timedelta(seconds=1)
            assert told.stratum == 2
        await world.until(lambda: world.count("time") == 1)
        assert world.told("time")[0].device == DEVICE
        assert world.count("connected") == 0

    play(story)


@pytest.mark.requirement("WAN-1.9")
def test_a_clock_that_is_not_synchronised_says_so(play: Any, pki: TestPki, monkeypatch: pytest.MonkeyPatch) -> None:
    """leap 3, as the kernel's clock discipline has it; a client then must not take the time."""
    from torwart.headend import time_source

    monkeypatch.setattr(time_source, "kernel_is_synchronised", lambda: False)

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls, Scenario.NTP)
        await gateway.send(ntp.request().encode())
        packet = ntp.Packet.decode(await gateway.read_exactly(48))
        assert (packet.leap, packet.stratum, packet.mode) == (3, 0, 4)

    play(story, clock_is_trusted=False)


def test_the_kernel_is_asked_without_touching_the_clock() -> None:
    """adjtimex is readable by anyone; whatever it says, it says it as a plain yes or no."""
    from torwart.headend.time_source import kernel_is_synchronised

    assert kernel_is_synchronised() in (True, False)


@pytest.mark.requirement("WAN-1.9")
def test_packets_that_are_no_request_are_ignored(play: Any, pki: TestPki) -> None:
    """Wrong mode or version gets no answer (REQ.TA.NTP.ProcessRequest.10), and the next good one does."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls, Scenario.NTP)
        asked = ntp.request()
        for bad in (ntp.Packet(mode=4, transmit=1), ntp.Packet(version=3, transmit=2)):
            await gateway.send(bad.encode())
        await asyncio.sleep(0.05)
        await gateway.send(asked.encode())
        assert ntp.Packet.decode(await gateway.read_exactly(48)).origin == asked.transmit

    play(story)


def test_a_flood_of_time_requests_is_not_answered(play: Any, pki: TestPki) -> None:
    """A device may ask a dozen times at once, then it has to wait; nothing piles up."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls, Scenario.NTP)
        await gateway.send(ntp.request().encode() * 500)
        await gateway.read_exactly(12 * 48)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(gateway.read(), 0.1)
        assert "ntp_ignored 488" in world.headend.metrics_text()

    play(story)
