"""Floods, slow peers, lost workers, drain and several head-ends: what a head-end must live through."""

import asyncio
import contextlib
import os
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.adapters.bus import NatsServer
from torwart.headend.config import HeadendConfig, Limits, Scenario
from torwart.headend.flood import Counts, RateLimit
from torwart.headend.session import Session
from torwart.kernel.refusals import Refusal
from torwart.ports.gateway_link import Command
from torwart.sim.pki import TestPki
from torwart.wire.cosem import Response

DEVICE = "EPPC0212345678"
OTHER = "EPPC0287654321"


async def turned_away(world: Any) -> bool:
    """Whether a new TCP connection is closed at once."""
    reader, writer = await world.tcp()
    try:
        return await asyncio.wait_for(reader.read(1), 0.3) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    finally:
        writer.close()


@pytest.mark.requirement("SIM-slow-loris")
def test_who_connects_and_says_nothing_is_dropped(play: Any, pki: TestPki) -> None:
    """A silent caller, and one that trickles its handshake, are gone after the time a handshake may take."""

    async def story(world: Any) -> None:
        silent, _ = await world.tcp()
        trickling = await world.caller(pki.operational_triple(DEVICE).tls)
        trickling.engine.handshake()
        hello = trickling.engine.data_to_send()

        async def trickle() -> None:
            for byte in hello:
                trickling.writer.write(bytes([byte]))
                await asyncio.sleep(0.05)

        sending = asyncio.create_task(trickle())
        start = asyncio.get_running_loop().time()
        for reader in (silent, trickling.reader):
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(100), 4) == b""
        assert asyncio.get_running_loop().time() - start < 4
        sending.cancel()
        assert world.headend.station.sessions == []

    play(story, limits={"handshake_seconds": 0.5})


def test_a_handshake_that_never_ends_is_cut(play: Any) -> None:
    """More bytes than any handshake needs end the connection; they are not kept."""

    async def story(world: Any) -> None:
        reader, writer = await world.tcp()
        record = b"\x16\x03\x01\x40\x00" + bytes(0x4000)

        async def flood() -> None:
            while True:
                writer.write(record)
                await writer.drain()
                await asyncio.sleep(0)

        flooding = asyncio.create_task(flood())
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1 << 20), 5)
        flooding.cancel()
        await world.until(lambda: world.headend.station.sessions == [])

    play(story)


def test_connections_are_capped_in_all_and_by_address(play: Any) -> None:
    """Beyond the cap callers are turned away before any TLS, and let in again when there is room."""
    for limits in ({"connections": 5}, {"connections_per_address": 5}, {"handshakes": 5}):

        async def story(world: Any) -> None:
            held = [await world.tcp() for _ in range(5)]
            await world.until(lambda: len(world.headend.station.sessions) == 5)
            assert await turned_away(world)
            for _, writer in held:
                writer.close()
            await world.until(lambda: world.headend.station.sessions == [])
            assert not await turned_away(world)

        play(story, limits=limits)


def test_a_flood_from_one_address_is_limited(play: Any) -> None:
    """Connections per second and address are bounded by a bucket."""

    async def story(world: Any) -> None:
        assert [await turned_away(world) for _ in range(4)] == [False, False, False, True]
        assert "turned_away_address_rate 1" in world.headend.metrics_text()

    play(story, limits={"address_rate": 0.1, "address_burst": 3})


@given(st.lists(st.floats(0, 3), max_size=40), st.integers(1, 5))
def test_the_rate_limit_keeps_its_promise(pauses: list[float], burst: int) -> None:
    """In any stretch of time no key gets through more often than burst + rate × time; alone it is never refused."""
    now = [0.0]
    limit = RateLimit(2.0, burst, now=lambda: now[0])
    passed: list[float] = []
    for pause in pauses:
        now[0] += pause
        exhausted = limit.exhausted("key")
        if limit.allow("key"):
            passed.append(now[0])
            assert not exhausted
        else:
            assert exhausted
        assert RateLimit(2.0, burst, now=lambda: now[0]).allow("key")
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + 2.0 * (passed[last] - start) + 1e-6


def test_counts_forget_who_holds_nothing() -> None:
    """A key without connections takes no memory."""
    counts = Counts()
    for _ in range(2):
        counts.add("a")
    counts.remove("a")
    assert counts["a"] == 1
    counts.remove("a")
    counts.remove("a")
    assert (counts["a"], counts._held) == (0, {})


def test_a_gateway_that_does_not_read_is_dropped(play: Any, pki: TestPki) -> None:
    """A peer that takes nothing off the line holds neither its command nor our memory for longer than allowed."""

    async def story(world: Any) -> None:
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.setblocking(False)
        await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", world.headend.ports[Scenario.MANAGEMENT]))
        gateway = await world.caller(pki.operational_triple(DEVICE).tls)
        gateway.writer.close()
        gateway.reader, gateway.writer = await asyncio.open_connection(sock=narrow)
        await gateway.shake()
        await world.until(lambda: world.count("connected") == 1)
        (session,) = [s for s in world.headend.station.sessions if s.is_open]
        gateway.writer.transport.pause_reading()
        command = Command("PUT", "/firmware", {}, bytes(1_000_000), timeout=0.2)
        assert (await world.command(DEVICE, command)).refusal == "gateway.timeout"
        assert session._transport.get_write_buffer_size() > 0
        await world.until(lambda: world.headend.station.sessions == [])

    play(story, limits={"close_seconds": 0.3})


