"""The bus over NATS: requests find the one process that serves a subject, wherever it runs (spec/11 §6)."""

import asyncio
import contextlib
import itertools
import ssl
from dataclasses import dataclass, field

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription

from torwart.adapters.bus.limits import check_size, failure, log
from torwart.kernel.refusals.bus import BUS_HANDLER_FAILED, BUS_NO_RESPONDER, BUS_TIMEOUT, BUS_UNAVAILABLE
from torwart.ports.bus import Handler

_FAILED = "Torwart-Failed"
"""Header of an answer that says: the handler failed, and why."""
_NO_RESPONDER = "503"
_RECONNECT_SECONDS = 0.25
_HANDLERS_AT_ONCE = 256
_LOST = "connection lost"


@dataclass
class _Subscription:
    """A subscription whose messages are handled concurrently, ``_HANDLERS_AT_ONCE`` at most."""

    bus: "NatsBus"
    handler: Handler
    inner: NatsSubscription | None = None
    running: set[asyncio.Task[None]] = field(default_factory=set)

    async def unsubscribe(self) -> None:
        if self.inner is not None:
            with contextlib.suppress(nats.errors.Error):
                await self.inner.unsubscribe()
            self.inner = None

    async def take(self, message: Msg) -> None:
        while len(self.running) >= _HANDLERS_AT_ONCE:
            await asyncio.wait(self.running, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self.bus._serve(self.handler, message))
        self.running.add(task)
        task.add_done_callback(self.running.discard)


class NatsBus:
    """``ports.bus.Bus`` over one NATS connection, made by ``connect``; belongs to one event loop.

    A lost server fails what is under way with ``bus.unavailable``; the connection and all subscriptions come back
    by themselves. Nothing is buffered meanwhile: the bus carries nudges, never truth.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pending: dict[str, asyncio.Future[Msg]] = {}
        self._numbers = itertools.count()
        self._inbox = ""
        self._subscriptions: set[asyncio.Task[None]] = set()

    @classmethod
    async def connect(
        cls, url: str, *, name: str = "torwart", timeout: float = 5.0, tls: ssl.SSLContext | None = None
    ) -> "NatsBus":
        """Connect to ``url`` (``nats://[user:password@]host:port``, several separated by commas)."""
        client = Client()
        bus = cls(client)
        try:
            async with asyncio.timeout(timeout):
                await client.connect(
                    url.split(","),
                    name=name,
                    tls=tls,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_RECONNECT_SECONDS,  # type: ignore[arg-type]  # any number of seconds will do
                    pending_size=0,
                    error_cb=_on_error,
                    disconnected_cb=bus._on_lost,
                )
                bus._inbox = client.new_inbox()
                await client.subscribe(f"{bus._inbox}.*", cb=bus._on_answer)
        except (TimeoutError, OSError, nats.errors.Error) as error:
            await client.close()
            raise BUS_UNAVAILABLE(why=type(error).__name__) from error
        return bus

    async def request(self, subject: str, payload: bytes, *, timeout: float) -> bytes:
        check_size(payload)
        number = str(next(self._numbers))
        answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._pending[number] = answer
        try:
            async with asyncio.timeout(timeout):
                await self._send(subject, payload, reply=f"{self._inbox}.{number}")
                message = await answer
        except TimeoutError:
            raise BUS_TIMEOUT(subject=subject, seconds=timeout) from None
        finally:
            del self._pending[number]
        headers = message.headers or {}
        if headers.get("Status") == _NO_RESPONDER:
            raise BUS_NO_RESPONDER(subject=subject)
        if why := headers.get(_FAILED):
            raise BUS_HANDLER_FAILED(subject=subject, why=why)
        return message.data

    async def publish(self, subject: str, payload: bytes) -> None:
        check_size(payload)
        await self._send(subject, payload)

    async def subscribe(self, subject: str, handler: Handler, *, queue: str | None = None) -> _Subscription:
        """Serve ``subject``; once this returns, requests from anywhere reach the handler."""
        subscription = _Subscription(self, handler)
        try:
            subscription.inner = await self._client.subscribe(subject, queue=queue or "", cb=subscription.take)
            if self._client.is_connected:
                await self._client.flush()
        except (nats.errors.Error, OSError) as error:
            raise BUS_UNAVAILABLE(why=type(error).__name__) from error
        return subscription

    async def close(self) -> None:
        with contextlib.suppress(nats.errors.Error, OSError):
            await self._client.close()
        self._fail_pending("closed")

    async def _send(self, subject: str, payload: bytes, *, reply: str = "") -> None:
        if not self._client.is_connected:
            raise BUS_UNAVAILABLE(why=_LOST)
        try:
            await self._client.publish(subject, payload, reply=reply)
        except (nats.errors.Error, OSError) as error:
            raise BUS_UNAVAILABLE(why=type(error).__name__) from error

    async def _serve(self, handler: Handler, message: Msg) -> None:
        headers: dict[str, str] | None = None
        reply: bytes | None
        try:
            reply = await handler(message.subject, message.data)
            check_size(reply or b"")
        except Exception as error:  # noqa: BLE001 – whatever a handler raises is told to the requester
            reply, headers = b"", {_FAILED: failure(error, message.subject)}
        if reply is not None and message.reply:
            with contextlib.suppress(nats.errors.Error, OSError):
                await self._client.publish(message.reply, reply, headers=headers)

    async def _on_answer(self, message: Msg) -> None:
        answer = self._pending.get(message.subject.rpartition(".")[2])
        if answer is not None and not answer.done():
            answer.set_result(message)

    async def _on_lost(self) -> None:
        self._fail_pending(_LOST)

    def _fail_pending(self, why: str) -> None:
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(BUS_UNAVAILABLE(why=why))


async def _on_error(error: Exception) -> None:
    log.warning("NATS: %s", type(error).__name__)
