"""Quality-seal certificates (Gütesiegel) of a gateway: from a trusted maker's CA, for this device, in date (P01)."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals.els import ELS_IDENTITY
from torwart.wire import certificate as profile
from torwart.wire import els
from torwart.wire.certificate import Role, Trust, Use


@dataclass(frozen=True, slots=True)
class Seal:
    """A checked seal certificate as the store keeps it: ``serial``, ``ski``, ``fingerprint`` in lower-case hex."""

    use: Use
    owner: str
    sequence: int
    issuer: str
    serial: str
    ski: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    der: bytes


def check(device: DeviceId, item: els.GatewayItem, trust: Trust, at: datetime) -> tuple[Seal, Seal, Seal]:
    """The three seal certificates of a gateway, or the refusal of the first that is not good."""
    return (
        _seal(device, item.tls, Use.TLS, trust, at),
        _seal(device, item.sig, Use.SIG, trust, at),
        _seal(device, item.enc, Use.ENC, trust, at),
    )


def _seal(device: DeviceId, der: bytes, use: Use, trust: Trust, at: datetime) -> Seal:
    certificate = profile.load_certificate(der)
    identity = trust.validate(certificate, at=at, role=Role.SMGW, use=use, seal=True)
    if DeviceId.parse(identity.common_name) != device:
        raise ELS_IDENTITY(device=device, use=use.value, name=identity.common_name)
    return Seal(
        use=use,
        owner=identity.common_name,
        sequence=identity.sequence,
        issuer=certificate.issuer.rfc4514_string(),
        serial=f"{certificate.serial_number:x}",
        ski=identity.ski.hex(),
        fingerprint=sha256(der).hexdigest(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        der=der,
    )
