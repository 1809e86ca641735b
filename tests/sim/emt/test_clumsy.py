"""Hanging up after sending: the request has arrived, the caller does not know, and the key makes it once."""

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from torwart_client import TorwartClient

from torwart.sim.emt.clumsy import ClumsyTransport

pytestmark = pytest.mark.requirement("O-7")


@pytest.fixture
def counted() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A server that takes everything; the method and key of each request it got."""
    got: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            got.append(("POST", self.headers["idempotency-key"]))
            hook = {"id": "1", "url": "u", "active": True, "keys": [], "created_at": "2026-01-01T00:00:00Z"}
            self._answer({**hook, "pending": 0, "dead": 0})

        def do_GET(self) -> None:
            got.append(("GET", ""))
            self._answer({"items": []})

        def _answer(self, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    server.server_close()


def test_what_was_cut_has_arrived_and_is_sent_again_with_its_key(counted: tuple[str, list[tuple[str, str]]]) -> None:
    """Some calls are cut, each of them had been sent; calls without a key never are."""
    url, got = counted
    clumsy = ClumsyTransport(ssl.create_default_context(), 0.4, seed=1)
    with TorwartClient(url, transport=clumsy) as torwart:
        for number in range(20):
            torwart.add_webhook("https://emt.example", key=f"k-{number}")
            torwart.webhooks()

    posts = [key for method, key in got if method == "POST"]
    assert clumsy.cuts > 3
    assert len(posts) == 20 + clumsy.cuts
    assert len(set(posts)) == 20
    assert sum(method == "GET" for method, _ in got) == 20
