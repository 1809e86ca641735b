"""The asyncio glue: bytes arrive in order and whole, endings are told apart, nothing hangs."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.refusals import Refusal
from torwart.sim.http_transport import HttpCaller, answer_requests
from torwart.sim.pki import TestPki, Triple
from torwart.sim.tls_transport import TlsServer, TlsStream, open_tls
from torwart.wire.certificate import Use
from torwart.wire.cosem import Request, Response
from torwart.wire.tls import Chain, Credentials, TlsContext, TlsEngine, client_context, server_context

pytestmark = pytest.mark.requirement("WAN-2")

Story = Callable[[tuple[str, int]], Coroutine[Any, Any, None]]


def anyone(_: Chain) -> Refusal | None:
    return None


def contexts(pki: TestPki) -> tuple[TlsContext, TlsContext]:
    trust = [c.public_bytes(Encoding.DER) for c in pki.trust_chain]

    def credentials(triple: Triple) -> Credentials:
        own = triple.of(Use.TLS)
        chain = tuple(c.public_bytes(Encoding.DER) for c in pki.chain_of(own.certificate)[:2])
        return Credentials(chain, own.key)

    return server_context(credentials(pki.gwa), trust, anyone), client_context(credentials(pki.emt), trust, anyone)


def run(server: TlsContext, serve: Callable[[TlsStream], Coroutine[Any, Any, None]], story: Story) -> None:
    async def main() -> None:
        listener = TlsServer(server, serve, handshake_seconds=5)
        address = await listener.start()
        try:
            await asyncio.wait_for(story(address), 20)
        finally:
            await listener.stop()

    asyncio.run(main())


def test_large_content_goes_both_ways_whole(pki: TestPki) -> None:
    """Two megabytes come back as they were, with a reader slower than the writer."""
    server, client = contexts(pki)
    content = bytes(range(256)) * 8192

    async def echo(stream: TlsStream) -> None:
        data = await stream.read_exactly(len(content))
        await asyncio.sleep(0.05)
        await stream.write(data)
        assert await stream.read() == b""

    async def story(address: tuple[str, int]) -> None:
        stream = await open_tls(TlsEngine(client), address)
        writing = asyncio.create_task(stream.write(content))
        assert await stream.read_exactly(len(content)) == content
        await writing
        stream.close()
        assert not stream.open

    run(server, echo, story)


def test_a_reset_is_not_a_close(pki: TestPki) -> None:
    """A proper close reads as an empty string, a reset as a refusal."""
    server, client = contexts(pki)

    async def serve(stream: TlsStream) -> None:
        if await stream.read() == b"reset":
            stream.abort()

    async def story(address: tuple[str, int]) -> None:
        polite = await open_tls(TlsEngine(client), address)
        await polite.write(b"close")
        assert await polite.read() == b""
        rude = await open_tls(TlsEngine(client), address)
        await rude.write(b"reset")
        with pytest.raises(Refusal) as refusal:
            await rude.read()
        assert refusal.value.code == "sim.connection_lost"

    run(server, serve, story)


def test_nobody_there_is_a_refusal(pki: TestPki) -> None:
    """A closed port is refused as such, not as an OSError."""

    async def story() -> None:
        with pytest.raises(Refusal) as refusal:
            await open_tls(TlsEngine(contexts(pki)[1]), ("127.0.0.1", 1))
        assert refusal.value.code == "sim.connect_failed"

    asyncio.run(story())


@pytest.mark.requirement("SIM-drop-handshake")
def test_a_handshake_can_be_dropped_in_its_middle(pki: TestPki) -> None:
    """With the fault on, TCP is reset after the server's first flight; the server sees a broken handshake only."""
    server, client = contexts(pki)

    async def story(address: tuple[str, int]) -> None:
        with pytest.raises(Refusal) as refusal:
            await open_tls(TlsEngine(client), address, abort_after_first_flight=True)
        assert refusal.value.code == "sim.connection_lost"

    async def never(_: TlsStream) -> None:
        raise AssertionError("the handshake cannot have been completed")

    run(server, never, story)


def test_http_exchanges_follow_each_other_on_one_connection(pki: TestPki) -> None:
    """Requests and responses alternate on one connection until it is closed."""
    server, client = contexts(pki)

    async def serve(stream: TlsStream) -> None:
        async def answer(request: Request) -> Response:
            return Response(200, {"Content-Type": "text/plain"}, request.body + b"!")

        await answer_requests(stream, answer)

    async def story(address: tuple[str, int]) -> None:
        caller = HttpCaller(await open_tls(TlsEngine(client), address), "somebody.sm")
        for number in range(5):
            response = await caller.exchange(Request("POST", "/x", {}, str(number).encode()))
            assert (response.status, response.body) == (200, f"{number}!".encode())
        assert caller.usable
        caller.close()
        assert not caller.usable

    run(server, serve, story)


def test_a_late_answer_ends_the_connection(pki: TestPki) -> None:
    """After a time-out the connection is closed, so that the late answer can never meet the next request."""
    server, client = contexts(pki)

    async def serve(stream: TlsStream) -> None:
        await stream.read()
        await asyncio.sleep(5)

    async def story(address: tuple[str, int]) -> None:
        caller = HttpCaller(await open_tls(TlsEngine(client), address), "somebody.sm")
        with pytest.raises(Refusal) as refusal:
            await caller.exchange(Request("GET", "/x"), timeout=0.05)
        assert refusal.value.code == "http.timeout"
        assert not caller.usable

    run(server, serve, story)
