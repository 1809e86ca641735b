"""The gateway's own certificates: three sets beside the three sets of keys, and what it checks before taking one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.sim import GATEWAY_REFUSES
from torwart.sim.gateway.security_module import KEY_USES, SecurityModule, Standing
from torwart.wire.certificate import Role, Use, identify, load_certificate
from torwart.wire.certificate.trust import Trust


@dataclass(frozen=True, slots=True)
class CertificateSet:
    """TLS, SIG and ENC certificate in DER, and the certificates above them, the lowest first (without the root)."""

    own: Mapping[Use, bytes]
    issuers: tuple[bytes, ...] = ()

    def chain(self, use: Use) -> tuple[bytes, ...]:
        return (self.own[use], *self.issuers)

    def ski(self, use: Use) -> bytes:
        return identify(load_certificate(self.own[use])).ski

    @property
    def sequence(self) -> int:
        """Running number of the set (renewal + 1)."""
        return identify(load_certificate(self.own[Use.SIG])).sequence

    def state(self) -> dict[str, Any]:
        own = {use.value: der.hex() for use, der in self.own.items()}
        return {"own": own, "issuers": [der.hex() for der in self.issuers]}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> "CertificateSet":
        own = {Use(use): bytes.fromhex(der) for use, der in state["own"].items()}
        return cls(own, tuple(bytes.fromhex(der) for der in state["issuers"]))


def checked_set(
    received: Iterable[bytes], *, device: str, module: SecurityModule, trust: Sequence[bytes], at: datetime | None
) -> CertificateSet:
    """The set made of ``received`` (DER: the triple and perhaps its Sub-CA), or a refusal.

    Each certificate must carry this device's name and the key of the waiting set in the module, keep to the
    profile, be valid ``at`` (``None``: the clock is not to be believed yet) and chain to ``trust``. The Sub-CA may
    come along if a trusted root has signed it. "Refusals" here are ``pki.…`` or ``sim.gateway_refuses``.
    """
    certificates = [load_certificate(der) for der in received]
    leaves = [c for c in certificates if _use_of(c) is not Use.CA]
    chain = _trust(trust, [c for c in certificates if _use_of(c) is Use.CA])
    own: dict[Use, bytes] = {}
    issuers: dict[bytes, None] = {}
    for leaf in leaves:
        identity = chain.validate(leaf, at=at or leaf.not_valid_before_utc, role=Role.SMGW, seal=None)
        if identity.name != device:
            raise GATEWAY_REFUSES(why=f"certificate of {identity.common_name}")
        if leaf.public_key() != module.public_key(Standing.NEXT, identity.use):
            raise GATEWAY_REFUSES(why=f"{identity.use} certificate for another key")
        own[identity.use] = leaf.public_bytes(Encoding.DER)
        issuers[chain.issuer_of(leaf).certificate.public_bytes(Encoding.DER)] = None
    if len(leaves) != 3 or set(own) != set(KEY_USES):
        raise GATEWAY_REFUSES(why=f"not one certificate each for TLS, SIG and ENC but {sorted(own)}")
    return CertificateSet(own, tuple(issuers))


def _use_of(certificate: x509.Certificate) -> Use | None:
    try:
        return identify(certificate).use
    except Refusal:
        return None


def _trust(trusted: Sequence[bytes], brought: Sequence[x509.Certificate]) -> Trust:
    """The configured authorities and the Sub-CAs brought along (``Trust`` lets in only what the root has signed)."""
    known = [load_certificate(der) for der in trusted]
    roots = [c for c in known if c.subject == c.issuer]
    sub_cas = [c for c in (*known, *brought) if c.subject != c.issuer]
    if len(roots) != 1:
        raise GATEWAY_REFUSES(why="no trusted root")
    return Trust.of(roots[0], sub_cas)
