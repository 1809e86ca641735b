"""Counters of one head-end process, as text in the form Prometheus reads."""

import asyncio
from collections import Counter
from collections.abc import Callable

_HEAD = "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\r\n"


class Metrics(Counter[str]):
    """Plain integers by name, e.g. ``metrics["handshakes_done"] += 1``."""

    def text(self, **gauges: int) -> str:
        """All counters and ``gauges``, one a line, sorted."""
        lines = [f"torwart_headend_{name} {value}" for name, value in sorted({**self, **gauges}.items())]
        return "\n".join([*lines, ""])


async def serve_text(text: Callable[[], str], host: str, port: int) -> asyncio.Server:
    """Answer every HTTP request on a loopback address with ``text()``; other addresses are a ``ValueError``."""
    if host not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError(f"metrics on {host}: loopback only")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                await reader.readuntil(b"\r\n\r\n")
                body = text().encode()
                writer.write(_HEAD.format(len(body)).encode() + body)
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a caller that does not speak gets nothing
        finally:
            writer.close()

    return await asyncio.start_server(answer, host, port, limit=8192)
