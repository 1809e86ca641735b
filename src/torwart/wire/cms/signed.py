"""SignedData (RFC 5652) by the profile of DS 5.3.3.1 Table 5.6: one signer by SKI, ECDSA, two signed attributes."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.cms import (
    CMS_ALGORITHM,
    CMS_DETACHED,
    CMS_DIGEST_WRONG,
    CMS_REVOCATIONS,
    CMS_SIGNATURE_WRONG,
    CMS_SIGNED_ATTRIBUTES,
    CMS_SIGNER_CERTIFICATE,
    CMS_SIGNER_IDENTIFIER,
    CMS_SIGNER_UNKNOWN,
    CMS_SIGNERS,
    CMS_UNSIGNED_ATTRIBUTES,
    CMS_VERSION,
)
from torwart.wire.cms import ber
from torwart.wire.cms.algorithms import (
    ATTRIBUTE_CONTENT_TYPE,
    ATTRIBUTE_MESSAGE_DIGEST,
    DIGESTS,
    ECDSA_SHA256_IDENTIFIER,
    SHA256_IDENTIFIER,
    SIGNATURES,
    Digest,
    name_of,
)
from torwart.wire.cms.attributes import Attributes, attribute, content_type_attribute
from torwart.wire.cms.der import (
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    Reader,
    dotted,
    explicit,
    head,
    implicit,
    oid,
    set_of,
    tlv,
)
from torwart.wire.cms.keys import UNREADABLE, Signer, public_key_of, ski_of
from torwart.wire.cms.profile import Switches

_VERSION_3 = tlv(INTEGER, b"\x03")
_SIGNED_DATA_HEAD = _VERSION_3 + tlv(SET, SHA256_IDENTIFIER)
_SIGNED_ATTRIBUTES = bytes([explicit(0)])
_DIGEST_HEADS = {
    size: attribute(ATTRIBUTE_MESSAGE_DIGEST, tlv(OCTET_STRING, bytes(size)))[:-size] for size in (32, 48, 64)
}


def make_signed(
    content: bytes,
    content_type: str,
    *,
    signer: Signer,
    detached: bool = False,
    certificates: Sequence[x509.Certificate] = (),
) -> bytes:
    """The SignedData element over ``content``; ``detached`` leaves the content out (CMS_ECDSA_SHA256_Detached)."""
    attributes = _attributes(content_type, hashlib.sha256(content).digest())
    signature = signer.sign(attributes)
    info = (
        _VERSION_3
        + tlv(implicit(0), signer.ski)
        + SHA256_IDENTIFIER
        # signedAttrs is [0] IMPLICIT here, but was signed as SET OF.
        + _SIGNED_ATTRIBUTES
        + attributes[1:]
        + ECDSA_SHA256_IDENTIFIER
        + head(OCTET_STRING, len(signature))
        + signature
    )
    infos = head(SEQUENCE, len(info)) + info
    octets = b"" if detached else head(OCTET_STRING, len(content)) + content
    encapsulated = oid(content_type) + (head(explicit(0), len(octets)) if octets else b"")
    body = (
        _SIGNED_DATA_HEAD
        + head(SEQUENCE, len(encapsulated) + len(octets))
        + encapsulated
        + octets
        + _certificate_set(certificates)
        + head(SET, len(infos))
        + infos
    )
    return head(SEQUENCE, len(body)) + body


def _attributes(content_type: str, digest: bytes) -> bytes:
    """The two signed attributes of the profile as SET OF, which is what the signature covers (RFC 5652 5.4)."""
    return set_of([content_type_attribute(content_type), _DIGEST_HEADS[len(digest)] + digest])


def _certificate_set(certificates: Sequence[x509.Certificate]) -> bytes:
    if not certificates:
        return b""
    return tlv(explicit(0), b"".join(sorted(certificate.public_bytes(Encoding.DER) for certificate in certificates)))


@dataclass(frozen=True, slots=True)
class Verified:
    """A content whose signature holds. ``content_type``: dotted. ``certificates``: as attached; not validated."""

    content: bytes
    content_type: str
    signer_ski: bytes
    certificates: tuple[x509.Certificate, ...]


@dataclass(slots=True)
class _Signed:
    """What ``_read`` found, not yet believed. ``content``: None if detached. ``attributes``: as received, tag [0]."""

    digests: list[bytes]
    content_type: str
    content: bytes | None
    certificates: list[bytes]
    ski: bytes
    digest: bytes
    attributes: bytes
    algorithm: bytes
    signature: bytes


def open_signed(
    element: bytes,
    *,
    signers: Mapping[bytes, EllipticCurvePublicKey],
    content: bytes | None,
    switches: Switches,
) -> Verified:
    """Read and verify a SignedData element; ``content`` is given where the signature is detached."""
    signed = ber.read(element, _read)
    key = _key_of(signed, signers)
    if signed.content is None:
        if content is None:
            raise CMS_DETACHED(why="no content")
        signed.content = content
    elif content is not None:
        raise CMS_DETACHED(why="content inside and beside")
    octets = signed.content
    _verify(signed, lambda digest: bytes(digest.of(octets).digest()), key, switches)
    return Verified(octets, signed.content_type, signed.ski, _checked_certificates(signed, key, switches))


def open_digested(
    element: bytes,
    *,
    digested: Callable[[Digest], bytes],
    signers: Mapping[bytes, EllipticCurvePublicKey],
    switches: Switches,
) -> Verified:
    """Verify a SignedData element without its content, of which ``digested`` tells the digest; answers no content."""
    signed = ber.read(element, _read)
    key = _key_of(signed, signers)
    _verify(signed, digested, key, switches)
    return Verified(b"", signed.content_type, signed.ski, _checked_certificates(signed, key, switches))


def _key_of(signed: _Signed, signers: Mapping[bytes, EllipticCurvePublicKey]) -> EllipticCurvePublicKey:
    # DS 5.2.1: „… indem sie auf Übereinstimmung mit einem für den Verwendungszweck geeigneten administrativ
    # konfigurierten SM-PKI-Endnutzer-Zertifikat geprüft werden.“
    key = signers.get(signed.ski)
    if key is None:
        raise CMS_SIGNER_UNKNOWN(ski=signed.ski.hex())
    return key


def _verify(
    signed: _Signed, digest_of: Callable[[Digest], bytes], key: EllipticCurvePublicKey, switches: Switches
) -> None:
    """Algorithms, signed attributes, digest, signature."""
    digest, algorithm = DIGESTS.get(signed.digest), SIGNATURES.get(signed.algorithm)
    if digest is None or signed.digest not in signed.digests:
        raise CMS_ALGORITHM(what="digest", found=name_of(signed.digest))
    # DS 5.3.3.2.2: „Als Signatur-Algorithmus ist hierbei jeweils die OID zu verwenden, deren Suffix mit der
    # Hash-Funktion übereinstimmt, welche im DigestAlgorithm-Feld der entsprechenden SignerInfos enthalten ist.“
    if algorithm is not digest:
        raise CMS_ALGORITHM(what="signature", found=name_of(signed.algorithm))
    digested = digest_of(digest)
    covered = _attributes(signed.content_type, digested)
    # The attributes are nearly always those we would write ourselves; only where they differ they are taken apart.
    if signed.attributes[1:] != covered[1:]:
        covered = _checked_attributes(signed, digested, switches)
    try:
        key.verify(signed.signature, covered, digest.ecdsa)
    except InvalidSignature:
        raise CMS_SIGNATURE_WRONG() from None


def _checked_attributes(signed: _Signed, digested: bytes, switches: Switches) -> bytes:
    """The DER of signed attributes in another order, with another hash or with more than two."""
    attributes = Attributes.of(signed.attributes)
    if attributes.get(ATTRIBUTE_CONTENT_TYPE) != oid(signed.content_type):
        raise CMS_SIGNED_ATTRIBUTES(why="contentType is missing or another")
    stated = attributes.get(ATTRIBUTE_MESSAGE_DIGEST)
    if stated is None:
        raise CMS_SIGNED_ATTRIBUTES(why="messageDigest is missing")
    # Table 5.6 (attrType): „id-contentType und id-messageDigest“
    if len(attributes) > 2 and not switches.extra_signed_attributes:
        raise CMS_SIGNED_ATTRIBUTES(why=f"{len(attributes)} instead of 2")
    if stated != tlv(OCTET_STRING, digested):
        raise CMS_DIGEST_WRONG()
    return attributes.der


def _checked_certificates(
    signed: _Signed, key: EllipticCurvePublicKey, switches: Switches
) -> tuple[x509.Certificate, ...]:
    """The attached certificates.

    Table 5.6: „Falls es vorhanden ist enthält es das X.509-Signaturzertifikat, mit dem die Nachricht signiert ist.“
    """
    if not signed.certificates:
        return ()
    try:
        certificates = tuple(x509.load_der_x509_certificate(element) for element in signed.certificates)
        own = [c for c in certificates if ski_of(c) == signed.ski and public_key_of(c) == key]
    except (Refusal, *UNREADABLE) as error:
        raise CMS_SIGNER_CERTIFICATE(why=f"unreadable ({error})") from None
    if not own:
        raise CMS_SIGNER_CERTIFICATE(why="another key")
    if len(certificates) > 1 and not switches.certificate_chain:
        raise CMS_SIGNER_CERTIFICATE(why=f"{len(certificates)} certificates")
    return certificates


def _read(reader: Reader) -> _Signed:
    """SignedData ::= SEQUENCE { version, digestAlgorithms, encapContentInfo, [0] certificates, [1] crls, signerInfos }
    (RFC 5652 5.1)."""
    fields = reader.enter(SEQUENCE)
    reader.close()
    if fields.skips(_SIGNED_DATA_HEAD):
        digests = [SHA256_IDENTIFIER]
    elif fields.skips(_VERSION_3):
        digests = fields.enter(SET).each(SEQUENCE)
    else:
        raise CMS_VERSION(structure="SignedData", expected=3)
    content_type, content = _read_content(fields.enter(SEQUENCE))
    certificates: list[bytes] = []
    if fields.tag == explicit(0):
        certificates = fields.enter(explicit(0)).each(SEQUENCE)
    if fields.tag == explicit(1):
        # Table 5.6 (crls x): „Entfällt“
        raise CMS_REVOCATIONS()
    infos = fields.enter(SET)
    fields.close()
    # Table 5.6 (signerInfos): „Besteht aus einer SignerInfo“
    if infos.tag == -1:
        raise CMS_SIGNERS(count=0)
    info = infos.enter(SEQUENCE)
    if infos.tag != -1:
        raise CMS_SIGNERS(count=1 + len(infos.each(SEQUENCE)))
    return _Signed(digests, content_type, content, certificates, *_read_signer(info))


def _read_content(info: Reader) -> tuple[str, bytes | None]:
    content_type = dotted(info.raw(OID))
    if info.tag == -1:
        return content_type, None
    inner = info.enter(explicit(0))
    info.close()
    content = inner.value(OCTET_STRING)
    inner.close()
    return content_type, content


def _read_signer(info: Reader) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    """SKI, digestAlgorithm, signed attributes, signatureAlgorithm, signature of a SignerInfo (RFC 5652 5.3)."""
    versioned = info.skips(_VERSION_3)
    if not versioned and info.value(INTEGER) != b"\x01":
        raise CMS_VERSION(structure="SignerInfo", expected=3)
    # Table 5.6 (sid): „Es wird die Variante subjectKeyId gewählt“; version 1 goes with the other variant.
    if not versioned or info.tag != implicit(0):
        raise CMS_SIGNER_IDENTIFIER()
    ski = info.value(implicit(0))
    digest = info.raw(SEQUENCE)
    if info.tag != explicit(0):
        raise CMS_SIGNED_ATTRIBUTES(why="they are missing")
    attributes = info.raw(explicit(0))
    algorithm = info.raw(SEQUENCE)
    signature = info.value(OCTET_STRING)
    if info.tag == explicit(1):
        # Table 5.6 (unsignedAttr x): „Entfällt“
        raise CMS_UNSIGNED_ATTRIBUTES()
    info.close()
    return ski, digest, attributes, algorithm, signature
