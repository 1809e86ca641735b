"""Signed orders to a Sub-CA: revoke, suspend, unsuspend; put another GWA in charge.

TR-03129-4 §2.2.1 puts certRevReq and updDevAdminReq into appendix C of TR-03109-4, which is not at hand. These are
structures of our own (docs/conformance/divergences.md), in ASN.1:

    RevocationOrder  ::= SEQUENCE { version INTEGER (1), action ENUMERATED { revoke(0), suspend(1), unsuspend(2) },
                                    reason CRLReason, certificates SEQUENCE SIZE (1..MAX) OF IssuerAndSerialNumber }
    DeviceAdminOrder ::= SEQUENCE { version INTEGER (1), newAdmin UTF8String,
                                    gateways SEQUENCE SIZE (1..MAX) OF UTF8String }

each as eContent of a ContentInfo SignedData (spec/04 §1.4 profile) by the SIG key of the GWA in charge.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.cms import CMS_MALFORMED
from torwart.kernel.refusals.crmf import CRMF_MALFORMED, CRMF_ORDER_SIGNATURE
from torwart.wire.cms import Signer, ber, sign, verify
from torwart.wire.cms.der import INTEGER, SEQUENCE, NotDER, Reader, sequence, tlv

# Content types under 2.25 (ITU-T X.667: an OID from a UUID, no registration needed).
ID_REVOCATION_ORDER = "2.25.123958392070083778681484923627159206599"
ID_DEVICE_ADMIN_ORDER = "2.25.96479705528650993301592847795614866001"

ENUMERATED = 0x0A
UTF8_STRING = 0x0C
_VERSION = tlv(INTEGER, b"\x01")
_Order = TypeVar("_Order")
Signers = Mapping[bytes, ec.EllipticCurvePublicKey]


class Action(StrEnum):
    """What shall happen to certificates (TR-03129-4 §2.3.5, §2.3.7: revoke, suspend and unsuspend)."""

    REVOKE = "revoke"
    SUSPEND = "suspend"
    UNSUSPEND = "unsuspend"


_ACTIONS = tuple(Action)

# RFC 5280 §5.3.1 CRLReason; 7 is not used.
REASONS: Mapping[str, int] = {
    "unspecified": 0,
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "removeFromCRL": 8,
    "privilegeWithdrawn": 9,
    "aACompromise": 10,
}
_REASON_NAMES = {number: name for name, number in REASONS.items()}
_REASON_OF = {Action.SUSPEND: "certificateHold", Action.UNSUSPEND: "removeFromCRL"}


@dataclass(frozen=True, slots=True)
class CertificateReference:
    """A certificate by issuer name (DER) and X.509 serial number."""

    issuer: bytes
    serial: int

    @classmethod
    def of(cls, certificate: x509.Certificate) -> "CertificateReference":
        return cls(certificate.issuer.public_bytes(), certificate.serial_number)


@dataclass(frozen=True, slots=True)
class RevocationOrder:
    """TR-03129-4 §2.3.5: "Each revocation request MUST include a revocation reason". Suspending is certificateHold,
    ending it removeFromCRL; with ``revoke`` any other reason of RFC 5280. ``signer`` is the SKI that signed it.
    """

    action: Action
    reason: str
    certificates: tuple[CertificateReference, ...]
    signer: bytes = b""


@dataclass(frozen=True, slots=True)
class DeviceAdminOrder:
    """Put the GWA with CN ``new_admin`` in charge of gateways, named by the CN of their certificates (§2.3.7)."""

    new_admin: str
    gateways: tuple[str, ...]
    signer: bytes = b""


def sign_revocation(
    action: Action,
    certificates: Sequence[x509.Certificate],
    *,
    signer: Signer,
    reason: str = "",
    certificate: x509.Certificate | None = None,
) -> bytes:
    """certRevReq. ``reason`` is needed to revoke and fixed otherwise; ``certificate`` (the signer's) is attached."""
    reason = _REASON_OF.get(action) or reason
    _check(action, reason, len(certificates))
    references = b"".join(_reference(CertificateReference.of(each)) for each in certificates)
    body = sequence(
        _VERSION,
        tlv(ENUMERATED, bytes([_ACTIONS.index(action)])),
        tlv(ENUMERATED, bytes([REASONS[reason]])),
        tlv(SEQUENCE, references),
    )
    return sign(body, signer=signer, content_type=ID_REVOCATION_ORDER, certificate=certificate)


def _check(action: Action, reason: str, count: int) -> None:
    """Holding and releasing have their own reason each, revoking any other, and all are about a certificate."""
    own = _REASON_OF.get(action)
    fits = reason == own if own else reason in REASONS and reason not in _REASON_OF.values()
    if not fits or not count:
        raise CRMF_MALFORMED(why=f"{action}, {reason!r}, {count} certificates")


def sign_device_admin(
    new_admin: str, gateways: Sequence[str], *, signer: Signer, certificate: x509.Certificate | None = None
) -> bytes:
    """updDevAdminReq: "MUST contain at least one … Common Names of SMGW certificates" (TR-03129-4 §2.3.7)."""
    if not gateways:
        raise CRMF_MALFORMED(why="0 SMGW")
    names = b"".join(tlv(UTF8_STRING, name.encode()) for name in gateways)
    body = sequence(_VERSION, tlv(UTF8_STRING, new_admin.encode()), tlv(SEQUENCE, names))
    return sign(body, signer=signer, content_type=ID_DEVICE_ADMIN_ORDER, certificate=certificate)


def parse_revocation(message: bytes, *, signers: Signers) -> RevocationOrder:
    """Verify and read; ``crmf.order_signature`` if no one of ``signers`` signed it, ``crmf.malformed`` otherwise."""
    content, ski = _verified(message, ID_REVOCATION_ORDER, signers)
    action, reason, certificates = _read(content, _read_revocation)
    _check(action, reason, len(certificates))
    return RevocationOrder(action, reason, tuple(certificates), ski)


def parse_device_admin(message: bytes, *, signers: Signers) -> DeviceAdminOrder:
    """Verify and read; refusals as ``parse_revocation``."""
    content, ski = _verified(message, ID_DEVICE_ADMIN_ORDER, signers)
    admin, gateways = _read(content, _read_device_admin)
    if not admin or not gateways:
        raise CRMF_MALFORMED(why=f"{admin!r}, {len(gateways)} SMGW")
    return DeviceAdminOrder(admin, tuple(gateways), ski)


def _verified(message: bytes, content_type: str, signers: Signers) -> tuple[bytes, bytes]:
    try:
        verified = verify(message, signers=signers)
    except Refusal as refusal:
        if refusal.kind is CMS_MALFORMED:
            raise CRMF_MALFORMED(why=refusal.details["why"]) from refusal
        raise CRMF_ORDER_SIGNATURE(why=refusal.text()) from refusal
    if verified.content_type != content_type:
        raise CRMF_MALFORMED(why=verified.content_type)
    return verified.content, verified.signer_ski


def _read(data: bytes, parse: Callable[[Reader], _Order]) -> _Order:
    try:
        return ber.read(data, parse)
    except (Refusal, ValueError, KeyError, IndexError) as error:
        raise CRMF_MALFORMED(why=error) from error


def _body(reader: Reader) -> Reader:
    fields = reader.enter(SEQUENCE)
    reader.close()
    if not fields.skips(_VERSION):
        raise NotDER("version")
    return fields


def _read_revocation(reader: Reader) -> tuple[Action, str, list[CertificateReference]]:
    fields = _body(reader)
    action = _ACTIONS[_small(fields.value(ENUMERATED))]
    reason = _REASON_NAMES[_small(fields.value(ENUMERATED))]
    listed = fields.enter(SEQUENCE)
    fields.close()
    return action, reason, [_read_reference(Reader(each).enter(SEQUENCE)) for each in listed.each(SEQUENCE)]


def _read_device_admin(reader: Reader) -> tuple[str, list[str]]:
    fields = _body(reader)
    admin = fields.value(UTF8_STRING).decode()
    listed = fields.enter(SEQUENCE)
    fields.close()
    return admin, [Reader(each).value(UTF8_STRING).decode() for each in listed.each(UTF8_STRING)]


def _reference(reference: CertificateReference) -> bytes:
    """IssuerAndSerialNumber (RFC 5652 §10.2.4)."""
    length = reference.serial.bit_length() // 8 + 1
    return sequence(reference.issuer, tlv(INTEGER, reference.serial.to_bytes(length, "big")))


def _read_reference(fields: Reader) -> CertificateReference:
    issuer = fields.raw(SEQUENCE)
    serial = int.from_bytes(fields.value(INTEGER), "big", signed=True)
    fields.close()
    return CertificateReference(issuer, serial)


def _small(octets: bytes) -> int:
    if len(octets) != 1:
        raise NotDER("ENUMERATED")
    return octets[0]
