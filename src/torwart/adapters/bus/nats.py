"""The bus over NATS: requests find the one process that serves a subject, wherever it runs (spec/11 §6)."""

import asyncio
import contextlib
import itertools
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription

from torwart.adapters.bus.limits import check_size, failure, log
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.bus import BUS_HANDLER_FAILED, BUS_NO_RESPONDER, BUS_TIMEOUT, BUS_UNAVAILABLE
from torwart.ports.bus import Handler

_FAILED = "Torwart-Failed"
"""Header of an answer that says: the handler failed, and why."""
_NO_RESPONDER = "503"
_RECONNECT_SECONDS = 0.25
_HANDLERS_AT_ONCE = 256
_ROUND_TRIP_SECONDS = 5.0
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
                await bus._round_trip()
        except (TimeoutError, OSError, nats.errors.Error, Refusal) as error:
            await client.close()
            raise BUS_UNAVAILABLE(why=type(error).__name__) from error
        return bus

    async def request(self, subject: str, payload: bytes, *, timeout: float) -> bytes:
        check_size(payload)
        with self._awaited() as (inbox, answer):
            try:
                async with asyncio.timeout(timeout):
                    await self._send(subject, payload, reply=inbox)
                    message = await answer
            except TimeoutError:
                raise BUS_TIMEOUT(subject=subject, seconds=timeout) from None
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
        except (nats.errors.Error, OSError) as error:
            raise BUS_UNAVAILABLE(why=type(error).__name__) from error
        with contextlib.suppress(Refusal, TimeoutError):  # lost meanwhile: it comes back with the connection
            await self._round_trip()
        return subscription

    async def close(self) -> None:
        with contextlib.suppress(nats.errors.Error, OSError):
            await self._client.close()
        self._fail_pending("closed")

    async def _round_trip(self) -> None:
        """Wait until the server has seen what we sent: a message to ourselves comes back behind it.

        The client's own ``flush`` does not do: its PING overtakes commands that still wait to be written.
        """
        with self._awaited() as (inbox, answer):
            async with asyncio.timeout(_ROUND_TRIP_SECONDS):
                await self._send(inbox, b"")
                await answer

    @contextlib.contextmanager
    def _awaited(self) -> Iterator[tuple[str, "asyncio.Future[Msg]"]]:
        """A subject of our inbox and the future that the message there will fulfil."""
        number = str(next(self._numbers))
        answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._pending[number] = answer
        try:
            yield f"{self._inbox}.{number}", answer
        finally:
            del self._pending[number]

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
