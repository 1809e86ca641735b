"""The bus over NATS: requests find the one process that serves a subject, wherever it runs (spec/11 §6).

A client of our own: everything an exchange needs happens in the call that sends and in the one that receives, without
queues and tasks in between. That is a third of what the common client costs, and commands are most of what a worker
says.
"""

import asyncio
import contextlib
import itertools
import secrets
import ssl
from collections import deque
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import SplitResult, unquote, urlsplit

from torwart.adapters.bus import nats_wire as wire
from torwart.adapters.bus.limits import check_size, failure, log
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.bus import BUS_HANDLER_FAILED, BUS_NO_RESPONDER, BUS_TIMEOUT, BUS_UNAVAILABLE
from torwart.ports.bus import Handler

_FAILED = "Torwart-Failed"
"""Header of an answer that says: the handler failed, and why."""
_NO_RESPONDER = "503"
_RECONNECT_SECONDS = 0.25
_HANDLERS_AT_ONCE = 256
_MOST_WAITING = 65_536
_ROUND_TRIP_SECONDS = 5.0
_BEAT_SECONDS = 20.0
_PORT = 4222
_LOST = "connection lost"
_TROUBLE = (TimeoutError, OSError, ValueError, Refusal)


@dataclass(eq=False)
class _Subscription:
    """A subscription whose messages are handled concurrently, ``_HANDLERS_AT_ONCE`` at most."""

    bus: "NatsBus"
    sid: int
    subject: str
    queue: str
    handler: Handler
    running: set[asyncio.Task[None]] = field(default_factory=set)
    waiting: deque[wire.Message] | None = None

    async def unsubscribe(self) -> None:
        self.bus._unsubscribe(self)

    def take(self, message: wire.Message) -> None:
        if len(self.running) < _HANDLERS_AT_ONCE:
            self._start(message)
            return
        if self.waiting is None:
            self.waiting = deque()
        if len(self.waiting) >= _MOST_WAITING:
            log.error("a message for %s is lost: too many wait", self.subject)
            return
        self.waiting.append(message)

    def _start(self, message: wire.Message) -> None:
        task = asyncio.get_running_loop().create_task(self.bus._serve(self.handler, message))
        self.running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        if self.waiting:
            self._start(self.waiting.popleft())


