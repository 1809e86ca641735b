"""Mail certificates: what they are for, whose they are, whether they are strong enough, and which one to choose."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    load_der_pkcs7_certificates,
    load_pem_pkcs7_certificates,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from torwart.kernel.refusals.smime import (
    SMIME_CERTIFICATE,
    SMIME_EXPIRED,
    SMIME_KEY_WEAK,
    SMIME_NO_RECIPIENT,
    SMIME_NOT_YET_VALID,
    SMIME_USAGE,
)
from torwart.kernel.words import Words
from torwart.wire.certificate.pem import UNREADABLE
from torwart.wire.cms.der import INTEGER, SEQUENCE, Reader, explicit
from torwart.wire.mail.address import is_address
from torwart.wire.mail.words import clean

# TR-03116-4 Table 23: brainpoolP256r1, P384r1, P512r1 and NIST P-256, P-384, P-521 until 2029+.
CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"})
# TR-03116-4 Tables 19 and 21: RSASSA-PSS and RSAES-OAEP „3072 … 2029+“ (2048 ended with 2022).
SMALLEST_RSA = 3072
# TR-03116-4 4.6: „… um Denial-Of-Service-Angriffe aufgrund von ungültigen Schlüsseln mit extrem hohen Schlüssellängen
# zu verhindern.“
LARGEST_RSA = 8192


class CertificateUse(StrEnum):
    SIGN = "sign"
    ENCRYPT = "encrypt"


_USE_WORDS = {
    CertificateUse.SIGN: Words("Signieren", "signing"),
    CertificateUse.ENCRYPT: Words("Verschlüsseln", "encrypting"),
}


def certificate_uses(certificate: x509.Certificate) -> frozenset[CertificateUse]:
    """What the certificate may be used for in mail; nothing where its extensions cannot be read."""
    try:
        extensions = certificate.extensions
        key = certificate.public_key()
    except UNREADABLE:
        return frozenset()
    # RFC 8550 4.4.4: an extended key usage, if any, must name emailProtection or anyExtendedKeyUsage.
    purposes = _extension(extensions, x509.ExtendedKeyUsage)
    mail = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if purposes is not None and not mail & set(purposes):
        return frozenset()
    usage = _extension(extensions, x509.KeyUsage)
    if usage is None:
        return frozenset(CertificateUse)
    # RFC 8550 4.4.2: digitalSignature or nonRepudiation signs; RSA encrypts by keyEncipherment, EC by keyAgreement.
    uses = set()
    if usage.digital_signature or usage.content_commitment:
        uses.add(CertificateUse.SIGN)
    encrypts = usage.key_encipherment if isinstance(key, RSAPublicKey) else usage.key_agreement
    if encrypts:
        uses.add(CertificateUse.ENCRYPT)
    return frozenset(uses)


def addresses(certificate: x509.Certificate) -> tuple[str, ...]:
    """The mail addresses it speaks for, in lower case.

    RFC 8550 3: subjectAltName rfc822Name; only where there is none, the emailAddress in the subject.
    """
    try:
        names = _extension(certificate.extensions, x509.SubjectAlternativeName)
        found = names.get_values_for_type(x509.RFC822Name) if names is not None else []
        if not found:
            found = [str(a.value) for a in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)]
    except UNREADABLE:
        return ()
    return tuple(dict.fromkeys(address.lower() for address in found if is_address(address)))


def choose_encryption(certificates: Iterable[x509.Certificate], at: datetime) -> x509.Certificate:
    """The certificate to encrypt for: valid at ``at``, for encryption, strong; of several the one that ends last.

    An expired one never blocks another (spec/05). Refuses ``smime.no_recipient``. Chain and revocation: ``validate``.
    """
    fit = [
        certificate
        for certificate in certificates
        if CertificateUse.ENCRYPT in certificate_uses(certificate)
        and certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
        and not _weakness(certificate)
    ]
    if not fit:
        raise SMIME_NO_RECIPIENT()
    return max(fit, key=lambda certificate: certificate.not_valid_after_utc)


def demand(certificate: x509.Certificate, *, use: CertificateUse, at: datetime) -> None:
    """Time, strength and use of a certificate by itself, each refused by its own name."""
    name = holder(certificate)
    if at > certificate.not_valid_after_utc:
        raise SMIME_EXPIRED(name=name, until=f"{certificate.not_valid_after_utc:%Y-%m-%d}")
    if at < certificate.not_valid_before_utc:
        raise SMIME_NOT_YET_VALID(name=name, since=f"{certificate.not_valid_before_utc:%Y-%m-%d}")
    weakness = _weakness(certificate)
    if weakness:
        raise SMIME_KEY_WEAK(name=name, found=weakness)
    if use not in certificate_uses(certificate):
        words = _USE_WORDS[use]
        raise SMIME_USAGE(name=name, use_de=words.de, use_en=words.en)


def _weakness(certificate: x509.Certificate) -> str:
    """Why the key is not allowed; nothing if it is."""
    try:
        key = certificate.public_key()
    except UNREADABLE:
        return "?"
    if isinstance(key, RSAPublicKey):
        return "" if SMALLEST_RSA <= key.key_size <= LARGEST_RSA else f"RSA {key.key_size}"
    if isinstance(key, EllipticCurvePublicKey):
        return "" if key.curve.name in CURVES else key.curve.name
    return type(key).__name__.removesuffix("PublicKey").lstrip("_")


def holder(certificate: x509.Certificate) -> str:
    """How to call it in a sentence: its address, else its common name, else its serial number."""
    own = addresses(certificate)
    if own:
        return own[0]
    try:
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except UNREADABLE:
        names = []
    return (clean(str(names[0].value))[:80] if names else "") or f"{certificate.serial_number:x}"


@contextmanager
def readable() -> Iterator[None]:
    """Parts that cannot be read are refused as ``smime.certificate``."""
    try:
        yield
    except UNREADABLE as error:
        raise SMIME_CERTIFICATE(why=clean(str(error))[:120]) from None


def issuer_and_serial(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    """Issuer name and serial number as the elements that stand in the certificate (RFC 5652 10.2.4)."""
    fields = Reader(certificate.tbs_certificate_bytes).enter(SEQUENCE)
    if fields.tag == explicit(0):
        fields.raw(explicit(0))
    serial = fields.raw(INTEGER)
    fields.raw(SEQUENCE)
    return fields.raw(SEQUENCE), serial


def key_identifier(certificate: x509.Certificate) -> bytes:
    """The subject key identifier, or nothing."""
    try:
        found = _extension(certificate.extensions, x509.SubjectKeyIdentifier)
    except UNREADABLE:
        return b""
    return found.digest if found is not None else b""


def load_mail_certificates(data: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of an upload (DER, PEM or a PKCS#7 bundle); refuses ``smime.certificate``."""
    loaders: tuple[Callable[[bytes], list[x509.Certificate]], ...] = (
        (x509.load_pem_x509_certificates,)
        if b"-----BEGIN CERTIFICATE-----" in data
        else (lambda der: [x509.load_der_x509_certificate(der)], _bundle)
    )
    reason: object = ""
    for load in loaders:
        try:
            found = load(data)
            for certificate in found:
                _read_whole(certificate)
        except UNREADABLE as error:
            reason = reason or error
        else:
            return tuple(found)
    raise SMIME_CERTIFICATE(why=str(reason)[:120])


def _read_whole(certificate: x509.Certificate) -> None:
    """``cryptography`` reads the parts of a certificate when they are asked for; here all that we ever ask for."""
    certificate.public_key()
    _ = certificate.extensions, certificate.subject, certificate.issuer
    _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc, certificate.signature_hash_algorithm


def _bundle(data: bytes) -> list[x509.Certificate]:
    loaded = load_pem_pkcs7_certificates(data) if b"-----BEGIN PKCS7" in data else load_der_pkcs7_certificates(data)
    if not loaded:
        raise ValueError("an empty bundle")
    return loaded


_T = TypeVar("_T", bound=x509.ExtensionType)


def _extension(extensions: x509.Extensions, kind: type[_T]) -> _T | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
