"""A market partner that speaks the BDEW dialect: orders in it, and is answered by calls to a server of its own.

It judges our calls by the published schemas alone, with code of its own: ids as UUIDs, a new one for each attempt,
times in UTC, a reference to what it has ordered. What does not fit it answers with 400 and keeps in ``complaints``.
"""

import http.client
import json
import re
import ssl
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,4})?Z", re.ASCII)
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Call:
    """A call made to the partner. ``key``: what it goes by over all attempts; ``reference``: what it answers."""

    path: str
    headers: Mapping[str, str]
    body: Any
    transaction: str
    key: str
    reference: str

    @property
    def answer(self) -> str:
        """``preliminaryResultPositive`` and its like."""
        return self.path.split("/")[-2]


@dataclass(frozen=True, slots=True)
class Sent:
    """A call the partner has made. ``first``: the transaction of its first attempt; ``problem``: why it was not taken.

    ``request`` and ``response``: their heads (and the request's body) as they went over the wire.
    """

    status: int
    first: str
    problem: Any
    request: str
    response: str


@dataclass
class Partner:
    """``start()``, then it can be called at ``url``; ``stop()`` and ``start()`` again at the same port.

    ``tls``: its server's side of TLS, plain HTTP without. ``answers``: statuses for the next calls, then 202.
    """

    tls: ssl.SSLContext | None = None
    answers: list[int] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    """Every attempt that was well formed, in the order of arrival."""
    complaints: list[str] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None
    _port: int = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://localhost:{self._port}/api"

    def start(self) -> "Partner":
        partner = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None: ...

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(partner.receive(self.path, headers, body))
                self.send_header("Content-Length", "0")
                self.end_headers()

        server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        if self.tls is not None:
            server.socket = self.tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self._server, self._port = server, server.server_port
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": _POLL}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Nobody is there any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    # --- being called ---

    def told(self, first: str) -> list[Call]:
        """What was answered to the order of this first transaction, each answer once, in order."""
        mine = [call for call in list(self.calls) if call.reference == first]
        return list({call.key: call for call in reversed(mine)}.values())[::-1]

    def receive(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """Keep a call; the status to answer it with."""
        wrong = _wrong(headers, {call.transaction for call in self.calls})
        if wrong:
            self.complaints.append(f"{path}: {wrong}")
            return 400
        transaction = headers["transactionid"]
        key = headers.get("initialtransactionid", transaction)
        self.calls.append(Call(path, headers, json.loads(body), transaction, key, headers.get("referenceid", "")))
        return self.answers.pop(0) if self.answers else 202

    # --- calling ---

    def order(
        self,
        address: tuple[str, int],
        tls: ssl.SSLContext,
        process: str,
        body: Mapping[str, Any],
        *,
        first: str = "",
        lose: bool = False,
    ) -> Sent:
        """One attempt to order; ``first``: the one it repeats; ``lose``: the connection breaks before the answer."""
        transaction = str(uuid.uuid4())
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        headers = {"transactionId": transaction, "creationDateTime": now, "Content-Type": "application/json"}
        if first:
            headers["initialTransactionId"] = first
        connection = http.client.HTTPSConnection(*address, context=tls, timeout=60)
        path, content = f"/bdew/v1/{process}", json.dumps(body, ensure_ascii=False).encode()
        try:
            connection.request("POST", path, content, headers)
            if lose:
                return Sent(0, first or transaction, None, "", "")
            response = connection.getresponse()
            read = response.read()
        finally:
            connection.close()
        asked = "\n".join((f"POST {path} HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items()), "", content.decode()))
        told = "\n".join(
            (f"HTTP/1.1 {response.status} {response.reason}", *(f"{n}: {v}" for n, v in response.getheaders()))
        )
        return Sent(response.status, first or transaction, json.loads(read) if read else None, asked, told)


def _wrong(headers: Mapping[str, str], known: set[str]) -> str:
    """What of a call's headers is not as published; nothing if all is right."""
    for name in ("transactionid", "initialtransactionid", "referenceid"):
        if name == "transactionid" or name in headers:
            try:
                if str(uuid.UUID(headers.get(name, ""))) != headers[name].lower():
                    return f"{name} is no UUID as RFC 4122 writes it"
            except ValueError:
                return f"{name} is no UUID"
    if headers["transactionid"] in known:
        return "transactionId is not new"
    if not _TIME.fullmatch(headers.get("creationdatetime", "")):
        return "creationDateTime is not UTC as published"
    return ""
