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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.db import Error, close_old_connections

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.webhook import WEBHOOK_ADDRESS, WEBHOOK_UNREACHABLE
from torwart.rules import webhook as rules
from torwart.rules.bdew import reason_negative
from torwart.services import present
from torwart.services import webhook as webhooks
from torwart.services.webhook import Due
from torwart.wire import bdew
from torwart.wire import webhook as signing
from torwart.wire.certificate import Role, Use, identify, load_certificate

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
    """HTTP to an address already looked up, in TLS to the name unless ``plain``; to ``partner`` if one is named."""

    def __init__(
        self, host: str, port: int, addresses: Sequence[str], *, plain: bool, trust: ssl.SSLContext, partner: str
    ) -> None:
        super().__init__(host, port, timeout=SECONDS)
        self._addresses, self._plain, self._trust, self._partner = addresses, plain, trust, partner
        self._held: socket.socket | None = None

    def connect(self) -> None:
        self.sock = self._reached()
        if not self._plain:
            self.sock = self._trust.wrap_socket(self.sock, server_hostname=self.host)
            self._require_partner(self.sock.getpeercert(binary_form=True))
        self._held = self.sock

    def _require_partner(self, shown: bytes | None) -> None:
        """Nothing is said to anybody else of the SM-PKI than the partner himself."""
        if not self._partner:
            return
        who = identify(load_certificate(shown or b""))
        if (who.role, who.use, who.common_name) != (Role.EMT, Use.TLS, self._partner):
            raise ssl.SSLError(f"the certificate is not that of {self._partner}")

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


def partner_tls(chain: Path, key: Path, trust: Path) -> ssl.SSLContext:
    """Mutual TLS with market partners: TLS 1.2 with brainpoolP256r1, certificates of the SM-PKI on both sides
    (EDI@Energy, Regelungen zum Übertragungsweg für API-Webdienste). Its certificates name parties
    and not hosts, so whom we have reached is asked of the name in the certificate (``WebhookCaller.post``).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ecdh_curve("brainpoolP256r1")
    context.check_hostname = False
    context.load_cert_chain(chain, key)
    context.load_verify_locations(trust)
    return context


class WebhookCaller:
    """``hosts``: what the installation allows by name; ``trust``: TLS trust, by default the system's."""

    def __init__(self, hosts: Sequence[str] = (), trust: ssl.SSLContext | None = None) -> None:
        self._hosts = [host.lower() for host in hosts]
        self._trust = trust or ssl.create_default_context()
        self._trust.minimum_version = ssl.TLSVersion.TLSv1_2

    def post(self, url: str, body: bytes, headers: dict[str, str], *, partner: str = "") -> Told:
        """One POST; whatever happens is an answer, never an exception. ``partner``: the CN of the EMT TLS certificate
        whoever answers over TLS must show.
        """
        began = time.monotonic()
        try:
            status, answer = self._post(url, body, headers, partner)
            why = ""
        except Refusal as refusal:
            status, answer, why = None, "", f"{refusal.code}: {refusal.text('de')}"
        except (OSError, http.client.HTTPException, ValueError) as error:
            host = urlsplit(url).hostname or "?"
            unreached = WEBHOOK_UNREACHABLE(host=host, why=str(error)[:200] or type(error).__name__)
            status, answer, why = None, "", unreached.text("de")
        return Told(status, why, answer, round((time.monotonic() - began) * 1000))

    def _post(self, url: str, body: bytes, headers: dict[str, str], partner: str) -> tuple[int, str]:
        host, port = rules.check_url(url, hosts=self._hosts)
        addresses = self._resolve(host, port)
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = _Connection(
            host, port, addresses, plain=parts.scheme == "http", trust=self._trust, partner=partner
        )
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
    ``partners``: calls those who speak the BDEW dialect, over mutual TLS; without it they are called like the others.
    """

    def __init__(
        self,
        caller: WebhookCaller,
        secret: bytes,
        source: str,
        *,
        partners: WebhookCaller | None = None,
        threads: int = 8,
    ) -> None:
        self._caller, self._secret, self._source = caller, secret, source
        self._partners = partners
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
        if due.dialect == "bdew":
            url, said, more = answer(due, present.real())
        else:
            url, said, more = due.url, envelope(due, self._source), {"content-type": _CLOUD_EVENT}
        body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        keys = [signing.private_key(self._secret, due.webhook, key) for key in due.keys]
        headers = {
            **signing.headers(due.event, int(present.real().timestamp()), body, keys),
            **more,
            "user-agent": "Torwart",
        }
        if self._partners is not None and due.partner:
            told = self._partners.post(url, body, headers, partner=due.partner)
        else:
            told = self._caller.post(url, body, headers)
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


_CLOUD_EVENT = "application/cloudevents+json; charset=utf-8"


def answer(due: Due, now: datetime) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Where an answer in the BDEW dialect goes, its body and headers: ``<address>/<process>/<answer>/v1``.

    A test, which answers nothing, goes to ``<address>/test/v1`` without a ``referenceId``.
    """
    data = json.loads(due.data)
    headers = bdew.calling(due.event, due.initial, repeat=due.repeat, now=now) | {"content-type": "application/json"}
    if due.initial is None:
        return _below(due.url, "test/v1"), {}, headers
    refusal = data.get("refusal", {})
    said = bdew.answer(due.type, data, reason_negative(refusal.get("side", ""), refusal.get("retry", "")))
    return _below(due.url, f"{due.process.replace('_', '-')}/{bdew.ANSWERS[due.type]}/v1"), said, headers


def _below(url: str, path: str) -> str:
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{path}").geturl()


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
