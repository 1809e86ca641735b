"""Communication profiles: whom the gateway calls for what, whom it obeys, and what wakes it (spec/04 §1.1, §1.7).

Ports are always given: no standard at hand fixes one (spec/04 §1.1). Certificates are DER; several TLS certificates
of one peer let an exchange happen without a gap.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from torwart.wire.cms import Suite
from torwart.wire.profiles.base import Profile, ProfileKind

MAX_SESSION = 48 * 3600
"""Seconds; TR-03116-3 §4.1.2: a TLS session, resumptions included, lasts at most 48 hours."""


class Scenario(StrEnum):
    """WAN communication scenarios (A2 §4.4; NTP in TLS: Detailspezifikationen ch. 14)."""

    MANAGEMENT = "MANAGEMENT"
    ADMIN_SERVICE = "ADMIN-SERVICE"
    INFO_REPORT = "INFO-REPORT"
    NTP_TLS = "NTP-TLS"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of a peer: host name or IP literal, and port."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is called. ``addresses`` in order of preference; ``sni``: server_name to send, if any.

    ``tls_certificates``: any of these is the peer. ``signature_certificate`` and ``encryption_certificate`` belong to
    the final recipient of content (for an EMT: itself, also when a relay takes the connection).
    """

    addresses: tuple[Endpoint, ...]
    tls_certificates: tuple[bytes, ...]
    signature_certificate: bytes | None = None
    encryption_certificate: bytes | None = None
    sni: str | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to act: every ``period`` seconds counted from local midnight plus ``offset``, delayed by a random part of
    ``spread`` so that a fleet does not call at one instant.
    """

    period: int
    offset: int = 0
    spread: int = 0


@dataclass(frozen=True, slots=True)
class Retry:
    """After a failure: pauses in seconds from ``first`` doubling to ``longest``, ``attempts`` times (0: for ever)."""

    first: int = 2
    longest: int = 900
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class CommunicationProfile(Profile):
    """One scenario with one peer. ``id`` of the administrator's own: management, admin-service, ntp; of an EMT any."""

    kind: ClassVar[ProfileKind] = ProfileKind.COMMUNICATION
    root: ClassVar[str] = "communicationProfile"

    id: str
    scenario: Scenario
    peer: Peer
    suite: Suite = Suite.GCM
    session_limit: int = MAX_SESSION
    response_timeout: int = 20
    contact: str | None = None
    """URI of the method that takes what is told: for ADMIN-SERVICE late results (A2 §7.5), for INFO-REPORT readings."""
    schedule: Schedule | None = None
    retry: Retry = field(default_factory=Retry)

    @property
    def logical_name(self) -> str:
        return SCENARIO_NAMES[self.scenario]

    def __post_init__(self) -> None:
        self.check_id()
        self._check_peer()
        if not 60 <= self.session_limit <= MAX_SESSION:
            self.refuse("session_limit", f"60 to {MAX_SESSION} seconds (TR-03116-3 §4.1.2: at most 48 hours)")
        if not 1 <= self.response_timeout <= 600:
            self.refuse("response_timeout", "1 to 600 seconds")
        if self.contact is not None:
            self.check_texts("contact")
        if self.schedule is not None:
            self._check_schedule(self.schedule)
        if not (1 <= self.retry.first <= self.retry.longest <= 86400 and 0 <= self.retry.attempts <= 1000):
            self.refuse("retry", "pauses of 1 to 86400 seconds, the first not the longest; 0 to 1000 attempts")

    def _check_peer(self) -> None:
        if not 1 <= len(self.peer.addresses) <= 8:
            self.refuse("peer.addresses", "one to eight addresses are needed")
        for endpoint in self.peer.addresses:
            if not 1 <= endpoint.port <= 65535:
                self.refuse("peer.addresses", f"port {endpoint.port}")
            if not is_host(endpoint.host):
                self.refuse("peer.addresses", f"host {endpoint.host[:60]!r}")
        if self.peer.sni is not None and not is_host(self.peer.sni):
            self.refuse("peer.sni", f"{self.peer.sni[:60]!r} is no host name")
        if not 1 <= len(self.peer.tls_certificates) <= 4 or not all(self.peer.tls_certificates):
            self.refuse("peer.tls_certificates", "one to four certificates are needed")
        # Content goes protected everywhere except in NTP, which has none (Detailspezifikationen ch. 14).
        content = (self.peer.signature_certificate, self.peer.encryption_certificate)
        if self.scenario is not Scenario.NTP_TLS and not all(content):
            self.refuse("peer", "signature and encryption certificate are needed")

    def _check_schedule(self, schedule: Schedule) -> None:
        if not 60 <= schedule.period <= 31 * 86400:
            self.refuse("schedule.period", "60 seconds to 31 days")
        if not (0 <= schedule.offset < schedule.period and 0 <= schedule.spread < schedule.period):
            self.refuse("schedule", "offset and spread lie within the period")


