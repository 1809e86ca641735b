"""Calling webhooks: only addresses that have been checked, no redirects, little patience, signed.

The name is resolved once, all its addresses are judged (``rules.webhook``), and the connection goes to one of those:
between check and use nobody can put another address under the name.
"""

import contextlib
import http.client
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import urlsplit

from django.db import Error, close_old_connections

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.webhook import WEBHOOK_ADDRESS, WEBHOOK_UNREACHABLE
from torwart.rules import webhook as rules
from torwart.services import present
from torwart.services import webhook as webhooks
from torwart.services.webhook import Due
from torwart.wire import webhook as signing

_log = logging.getLogger("torwart.webhook")
SECONDS = 10.0
_READ = 4096


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a call: a status and the beginning of its answer, or why there was none."""

    status: int | None
    why: str
    answer: str
    milliseconds: int


class _Connection(http.client.HTTPConnection):
    """HTTP to an address already looked up, in TLS to the name unless ``plain``."""

    def __init__(self, host: str, port: int, addresses: Sequence[str], *, plain: bool, trust: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=SECONDS)
        self._addresses, self._plain, self._trust = addresses, plain, trust
        self._held: socket.socket | None = None

    def connect(self) -> None:
        self.sock = self._reached()
        if not self._plain:
            self.sock = self._trust.wrap_socket(self.sock, server_hostname=self.host)
        self._held = self.sock

    def cut(self) -> None:
        """End it under whoever reads from it: closing alone would leave a reader waiting, and the response may have
        taken the socket over.
        """
        if self._held is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._held, socket.SHUT_RDWR)

    def _reached(self) -> socket.socket:
        """The first of the addresses that answers."""
        *others, last = self._addresses
        for address in others:
            with contextlib.suppress(OSError):
                return socket.create_connection((address, self.port), SECONDS)
        return socket.create_connection((last, self.port), SECONDS)


class WebhookCaller:
    """``hosts``: what the installation allows by name; ``trust``: TLS trust, by default the system's."""

    def __init__(self, hosts: Sequence[str] = (), trust: ssl.SSLContext | None = None) -> None:
        self._hosts = [host.lower() for host in hosts]
        self._trust = trust or ssl.create_default_context()
        self._trust.minimum_version = ssl.TLSVersion.TLSv1_2

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Told:
        """One POST; whatever happens is an answer, never an exception."""
        began = time.monotonic()
        try:
            status, answer = self._post(url, body, headers)
            why = ""
        except Refusal as refusal:
            status, answer, why = None, "", f"{refusal.code}: {refusal.text('de')}"
        except (OSError, http.client.HTTPException, ValueError) as error:
            host = urlsplit(url).hostname or "?"
            unreached = WEBHOOK_UNREACHABLE(host=host, why=str(error)[:200] or type(error).__name__)
            status, answer, why = None, "", unreached.text("de")
        return Told(status, why, answer, round((time.monotonic() - began) * 1000))

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        host, port = rules.check_url(url, hosts=self._hosts)
        addresses = self._resolve(host, port)
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = _Connection(host, port, addresses, plain=parts.scheme == "http", trust=self._trust)
        # One watch over the whole call: a receiver that trickles its answer must not hold a sender for long.
        watch = threading.Timer(SECONDS * 2, connection.cut)
        watch.daemon = True
        watch.start()
        try:
            connection.request("POST", target, body, headers)
            response = connection.getresponse()  # redirects are answers like any other: not followed
            return response.status, response.read(_READ).decode("utf-8", "replace")
        finally:
            watch.cancel()
            connection.close()

    def _resolve(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise WEBHOOK_ADDRESS(host=host) from None
        addresses = [str(each[4][0]) for each in found]
        return addresses if rules.allowed(host, port, self._hosts) else rules.check_addresses(host, addresses)


class WebhookSender:
    """Delivers what is due, ``threads`` at a time, until ``stop``. Several senders share the work.

    No endpoint has more than a quarter of the threads, so that one that answers slowly holds up nobody else (P-1).
    """

    def __init__(self, caller: WebhookCaller, secret: bytes, source: str, *, threads: int = 8) -> None:
        self._caller, self._secret, self._source = caller, secret, source
        self._threads = threads
        self._ended = threading.Event()

    def work(self, *, pause: float = 1.0, until_idle: bool = False) -> None:
        """Claim and deliver as soon as a thread is free; looks again after ``pause`` seconds when nothing is due.

        Whatever fails is logged and tried again: what was claimed comes back by itself.
        """
        under_way: dict[Future[Told], str] = {}
        with ThreadPoolExecutor(self._threads, "webhook") as pool:
            while not self._ended.is_set():
                found = self._claim(list(under_way.values()))
                under_way |= {pool.submit(self.deliver, due): due.webhook for due in found}
                if not under_way:
                    if until_idle:
                        return
                    self._ended.wait(pause)
                    continue
                done, _ = wait(under_way, timeout=pause, return_when=FIRST_COMPLETED)
                for each in done:
                    del under_way[each]
                    if (error := each.exception()) is not None:
                        _log.error("a delivery failed", exc_info=error)

    def _claim(self, under_way: Sequence[str]) -> list[Due]:
        """What may go now, as much as there are free threads."""
        free, each = self._threads - len(under_way), max(1, self._threads // 4)
        if not free:
            return []
        try:
            return webhooks.due(present.now(), free, each=each, under_way=under_way)
        except Error:
            _log.exception("webhooks cannot be read; trying again")
            close_old_connections()
            return []

    def stop(self) -> None:
        self._ended.set()

    def deliver(self, due: Due) -> Told:
        """One attempt, and its result written down."""
        body = json.dumps(envelope(due, self._source), ensure_ascii=False, separators=(",", ":")).encode()
        keys = [signing.private_key(self._secret, due.webhook, key) for key in due.keys]
        headers = signing.headers(due.event, int(present.real().timestamp()), body, keys)
        headers |= {"content-type": "application/cloudevents+json; charset=utf-8", "user-agent": "Torwart"}
        told = self._caller.post(due.url, body, headers)
        try:
            webhooks.told(
                due.delivery,
                status=told.status,
                why=told.why,
                answer=told.answer,
                milliseconds=told.milliseconds,
                now=present.now(),
            )
        finally:
            close_old_connections()
        return told


def envelope(due: Due, source: str) -> dict[str, Any]:
    """A CloudEvent (1.0, JSON format)."""
    return {
        "specversion": "1.0",
        "id": due.event,
        "source": source,
        "type": due.type,
        "subject": due.subject,
        "time": due.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),  # as in the feed
        "datacontenttype": "application/json",
        "data": json.loads(due.data),
    }
