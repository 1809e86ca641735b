"""HTTP/1.1 as TR-03109-1 Anlage II (A2) §7 narrows it, both ends, without I/O: bytes in, messages out.

Rules of this module
1. Reading is done by h11; writing is ours (a request or response line, headers, body – nothing else exists here).
2. A parser lives only while a message is being received, so an idle connection costs a few hundred bytes.
3. A connection that refused once is over: ``closed`` is true and everything after is refused too.
4. Time is the caller's: it calls ``expire`` when the response timeout (§7.1.1) has passed.

A2 differs from RFC 9112 in places, all quoted below: no pipelining, Content-Length always, no Transfer-Encoding,
a response without Content-Length has no body, only HTTP/1.1.
"""

import re
from dataclasses import dataclass
from typing import Any, NoReturn

import h11

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.cosem import (
    HTTP_BODY_TOO_LARGE,
    HTTP_BUSY,
    HTTP_ENDED,
    HTTP_HEADER_TOO_LONG,
    HTTP_LENGTH_REQUIRED,
    HTTP_MALFORMED,
    HTTP_PIPELINING,
    HTTP_TIMEOUT,
    HTTP_UNFIT,
    HTTP_UNSOLICITED,
    HTTP_URI_TOO_LONG,
    HTTP_VERSION,
)
from torwart.wire.cosem.message import METHODS, STATUS, Request, Response, status_of
from torwart.wire.cosem.uri import MAX_URI

