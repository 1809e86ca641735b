"""MANAGEMENT: commands over the bus reach the gateway that called, one at a time, and every ending has its name."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from torwart.headend.config import Scenario
from torwart.kernel.refusals import Refusal
from torwart.ports.gateway_link import Command
from torwart.sim.pki import TestPki
from torwart.wire.cosem import Response

DEVICE = "EPPC0212345678"


@pytest.mark.requirement("WAN-1.1")
@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_command_reaches_the_gateway_and_its_answer_comes_back(
    play: Any, pki: TestPki, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Head-end as HTTP client on the connection the gateway made: method, target, headers and body arrive as sent."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls)
        command = Command("PUT", "/cosem/ldevs/x", {"Content-Type": "application/x"}, b"\0body", timeout=5)
        asked, answer = await asyncio.gather(
            gateway.answer(Response(200, {"X-Say": "hi"}, b"\xffanswer")), world.command(DEVICE, command)
        )
        assert (asked.method, asked.target, asked.body) == ("PUT", "/cosem/ldevs/x", b"\0body")
        assert asked.header("host") == "eppc0212345678.sm"
        assert asked.header("content-type") == "application/x"
        assert (answer.status, answer.headers["x-say"], answer.body, answer.refusal) == (200, "hi", b"\xffanswer", "")

    play(story, loop_factory=loop_factory)


@pytest.mark.requirement("WAN-1.1")
def test_who_called_is_told_and_who_left_too(play: Any, pki: TestPki) -> None:
    """Workers hear of connection and end, with certificate, scenario, TLS facts and reason; then nobody serves it."""
    triple = pki.seal_triple(DEVICE)

    async def story(world: Any) -> None:
        gateway = await world.connect(triple.tls)
        (fact,) = world.told("connected")
        assert fact.device == DEVICE
        assert fact.details["scenario"] == "MANAGEMENT"
        assert fact.details["seal"] is True
        assert fact.details["serial"] == f"{triple.tls.certificate.serial_number:x}"
        assert (fact.details["version"], fact.details["group"]) == ("1.2", "brainpoolP256r1")
        answer = await world.command(DEVICE, Command(operation="status"))
        assert answer.details["session"] == fact.details["session"]
        assert answer.details["since"] == fact.details["since"]
        await gateway.close()
        await world.until(lambda: world.count("disconnected") == 1)
        (gone,) = world.told("disconnected")
        assert (gone.details["session"], gone.details["why"]) == (fact.details["session"], "")
        with pytest.raises(Refusal) as caught:
            await world.command(DEVICE, Command())
        assert caught.value.code == "bus.no_responder"

    play(story)


@pytest.mark.requirement("WAN-1.2")
def test_commands_wait_for_each_other(play: Any, pki: TestPki) -> None:
    """No pipelining: the second request goes out only after the first answer, in the order they came."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls)
        commands = [asyncio.create_task(world.command(DEVICE, Command("GET", f"/{n}", timeout=5))) for n in range(5)]
        for n in range(5):
            request = await gateway.request()
            assert request.target == f"/{n}"
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(gateway.reader.read(1), 0.02)
            await gateway.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % n)
        assert [(await command).body for command in commands] == [b"0", b"1", b"2", b"3", b"4"]

    play(story)


