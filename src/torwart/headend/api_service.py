"""EMT-API: HTTP of a market participant's own system, handed to the web process with the certificate it has shown.

The head-end ends TLS, because the curves of the SM-PKI need it, and keeps its limits; what is asked is none of its
business. Ordinary HTTP/1.1 here (RFC 9112, unlike the gateways' narrowed form): keep-alive, chunked bodies, one
request after the other; nothing is held for a caller beyond its limits, neither what it sends on nor what it does not
read. Each request goes to the API's unix socket with proof of who asks (``wire.peer_proof``).
"""

import asyncio
import contextlib
import json
from collections.abc import Iterable

import h11

from torwart.headend.config import Scenario
from torwart.headend.session import Session
from torwart.headend.station import Station
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.headend import HEADEND_SLOW, HEADEND_TOO_OFTEN
from torwart.wire.peer_proof import PREFIX, prove
from torwart.wire.tls import Negotiated

_HEAD = 32_768
_HEADERS = 100
_BODY = 1024 * 1024
_ANSWER = 16 * 1024 * 1024
_UPSTREAM_SECONDS = 90.0
"""Longer than the longest long poll."""
_AWAY_SECONDS = 5
"""When to ask again while the web process is away: whoever supervises it starts it again within seconds."""
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect")
)
_VERSION = b"torwart-version"
"""The one header of that name that belongs to the conversation of both ends."""
_Headers = list[tuple[bytes, bytes]]


