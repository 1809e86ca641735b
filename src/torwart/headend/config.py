"""What a head-end is told at its start: listeners, own credentials, who is trusted, limits. Read from TOML::

[headend]
name = "north-1"                     # how facts name it
bus = "nats://127.0.0.1:4222"        # the command line's --bus goes before
metrics = "127.0.0.1:9470"           # counters as text, loopback only
reuse_port = true                    # several processes share the ports
[listen]                             # the addresses the gateways' communication profiles name
MANAGEMENT = "192.0.2.10:8443"
ADMIN-SERVICE = "192.0.2.10:8444"
NTP = "192.0.2.10:8123"
EMT-SERVICE = "192.0.2.10:8445"
EMT-API = "192.0.2.10:8446"          # the EMT–GWA interface, needs [api]
[tls]                                # PEM files, relative to this file
chain = "gwa-tls.pem"                # own certificate, then its Sub-CA
key = "gwa-tls.key"
root = "sm-root.pem"
sub_cas = ["sub-ca.pem"]             # whose certificates are let in
seal_cas = ["maker-ca.pem"]          # whose certificates are seals (Gütesiegel)
maximum = "1.3"
groups = ["brainpoolP256r1tls13", "brainpoolP256r1", "P-256", "brainpoolP384r1"]
[api]                                # the web process that answers EMT-API
socket = "api.sock"                  # its unix socket
secret = "api.secret"                # 32 octets as hex, known to both
[limits]                             # see ``Limits``
idle_seconds = 300
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.refusals.headend import HEADEND_CONFIG
from torwart.wire.certificate import Role, Trust
from torwart.wire.tls import GROUPS, MAX_SESSION_SECONDS, Credentials, Offer

Address = tuple[str, int]


class Scenario(StrEnum):
    """What a listener is for (A2 §4); addresses and ports come from the communication profile of the gateways."""

    MANAGEMENT = "MANAGEMENT"
    ADMIN_SERVICE = "ADMIN-SERVICE"
    NTP = "NTP"
    EMT_SERVICE = "EMT-SERVICE"
    EMT_API = "EMT-API"

    @property
    def role(self) -> Role:
        """Who may call."""
        return Role.EMT if self in (Scenario.EMT_SERVICE, Scenario.EMT_API) else Role.SMGW


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer, and all together, may take. Times in seconds, rates per second."""

    connections: int = 20_000
    connections_per_address: int = 20_000
    """High by default: a mobile carrier puts all its gateways behind one address."""
    connections_per_emt: int = 16
    handshakes: int = 4_000
    """Handshakes under way; more callers are turned away at TCP."""
    address_rate: float = 500.0
    address_burst: int = 5_000
    certificate_rate: float = 0.2
    certificate_burst: int = 20
    emt_rate: float = 10.0
    """The same for an EMT's certificate: as often as the interface lets it call (600 a minute), a connection each."""
    emt_burst: int = 100
    handshake_seconds: float = 20.0
    handshake_bytes: int = 65_536
    request_seconds: float = 20.0
    """From the first byte of a request to its last (A2 §7.1.1 names 20 s for a response)."""
    idle_seconds: float = 300.0
    """Quiet time on services where the peer is the client; MANAGEMENT is held until its session ends."""
    session_seconds: float = MAX_SESSION_SECONDS
    close_seconds: float = 20.0
    commands_waiting: int = 32
    drain_seconds: float = 30.0
    fact_seconds: float = 15.0
    facts_waiting: int = 50_000
    retry_after: int = 60

    def __post_init__(self) -> None:
        # TR-03116-3 §4.1.2: "… eine TLS-Session … auf einen Wert begrenzen, der 48 Stunden nicht überschreitet."
        if self.session_seconds > MAX_SESSION_SECONDS:
            raise HEADEND_CONFIG(why=f"session_seconds > {MAX_SESSION_SECONDS}")