class _Link(asyncio.Protocol):
    """One connection to a server. ``greeted`` is fulfilled by INFO, each PING of ours by its PONG."""

    def __init__(self, bus: "NatsBus") -> None:
        loop = asyncio.get_running_loop()
        self.greeted: asyncio.Future[dict[str, Any]] = loop.create_future()
        self.transport: asyncio.Transport | None = None
        self.heard = True
        self._bus = bus
        self._reader = wire.Reader()
        self._pongs: deque[asyncio.Future[None]] = deque()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass of it

    def data_received(self, data: bytes) -> None:
        self.heard = True
        try:
            for said in self._reader.feed(data):
                self._take(said)
        except ValueError as error:
            log.error("NATS: %s", error)
            self.abort()

    def _take(self, said: wire.Said) -> None:
        match said:
            case wire.Message():
                self._bus._message(said)
            case wire.Ping():
                self.write(wire.PONG)
            case wire.Pong():
                if self._pongs and not (answer := self._pongs.popleft()).done():
                    answer.set_result(None)
            case wire.Info():
                if not self.greeted.done():
                    self.greeted.set_result(said.values)
            case wire.Failed():
                log.warning("NATS: %s", said.text)

    def connection_lost(self, error: Exception | None) -> None:
        self._writable.set()
        _break(self.greeted)
        for pong in self._pongs:
            _break(pong)
        self._bus._on_lost(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def write(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.write(data)

    async def room(self) -> None:
        """Wait while the server takes less than we send."""
        if not self._writable.is_set():
            await self._writable.wait()

    async def round_trip(self) -> None:
        """Wait until the server has seen what we sent."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pongs.append(answer)
        self.write(wire.PING)
        async with asyncio.timeout(_ROUND_TRIP_SECONDS):
            await answer

    def beat(self) -> None:
        """End a connection on which nothing came since the last beat, not even an answer to our PING."""
        if not self.heard:
            self.abort()
            return
        self.heard = False
        self._pongs.append(asyncio.get_running_loop().create_future())
        self.write(wire.PING)

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class NatsBus:
    """``ports.bus.Bus`` over one NATS connection, made by ``connect``; belongs to one event loop.

    A lost server fails what is under way with ``bus.unavailable``; the connection and all subscriptions come back
    by themselves. Nothing is buffered meanwhile: the bus carries nudges, never truth.
    """

    def __init__(self, url: str, name: str, tls: ssl.SSLContext | None) -> None:
        self._servers = [urlsplit(server if "://" in server else f"nats://{server}") for server in url.split(",")]
        self._name = name
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._link: _Link | None = None
        self._closed = False
        self._numbers = itertools.count(1)
        self._inbox = f"_INBOX.{secrets.token_hex(11)}"
        self._pending: dict[str, asyncio.Future[wire.Message]] = {}
        self._subscriptions: dict[int, _Subscription] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def connect(
        cls, url: str, *, name: str = "torwart", timeout: float = 5.0, tls: ssl.SSLContext | None = None
    ) -> "NatsBus":
        """Connect to ``url`` (``nats://[user:password@]host:port``, several separated by commas; ``tls://`` too)."""
        bus = cls(url, name, tls)
        try:
            async with asyncio.timeout(timeout):
                await bus._connect()
        except _TROUBLE as error:
            await bus.close()
            raise BUS_UNAVAILABLE(why=type(error).__name__) from error
        bus._keep(bus._beat())
        return bus

    async def request(self, subject: str, payload: bytes, *, timeout: float) -> bytes:
        check_size(payload)
        number = str(next(self._numbers))
        answer: asyncio.Future[wire.Message] = self._loop.create_future()
        self._pending[number] = answer
        timer = self._loop.call_later(timeout, _late, answer, subject, timeout)
        try:
            await self._send(wire.pub(subject, f"{self._inbox}.{number}", payload))
            message = await answer
        finally:
            timer.cancel()
            del self._pending[number]
        if message.headers:
            status, fields = wire.fields(message.headers)
            if status == _NO_RESPONDER:
                raise BUS_NO_RESPONDER(subject=subject)
            if why := fields.get(_FAILED):
                raise BUS_HANDLER_FAILED(subject=subject, why=why)
        return message.data

    async def publish(self, subject: str, payload: bytes) -> None:
        check_size(payload)
        await self._send(wire.pub(subject, "", payload))

    async def subscribe(self, subject: str, handler: Handler, *, queue: str | None = None) -> _Subscription:
        """Serve ``subject``; once this returns, requests from anywhere reach the handler."""
        if self._closed:
            raise BUS_UNAVAILABLE(why="closed")
        subscription = _Subscription(self, next(self._numbers), subject, queue or "", handler)
        line = wire.sub(subject, subscription.queue, subscription.sid)
        self._subscriptions[subscription.sid] = subscription
        if self._link is not None:
            self._link.write(line)
            with contextlib.suppress(*_TROUBLE):  # lost meanwhile: it comes back with the connection
                await self._link.round_trip()
        return subscription

    async def close(self) -> None:
        self._closed = True
        link, self._link = self._link, None
        if link is not None and link.transport is not None:
            with contextlib.suppress(*_TROUBLE):
                await link.round_trip()  # what was just published still goes out
            link.transport.close()
        for task in self._tasks:
            task.cancel()
        self._fail_pending("closed")

    # --- the connection ----------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        """Connect to the first server that takes us, and tell it what we serve."""
        trouble: Exception = OSError("no server")
        for server in self._servers:
            try:
                link = await self._connected(server)
            except _TROUBLE as error:
                trouble = error
                continue
            self._link = link
            return
        raise trouble

    async def _connected(self, server: SplitResult) -> _Link:
        host, port = server.hostname or "127.0.0.1", server.port or _PORT
        transport, link = await self._loop.create_connection(lambda: _Link(self), host, port)
        try:
            info = await link.greeted
            if self._tls is not None or server.scheme == "tls" or info.get("tls_required"):
                context = self._tls or ssl.create_default_context()
                secure = await self._loop.start_tls(transport, link, context, server_hostname=host)
                assert secure is not None
                link.connection_made(secure)
            link.write(wire.connect(self._introduction(server)))
            link.write(wire.sub(f"{self._inbox}.*", "", 0))
            for each in self._subscriptions.values():
                link.write(wire.sub(each.subject, each.queue, each.sid))
            await link.round_trip()
        except BaseException:
            link.abort()
            raise
        return link

    def _introduction(self, server: SplitResult) -> dict[str, Any]:
        known: dict[str, Any] = {"verbose": False, "pedantic": False, "lang": "python", "version": "1", "protocol": 1}
        known |= {"name": self._name, "headers": True, "no_responders": True}
        if server.password is not None:
            known |= {"user": unquote(server.username or ""), "pass": unquote(server.password)}
        elif server.username:
            known["auth_token"] = unquote(server.username)
        return known

    def _on_lost(self, link: _Link) -> None:
        if link is self._link:
            self._link = None
            self._fail_pending(_LOST)
            self._keep(self._reconnect())

    async def _reconnect(self) -> None:
        while not self._closed:
            with contextlib.suppress(*_TROUBLE):
                async with asyncio.timeout(_ROUND_TRIP_SECONDS):
                    await self._connect()
                return
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            if self._link is not None:
                self._link.beat()

    def _keep(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- messages ----------------------------------------------------------------------------------------------

    async def _send(self, line: bytes) -> None:
        link = self._link
        if link is None:
            raise BUS_UNAVAILABLE(why="closed" if self._closed else _LOST)
        link.write(line)
        await link.room()

    def _message(self, message: wire.Message) -> None:
        if message.sid == 0:
            answer = self._pending.get(message.subject.rpartition(".")[2])
            if answer is not None and not answer.done():
                answer.set_result(message)
        elif subscription := self._subscriptions.get(message.sid):
            subscription.take(message)

    async def _serve(self, handler: Handler, message: wire.Message) -> None:
        headers: dict[str, str] | None = None
        reply: bytes | None
        try:
            reply = await handler(message.subject, message.data)
            check_size(reply or b"")
        except Exception as error:  # noqa: BLE001 – whatever a handler raises is told to the requester
            reply, headers = b"", {_FAILED: failure(error, message.subject)}
        if reply is not None and message.reply:
            with contextlib.suppress(Refusal):
                await self._send(wire.pub(message.reply, "", reply, headers))

    def _unsubscribe(self, subscription: _Subscription) -> None:
        if self._subscriptions.pop(subscription.sid, None) is not None and self._link is not None:
            self._link.write(wire.unsub(subscription.sid))

    def _fail_pending(self, why: str) -> None:
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(BUS_UNAVAILABLE(why=why))


def _late(answer: "asyncio.Future[wire.Message]", subject: str, seconds: float) -> None:
    if not answer.done():
        answer.set_exception(BUS_TIMEOUT(subject=subject, seconds=seconds))


def _break(waiting: "asyncio.Future[Any]") -> None:
    if not waiting.done():
        waiting.set_exception(ConnectionResetError(_LOST))
        waiting.exception()  # nobody need be waiting any more
