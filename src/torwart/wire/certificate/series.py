"""Certificates in series: a maker's seal certificates differ in serial number, holder, key and time, in no more.

Theory of operation
- ``Trust.validate`` sees the first certificate of each shape. The shape is its DER with what may differ blanked out:
  if it equals that of a certificate that has passed, so do all checks on what is the same.
- What differs is then checked alone: a gateway's name, times within the issuer's and around the instant, a point on
  the curve, the issuer's signature. This takes little more than the signature check itself.
- The short way only ever accepts. Whatever it does not understand or like goes the long way, which names the refusal.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.wire.certificate.names import Role, Use
from torwart.wire.certificate.pem import load_certificate
from torwart.wire.certificate.profile import HASHES
from torwart.wire.certificate.trust import Trust
from torwart.wire.cms.der import INTEGER, OID, SEQUENCE, SET, NotDER, Reader, explicit

_MOST = 64
"""Shapes remembered; an honest maker has one for each use and Sub-CA."""
_BIT_STRING = 0x03
_COMMON_NAME = bytes.fromhex("0603550403")
_SKI = bytes.fromhex("301d0603551d0e04160414")
"""The subject key identifier extension of 20 octets, up to its value."""
_SKI_SIZE, _POINT_SIZE = 20, 64
_GATEWAY = re.compile(rb"E[A-Z]{3}[0-9A-F]{2}[0-9]{8}\.SMGW")
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18


@dataclass(frozen=True, slots=True)
class Checked:
    """A certificate that holds. ``common_name``: canonical; ``issuer`` as RFC 4514; ``serial``: X.509 number."""

    common_name: str
    sequence: int
    issuer: str
    serial: int
    ski: bytes
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class _Parts:
    """A certificate cut up: ``shape`` is what must be the same, the rest is what may differ."""

    shape: tuple[bytes, ...]
    tbs: bytes
    serial: bytes
    validity: bytes
    name: bytes
    point: bytes
    ski: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class _Mould:
    """What is known of every certificate of one shape."""

    key: ec.EllipticCurvePublicKey
    curve: ec.EllipticCurve
    algorithm: ec.ECDSA
    sequence: int
    issuer: str
    not_before: datetime
    not_after: datetime


class Series:
    """Validates seal certificates of gateways at one instant. Answers and refuses exactly as ``Trust.validate``."""

    def __init__(self, trust: Trust, at: datetime) -> None:
        self._trust, self._at = trust, at.astimezone(UTC)
        self._moulds: dict[tuple[Use, tuple[bytes, ...]], _Mould] = {}

    def validate(self, der: bytes, use: Use) -> Checked:
        """Check one certificate given as DER for its use; refuses with a kind of ``pki``."""
        parts = _cut(der)
        mould = self._moulds.get((use, parts.shape)) if parts else None
        return (parts and mould and self._short(parts, mould)) or self._long(der, use, parts)

    def _short(self, parts: _Parts, mould: _Mould) -> Checked | None:
        times = _times(parts.validity)
        if times is None or not parts.serial or parts.serial[0] > 0x7F or not _GATEWAY.fullmatch(parts.name):
            return None
        begin, end = times
        if not mould.not_before <= begin <= self._at or not self._at.replace(microsecond=0) <= end <= mould.not_after:
            return None
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(mould.curve, b"\x04" + parts.point)
            mould.key.verify(parts.signature, parts.tbs, mould.algorithm)
        except (ValueError, InvalidSignature):
            return None
        serial = int.from_bytes(parts.serial, "big")
        return Checked(parts.name.decode(), mould.sequence, mould.issuer, serial, parts.ski, begin, end)

    def _long(self, der: bytes, use: Use, parts: _Parts | None) -> Checked:
        certificate = load_certificate(der)
        identity = self._trust.validate(certificate, at=self._at, role=Role.SMGW, use=use, seal=True)
        checked = Checked(
            identity.common_name,
            identity.sequence,
            certificate.issuer.rfc4514_string(),
            certificate.serial_number,
            identity.ski,
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )
        if parts and parts.ski == identity.ski and len(self._moulds) < _MOST:
            self._remember(use, parts, certificate, checked)
        return checked

    def _remember(self, use: Use, parts: _Parts, certificate: x509.Certificate, checked: Checked) -> None:
        issuer = self._trust.issuer_of(certificate).certificate
        key, public = issuer.public_key(), certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(public, ec.EllipticCurvePublicKey):
            return
        self._moulds[use, parts.shape] = _Mould(
            key,
            public.curve,
            ec.ECDSA(HASHES[key.curve.name]),
            checked.sequence,
            checked.issuer,
            issuer.not_valid_before_utc,
            issuer.not_valid_after_utc,
        )


def _cut(der: bytes) -> _Parts | None:
    """The parts of a certificate of the usual form; ``None`` for any other."""
    try:
        whole = Reader(der)
        certificate = whole.enter(SEQUENCE)
        whole.close()
        begin = certificate.at
        tbs = certificate.enter(SEQUENCE)
        end = certificate.at
        algorithm = certificate.raw(SEQUENCE)
        signature = certificate.value(_BIT_STRING)
        certificate.close()
        version, serial = tbs.raw(explicit(0)), tbs.value(INTEGER)
        inner, issuer, validity = tbs.raw(SEQUENCE), tbs.raw(SEQUENCE), tbs.raw(SEQUENCE)
        subject, name, rest = _subject(tbs)
        key, extensions = tbs.raw(SEQUENCE), tbs.raw(explicit(3))
        tbs.close()
    except NotDER:
        return None
    before, found, after = extensions.partition(_SKI)
    if not found or _SKI in after or len(after) < _SKI_SIZE or len(key) <= _POINT_SIZE or signature[:1] != b"\0":
        return None
    shape = (version, inner, issuer, subject, rest, key[:-_POINT_SIZE], before, after[_SKI_SIZE:], algorithm)
    return _Parts(shape, der[begin:end], serial, validity, name, key[-_POINT_SIZE:], after[:_SKI_SIZE], signature[1:])


def _subject(tbs: Reader) -> tuple[bytes, bytes, bytes]:
    """The subject up to its common name, which must come first, the name, and what follows."""
    begin = tbs.at
    names = tbs.enter(SEQUENCE)
    attribute = names.enter(SET).enter(SEQUENCE)
    if attribute.raw(OID) != _COMMON_NAME:
        raise NotDER("the common name does not come first")
    start = attribute.step(attribute.tag)
    attribute.close()
    return tbs.data[begin:start], tbs.data[start : attribute.at], tbs.data[attribute.at : tbs.at]


@lru_cache(maxsize=1024)
def _times(validity: bytes) -> tuple[datetime, datetime] | None:
    """When a certificate starts and ends; ``None`` for what is not written as RFC 5280 §4.1.2.5 prescribes."""
    try:
        fields = Reader(validity).enter(SEQUENCE)
        times = _time(fields), _time(fields)
        fields.close()
    except (NotDER, ValueError):
        return None
    return times


def _time(fields: Reader) -> datetime:
    """UTCTime for the years 1950 to 2049, GeneralizedTime for others, to the second, in Z."""
    tag = fields.tag
    text = fields.value(tag).decode("ascii")
    if tag == _UTC_TIME and re.fullmatch(r"\d{12}Z", text, re.ASCII):
        text = f"{'20' if text < '50' else '19'}{text}"
    elif tag != _GENERALIZED_TIME or not re.fullmatch(r"\d{14}Z", text, re.ASCII):
        raise ValueError(text)
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
