"""The certificate profile as checks: every way a certificate can break spec/04 §3.2 has a refusal of its own."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, SignatureAlgorithmOID

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.pki import (
    PKI_ALTERNATIVE_NAME,
    PKI_BASIC_CONSTRAINTS,
    PKI_CRITICALITY,
    PKI_CURVE,
    PKI_EXPIRED,
    PKI_EXTENDED_KEY_USAGE,
    PKI_EXTENSION_FORBIDDEN,
    PKI_EXTENSION_MISSING,
    PKI_KEY_USAGE,
    PKI_MALFORMED,
    PKI_NOT_YET_VALID,
    PKI_POINT_FORMAT,
    PKI_ROLE,
    PKI_SIGNATURE_ALGORITHM,
    PKI_USE,
)
from torwart.wire.certificate.names import Identity, Role, Use, identify
from torwart.wire.certificate.pem import UNREADABLE
from torwart.wire.certificate.profile import EXTENDED_KEY_USAGE, key_usage

_T = TypeVar("_T", bound=x509.ExtensionType)

_OID = ExtensionOID
_NAMES = {
    _OID.AUTHORITY_KEY_IDENTIFIER: "AuthorityKeyIdentifier",
    _OID.SUBJECT_KEY_IDENTIFIER: "SubjectKeyIdentifier",
    _OID.KEY_USAGE: "KeyUsage",
    _OID.CERTIFICATE_POLICIES: "CertificatePolicies",
    _OID.SUBJECT_ALTERNATIVE_NAME: "SubjectAltName",
    _OID.ISSUER_ALTERNATIVE_NAME: "IssuerAltName",
    _OID.BASIC_CONSTRAINTS: "BasicConstraints",
    _OID.EXTENDED_KEY_USAGE: "ExtendedKeyUsage",
    _OID.CRL_DISTRIBUTION_POINTS: "CRLDistributionPoints",
    _OID.PRIVATE_KEY_USAGE_PERIOD: "PrivateKeyUsagePeriod",
}

# spec/04 §3.2, column "critical".
_CRITICAL = {_OID.KEY_USAGE, _OID.BASIC_CONSTRAINTS, _OID.EXTENDED_KEY_USAGE}
# spec/04 §3.2, "m" in the columns for end users and Sub-CAs; the SubjectAltName depends on the role.
_MANDATORY = {
    _OID.AUTHORITY_KEY_IDENTIFIER,
    _OID.SUBJECT_KEY_IDENTIFIER,
    _OID.KEY_USAGE,
    _OID.CERTIFICATE_POLICIES,
    _OID.ISSUER_ALTERNATIVE_NAME,
    _OID.BASIC_CONSTRAINTS,
    _OID.CRL_DISTRIBUTION_POINTS,
}
_MANDATORY_ROOT = {_OID.SUBJECT_KEY_IDENTIFIER, _OID.KEY_USAGE, _OID.BASIC_CONSTRAINTS}

_SIGNATURES = {
    SignatureAlgorithmOID.ECDSA_WITH_SHA256,
    SignatureAlgorithmOID.ECDSA_WITH_SHA384,
    SignatureAlgorithmOID.ECDSA_WITH_SHA512,
}
# TR-03116-3 §4.1.1 table 6 for TLS; spec/04 §1.4: "Curve of ENC/SIG/TLS EE certs: brainpoolP256r1". Table 5 for CAs.
_CURVES = {
    Role.ROOT: ("brainpoolP384r1", "brainpoolP512r1"),
    Role.SUB_CA: ("brainpoolP256r1", "brainpoolP384r1"),
}
_CURVES_END_USER = ("brainpoolP256r1",)


def check(
    certificate: x509.Certificate, *, role: Role | None = None, use: Use | None = None, at: datetime | None = None
) -> Identity:
    """Refuse a certificate that breaks the profile; with ``role``/``use`` also one of another role or use, with
    ``at`` (aware) also one that is not valid then. Chain and revocation are the matter of ``Trust``.
    """
    identity = identify(certificate)
    if role is not None and identity.role is not role:
        raise PKI_ROLE(name=identity.common_name, found=identity.role, wanted=role)
    if use is not None and identity.use is not use:
        raise PKI_USE(name=identity.common_name, found=identity.use, wanted=use)
    for problem in _problems(certificate, identity):
        raise problem
    if at is not None:
        check_time(certificate, identity.common_name, at)
    return identity


def findings(certificate: x509.Certificate, *, at: datetime | None = None) -> list[Refusal]:
    """Everything ``check`` would object to, in order; empty for a good certificate."""
    try:
        identity = identify(certificate)
    except Refusal as refusal:
        return [refusal]
    found = list(_problems(certificate, identity))
    if at is not None:
        try:
            check_time(certificate, identity.common_name, at)
        except Refusal as refusal:
            found.append(refusal)
    return found


def check_time(certificate: x509.Certificate, name: str, at: datetime) -> None:
    """Refuse a certificate not valid at ``at`` (both ends included, RFC 5280 §4.1.2.5)."""
    at = at.astimezone(UTC)
    if at < certificate.not_valid_before_utc:
        raise PKI_NOT_YET_VALID(name=name, since=certificate.not_valid_before_utc.isoformat())
    if at.replace(microsecond=0) > certificate.not_valid_after_utc:
        raise PKI_EXPIRED(name=name, until=certificate.not_valid_after_utc.isoformat())


def _problems(certificate: x509.Certificate, identity: Identity) -> Iterator[Refusal]:
    for part in _PARTS:
        try:
            yield from part(certificate, identity)
        except UNREADABLE as error:
            yield PKI_MALFORMED(why=str(error))


def _key(certificate: x509.Certificate, who: Identity) -> Iterator[Refusal]:
    try:
        key = certificate.public_key()
    except UNREADABLE as error:
        yield PKI_CURVE(name=who.common_name, found=str(error), wanted="EC")
        return
    allowed = _CURVES.get(who.role, _CURVES_END_USER) if who.is_authority else _CURVES_END_USER
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in allowed:
        found = key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__
        yield PKI_CURVE(name=who.common_name, found=found, wanted=", ".join(allowed))
        return
    # TR-03116-3 §2.2: "Als Encoding für die Punkte der elliptischen Kurven MUSS das Uncompressed Encoding …
    # verwendet werden." The re-encoded key (named curve, uncompressed) must stand in the certificate as it is.
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if spki not in certificate.tbs_certificate_bytes:
        yield PKI_POINT_FORMAT(name=who.common_name)


def _signature(certificate: x509.Certificate, who: Identity) -> Iterator[Refusal]:
    # TR-03116-3 §3: "Als Signaturverfahren … MUSS das Verfahren ECDSA gemäß TR-03111 … verwendet werden."
    if certificate.signature_algorithm_oid not in _SIGNATURES:
        found = certificate.signature_algorithm_oid.dotted_string
        yield PKI_SIGNATURE_ALGORITHM(name=who.common_name, found=found, wanted="ECDSA, SHA-256/384/512")


def _presence(certificate: x509.Certificate, who: Identity) -> Iterator[Refusal]:
    present = {extension.oid: extension for extension in certificate.extensions}
    mandatory = _MANDATORY_ROOT if who.role is Role.ROOT and who.is_authority else _MANDATORY
    for oid in sorted(mandatory - present.keys(), key=lambda o: o.dotted_string):
        yield PKI_EXTENSION_MISSING(name=who.common_name, extension=_NAMES[oid])
    if _OID.PRIVATE_KEY_USAGE_PERIOD in present:
        yield PKI_EXTENSION_FORBIDDEN(name=who.common_name, extension=_NAMES[_OID.PRIVATE_KEY_USAGE_PERIOD])
    for oid, extension in present.items():
        if extension.critical and oid not in _CRITICAL:
            yield PKI_CRITICALITY(
                name=who.common_name, extension=_NAMES.get(oid, oid.dotted_string), wanted="not critical"
            )
        if not extension.critical and oid in _CRITICAL:
            yield PKI_CRITICALITY(name=who.common_name, extension=_NAMES[oid], wanted="critical")


def _usage(certificate: x509.Certificate, who: Identity) -> Iterator[Refusal]:
    if (who.use is Use.CA) is not who.is_authority:
        yield PKI_KEY_USAGE(name=who.common_name, why=f"{who.role}: keyCertSign")
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    if usage != key_usage(who.use):
        yield PKI_KEY_USAGE(name=who.common_name, why=f"{who.use}: {_bits(usage)}")
    extended = _value(certificate, x509.ExtendedKeyUsage)
    if extended is None:
        return
    # spec/04 §3.2: ExtendedKeyUsage "TLS certs only: clientAuth + serverAuth".
    if who.use is not Use.TLS:
        yield PKI_EXTENDED_KEY_USAGE(name=who.common_name, why=f"{who.use}")
    elif set(extended) != set(EXTENDED_KEY_USAGE):
        yield PKI_EXTENDED_KEY_USAGE(name=who.common_name, why=", ".join(oid.dotted_string for oid in extended))


def _bits(usage: x509.KeyUsage) -> str:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    return " ".join(name for name in (*names, "key_cert_sign", "crl_sign") if getattr(usage, name)) or "-"


def _alternative_name(certificate: x509.Certificate, who: Identity) -> Iterator[Refusal]:
    names = _value(certificate, x509.SubjectAlternativeName)
    if who.role is Role.SMGW:
        if names is not None:
            yield PKI_ALTERNATIVE_NAME(name=who.common_name, why="SMGW: –")
        return
    if names is None:
        if who.role is not Role.ROOT or not who.is_authority:
            yield PKI_EXTENSION_MISSING(name=who.common_name, extension="SubjectAltName")
        return
    # spec/04 §3.2: "m for GWA/GWH/EMT …; rfc822Name + URI (+dNSName for TLS)".
    wanted: dict[str, type[x509.GeneralName]] = {"rfc822Name": x509.RFC822Name, "URI": x509.UniformResourceIdentifier}
    if who.use is Use.TLS:
        wanted["dNSName"] = x509.DNSName
    missing = [label for label, kind in wanted.items() if not any(isinstance(name, kind) for name in names)]
    if missing:
        yield PKI_ALTERNATIVE_NAME(name=who.common_name, why=" + ".join(missing))


def _constraints(certificate: x509.Certificate, who: Identity) -> Iterator[Refusal]:
    constraints = _value(certificate, x509.BasicConstraints)
    if constraints is None:
        return
    if constraints.ca is not who.is_authority:
        yield PKI_BASIC_CONSTRAINTS(name=who.common_name, why=f"{who.role}: CA:{constraints.ca}")
    elif constraints.ca and who.role is Role.SUB_CA and constraints.path_length != 0:
        yield PKI_BASIC_CONSTRAINTS(name=who.common_name, why=f"pathlen {constraints.path_length}, 0")


def _value(certificate: x509.Certificate, kind: type[_T]) -> _T | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


_Part = Callable[[x509.Certificate, Identity], Iterator[Refusal]]
_PARTS: tuple[_Part, ...] = (_presence, _usage, _alternative_name, _constraints, _key, _signature)