@dataclass(frozen=True, slots=True)
class Api:
    """Where the web process listens for what comes over EMT-API, and the secret that proves it came from here."""

    socket: Path
    secret: bytes


@dataclass(frozen=True, slots=True)
class HeadendConfig:
    """``listeners``: where each scenario listens (port 0: a free one). ``issuers``: the Sub-CAs whose certificates
    are let in, DER → whether it is a maker's seal CA; anything of another Sub-CA is refused though it leads to the
    same root, because its certificates might be seal certificates. ``root``: DER.
    """

    credentials: Credentials
    root: bytes
    issuers: Mapping[bytes, bool]
    listeners: Mapping[Scenario, Address]
    name: str = "headend-1"
    limits: Limits = field(default_factory=Limits)
    offer: Offer = field(default_factory=Offer)
    reuse_port: bool = False
    """Several processes share the ports (SO_REUSEPORT)."""
    handshake_threads: int = 2
    clock_is_trusted: bool = False
    """NTP: take the clock as synchronised without asking the kernel."""
    bus: str = ""
    metrics: Address | None = None
    """Where counters are shown as text; loopback only."""
    api: Api | None = None

    @property
    def trust(self) -> tuple[bytes, ...]:
        return (self.root, *self.issuers)

    @classmethod
    def of(
        cls,
        *,
        credentials: Credentials,
        root: x509.Certificate,
        sub_cas: list[x509.Certificate],
        seal_cas: list[x509.Certificate],
        listeners: Mapping[Scenario, Address],
        **options: Any,
    ) -> "HeadendConfig":
        """Make a configuration; authorities that do not belong together are refused (``pki.…``)."""
        Trust.of(root, sub_cas, seal_cas)
        issuers = {_der(c): False for c in sub_cas} | {_der(c): True for c in seal_cas}
        return cls(credentials, _der(root), issuers, listeners, **options)

    @classmethod
    def load(cls, path: Path) -> "HeadendConfig":
        """Read a TOML file; what cannot be read is refused as ``headend.config``, ``tls.…`` or ``pki.…``."""
        try:
            return _from_toml(tomllib.loads(path.read_text()), path.parent)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise HEADEND_CONFIG(why=f"{type(error).__name__}: {error}") from error


def _from_toml(document: dict[str, Any], here: Path) -> HeadendConfig:
    tls = document["tls"]

    def read(name: str) -> bytes:
        return (here / name).read_bytes()

    def certificates(names: list[str]) -> list[x509.Certificate]:
        return [c for name in names for c in x509.load_pem_x509_certificates(read(name))]

    listeners = {Scenario(name.upper()): _address(text) for name, text in document["listen"].items()}
    config = HeadendConfig.of(
        credentials=Credentials.from_pem(read(tls["chain"]), read(tls["key"])),
        root=certificates([tls["root"]])[0],
        sub_cas=certificates(tls["sub_cas"]),
        seal_cas=certificates(tls.get("seal_cas", [])),
        listeners=listeners,
        limits=replace(Limits(), **document.get("limits", {})),
        offer=Offer(maximum=tls.get("maximum", "1.3"), groups=tuple(tls.get("groups", GROUPS))),
    )
    if "api" in document:
        config = replace(config, api=_api(document["api"], here))
    options = document.get("headend", {})
    known = {f.name for f in fields(HeadendConfig)} - _OF_OTHER_TABLES
    if unknown := options.keys() - known:
        raise ValueError(f"headend.{sorted(unknown)[0]}")
    if "metrics" in options:
        options = {**options, "metrics": _address(options["metrics"])}
    return replace(config, **options)


_OF_OTHER_TABLES = {"credentials", "root", "issuers", "listeners", "limits", "offer", "api"}


def _api(table: dict[str, Any], here: Path) -> Api:
    secret = bytes.fromhex((here / table["secret"]).read_text().strip())
    if len(secret) < 32:
        raise ValueError("api.secret: fewer than 32 octets")
    return Api(here / table["socket"], secret)


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
