"""The bus between head-ends and workers: it carries requests and nudges, never truth (design D5)."""

from collections.abc import Awaitable, Callable
from typing import Protocol

Handler = Callable[[str, bytes], Awaitable[bytes | None]]
"""Takes (subject, payload); what it returns is the answer to a request, ``None`` answers nothing."""


class Subscription(Protocol):
    async def unsubscribe(self) -> None:
        """End it; handlers already running finish."""
        ...


class Bus(Protocol):
    """Request–reply and publish by subject (dot-separated tokens, ``*`` matches one token, ``>`` the rest).

    ``request`` to a subject nobody serves raises ``Refusal`` ``bus.no_responder`` at once (within ~10 ms), a late
    answer ``bus.timeout``, a lost server ``bus.unavailable``; a handler that raises answers ``bus.handler_failed``.
    ``publish`` reaches every subscriber now connected and nobody else. With ``queue`` only one member of the
    group gets each message. Payloads up to 1 MiB; larger raises ``bus.too_large``.
    """

    async def request(self, subject: str, payload: bytes, *, timeout: float) -> bytes: ...

    async def publish(self, subject: str, payload: bytes) -> None: ...

    async def subscribe(self, subject: str, handler: Handler, *, queue: str | None = None) -> Subscription: ...

    async def close(self) -> None: ...
