"""HAN and proxy profiles: who may use the local interface, and which CLS device reaches which active EMT.

Spec/04 §1.7, §1.12; roles and scenarios by Detailspezifikationen §6.2 (HKS.WS1 certificate, HKS.WS2 digest) and ch. 11.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Self

from torwart.kernel.identifiers import DeviceId
from torwart.wire.profiles.base import Profile, ProfileKind
from torwart.wire.profiles.communication import Endpoint, is_host


class Role(StrEnum):
    """Roles at the HAN interface: consumer, service technician, controllable local system."""

    CON = "CON"
    SRV = "SRV"
    CLS = "CLS"


class Scheme(StrEnum):
    """HAN communication scenarios of the proxy (v1 numbering, recalled): who opens the channel."""

    HKS3 = "HKS3"
    HKS4 = "HKS4"
    HKS5 = "HKS5"


@dataclass(frozen=True, slots=True)
class StaticAddress:
    """The gateway's fixed address at the HAN; without it the address comes by DHCP or link-local."""

    address: str
    prefix: int
    router: str | None = None


def password_digest(user: str, realm: str, password: str) -> bytes:
    """H(A1) of RFC 7616 with SHA-256, as the gateway keeps it; realm is the lower-case gateway id (DS ch. 7)."""
    return hashlib.sha256(f"{user}:{realm}:{password}".encode()).digest()


@dataclass(frozen=True, slots=True)
class HanProfile(Profile):
    """Access of one user at the HAN, by certificate (DER) or by digest password.

    ``digest`` (H(A1)) is write-only; ``digest_check``, eight octets of its SHA-256 in hex, is what can be read back:
    H(A1) of a generated password (80 bits or more) is not found by guessing from it.
    ``contract``: the evaluation profiles the user sees. ``valid_until``: a technician's end.
    """

    kind: ClassVar[ProfileKind] = ProfileKind.HAN
    root: ClassVar[str] = "hanProfile"
    logical_name: ClassVar[str] = "01005e318011"

    id: str
    role: Role
    user: str
    certificate: bytes | None = None
    digest_check: str | None = None
    digest_secret: bytes | None = field(default=None, repr=False, metadata={"write_only": True})
    contract: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    static_address: StaticAddress | None = None

    @classmethod
    def with_password(cls, id: str, user: str, realm: str, password: str, contract: tuple[str, ...] = ()) -> Self:  # noqa: A002
        """A consumer's access by user name and password."""
        secret = password_digest(user, realm, password)
        return cls(id, Role.CON, user, digest_check=check_of(secret), digest_secret=secret, contract=contract)

    def __post_init__(self) -> None:
        self.check_id()
        self.check_texts("user")
        if ":" in self.user:
            self.refuse("user", "no colon (RFC 7616 §3.4.4)")
        if (self.certificate is None) == (self.digest_check is None):
            self.refuse("certificate", "either a certificate or a password")
        # Detailspezifikationen §6.2: HKS.WS2 (digest) serves CON only.
        if self.digest_check is not None and self.role is not Role.CON:
            self.refuse("digest_check", f"{self.role} signs in by certificate (HKS.WS1)")
        if self.digest_secret is not None and self.digest_check != check_of(self.digest_secret):
            self.refuse("digest_check", "it does not belong to the secret")
        if self.role is Role.SRV and self.valid_until is None:
            self.refuse("valid_until", "a technician's access has an end")
        times = [at for at in (self.valid_from, self.valid_until) if at is not None]
        if any(at.tzinfo is None for at in times) or (len(times) == 2 and times[0] >= times[1]):
            self.refuse("valid_until", "times have a zone and the end lies after the beginning")
        if self.static_address is not None and not is_host(self.static_address.address):
            self.refuse("static_address", f"{self.static_address.address[:60]!r} is no address")


def check_of(secret: bytes) -> str:
    """Check value of a write-only secret of full entropy: the first eight octets of its SHA-256, in hex."""
    return hashlib.sha256(secret).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ProxyProfile(Profile):
    """A transparent channel between a CLS device and an active EMT (field names of Detailspezifikationen ch. 11)."""

    kind: ClassVar[ProfileKind] = ProfileKind.PROXY
    root: ClassVar[str] = "proxyProfile"
    logical_name: ClassVar[str] = "01005e318050"

    id: str
    scheme: Scheme
    cls_device: DeviceId
    cls_certificate: bytes
    local_server_name: str
    wan_peer_addresses: tuple[Endpoint, ...]
    wan_peer_certificate: tuple[bytes, ...]
    wan_tls_sni: str | None = None
    active: bool = True

    def __post_init__(self) -> None:
        self.check_id()
        # Detailspezifikationen ch. 11: localServerName has 1–63 characters of [0-9a-z.-].
        name = self.local_server_name
        if not 1 <= len(name) <= 63 or any(c not in "0123456789abcdefghijklmnopqrstuvwxyz.-" for c in name):
            self.refuse("local_server_name", "1–63 of 0-9, a-z, . and -")
        if not 1 <= len(self.wan_peer_addresses) <= 8 or not all(is_host(e.host) for e in self.wan_peer_addresses):
            self.refuse("wan_peer_addresses", "one to eight addresses")
        if any(not 1 <= endpoint.port <= 65535 for endpoint in self.wan_peer_addresses):
            self.refuse("wan_peer_addresses", "ports 1 to 65535")
        if self.wan_tls_sni is not None and not is_host(self.wan_tls_sni):
            self.refuse("wan_tls_sni", "a host name")
        if not self.cls_certificate or not 1 <= len(self.wan_peer_certificate) <= 4:
            self.refuse("wan_peer_certificate", "certificates of the CLS device and the active EMT are needed")