__all__ = ["ClientConnection", "Limits", "Request", "Response", "ServerConnection", "encode_request", "encode_response"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a received message may be, in bytes (``fields`` and ``interim``: counts).

    ``header_line`` A2 §7.3: "Die Länge einer Header-Field Zeile (incl. CR,LF) SOLL NICHT mehr als 255 Zeichen
    betragen"; ``head`` (all header lines) REQ.Webservice.HttpServer.180; ``uri`` A2 §7.1. ``body`` is ours: a month
    of load profile protected by CMS stays below 1 MiB; firmware goes in blocks. Node and nginx allow 8 to 16 KiB of
    head, Apache 100 fields.
    """

    uri: int = MAX_URI
    header_line: int = 255
    head: int = 8500
    fields: int = 64
    body: int = 1024 * 1024
    interim: int = 8


DEFAULT_LIMITS = Limits()

_Event = h11.Request | h11.Response | h11.InformationalResponse


def _check_head(event: _Event, limits: Limits) -> dict[str, str]:
    """The headers with lower-case names; equal names are joined by ", " (RFC 9110 §5.3)."""
    headers: dict[str, str] = {}
    total = 0
    for count, (raw_name, raw_value) in enumerate(event.headers.raw_items(), 1):
        line = len(raw_name) + len(raw_value) + 4  # colon, blank, CR, LF
        total += line
        if line > limits.header_line:
            raise HTTP_HEADER_TOO_LONG(what=raw_name[:40].decode("latin-1"), size=line, limit=limits.header_line)
        if total > limits.head or count > limits.fields:
            raise HTTP_HEADER_TOO_LONG(what="header", size=total, limit=limits.head)
        name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if event.http_version != b"1.1":
        raise HTTP_VERSION(version=event.http_version.decode("ascii"))
    # A2 Tabelle 12, 411: "Die Angabe von Content-Length ist verpflichtend"; §7.3.2.3 for responses.
    if "transfer-encoding" in headers:
        raise HTTP_LENGTH_REQUIRED()
    length = int(headers.get("content-length", "0"))  # h11 lets only one number through
    if length > limits.body:
        raise HTTP_BODY_TOO_LARGE(size=length, limit=limits.body)
    return headers


class _Reader:
    """One message being received."""

    __slots__ = ("_body", "_connection", "_head", "_interim", "_limits", "headers", "started")

    def __init__(self, limits: Limits, role: Any, request: bytes | None) -> None:
        # One more line than head and URI may fill, so that our own checks name the fault.
        self._connection = h11.Connection(role, max_incomplete_event_size=limits.uri + limits.head + 256)
        if request is not None:
            # h11 must know the request's method to know whether its response has a body.
            self._connection.send(h11.Request(method=request, target="/", headers=[("host", "x")]))
            self._connection.send(h11.EndOfMessage())
        self._limits = limits
        self._head: h11.Request | h11.Response | None = None
        self._body: list[bytes] = []
        self._interim = 0
        self.headers: dict[str, str] = {}
        self.started = False

    def feed(self, data: bytes) -> bool:
        """Take bytes; whether the message is complete. Refuses what breaks syntax or limits."""
        self.started = self.started or bool(data)
        try:
            self._connection.receive_data(data)
            return self._advance()
        except h11.RemoteProtocolError as error:
            self._explain(error)

    def _explain(self, error: h11.RemoteProtocolError) -> NoReturn:
        if error.error_status_hint == 431:
            buffered = self._connection.trailing_data[0]
            line = buffered.find(b"\n")
            if (
                self._head is None
                and self._connection.our_role is h11.SERVER
                and not 0 <= line <= self._limits.uri + 32
            ):
                raise HTTP_URI_TOO_LONG(size=len(buffered), limit=self._limits.uri) from error
            raise HTTP_HEADER_TOO_LONG(what="header", size=len(buffered), limit=self._limits.head) from error
        if error.error_status_hint == 501:  # h11 knows chunked only and says so
            raise HTTP_LENGTH_REQUIRED() from error
        raise HTTP_MALFORMED(why=str(error)[:200]) from error

    def _advance(self) -> bool:
        while True:
            event = self._connection.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return False
            if isinstance(event, h11.InformationalResponse):
                self._interim += 1
                _check_head(event, self._limits)
                if self._interim > self._limits.interim:
                    raise HTTP_MALFORMED(why="too many interim responses")
            elif isinstance(event, h11.Request | h11.Response):
                if isinstance(event, h11.Request) and len(event.target) > self._limits.uri:
                    raise HTTP_URI_TOO_LONG(size=len(event.target), limit=self._limits.uri)
                self.headers = _check_head(event, self._limits)
                self._head = event
                if isinstance(event, h11.Response) and "content-length" not in self.headers:
                    return True  # A2 §7.3.2.3: "Fehlt der Content-Length Header wird ein leerer Body angenommen"
            elif isinstance(event, h11.Data):
                self._body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                return True
            else:
                raise HTTP_MALFORMED(why="the peer closed")

    @property
    def surplus(self) -> bool:
        """Whether bytes follow the complete message."""
        return bool(self._connection.trailing_data[0])

    def request(self) -> Request:
        assert isinstance(self._head, h11.Request)
        method, target = self._head.method.decode("ascii"), self._head.target.decode("ascii")
        return Request(method, target, self.headers, b"".join(self._body))

    def response(self) -> Response:
        assert isinstance(self._head, h11.Response)
        return Response(self._head.status_code, self.headers, b"".join(self._body))


_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(r"/[!-~]*")


def _lines(headers: dict[str, str], limits: Limits) -> str:
    lines = []
    for name, value in headers.items():
        line = f"{name}: {value}"
        if len(line) + 2 > limits.header_line or not _FIELD.fullmatch(line):
            raise HTTP_UNFIT(why=f"header {name[:40]} is longer than {limits.header_line} or holds control characters")
        lines.append(line + "\r\n")
    return "".join(lines)


def _without(headers: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}


def encode_request(request: Request, host: str, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The bytes of a request; Host (unless given) and Content-Length are added: both are M in A2 Tabelle 7."""
    if request.method not in METHODS:
        raise HTTP_UNFIT(why=f"method {request.method[:20]}")
    if len(request.target) > limits.uri or not _TARGET.fullmatch(request.target):
        raise HTTP_UNFIT(why=f"request URI of {len(request.target)} characters, or not a path of visible ASCII")
    headers = {"Host": request.header("host") or host, **_without(dict(request.headers), "host", "content-length")}
    headers["Content-Length"] = str(len(request.body))
    head = f"{request.method} {request.target} HTTP/1.1\r\n{_lines(headers, limits)}\r\n"
    return head.encode("latin-1") + request.body


def encode_response(response: Response, *, close: bool = False, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The bytes of a response. 204 has neither body nor Content-Length ("Der Content-Length Header fehlt")."""
    headers = _without(dict(response.headers), "content-length", "connection")
    if response.status != 204:
        headers["Content-Length"] = str(len(response.body))
    elif response.body:
        raise HTTP_UNFIT(why="204 with a body")
    if close:
        headers["Connection"] = "close"
    head = f"HTTP/1.1 {response.status} {STATUS.get(response.status, '')}\r\n{_lines(headers, limits)}\r\n"
    return head.encode("latin-1") + response.body


class ClientConnection:
    """The HTTP client's end: ``send`` a request, ``receive`` until its response is there, then the next.

    ``host``: the server's canonical name, for the Host header. ``closed`` once the session must end.
    """

    __slots__ = ("_host", "_limits", "_pending", "_reader", "closed")

    def __init__(self, host: str, limits: Limits = DEFAULT_LIMITS) -> None:
        self._host = host
        self._limits = limits
        self._pending: Request | None = None
        self._reader: _Reader | None = None
        self.closed = False

    @property
    def pending(self) -> Request | None:
        """The request that waits for its response."""
        return self._pending

    def send(self, request: Request) -> bytes:
        """The bytes to transmit. Refuses ``http.busy`` ("bevor ein neuer Request … gesendet wird muss eine Response
        vorliegen", §7.1), ``http.ended`` on a closed session and ``http.unfit`` what must not be sent.
        """
        if self.closed:
            raise HTTP_ENDED(where="before the request")
        if self._pending is not None:
            raise HTTP_BUSY()
        data = encode_request(request, self._host, self._limits)
        self._pending = request
        return data

    def receive(self, data: bytes) -> Response | None:
        """Take received bytes (``b""``: the transport ended); the response once it is complete.

        Refuses ``http.unsolicited`` bytes nobody asked for, ``http.ended`` when the transport ends in an exchange
        (for a POST "MÜSSEN [Abbrüche] der Anwendung mitgeteilt werden", §7.12) and every breach of syntax or limits.
        """
        if self._pending is None or self.closed:
            was_open, self.closed = not self.closed, True
            if data and was_open:
                raise HTTP_UNSOLICITED()
            if data:
                raise HTTP_ENDED(where="after its end")
            return None
        try:
            return self._read(data)
        except Refusal:
            self.closed = True
            self._reader = None
            raise

    def _read(self, data: bytes) -> Response | None:
        assert self._pending is not None
        if self._reader is None:
            self._reader = _Reader(self._limits, h11.CLIENT, self._pending.method.encode())
        if not data:
            raise HTTP_ENDED(where="in the response" if self._reader.started else "before the response")
        if not self._reader.feed(data):
            return None
        response = self._reader.response()
        if self._reader.surplus:
            raise HTTP_UNSOLICITED()
        self.closed = response.header("connection").lower() == "close"
        self._pending = self._reader = None
        return response

    def expire(self) -> Refusal:
        """The response timeout has passed: the session ends ("SOLL die HTTP-Session … getrennt werden", §7.1.1)."""
        self.closed = True
        self._pending = self._reader = None
        return HTTP_TIMEOUT()


class ServerConnection:
    """The HTTP server's end: ``receive`` until a request is there, then ``send`` its response.

    When ``receive`` refuses, transmit ``refuse(refusal)`` and close.
    """

    __slots__ = ("_close_after", "_limits", "_reader", "busy", "closed")

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._reader: _Reader | None = None
        self._close_after = False
        self.busy = False
        self.closed = False

    @property
    def receiving(self) -> bool:
        """Whether a request has begun but is not complete (a slow peer can be timed by it)."""
        return self._reader is not None

    def receive(self, data: bytes) -> Request | None:
        """Take received bytes (``b""``: the transport ended); the request once it is complete.

        Refuses ``http.pipelining`` bytes that arrive before the response is sent, ``http.ended`` a transport that
        ends within a request, and every breach of syntax or limits.
        """
        if self.closed:
            if data:
                raise HTTP_ENDED(where="after its end")
            return None
        try:
            return self._read(data)
        except Refusal:
            self.closed = True
            self._reader = None
            raise

    def _read(self, data: bytes) -> Request | None:
        if not data:
            self.closed = True
            if self._reader is not None:
                raise HTTP_ENDED(where="in the request")
            return None
        if self.busy:
            raise HTTP_PIPELINING()
        if self._reader is None:
            self._reader = _Reader(self._limits, h11.SERVER, None)
        if not self._reader.feed(data):
            return None
        if self._reader.surplus:
            raise HTTP_PIPELINING()
        request = self._reader.request()
        self._reader = None
        self.busy = True
        self._close_after = request.header("connection").lower() == "close"
        return request

    def send(self, response: Response) -> bytes:
        """The bytes of the response to the request in hand ("Eine Response ohne Request ist nicht möglich", §7.1)."""
        if not self.busy:
            raise HTTP_UNFIT(why="a response without request")
        data = encode_response(response, close=self._close_after, limits=self._limits)
        self.busy = False
        self.closed = self.closed or self._close_after
        return data

    def refuse(self, refusal: Refusal) -> bytes:
        """The bytes of the error response to a request that could not be read; the connection is closed after.

        ``b""`` when nobody is there to read it.
        """
        was_busy, self.busy, self.closed = self.busy, False, True
        if refusal.kind is HTTP_ENDED or was_busy:
            return b""
        return encode_response(Response(status_of(refusal)), close=True, limits=self._limits)
