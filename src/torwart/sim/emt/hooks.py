"""Where a client's own system takes webhooks: a small HTTP server that believes nothing without its signature."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, RLock, Thread
from typing import Any, NamedTuple

from torwart_client import BadSignature, WebhookVerifier

_LARGEST = 1024 * 1024


class Hook(NamedTuple):
    """One call as it came. ``answered``: the status it got."""

    headers: dict[str, str]
    body: bytes
    answered: int

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class HookServer:
    """Serves between ``start`` and ``stop``; ``got``: all that came, ``forged`` whose signature does not hold.

    ``behave(number)`` chooses the status for the ``number``-th call that is genuine (204: taken). Until keys are known
    nothing is verified.
    """

    def __init__(self, behave: Callable[[int], int] = lambda number: 204) -> None:
        self.got: list[Hook] = []
        self.forged: list[Hook] = []
        self.behave = behave
        self._verifier: WebhookVerifier | None = None
        self._quiet, self._count = RLock(), Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 30

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 – its name upstream
                """Say nothing."""

            def do_POST(self) -> None:
                server._answer(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self._server.server_port}/hook"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="webhooks", daemon=True)

    def start(self) -> "HookServer":
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    @contextmanager
    def registering(self) -> Iterator[None]:
        """Hold calls back meanwhile: the first may come before the answer that tells the keys."""
        with self._quiet:
            yield

    def know(self, keys: Iterable[str]) -> None:
        """From now on only what one of these public keys (``whpk_…``) has signed is believed."""
        self._verifier = WebhookVerifier(keys)

    def taken(self) -> list[dict[str, Any]]:
        """The events that were answered with 2xx, each once, in the order they came."""
        found = (hook.event for hook in list(self.got) if hook.answered < 300)
        return list({event["id"]: event for event in found}.values())

    def events(self, subject: str = "") -> list[dict[str, Any]]:
        """All that came, repeats too; of one order only, if named."""
        return [hook.event for hook in list(self.got) if not subject or hook.event["subject"] == subject]

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        length = request.headers.get("content-length", "")
        body = request.rfile.read(min(int(length), _LARGEST)) if length.isdigit() else b""
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._quiet:
            pass
        genuine = self._genuine(headers, body)
        with self._count:
            status = self.behave(len(self.got)) if genuine else 401
            (self.got if genuine else self.forged).append(Hook(headers, body, status))
        request.send_response(status)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _genuine(self, headers: dict[str, str], body: bytes) -> bool:
        if self._verifier is None:
            return True
        try:
            self._verifier.verify(headers, body)
        except BadSignature:
            return False
        return True
