"""HTTP messages as a gateway sends them: right, or wrong in exactly one of the ways of spec/08."""

import asyncio
from collections.abc import Collection

from torwart.sim.gateway.fault import Fault
from torwart.sim.tls_transport import TlsStream
from torwart.wire.cosem import Request, Response, ServerConnection

LORIS_SECONDS = 1.0
SLOW_SECONDS = 3.0
FLOOD_LINES = 3000
LONG_TARGET = 4100
REQUEST_FAULTS = frozenset({Fault.PIPELINING, Fault.CHUNKED, Fault.HEADER_FLOOD, Fault.LONG_URI})
"""Faults of a request the gateway sends as HTTP client."""


async def transmit(
    faults: Collection[Fault], stream: TlsStream, connection: ServerConnection, response: Response
) -> None:
    """Send a response, with the faults of the sending applied."""
    if Fault.SLOW in faults:
        await asyncio.sleep(SLOW_SECONDS)
    data = connection.send(response)
    if Fault.HEADER_FLOOD in faults:
        data = _flooded(data)
    if Fault.CHUNKED in faults:
        data = _chunked(data)
    if Fault.DROP_BODY in faults:
        await stream.write(data[: len(data) - (len(response.body) or len(data)) // 2 - 1])
        await asyncio.sleep(0.05)  # let the half of it leave before the reset overtakes it
        stream.abort()
    elif Fault.SLOW_LORIS in faults:
        for octet in data:
            await stream.write(bytes((octet,)))
            await asyncio.sleep(LORIS_SECONDS)
    else:
        await stream.write(data)


def spoiled_request(faults: Collection[Fault], request: Request, host: str) -> bytes:
    """The bytes of a request with the faults of ``REQUEST_FAULTS`` applied; no codec of ours would write them."""
    target = request.target
    if Fault.LONG_URI in faults:
        target += "?" + "x" * LONG_TARGET
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(request.body)}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    data = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + request.body
    if Fault.HEADER_FLOOD in faults:
        data = _flooded(data)
    if Fault.CHUNKED in faults:
        data = _chunked(data)
    return data * 2 if Fault.PIPELINING in faults else data


def _flooded(data: bytes) -> bytes:
    start, _, rest = data.partition(b"\r\n")
    flood = b"".join(b"X-Flood-%d: %d\r\n" % (number, number) for number in range(FLOOD_LINES))
    return start + b"\r\n" + flood + rest


def _chunked(data: bytes) -> bytes:
    """The same message with its body in chunks of 100 octets and no Content-Length."""
    head, _, body = data.partition(b"\r\n\r\n")
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
    chunks = [body[at : at + 100] for at in range(0, len(body), 100)]
    coded = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"\r\n".join([*kept, b"Transfer-Encoding: chunked"]) + b"\r\n\r\n" + coded + b"0\r\n\r\n"
