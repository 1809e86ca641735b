"""The gateways of the benchmark ``held``: one lean process that calls for all of them, holds, and answers commands."""

import asyncio
import json
import sys
from pathlib import Path
from typing import cast

import uvloop
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from torwart.config.bench._headend import TLS_1_2
from torwart.config.commands.headend import raise_open_files
from torwart.wire.tls import Credentials, TlsContext, TlsEngine, client_context

_AT_ONCE = 32
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Caller(asyncio.Protocol):
    """One gateway: shakes hands, then answers whatever it is asked."""

    __slots__ = ("_engine", "_transport", "ready")

    def __init__(self, context: TlsContext, credentials: Credentials, ready: "asyncio.Future[None]") -> None:
        self._engine = TlsEngine(context, credentials=credentials)
        self.ready: asyncio.Future[None] | None = ready

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._engine.handshake()
        self._flush()

    def data_received(self, data: bytes) -> None:
        engine = self._engine
        engine.receive_data(data)
        if engine.complete:
            if engine.read():
                engine.write(_ANSWER)
        elif engine.handshake():
            self._flush()
            engine.forget_handshake()
            if self.ready is not None:
                self.ready.set_result(None)
                self.ready = None
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.ready is not None and not self.ready.done():
            self.ready.set_exception(ConnectionError("turned away"))

    def _flush(self) -> None:
        if data := self._engine.data_to_send():
            self._transport.write(data)


async def hold(here: Path, port: int) -> None:
    """Call for every gateway, say ``held``, stay until standard input ends."""
    loop = asyncio.get_running_loop()
    key = cast(EllipticCurvePrivateKey, load_pem_private_key((here / "key.pem").read_bytes(), None))
    gateways = [bytes.fromhex(text) for text in json.loads((here / "gateways.json").read_text())]
    root, sub_ca = (bytes.fromhex(text) for text in json.loads((here / "authorities.json").read_text()))
    first = Credentials((gateways[0], sub_ca), key)
    context = client_context(first, [root, sub_ca], lambda chain: None, offer=TLS_1_2)
    places = asyncio.Semaphore(_AT_ONCE)

    async def call(certificate: bytes) -> None:
        async with places:
            ready: asyncio.Future[None] = loop.create_future()
            credentials = Credentials((certificate,), key)
            await loop.create_connection(lambda: Caller(context, credentials, ready), "127.0.0.1", port)
            await ready

    await asyncio.gather(*(call(certificate) for certificate in gateways))
    print("held", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    raise_open_files()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(hold(Path(sys.argv[1]), int(sys.argv[2])))