class ApiSession(Session):
    """One connection of a market participant's system; one request at a time, further ones wait in the parser."""

    scenario = Scenario.EMT_API
    __slots__ = ("_asked", "_asking", "_body", "_certificate", "_counted", "_full", "_held", "_http")

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD)
        self._asked: h11.Request | None = None
        self._asking = False
        self._body = bytearray()
        self._certificate = b""
        self._counted = False
        self._full = False  # the caller does not read what it has been answered
        self._held = False  # its socket is not read

    # --- session ---

    def shown(self, certificate: bytes) -> None:
        self._certificate = certificate

    def opened(self, agreed: Negotiated) -> None:
        assert self.peer is not None
        held = self.station.held_by_emt
        if held[self.peer.device] >= self.station.limits.connections_per_emt:
            self.close(HEADEND_TOO_OFTEN(device=self.peer.device))
            return
        held.add(self.peer.device)
        self._counted = True

    def ended(self) -> None:
        if self._counted and self.peer is not None:
            self.station.held_by_emt.remove(self.peer.device)

    def quiet_seconds(self) -> float:
        limits = self.station.limits
        if self._asking:
            return _UPSTREAM_SECONDS + limits.close_seconds
        return limits.request_seconds if self._receiving else limits.idle_seconds

    def too_slow(self) -> Refusal | None:
        if self._receiving:
            return HEADEND_SLOW(what="request", seconds=self.station.limits.request_seconds)
        return None

    @property
    def busy(self) -> bool:
        return self._asking

    @property
    def _receiving(self) -> bool:
        """A request has begun and is not complete, head or body; also one that waits until answers are read."""
        return not self._asking and (self._asked is not None or bool(self._waiting))

    @property
    def _waiting(self) -> int:
        """Octets that have come and are not looked at yet."""
        return len(self._http.trailing_data[0])

    def received(self, data: bytes) -> None:
        fresh = not self._receiving
        try:
            self._http.receive_data(data)
            self._advance()
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint, "malformed")
            return
        if fresh and not self._asking:
            self.touch()
        self._hold(self._waiting > _HEAD)

    def pause_writing(self) -> None:
        """asyncio: much has been answered and not been read. Nothing more is asked for until it has."""
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._go_on()

    def _hold(self, much: bool) -> None:
        """Leave in the network what is sent on and on while an answer is made; read it again later."""
        if self._transport is not None and much != self._held and not self._transport.is_closing():
            self._held = much
            (self._transport.pause_reading if much else self._transport.resume_reading)()

    # --- requests ---

    def _go_on(self) -> None:
        """What has come behind the request just answered."""
        try:
            self._advance()
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint, "malformed")
            return
        self._hold(self._waiting > _HEAD)

    def _advance(self) -> None:
        while not self._asking and not self._full and self.is_open:
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                if wrong := _unfit(event):
                    self._refuse(*wrong)
                    return
                self._asked, self._body = event, bytearray()
                if self._http.they_are_waiting_for_100_continue:
                    self._tell(h11.InformationalResponse(status_code=100, headers=[]))
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > _BODY:
                    self._refuse(413, "too large")
                    return
            elif isinstance(event, h11.EndOfMessage):
                self._asking = True
                self.station.spawn(self._answer())
            else:  # NEED_DATA, PAUSED or the peer has closed
                return

    async def _answer(self) -> None:
        assert self._asked is not None
        self.station.metrics["requests_emt_api"] += 1
        self.touch()
        status, headers, body = await self._from_api(self._asked, bytes(self._body))
        if not self.is_open:
            return
        head = self._asked.method == b"HEAD"
        self._tell(h11.Response(status_code=status, headers=headers))
        if body and not head:
            self._tell(h11.Data(data=body))
        self._tell(h11.EndOfMessage())
        self._asked, self._asking = None, False
        if self._http.our_state is h11.MUST_CLOSE or self.finishing:
            self.close()
            return
        self._http.start_next_cycle()
        self.touch()
        self._go_on()

    async def _from_api(self, asked: h11.Request, body: bytes) -> tuple[int, _Headers, bytes]:
        """The web process's answer; 503 while it is away, so that the caller asks again."""
        api = self.station.config.api
        if api is None:
            return _problem(503, "unavailable", retry=_AWAY_SECONDS)
        try:
            async with asyncio.timeout(_UPSTREAM_SECONDS):
                return await _ask(str(api.socket), self._forwarded(asked, body), body)
        except (OSError, TimeoutError, h11.ProtocolError):
            self.station.metrics["emt_api_unavailable"] += 1
            return _problem(503, "unavailable", retry=_AWAY_SECONDS)

    def _forwarded(self, asked: h11.Request, body: bytes) -> h11.Request:
        """The request as the web process gets it: nothing a caller sent can pass for what only we may say."""
        api = self.station.config.api
        assert api is not None
        method, target = asked.method.decode("ascii"), _origin_form(asked.target.decode("latin-1"))
        own = prove(
            api.secret,
            method=method,
            target=target,
            certificate=self._certificate,
            at=self.station.clock.now().timestamp(),
        )
        own |= {f"{PREFIX}address": self.address}
        headers = _passed(asked.headers.raw_items())
        if not any(name.lower() == b"host" for name, _ in headers):  # HTTP/1.0 needs none
            headers.append((b"host", b"emt-api"))
        headers += [(name.encode(), value.encode()) for name, value in own.items()]
        headers += [(b"connection", b"close"), (b"content-length", str(len(body)).encode())]
        return h11.Request(method=method, target=target, headers=headers)

    def _tell(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self.send(data)

    def _refuse(self, status: int, why: str) -> None:
        """Answer what cannot be read, and close."""
        code, headers, body = _problem(status, why)
        with contextlib.suppress(h11.LocalProtocolError):
            self._tell(h11.Response(status_code=code, headers=[*headers, (b"connection", b"close")]))
            self._tell(h11.Data(data=body))
            self._tell(h11.EndOfMessage())
        self.close()


def _unfit(asked: h11.Request) -> tuple[int, str] | None:
    """Status and words for a head that is not gone into. h11 limits only heads that come in pieces."""
    names = [name for name, _ in asked.headers]
    if len(names) > _HEADERS or sum(len(n) + len(v) for n, v in asked.headers) + len(asked.target) > _HEAD:
        return 431, "head too large"
    if asked.http_version not in (b"1.0", b"1.1"):
        return 505, "HTTP/1.1 is spoken here"
    # RFC 9112 §6.1: "… ought to be handled as an error"; a front that reads it the other way sees two requests.
    if b"content-length" in names and b"transfer-encoding" in names:
        return 400, "length and chunks"
    if not asked.target.startswith((b"/", b"http://", b"https://", b"*")):  # CONNECT: this is no tunnel
        return 400, "malformed"
    return None


def _origin_form(target: str) -> str:
    """RFC 9112 §3.2.2: "… a server MUST accept the absolute-form in requests". Whose name it gives decides nothing."""
    for scheme in ("http://", "https://"):
        if target.startswith(scheme):
            _, slash, path = target.removeprefix(scheme).partition("/")
            return slash + path or "/"
    return target


def _passed(headers: Iterable[tuple[bytes, bytes]]) -> _Headers:
    """Headers that may pass on: none of this connection's own, none that only a front may set."""
    mine = PREFIX.encode()
    dropped = _HOP_BY_HOP | {b"content-length"}
    return [
        (name, value)
        for name, value in headers
        # Some web servers read "_" as "-": a name with it could become one of ours behind our back.
        if (lower := name.lower().replace(b"_", b"-")) not in dropped
        and (not lower.startswith(mine) or name.lower() == _VERSION)
    ]


async def _ask(path: str, request: h11.Request, body: bytes) -> tuple[int, _Headers, bytes]:
    """One exchange with the web process on a connection of its own."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        http = h11.Connection(h11.CLIENT)
        for event in (request, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(http.send(event) or b"")
        await writer.drain()
        return await _response(http, reader)
    finally:
        writer.close()


async def _response(http: h11.Connection, reader: asyncio.StreamReader) -> tuple[int, _Headers, bytes]:
    head: h11.Response | None = None
    body = bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > _ANSWER:
                raise h11.RemoteProtocolError("answer too long")
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = _passed(head.headers.raw_items())
            return head.status_code, [*headers, (b"content-length", str(len(body)).encode())], bytes(body)
        elif isinstance(event, h11.ConnectionClosed):
            raise h11.RemoteProtocolError("no answer")


def _problem(status: int, why: str, *, retry: int | None = None) -> tuple[int, _Headers, bytes]:
    """RFC 9457, for what the web process never sees."""
    body = json.dumps({"type": "about:blank", "status": status, "title": why}).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    return status, headers + ([(b"retry-after", str(retry).encode())] if retry is not None else []), body
