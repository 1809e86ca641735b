"""asyncio around ``torwart.wire.tls``: one TLS connection as a small stream, for callers and for servers.

A thousand simulated gateways hold their connections in one process, so a stream is one protocol object, its engine
and at most one waiting future; no reader object, no buffers of fixed size.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.sim import CONNECT_FAILED, CONNECTION_LOST
from torwart.wire.tls import TlsContext, TlsEngine

CLOSE_SECONDS = 20.0
"""TR-03116-3 §4.1.2: the transport is closed at the latest 20 s after close_notify."""

_HIGH_WATER = 256 * 1024


class TlsStream(asyncio.Protocol):
    """One connection. ``read`` and ``write`` only after ``ready``; one reader at a time.

    A peer that ends with close_notify makes ``read`` answer ``b""``; a connection that breaks raises
    ``sim.connection_lost`` or the refusal of ``torwart.wire.tls`` that broke it.
    """

    __slots__ = (
        "_buffer",
        "_closed",
        "_failure",
        "_paused",
        "_transport",
        "_waiter",
        "_writable",
        "abort_after_first_flight",
        "engine",
        "peer_name",
    )

    def __init__(self, engine: TlsEngine) -> None:
        self.engine = engine
        self.peer_name = "?"
        self.abort_after_first_flight = False
        """A fault: reset TCP when the peer's first flight has come."""
        self._buffer = b""
        self._closed = False
        self._failure: Exception | None = None
        self._paused = False
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = link = cast(asyncio.Transport, transport)
        host, port, *_ = transport.get_extra_info("peername") or ("?", 0)
        self.peer_name = f"{host}:{port}"
        link.set_write_buffer_limits(high=_HIGH_WATER)
        self._advance()

    def data_received(self, data: bytes) -> None:
        if self.abort_after_first_flight:
            self.abort()
            return
        if self._failure is not None:
            return
        self.engine.receive_data(data)
        self._advance()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        if self._failure is None and not self.engine.closed:
            self._failure = CONNECTION_LOST(peer=self.peer_name, why=str(exc or "EOF"))
        self._wake()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    # --- what its owner calls ---

    @property
    def open(self) -> bool:
        return not self._closed and self._failure is None and not self.engine.closed

    async def ready(self, timeout: float = 30.0) -> None:
        """Wait until the handshake is complete; raises why it is not."""
        try:
            async with asyncio.timeout(timeout):
                while not self.engine.complete:
                    self._raise_failure()
                    await self._wait()
        except TimeoutError:
            self.abort()
            raise CONNECTION_LOST(peer=self.peer_name, why=f"TLS handshake > {timeout:g} s") from None

    async def read(self) -> bytes:
        """What has come, at least one byte; ``b""`` once the peer has closed."""
        while not self._buffer:
            if self.engine.closed:
                return b""
            self._raise_failure()
            await self._wait()
        data, self._buffer = self._buffer, b""
        return data

    async def read_exactly(self, count: int) -> bytes:
        """``count`` bytes; what came beyond them stays for the next read."""
        data = b""
        while len(data) < count:
            chunk = await self.read()
            if not chunk:
                raise CONNECTION_LOST(peer=self.peer_name, why=f"{len(data)} of {count} bytes")
            data += chunk
        data, self._buffer = data[:count], data[count:] + self._buffer
        return data

    async def write(self, data: bytes) -> None:
        """Encrypt and send; waits while the peer does not take it."""
        self._raise_failure()
        self.engine.write(data)
        self._flush()
        while self._paused and not self._closed:
            self._writable = asyncio.get_running_loop().create_future()
            await self._writable

    def close(self) -> None:
        """Say close_notify and end; harmless twice."""
        if self._transport is None or self._closed:
            return
        if self._failure is None:
            self.engine.close_notify()
            self._flush()
        self._failure = self._failure or CONNECTION_LOST(peer=self.peer_name, why="closed here")
        self._transport.close()
        self._wake()

    def abort(self) -> None:
        """Reset TCP without a word."""
        self._failure = self._failure or CONNECTION_LOST(peer=self.peer_name, why="aborted here")
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    # --- inside ---

    def _advance(self) -> None:
        """Handshake or decrypt as far as the bytes go, and send what that makes."""
        try:
            if self.engine.complete or self.engine.handshake():
                while chunk := self.engine.read():
                    self._buffer += chunk
        except Refusal as refusal:
            self._failure = refusal
        self._flush()
        if (self._failure is not None or self.engine.closed) and self._transport is not None:
            self._transport.close()
        self._wake()

    def _flush(self) -> None:
        data = self.engine.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise CONNECTION_LOST(peer=self.peer_name, why="EOF")

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self._closed and self._writable is not None and not self._writable.done():
            self._writable.set_result(None)


async def open_tls(
    engine: TlsEngine,
    address: tuple[str, int],
    *,
    timeout: float = 30.0,
    abort_after_first_flight: bool = False,
) -> TlsStream:
    """Connect and shake hands; raises ``sim.connect_failed`` or what ended the handshake."""
    loop = asyncio.get_running_loop()
    host, port = address

    def make() -> TlsStream:
        stream = TlsStream(engine)
        stream.abort_after_first_flight = abort_after_first_flight
        return stream

    try:
        async with asyncio.timeout(timeout):
            _, stream = await loop.create_connection(make, host, port)
    except (OSError, TimeoutError) as error:
        raise CONNECT_FAILED(peer=f"{host}:{port}", why=str(error) or "timeout") from error
    try:
        await stream.ready(timeout)
    except BaseException:
        stream.close()
        raise
    return stream


Handler = Callable[[TlsStream], Awaitable[None]]


class TlsServer:
    """A listener whose connections are each given to ``handler`` once their handshake is complete.

    ``context`` may be replaced while it listens; connections that are open keep theirs. ``refused`` is told why a
    connection ended by a refusal, during or after its handshake.
    """

    def __init__(
        self,
        context: TlsContext,
        handler: Handler,
        *,
        handshake_seconds: float = 30.0,
        refused: Callable[[Refusal], None] = lambda _: None,
    ) -> None:
        self.context = context
        self.refused = refused
        self._handler = handler
        self._handshake_seconds = handshake_seconds
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Listen; the address it listens on."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, host, port)
        bound = self._server.sockets[0].getsockname()
        return bound[0], bound[1]

    async def stop(self) -> None:
        """Stop listening and end all connections."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self) -> TlsStream:
        stream = TlsStream(TlsEngine(self.context))
        task = asyncio.get_running_loop().create_task(self._serve(stream))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return stream

    async def _serve(self, stream: TlsStream) -> None:
        try:
            await stream.ready(self._handshake_seconds)
            await self._handler(stream)
        except Refusal as refusal:
            self.refused(refusal)
        finally:
            stream.close()