def test_too_many_waiting_commands_are_turned_away(play: Any, pki: TestPki) -> None:
    """The queue is bounded, and who has waited half the time is told busy: such a command was never sent."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls)
        first = asyncio.create_task(world.command(DEVICE, Command("GET", "/first", timeout=3)))
        assert (await gateway.request()).target == "/first"
        waiting = [asyncio.create_task(world.command(DEVICE, Command("GET", "/w", timeout=0.2))) for _ in range(2)]
        await asyncio.sleep(0.02)
        assert (await world.command(DEVICE, Command("GET", "/x", timeout=5))).refusal == "gateway.busy"
        assert [(await command).refusal for command in waiting] == ["gateway.busy"] * 2
        await gateway.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert (await first).status == 204
        last = asyncio.create_task(world.command(DEVICE, Command("GET", "/last", timeout=3)))
        assert (await gateway.answer(Response(200))).target == "/last"
        assert (await last).status == 200

    play(story, limits={"commands_waiting": 2})


def test_nobody_steps_in_between_when_the_turn_is_handed_on(play: Any, pki: TestPki) -> None:
    """A command that arrives in the very instant an exchange ends waits behind those that waited before."""

    async def story(world: Any) -> None:
        await world.connect(pki.operational_triple(DEVICE).tls)
        (session,) = world.headend.station.sessions
        await session._take_turn(1)
        waiting = asyncio.create_task(session._take_turn(1))
        await asyncio.sleep(0)
        session._give_turn()
        with pytest.raises(Refusal) as caught:
            await session._take_turn(0.05)
        assert caught.value.code == "gateway.busy"
        await waiting
        session._give_turn()
        assert not session.busy

    play(story)


@pytest.mark.requirement("WAN-1.2")
def test_no_answer_in_time_ends_the_connection(play: Any, pki: TestPki) -> None:
    """After the response timeout the session is closed (A2 §7.1.1), so a late answer cannot meet the next request."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls)
        answer = await world.command(DEVICE, Command("GET", "/", timeout=0.1))
        assert answer.refusal == "gateway.timeout"
        assert answer.details["gateway"] == DEVICE
        assert await gateway.ended() == ""
        await world.until(lambda: world.count("disconnected") == 1)
        assert world.told("disconnected")[0].details["why"] == "http.timeout"

    play(story)


@pytest.mark.parametrize("how", ["close", "abort", "mid_body"])
def test_a_connection_lost_in_an_exchange_is_told_as_such(play: Any, pki: TestPki, how: str) -> None:
    """Whether the gateway acted is unknown then, and the worker must know that it is unknown."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls)
        command = asyncio.create_task(world.command(DEVICE, Command("POST", "/x", timeout=5)))
        waiting = asyncio.create_task(world.command(DEVICE, Command("POST", "/never", timeout=5)))
        await gateway.request()
        if how == "mid_body":
            await gateway.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            await gateway.close()
        elif how == "close":
            await gateway.close()
        else:
            gateway.writer.transport.abort()
        assert (await command).refusal == "gateway.connection_lost"
        assert (await waiting).refusal == "gateway.not_connected"

    play(story)


@pytest.mark.requirement("WAN-1.2")
@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\0",
    ],
)
def test_unsolicited_bytes_end_the_session(play: Any, pki: TestPki, bytes_sent: bytes) -> None:
    """A gateway that speaks without being asked is out of step; nothing it says later could be trusted to fit."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls)
        await gateway.send(bytes_sent)
        assert await gateway.ended() == ""
        await world.until(lambda: world.count("disconnected") == 1)
        assert world.told("disconnected")[0].details["why"] == "http.unsolicited"

    play(story)


@pytest.mark.requirement("WAN-1.2")
@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n", "http.unsolicited"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100 + b"Content-Length: 0\r\n\r\n", "http.header_too_long"),
        (b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 20000, "http.header_too_long"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "http.body_too_large"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "http.length_required"),
        (b"nonsense\r\n\r\n", "http.malformed"),
    ],
)
def test_an_answer_that_breaks_http_ends_the_session(play: Any, pki: TestPki, reply: bytes, why: str) -> None:
    """Two answers, header flood, endless header, giant body, chunks, nonsense: refused with the reason, then closed."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls)
        command = asyncio.create_task(world.command(DEVICE, Command("GET", "/", timeout=5)))
        await gateway.request()
        await gateway.send(reply)
        answer = await command
        assert (answer.refusal, answer.details["why"]) == ("gateway.protocol", why)
        assert await gateway.ended() == ""

    play(story)


def test_a_gateway_that_wants_to_close_may(play: Any, pki: TestPki) -> None:
    """Its last answer counts, then the session ends."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls)
        _, answer = await asyncio.gather(
            gateway.answer(Response(200, {}, b"x")), world.command(DEVICE, Command("GET", "/", timeout=5))
        )
        assert answer.status == 200
        command = asyncio.create_task(world.command(DEVICE, Command("GET", "/", timeout=5)))
        await gateway.request()
        await gateway.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        assert (await command).status == 200
        assert await gateway.ended() == ""

    play(story)