SCENARIO_NAMES = {
    Scenario.MANAGEMENT: "01005e318041",
    Scenario.ADMIN_SERVICE: "01005e318042",
    Scenario.INFO_REPORT: "01005e318043",
    Scenario.NTP_TLS: "01005e318044",
}
"""Ours, in the neighbourhood of the contract and consumer names real gateways use (01005e3180xx)."""


def is_host(text: str) -> bool:
    """A host name or IP literal: visible ASCII without separators of an URI, 1–253 characters."""
    allowed = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.:[]"
    return 1 <= len(text) <= 253 and not text.strip(allowed) and all(character in allowed for character in text)


@dataclass(frozen=True, slots=True)
class AdministratorProfile(Profile):
    """Whom the gateway obeys: the GWA's certificates and the SM-PKI it believes in (``trust``: root and Sub-CAs, DER).

    ``report_level``: events from this level on are pushed (A2 §7.4: "konfigurierbare Meldeschwelle").
    """

    kind: ClassVar[ProfileKind] = ProfileKind.ADMINISTRATOR
    root: ClassVar[str] = "administratorProfile"
    logical_name: ClassVar[str] = "01005e318040"

    id: str
    name: str
    tls_certificates: tuple[bytes, ...]
    signature_certificate: bytes
    encryption_certificate: bytes
    trust: tuple[bytes, ...]
    report_level: str = "WARNING"

    def __post_init__(self) -> None:
        self.check_id()
        self.check_texts("name")
        if not 1 <= len(self.tls_certificates) <= 4:
            self.refuse("tls_certificates", "one to four certificates are needed")
        if not 1 <= len(self.trust) <= 16:
            self.refuse("trust", "one to sixteen CA certificates are needed")
        if not all((*self.tls_certificates, self.signature_certificate, self.encryption_certificate, *self.trust)):
            self.refuse("certificates", "an empty one")
        if self.report_level not in ("INFO", "WARNING", "ERROR", "FATAL"):
            self.refuse("report_level", "INFO, WARNING, ERROR or FATAL")


@dataclass(frozen=True, slots=True)
class WakeUpProfile(Profile):
    """What a wake-up packet must be to be obeyed (Detailspezifikationen ch. 2; the window's size is recalled)."""

    kind: ClassVar[ProfileKind] = ProfileKind.WAKE_UP
    root: ClassVar[str] = "wakeUpProfile"
    logical_name: ClassVar[str] = "01005e318045"

    id: str
    active: bool
    port: int
    signature_certificate: bytes
    window: int = 30

    def __post_init__(self) -> None:
        self.check_id()
        if not 1 <= self.port <= 65535:
            self.refuse("port", "1 to 65535")
        if not 1 <= self.window <= 3600:
            self.refuse("window", "1 to 3600 seconds")
        if not self.signature_certificate:
            self.refuse("signature_certificate", "an empty one")
