"""A connection that is hung up as soon as the request has gone out: the caller never learns what became of it."""

import random
import ssl
from threading import Lock
from typing import Any

import httpx

_SENT = "http11.send_request_body.complete"


class ClumsyTransport(httpx.HTTPTransport):
    """Hangs up after sending for this ``share`` of the calls that carry an Idempotency-Key. ``cuts``: how often."""

    def __init__(self, tls: ssl.SSLContext, share: float, seed: int) -> None:
        super().__init__(verify=tls, limits=httpx.Limits(max_connections=100))
        self.cuts = 0
        self._share, self._chance, self._lock = share, random.Random(seed), Lock()  # noqa: S311 – not a secret

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "idempotency-key" in request.headers and self._now():
            request.extensions = {**request.extensions, "trace": self._cut}
        return super().handle_request(request)

    def _now(self) -> bool:
        with self._lock:
            return self._chance.random() < self._share

    def _cut(self, event: str, details: Any) -> None:
        if event == _SENT:
            with self._lock:
                self.cuts += 1
            raise httpx.ReadError("hung up on purpose")