@pytest.mark.parametrize(
    "command",
    [
        Command("BREW", "/", timeout=1),
        Command("GET", "no-path", timeout=1),
        Command("GET", "/", {"X": "a\r\nb"}, timeout=1),
        Command("GET", "/", timeout=-1),
        Command(operation="dance"),
    ],
)
def test_a_command_that_must_not_be_sent_is_refused_and_harms_nothing(
    play: Any, pki: TestPki, command: Command
) -> None:
    """A worker's mistake is the worker's; the gateway notices nothing and stays connected."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls)
        assert (await world.command(DEVICE, command)).refusal == "gateway.command"
        _, answer = await asyncio.gather(
            gateway.answer(Response(200)), world.command(DEVICE, Command("GET", "/", timeout=5))
        )
        assert answer.status == 200

    play(story)


def test_the_newest_connection_of_a_gateway_wins(play: Any, pki: TestPki) -> None:
    """A gateway that calls again has forgotten its old connection; commands go to the new one."""
    credential = pki.operational_triple(DEVICE).tls

    async def story(world: Any) -> None:
        old = await world.connect(credential)
        new = await world.connect(credential)
        assert await old.ended() == ""
        _, answer = await asyncio.gather(
            new.answer(Response(200, {}, b"new")), world.command(DEVICE, Command("GET", "/", timeout=5))
        )
        assert answer.body == b"new"
        await world.until(lambda: world.count("disconnected") == 1)
        assert world.told("disconnected")[0].details["why"] == "headend.replaced"

    play(story)


def test_close_ends_all_connections_of_the_gateway(play: Any, pki: TestPki) -> None:
    """The administration can end a gateway's sessions of every scenario."""
    credential = pki.operational_triple(DEVICE).tls

    async def story(world: Any) -> None:
        gateway = await world.connect(credential)
        admin = await world.connect(credential, Scenario.ADMIN_SERVICE)
        assert (await world.command(DEVICE, Command(operation="close"))).refusal == ""
        assert await gateway.ended() == ""
        assert await admin.ended() == ""

    play(story)


def test_garbage_on_the_bus_is_answered_as_such(play: Any, pki: TestPki) -> None:
    """A message that is no command gets a refusal, not silence."""

    async def story(world: Any) -> None:
        from torwart.ports.gateway_link import Answer, command_subject

        await world.connect(pki.operational_triple(DEVICE).tls)
        for garbage in (b"", b"\0\0\0\x05{", b"\0\0\0\x02[]", b'\0\0\0\x09{"no": 1}'):
            reply = await world.bus.request(command_subject(DEVICE), garbage, timeout=2)
            assert Answer.decode(reply).refusal == "gateway.command"

    play(story)


@pytest.mark.requirement("WAN-2")
def test_a_session_ends_at_its_greatest_age(play: Any, pki: TestPki) -> None:
    """48 hours at most (TR-03116-3 §4.1.2), here two seconds; then the gateway has to shake hands anew."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls)
        assert await gateway.ended() == ""
        await world.until(lambda: world.count("disconnected") == 1)
        assert world.told("disconnected")[0].details["why"] == "headend.session_age"

    play(story, limits={"session_seconds": 0.5})


def test_a_connection_is_not_kept_beyond_its_certificate(play: Any, pki: TestPki) -> None:
    """The end of validity ends the session too."""
    from datetime import UTC, datetime, timedelta

    soon = datetime.now(UTC) + timedelta(seconds=2)
    triple = pki.operational_triple(DEVICE, not_before=soon - timedelta(days=1), not_after=soon)

    async def story(world: Any) -> None:
        gateway = await world.connect(triple.tls)
        assert await gateway.ended() == ""

    play(story)
