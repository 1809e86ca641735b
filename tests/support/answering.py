"""A server that plays written answers to ``torwart-client`` and remembers what it was asked; over TLS where told."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OPERATION = {
    "id": "A-123456782",
    "process": "wake-up",
    "state": "submitted",
    "state_since": "2026-11-23T08:00:00Z",
    "submitted_at": "2026-11-23T08:00:00.123456Z",
    "planned": False,
    "requested_at": None,
    "due": {"at": "2026-11-24T09:00:00+01:00", "why": "…"},
    "subject": "EPPC0200000001",
    "reference": "",
    "ticket": "T-123456782",
    "waiting_for": "",
    "step": "",
    "allowed_actions": ["withdraw", "cancel"],
    "proposed_times": [],
    "result": [{"label": {"de": "Verbunden", "en": "Connected"}, "value": "12 ms"}],
    "refusal": None,
    "links": {"self": "/v1/operations/A-123456782", "history": "…", "ticket": "…"},
    "added_later": "is left out",
}
Script = tuple[int, dict[str, str], Any]


@dataclass
class Server:
    """Plays answers one after the other; ``None``: the connection is cut. Remembers method, path, key and body."""

    url: str = ""
    script: list[Script | None] = field(default_factory=list)
    asked: list[tuple[str, str, str, Any]] = field(default_factory=list)


@contextmanager
def answering(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server on loopback, as long as it is needed."""
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None: ...

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            made.asked.append(
                (self.command, self.path, self.headers.get("Idempotency-Key", ""), json.loads(body or b"null"))
            )
            answer = made.script.pop(0)
            if answer is None:
                self.close_connection = True
                self.connection.close()
                return
            status, headers, document = answer
            sent = json.dumps(document).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(sent))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    made.url = f"{'https' if tls else 'http'}://127.0.0.1:{http.server_port}"
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield made
    finally:
        http.shutdown()
        http.server_close()


def mutual(chain: Any, key: Any, root: Any) -> ssl.SSLContext:
    """TLS 1.2 of a server that shows these files and takes only callers of that root."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ecdh_curve("brainpoolP256r1")
    context.load_cert_chain(chain, key)
    context.load_verify_locations(root)
    context.verify_mode = ssl.CERT_REQUIRED
    return context
