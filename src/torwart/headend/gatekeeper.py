"""Who is let in: the certificate is read once, revocation, blocklist and commissioning at every handshake."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509

from torwart.headend.config import HeadendConfig, Scenario
from torwart.headend.flood import RateLimit
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.headend import (
    HEADEND_BLOCKED,
    HEADEND_NO_POLICY,
    HEADEND_SEAL_NOT_EXPECTED,
    HEADEND_TOO_OFTEN,
    HEADEND_WRONG_ROLE,
)
from torwart.kernel.refusals.pki import PKI_CURVE, PKI_USE
from torwart.kernel.refusals.tls import TLS_REVOKED, TLS_UNKNOWN_CA
from torwart.ports.gateway_link import Policy
from torwart.wire.certificate import Role, Use, identify, load_certificate
from torwart.wire.tls import Chain, Verdict

_REMEMBERED = 50_000
"""Certificates whose checks are not repeated; about half a kilobyte each."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A Sub-CA as far as its certificates need it. ``name`` is its subject, ``issuer`` the root's (RFC 4514)."""

    name: str
    issuer: str
    serial: int
    seal: bool


@dataclass(frozen=True, slots=True)
class Peer:
    """Who showed a certificate. ``device``: a gateway's 14-character id, of others the CN. ``until``: end of
    validity, seconds since 1970.
    """

    device: str
    role: Role
    serial: int
    authority: Authority
    until: float

    @property
    def seal(self) -> bool:
        return self.authority.seal

    @property
    def serial_hex(self) -> str:
        return f"{self.serial:x}"


@dataclass(frozen=True, slots=True)
class _Rules:
    """A policy made ready for look-ups."""

    version: int
    revoked: Mapping[str, frozenset[int]]
    blocklist: frozenset[str]
    commissioning: frozenset[str] | None

    @classmethod
    def of(cls, policy: Policy) -> "_Rules":
        revoked = {name: frozenset(int(s, 16) for s in serials) for name, serials in policy.revoked.items()}
        commissioning = None if policy.commissioning is None else frozenset(policy.commissioning)
        return cls(policy.version, revoked, frozenset(policy.blocklist), commissioning)


