"""EMT-API: what a market participant's system asks reaches the web process with proof of who asks, and nothing else."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

import pytest
from headend_world import read_response

from torwart.headend.config import Api, Scenario
from torwart.kernel.refusals import Refusal
from torwart.sim.pki import TestPki
from torwart.wire.peer_proof import peer_of

pytestmark = pytest.mark.requirement("O-7", "R-4")

SECRET = bytes(range(32))


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


@dataclass
class Web:
    """Python's own HTTP server on a unix socket, in the web process's place; remembers what came."""

    path: Path
    asked: list[tuple[str, str, list[tuple[str, str]], bytes]] = field(default_factory=list)
    delay: float = 0.0
    answer: bytes = b'{"ok": true}'


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    made = Web(tmp_path / "api.sock")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def address_string(self) -> str:
            return "unix"

        def log_message(self, *_: Any) -> None: ...

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            made.asked.append((self.command, self.path, list(self.headers.items()), body))
            time.sleep(made.delay)
            self.send_response(202)
            self.send_header("Content-Type", "application/json")
            self.send_header("Torwart-Peer", "leaks")
            self.send_header("Torwart-Version", "2026-11-23")
            self.send_header("Content-Length", str(len(made.answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(made.answer)

        do_GET = do_POST = do_DELETE = do_PATCH = do_HEAD = _serve  # noqa: N815

    server = _Server(str(made.path), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()


def asked(web: Web, number: int = -1) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in web.asked[number][2]:
        headers.setdefault(name.lower(), []).append(value)
    return headers


def test_a_request_arrives_with_the_certificate_and_its_proof(play: Any, pki: TestPki, web: Web) -> None:
    """Method, target, headers and body pass; the certificate is proven; our own headers do not leak back."""

    async def story(world: Any) -> None:
        emt = await world.connect(pki.emt.tls, Scenario.EMT_API)
        body = json.dumps({"gateway": "EPPC0211358875"}).encode()
        await emt.send(
            b"POST /v1/operations/wake-up?x=1 HTTP/1.1\r\nHost: api\r\nIdempotency-Key: k1\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        response = await read_response(emt)
        assert (response.status, response.body) == (202, b'{"ok": true}')
        assert "torwart-peer" not in response.headers

    play(story, api=Api(web.path, SECRET))
    method, target, _, body = web.asked[-1]
    headers = {name: values[0] for name, values in asked(web).items()}
    assert (method, target) == ("POST", "/v1/operations/wake-up?x=1")
    assert headers["idempotency-key"] == "k1"
    assert json.loads(body) == {"gateway": "EPPC0211358875"}
    path, _, query = target.partition("?")
    proven = peer_of(SECRET, method=method, path=path, query=query, headers=headers, now=time.time())
    assert proven == pki.emt.tls.certificate_der


@pytest.mark.parametrize("name", ["Torwart-Peer", "torwart-proof", "TORWART-PROXY-SECRET", "Torwart_Peer", "torwart-x"])
def test_nobody_passes_a_header_for_ours(play: Any, pki: TestPki, web: Web, name: str) -> None:
    """Whatever a caller sends under our names is dropped, also with underscores, and only ours arrive, once each."""

    async def story(world: Any) -> None:
        emt = await world.connect(pki.emt.tls, Scenario.EMT_API)
        await emt.send(f"GET /v1/x HTTP/1.1\r\nHost: api\r\n{name}: forged\r\n\r\n".encode())
        assert (await read_response(emt)).status == 202

    play(story, api=Api(web.path, SECRET))
    ours = {key: values for key, values in asked(web).items() if key.replace("_", "-").startswith("torwart-")}
    assert sorted(ours) == ["torwart-address", "torwart-peer", "torwart-proof", "torwart-target"]
    assert all(len(values) == 1 and "forged" not in values[0] for values in ours.values())


def test_the_version_asked_for_passes(play: Any, pki: TestPki, web: Web) -> None:
    """Torwart-Version is a word between both ends: it goes through as it came, a spelling with underscores does not."""

    async def story(world: Any) -> None:
        emt = await world.connect(pki.emt.tls, Scenario.EMT_API)
        await emt.send(
            b"GET /v1/x HTTP/1.1\r\nHost: api\r\nTorwart-Version: 2026-11-23\r\nTorwart_Version: forged\r\n\r\n"
        )
        assert (await read_response(emt)).headers["torwart-version"] == "2026-11-23"

    play(story, api=Api(web.path, SECRET))
    assert asked(web)["torwart-version"] == ["2026-11-23"]


def test_a_connection_serves_one_request_after_the_other(play: Any, pki: TestPki, web: Web) -> None:
    """Two requests sent at once and a chunked one are answered in order on the same connection."""

    async def story(world: Any) -> None:
        emt = await world.connect(pki.emt.tls, Scenario.EMT_API)
        await emt.send(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await read_response(emt)).status == 202
        assert (await read_response(emt, head=True)).body == b""
        await emt.send(b"POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        assert (await read_response(emt)).status == 202

    play(story, api=Api(web.path, SECRET))
    assert [(each[1], each[3]) for each in web.asked] == [("/1", b""), ("/2", b""), ("/3", b"abc")]


def test_no_request_is_smuggled_inside_another(play: Any, pki: TestPki, web: Web) -> None:
    """A body with both a length and chunks could be read in two ways: it is not read, and the connection ends."""

    async def story(world: Any) -> None:
        emt = await world.connect(pki.emt.tls, Scenario.EMT_API)
        inner = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        await emt.send(
            b"POST /outer HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
            + f"{len(inner):x}\r\n".encode()
            + inner
            + b"\r\n0\r\n\r\n"
        )
        assert (await read_response(emt)).status == 400
        assert await emt.ended() in ("", "reset")

    play(story, api=Api(web.path, SECRET))
    assert web.asked == []


def test_an_address_in_full_is_the_same_address(play: Any, pki: TestPki, web: Web) -> None:
    """Absolute form, as a proxy sends it (RFC 9112 §3.2.2); whose name it gives decides nothing."""

    async def story(world: Any) -> None:
        emt = await world.connect(pki.emt.tls, Scenario.EMT_API)
        for target in (b"https://anybody.example/v1/operations?limit=1", b"http://anybody.example"):
            await emt.send(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await read_response(emt)).status == 202

    play(story, api=Api(web.path, SECRET))
    assert [each[1] for each in web.asked] == ["/v1/operations?limit=1", "/"]
    assert asked(web, 0)["torwart-target"] == ["/v1/operations?limit=1"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"CONNECT inside:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 1_100_000, 413),
    ],
)
def test_what_cannot_be_taken_is_answered_and_closed(
    play: Any, pki: TestPki, web: Web, sent: bytes, status: int
) -> None:
    """Broken or outsized requests get their status and never reach the web process."""

    async def story(world: Any) -> None:
        emt = await world.connect(pki.emt.tls, Scenario.EMT_API)
        sending = asyncio.create_task(emt.send(sent))
        response = await read_response(emt)
        assert response.status == status
        assert response.headers["content-type"] == "application/problem+json"
        assert await emt.ended() in ("", "reset")
        sending.cancel()

    play(story, api=Api(web.path, SECRET))
    assert web.asked == []


def test_a_request_that_trickles_in_is_ended(play: Any, pki: TestPki, web: Web) -> None:
    """A head or a body has its time from the first octet on; octets that keep coming do not lengthen it."""

    async def story(world: Any) -> None:
        for begin in (b"GET / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"):
            emt = await world.connect(pki.emt.tls, Scenario.EMT_API)
            began = time.monotonic()
            await emt.send(begin)
            with contextlib.suppress(OSError, Refusal):
                while time.monotonic() - began < 10:
                    await emt.send(b"x")
                    await asyncio.sleep(0.05)
            assert time.monotonic() - began < 5

    play(story, api=Api(web.path, SECRET), limits={"request_seconds": 0.5})
    assert web.asked == []


def test_what_is_sent_on_during_an_answer_stays_in_the_network(play: Any, pki: TestPki, web: Web) -> None:
    """Nobody fills our memory with requests behind one that takes its time; afterwards they are answered."""
    web.delay = 1.5
    more = b"GET /more HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 30_000 + b"\r\n\r\n"

    async def story(world: Any) -> None:
        emt = await world.connect(pki.emt.tls, Scenario.EMT_API)
        await emt.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        await world.until(lambda: len(web.asked) == 1)
        web.delay = 0.0
        sending = asyncio.create_task(emt.send(more * 2000))
        await asyncio.sleep(1.0)
        assert not sending.done(), "60 MB went in"
        statuses = [(await read_response(emt)).status for _ in range(20)]
        assert set(statuses) == {202}
        sending.cancel()

    play(story, api=Api(web.path, SECRET))


def test_answers_nobody_reads_are_not_piled_up(play: Any, pki: TestPki, web: Web) -> None:
    """As long as answers are not read no more is asked for; then it goes on where it stopped."""
    web.answer = b"x" * 500_000

    async def story(world: Any) -> None:
        emt = await world.connect(pki.emt.tls, Scenario.EMT_API)
        await emt.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n" * 60)
        await asyncio.sleep(2.0)
        assert len(web.asked) < 40, "each 500 kB, unread"
        for _ in range(60):
            assert (await read_response(emt)).status == 202

    play(story, api=Api(web.path, SECRET))
    assert len(web.asked) == 60


def test_a_web_process_that_is_away_is_told_with_when_to_ask_again(play: Any, pki: TestPki, tmp_path: Path) -> None:
    """503 with Retry-After, and the connection stays good for the next try."""

    async def story(world: Any) -> None:
        emt = await world.connect(pki.emt.tls, Scenario.EMT_API)
        for _ in range(2):
            await emt.send(b"GET /v1 HTTP/1.1\r\nHost: a\r\n\r\n")
            response = await read_response(emt)
            assert (response.status, response.headers["retry-after"]) == (503, "5")

    play(story, api=Api(tmp_path / "nobody.sock", SECRET))


@pytest.mark.parametrize("use", ["sig", "enc"])
def test_only_the_tls_certificate_of_an_emt_is_let_in(play: Any, pki: TestPki, web: Web, use: str) -> None:
    """SIG and ENC certificates of the triple, gateways and the administrator itself are turned away by an alert."""

    async def story(world: Any) -> None:
        for credential in (getattr(pki.emt, use), pki.gwa.tls, pki.operational_triple("EPPC0211358875").tls):
            assert (await turned_away(world, credential)).startswith("tls.")

    play(story, api=Api(web.path, SECRET))


async def turned_away(world: Any, credential: Any) -> str:
    """How the head-end ends a call with this certificate; in TLS 1.2 the handshake itself, later the first read."""
    try:
        emt = await world.connect(credential, Scenario.EMT_API)
        await emt.read()
    except Refusal as refusal:
        return refusal.code
    return "let in"


def test_a_drain_lets_the_request_under_way_finish(play: Any, pki: TestPki, web: Web) -> None:
    """Whoever is being answered gets the whole answer before the head-end stops."""
    web.delay = 0.4

    async def story(world: Any) -> None:
        emt = await world.connect(pki.emt.tls, Scenario.EMT_API)
        await emt.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        await world.until(lambda: len(web.asked) == 1)
        draining = asyncio.create_task(world.headend.drain())
        assert (await read_response(emt)).status == 202
        await draining

    play(story, api=Api(web.path, SECRET))
