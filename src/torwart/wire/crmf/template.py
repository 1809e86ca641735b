"""One certificate request: CertReqMsg of RFC 4211 with the template and the proof of possession of spec/04 §3.5."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.kernel.refusals.crmf import CRMF_DOMAIN_PARAMETERS, CRMF_INNER_SIGNATURE, CRMF_MALFORMED
from torwart.wire.certificate import Contact, Subject, Use, request_extensions
from torwart.wire.certificate.names import use_of
from torwart.wire.certificate.pem import UNREADABLE
from torwart.wire.cms.der import BIT_STRING, INTEGER, OCTET_STRING, OID, SEQUENCE, Reader, explicit, oid, sequence, tlv

ECDSA_SHA256 = sequence(oid("1.2.840.10045.4.3.2"))
_BOOLEAN_TRUE = b"\x01\x01\xff"
_EXTENSION_REQUEST = oid("1.2.840.113549.1.9.14")
_SHA256 = ec.ECDSA(hashes.SHA256())
CURVE = "brainpoolP256r1"


class KeyHolder(Protocol):
    """Whoever holds a fresh private key: the key store, a security module, or ``LocalKey``."""

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey: ...

    def sign(self, message: bytes) -> bytes:
        """ECDSA with SHA-256, DER (X9.62) encoded; with the ENC key, too (spec/04 §3.5)."""
        ...


class LocalKey:
    """A private key in this process."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self.public_key = private_key.public_key()
        self._key = private_key

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, _SHA256)


def build_request(use: Use, subject: Subject, key: KeyHolder, contact: Contact | None) -> bytes:
    """DER of CertReqMsg; ``certReqId`` is the SKI as positive INTEGER, as seen in the field (spec/04 §3.5)."""
    public = key.public_key
    spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    wanted = [_extension(value, critical) for value, critical in request_extensions(use, public, contact)]
    # RFC 4211 §5: module with IMPLICIT TAGS; Name is a CHOICE and so [5] is explicit (X.680 §31.2.7 c).
    template = sequence(
        tlv(explicit(5), subject.name().public_bytes()),
        tlv(explicit(6), _content(spki)),
        tlv(explicit(9), b"".join(wanted)),
    )
    request = sequence(_positive(x509.SubjectKeyIdentifier.from_public_key(public).digest), template)
    return sequence(request, tlv(explicit(1), ECDSA_SHA256 + tlv(BIT_STRING, b"\0" + key.sign(request))))


def _extension(value: x509.ExtensionType, critical: bool) -> bytes:
    octets = tlv(OCTET_STRING, value.public_bytes())
    return sequence(oid(value.oid.dotted_string), _BOOLEAN_TRUE if critical else b"", octets)


def _content(element: bytes) -> bytes:
    return Reader(element).value(SEQUENCE)


def _positive(number: bytes) -> bytes:
    shortest = number.lstrip(b"\0") or b"\0"
    return tlv(INTEGER, b"\0" + shortest if shortest[0] & 0x80 else shortest)


@dataclass(frozen=True)
class CertificateRequest:
    """A request as read: what is wanted, nothing of it proven. ``signed`` is DER(CertRequest), the octets under the
    inner ``signature``; ``spki`` the wanted key as it came.
    """

    use: Use
    subject: Subject
    contact: Contact | None
    spki: bytes
    signed: bytes
    algorithm: bytes
    signature: bytes

    @cached_property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The wanted key; refuses ``crmf.domain_parameters`` whatever is not brainpoolP256r1, named, uncompressed."""
        try:
            key = serialization.load_der_public_key(self.spki)
        except UNREADABLE as error:
            raise CRMF_DOMAIN_PARAMETERS(use=self.use, why=error) from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != CURVE:
            found = key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__
            raise CRMF_DOMAIN_PARAMETERS(use=self.use, why=found)
        again = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        # TR-03116-3 §2.2: "Als Encoding für die Punkte der elliptischen Kurven MUSS das Uncompressed Encoding …"
        if again != self.spki:
            raise CRMF_DOMAIN_PARAMETERS(use=self.use, why="point compressed or curve not named")
        return key

    def check_domain_parameters(self) -> None:
        """TR-03129-4 §2.2.2: "e.g. a wrong signature algorithm or a wrong named curve has been chosen"."""
        if self.algorithm != ECDSA_SHA256:
            raise CRMF_DOMAIN_PARAMETERS(use=self.use, why=f"POP {self.algorithm.hex()}")
        _ = self.public_key

    def check_inner(self) -> None:
        """The proof of possession (RFC 4211 §4.1, poposkInput absent: the signature is over certReq)."""
        self.check_domain_parameters()
        try:
            self.public_key.verify(self.signature, self.signed, _SHA256)
        except InvalidSignature as error:
            raise CRMF_INNER_SIGNATURE(use=self.use) from error


def read_request(message: Reader) -> CertificateRequest:
    """Read a CertReqMsg; ``NotDER`` for other octets, ``crmf.malformed``/``pki.*`` for other contents."""
    signed = message.raw(SEQUENCE)
    proof = message.enter(explicit(1))
    algorithm = proof.raw(SEQUENCE)
    signature = proof.value(BIT_STRING)
    proof.close()
    message.close()
    request = Reader(signed).enter(SEQUENCE)
    request.value(INTEGER)
    template = request.enter(SEQUENCE)
    request.close()
    name, spki, extensions = _read_template(template)
    if signature[:1] != b"\0":
        raise CRMF_MALFORMED(why="BIT STRING")
    csr = _as_pkcs10(name, spki, extensions)
    try:
        subject = Subject.of(csr.subject)
        use = use_of(csr.extensions, subject.common_name)
        contact = _contact(csr.extensions)
    except (*UNREADABLE, x509.ExtensionNotFound) as error:
        raise CRMF_MALFORMED(why=error) from error
    return CertificateRequest(use, subject, contact, spki, signed, algorithm, signature[1:])


def _read_template(template: Reader) -> tuple[bytes, bytes, bytes]:
    """Name, SubjectPublicKeyInfo and Extensions; a template with any other field is refused (spec/04 §3.5: "only
    subject [5], publicKey [6] …, extensions [9]").
    """
    name_field = template.enter(explicit(5))
    name = name_field.raw(SEQUENCE)
    name_field.close()
    spki = tlv(SEQUENCE, template.value(explicit(6)))
    extensions = tlv(SEQUENCE, template.value(explicit(9)))
    template.close()
    return name, spki, extensions


# A key the X.509 library accepts without a question: the wanted key itself is judged by check_domain_parameters.
_ANY_KEY = sequence(sequence(oid("1.3.101.112")), tlv(BIT_STRING, b"\0" + bytes(32)))


def _as_pkcs10(name: bytes, spki: bytes, extensions: bytes) -> x509.CertificateSigningRequest:
    """The template dressed as PKCS#10 with an empty signature, so that the X.509 library reads names and extensions
    for us; nobody ever verifies it.
    """
    Reader(spki).enter(SEQUENCE).enter(SEQUENCE).raw(OID)
    attribute = sequence(_EXTENSION_REQUEST, tlv(0x31, extensions))
    info = sequence(tlv(INTEGER, b"\0"), name, _ANY_KEY, tlv(explicit(0), attribute))
    try:
        return x509.load_der_x509_csr(sequence(info, ECDSA_SHA256, tlv(BIT_STRING, b"\0")))
    except UNREADABLE as error:
        raise CRMF_MALFORMED(why=error) from error


def _contact(extensions: x509.Extensions) -> Contact | None:
    try:
        return Contact.of(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return None
