"""HTTP/1.1 by A2 §7 over a ``TlsStream``: the codec of ``torwart.wire.cosem``, moved by asyncio."""

import asyncio
from collections.abc import Awaitable, Callable

from torwart.kernel.refusals import Refusal
from torwart.sim.tls_transport import TlsStream
from torwart.wire.cosem import ClientConnection, Limits, Request, Response, ServerConnection

Answer = Callable[[Request], Awaitable[Response]]
Transmit = Callable[[TlsStream, bytes], Awaitable[None]]


class HttpCaller:
    """HTTP client on an open stream; one exchange at a time."""

    __slots__ = ("_connection", "_stream")

    def __init__(self, stream: TlsStream, host: str) -> None:
        self._stream = stream
        self._connection = ClientConnection(host)

    @property
    def usable(self) -> bool:
        return self._stream.open and not self._connection.closed

    async def exchange(self, request: Request, *, timeout: float = 20.0) -> Response:
        """Send and wait for the answer; on any failure the connection is gone (A2 §7.1.1, §7.12)."""
        try:
            async with asyncio.timeout(timeout):
                await self._stream.write(self._connection.send(request))
                while True:
                    response = self._connection.receive(await self._stream.read())
                    if response is not None:
                        return response
        except TimeoutError:
            self._stream.abort()
            raise self._connection.expire() from None
        except Refusal:
            self._stream.close()
            raise

    def close(self) -> None:
        self._stream.close()


async def _write(stream: TlsStream, data: bytes) -> None:
    await stream.write(data)


async def answer_requests(
    stream: TlsStream, answer: Answer, *, limits: Limits | None = None, transmit: Transmit = _write
) -> None:
    """HTTP server on an open stream until either side ends it.

    ``transmit`` sends the bytes of a response; a simulated fault puts its own in place of plain writing.
    """
    connection = ServerConnection(limits) if limits else ServerConnection()
    while not connection.closed:
        try:
            request = connection.receive(await stream.read())
        except Refusal as refusal:
            if refusal_bytes := connection.refuse(refusal):
                await stream.write(refusal_bytes)
            return
        if request is not None:
            response = await answer(request)
            await transmit(stream, connection.send(response))