class Gatekeeper:
    """Judges peers by certificate and policy. Without a policy nobody is let in.

    ``judge`` runs in the handshake threads, ``apply`` in the loop: a policy is replaced as a whole.
    """

    def __init__(self, config: HeadendConfig) -> None:
        self.trust(config)
        self._rules: _Rules | None = None
        limits = config.limits
        emts = RateLimit(limits.emt_rate, limits.emt_burst)
        self._often = {Role.SMGW: RateLimit(limits.certificate_rate, limits.certificate_burst), Role.EMT: emts}

    def trust(self, config: HeadendConfig) -> None:
        """Let in certificates of these Sub-CAs from now on."""
        self._authorities: dict[bytes, Authority] = {der: _authority(der, seal) for der, seal in config.issuers.items()}
        self._peers: dict[bytes, Peer] = {}

    @property
    def version(self) -> int:
        """Of the policy in force; -1 without."""
        return -1 if self._rules is None else self._rules.version

    def apply(self, policy: Policy) -> bool:
        """Take a policy; an older one than that in force is left aside (``False``)."""
        if policy.version < self.version:
            return False
        self._rules = _Rules.of(policy)
        return True

    def verdict(self, scenario: Scenario) -> Verdict:
        """The question ``wire.tls`` asks about each verified chain."""

        def judge(chain: Chain) -> Refusal | None:
            try:
                peer = self.peer(chain)
            except Refusal as refusal:
                return refusal
            # Only looked at here and charged in ``enter``: at this point the peer has not proved to hold the key, and
            # whoever has seen a gateway's certificate must not be able to use up its calls.
            if self._often[scenario.role].exhausted(_caller(peer, scenario)):
                return HEADEND_TOO_OFTEN(device=peer.device)
            return self.objection(peer, scenario)

        return judge

    def enter(self, chain: Chain, scenario: Scenario) -> Peer:
        """Who comes in after a complete handshake; refuses what speaks against it now."""
        peer = self.peer(chain)
        if objection := self.objection(peer, scenario):
            raise objection
        if not self._often[scenario.role].allow(_caller(peer, scenario)):
            raise HEADEND_TOO_OFTEN(device=peer.device)
        return peer

    def peer(self, chain: Chain) -> Peer:
        """Who the certificate that leads ``chain`` belongs to; refuses what is no TLS certificate of the SM-PKI.

        Time, signatures and purpose OpenSSL has checked by now. The rest of the profile was the matter of whoever
        took the certificate from the Sub-CA; here every microsecond counts once for each gateway that calls.
        """
        digest = hashlib.sha256(chain[0]).digest()
        known = self._peers.get(digest)
        if known is not None:
            return known
        authority = self._authorities.get(chain[1]) if len(chain) > 1 else None
        if authority is None:
            raise TLS_UNKNOWN_CA(why="Sub-CA")
        peer = _read(chain[0], authority)
        if len(self._peers) >= _REMEMBERED:
            self._peers.clear()
        self._peers[digest] = peer
        return peer

    def objection(self, peer: Peer, scenario: Scenario) -> Refusal | None:
        """What speaks against ``peer`` now."""
        rules = self._rules
        if rules is None:
            return HEADEND_NO_POLICY()
        if peer.role is not scenario.role:
            return HEADEND_WRONG_ROLE(device=peer.device, found=peer.role, wanted=scenario.role)
        authority = peer.authority
        if peer.serial in rules.revoked.get(authority.name, _NONE):
            return TLS_REVOKED(serial=peer.serial_hex)
        if authority.serial in rules.revoked.get(authority.issuer, _NONE):
            return TLS_REVOKED(serial=f"{authority.serial:x}")
        if peer.device in rules.blocklist:
            return HEADEND_BLOCKED(device=peer.device)
        if authority.seal and rules.commissioning is not None and peer.device not in rules.commissioning:
            return HEADEND_SEAL_NOT_EXPECTED(device=peer.device)
        return None


def _caller(peer: Peer, scenario: Scenario) -> tuple[Scenario, int, str]:
    return scenario, peer.serial, peer.authority.name


_NONE: frozenset[int] = frozenset()


_KEY_START = bytes.fromhex("305a301406072a8648ce3d020106092b2403030208010107034200" + "04")
"""How the SubjectPublicKeyInfo of every uncompressed brainpoolP256r1 key begins."""


def _read(der: bytes, authority: Authority) -> Peer:
    certificate = load_certificate(der)
    identity = identify(certificate)
    # TR-03116-3 §4.1.1: "Zur gegenseitigen Authentifizierung MUSS jede Partei ein TLS-Zertifikat aus der SM-PKI …
    # verwenden". SIG and ENC certificates of the triple are refused; OpenSSL alone would take them.
    if identity.use is not Use.TLS:
        raise PKI_USE(name=identity.common_name, found=identity.use, wanted=Use.TLS)
    # "Hierbei MÜSSEN die Kurvenparameter aus Tabelle 6 verwendet werden": brainpoolP256r1, §2.2 uncompressed. To
    # look for the encoding costs a hundredth of decoding the key, and the Sub-CA has signed what we look at.
    if _KEY_START not in der:
        raise PKI_CURVE(name=identity.common_name, found="?", wanted="brainpoolP256r1")
    device = identity.name if identity.role is Role.SMGW else identity.common_name
    until = certificate.not_valid_after_utc.timestamp()
    return Peer(device, identity.role, certificate.serial_number, authority, until)


def _authority(der: bytes, seal: bool) -> Authority:
    certificate = x509.load_der_x509_certificate(der)
    subject, issuer = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
    return Authority(subject, issuer, certificate.serial_number, seal)