def test_a_fault_of_ours_in_a_handshake_costs_one_session_only(
    play: Any, pki: TestPki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong in a thread of the pool, the thread lives on and serves the next caller."""

    async def story(world: Any) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(Session, "_step", lambda *_: 1 / 0)
            for _ in range(4):
                reader, writer = await world.tcp()
                writer.write(b"x")
                with contextlib.suppress(ConnectionError):
                    assert await reader.read(1) == b""
        await world.connect(pki.operational_triple(DEVICE).tls)

    play(story, limits={"handshake_seconds": 0.3})


def test_a_late_word_of_another_head_end_does_not_end_a_newer_session(play: Any, pki: TestPki) -> None:
    """Messages may be late: only a session older than the other head-end's is let go."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls)
        session = next(iter(world.headend.station.sessions))
        for seconds, left in ((-1, 1), (1, 0)):
            at = (session.since + timedelta(seconds=seconds)).isoformat()
            await world.bus.publish("headend.takeover", f"MANAGEMENT {DEVICE} other-1 {at}".encode())
            await asyncio.sleep(0.05)
            assert len([s for s in world.headend.station.sessions if s.is_open]) == left
        assert await gateway.ended() == ""

    play(story)


def test_facts_wait_for_a_worker_and_keep_their_order(play: Any, pki: TestPki) -> None:
    """While no worker stores, facts are kept and repeated under the same id, then told in order."""
    credential = pki.operational_triple(DEVICE).tls

    async def story(world: Any) -> None:
        world.stores = False
        await (await world.connect(credential, served=False)).close()
        await world.until(lambda: world.headend.station.sessions == [])
        assert world.facts == []
        world.stores = True
        await world.until(lambda: len(world.facts) == 2, 10)
        assert [fact.kind for fact in world.facts] == ["connected", "disconnected"]
        assert world.headend.station.facts.waiting == 0

    play(story)


def test_waiting_facts_are_bounded(play: Any) -> None:
    """The oldest nudges go first when nobody takes them; that is counted."""

    async def story(world: Any) -> None:
        world.stores = False
        facts = world.headend.station.facts
        for number in range(100):
            facts.tell("connected", DEVICE, {"n": number})
        assert facts.waiting == 10
        assert "facts_lost 90" in world.headend.metrics_text()
        world.stores = True
        await world.until(lambda: facts.waiting == 0, 10)
        assert [fact.details["n"] for fact in world.facts][-9:] == list(range(91, 100))

    play(story, limits={"facts_waiting": 80})


def test_drain_lets_the_exchange_finish_and_says_goodbye(play: Any, pki: TestPki) -> None:
    """Shutting down: no new callers, the command under way gets its answer, everyone gets close_notify."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls)
        idle = await world.connect(pki.operational_triple(OTHER).tls)
        command = asyncio.create_task(world.command(DEVICE, Command("POST", "/x", timeout=5)))
        await gateway.request()
        draining = asyncio.create_task(world.headend.drain())
        assert await idle.ended() == ""
        with pytest.raises(OSError):
            await world.tcp()
        await gateway.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        assert (await command).body == b"ok"
        assert await gateway.ended() == ""
        await draining
        assert {fact.details["why"] for fact in world.told("disconnected")} == {"headend.draining"}
        with pytest.raises(Refusal):
            await world.command(DEVICE, Command())

    play(story)


def test_drain_does_not_wait_for_ever(play: Any, pki: TestPki) -> None:
    """A gateway that never answers cannot hold up the end; its command is told as lost."""

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.operational_triple(DEVICE).tls)
        command = asyncio.create_task(world.command(DEVICE, Command("POST", "/x", timeout=60)))
        await gateway.request()
        start = asyncio.get_running_loop().time()
        await world.headend.drain()
        assert asyncio.get_running_loop().time() - start < 4
        assert (await command).refusal == "gateway.connection_lost"

    play(story, limits={"drain_seconds": 0.3})


def test_new_credentials_serve_new_callers(play: Any, pki: TestPki) -> None:
    """The administrator's own certificate exchange needs no restart: open sessions stay, new ones see the new one."""
    from dataclasses import replace

    from torwart.wire.certificate import Role
    from torwart.wire.tls import Credentials

    async def story(world: Any) -> None:
        old = await world.connect(pki.operational_triple(DEVICE).tls)
        fresh = pki.issue_triple(Role.GWA, pki.name, sequence=2)
        config = world.headend.station.config
        chain = (fresh.tls.certificate_der, *config.credentials.chain[1:])
        world.headend.reload(replace(config, credentials=Credentials(chain, fresh.tls.key)))
        new = await world.connect(pki.operational_triple(OTHER).tls)
        assert old.engine.peer[0] == config.credentials.chain[0]
        assert new.engine.peer[0] == fresh.tls.certificate_der
        assert [session.is_open for session in world.headend.station.sessions] == [True, True]

    play(story)


@pytest.mark.requirement("PERF-fanout")
def test_two_head_ends_share_a_bus_and_a_gateway_is_at_the_one_it_called_last(pki: TestPki, headend_pair: Any) -> None:
    """Over NATS: commands find the head-end that holds the gateway; calling the other makes the first let go."""

    async def story(one: Any, two: Any) -> None:
        credential = pki.operational_triple(DEVICE).tls
        old = await one.connect(credential)
        answer = await two.command(DEVICE, Command(operation="status"))
        assert answer.details["headend"] == "one"
        new = await two.connect(credential)
        assert await old.ended() == ""
        await one.until(lambda: one.headend.station.sessions == [])
        await asyncio.sleep(0.05)
        _, answer = await asyncio.gather(
            new.answer(Response(200, {}, b"two")), one.command(DEVICE, Command("GET", "/", timeout=5))
        )
        assert answer.body == b"two"

    headend_pair(story)


def test_losing_the_bus_keeps_the_gateways(pki: TestPki, headend_pair: Any) -> None:
    """NATS restarted: connections stay, and commands reach the gateway again without anybody doing anything."""

    async def story(one: Any, two: Any) -> None:
        gateway = await one.connect(pki.operational_triple(DEVICE).tls)
        await asyncio.to_thread(one.nats.stop)
        with pytest.raises(Refusal) as caught:
            await two.command(DEVICE, Command("GET", "/"))
        assert caught.value.code == "bus.unavailable"
        two.nats = one.nats = await asyncio.to_thread(NatsServer, one.nats.port)

        async def again() -> bytes:
            while True:
                try:
                    return (await two.command(DEVICE, Command("GET", "/", timeout=5))).body  # type: ignore[no-any-return]
                except Refusal:
                    await asyncio.sleep(0.05)

        command = asyncio.create_task(again())
        await asyncio.wait_for(gateway.answer(Response(200, {}, b"back")), 10)
        assert await command == b"back"

    headend_pair(story)


# --- configuration and metrics ---------------------------------------------------------------------------------


def test_a_configuration_is_read_from_toml(pki: TestPki, tmp_path: Path, config_file: Any) -> None:
    """What the operator writes is what the head-end gets; seal Sub-CAs are told from the others."""
    config = HeadendConfig.load(config_file(tmp_path))
    assert (config.name, config.metrics, config.clock_is_trusted) == ("north-1", ("127.0.0.1", 0), True)
    assert config.listeners == {Scenario.MANAGEMENT: ("127.0.0.1", 0), Scenario.NTP: ("::1", 0)}
    assert sorted(config.issuers.values()) == [False, True]
    assert config.issuers[pki.seal_ca.credential.certificate_der] is True
    assert (config.limits.idle_seconds, config.limits.connections) == (60, Limits().connections)


@pytest.mark.parametrize(
    ("extra", "limits", "code"),
    [
        ("colour = 1", "", "headend.config"),
        ("", "session_seconds = 172801", "headend.config"),
        ("", "unknown = 1", "headend.config"),
        ("[", "", "headend.config"),
    ],
)
def test_a_wrong_configuration_is_refused_at_the_start(
    tmp_path: Path, config_file: Any, extra: str, limits: str, code: str
) -> None:
    """Unknown names, sessions over 48 hours and broken files stop the start, not the night."""
    with pytest.raises(Refusal) as caught:
        HeadendConfig.load(config_file(tmp_path, extra, limits))
    assert caught.value.code == code


def test_missing_files_and_foreign_authorities_are_refused(pki: TestPki, tmp_path: Path, config_file: Any) -> None:
    """A Sub-CA of another root, or no file at all, is named."""
    path = config_file(tmp_path)
    (tmp_path / "sub.pem").write_bytes(pki.foreign.sub_ca.credential.certificate_pem)
    with pytest.raises(Refusal) as caught:
        HeadendConfig.load(path)
    assert caught.value.code.startswith("pki.")
    os.unlink(tmp_path / "root.pem")
    with pytest.raises(Refusal) as caught:
        HeadendConfig.load(path)
    assert caught.value.code == "headend.config"


def test_counters_are_shown_as_text_on_loopback_only(play: Any, pki: TestPki) -> None:
    """An operator's monitor reads plain numbers; other addresses are not offered."""
    from torwart.headend.metrics import serve_text

    async def story(world: Any) -> None:
        await world.connect(pki.operational_triple(DEVICE).tls)
        server = world.headend._metrics
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        text = (await reader.read()).decode()
        writer.close()
        assert "torwart_headend_handshakes_done 1\n" in text
        assert "torwart_headend_open_management 1\n" in text
        assert "torwart_headend_policy_version 1\n" in text
        with pytest.raises(ValueError, match="loopback"):
            await serve_text(lambda: "", "0.0.0.0", 0)

    play(story, metrics=("127.0.0.1", 0))
