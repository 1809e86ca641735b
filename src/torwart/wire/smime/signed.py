"""SignedData (RFC 5652 section 5) for mail: made with one signature, read from anybody, verified by our own hand.

Not pyHanko, though it verifies all of this right (tests let it judge our mails, and judge the same mails as we): it is
asynchronous throughout, which a pure floor cannot run, and answers one status where each fault needs its own name.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.refusals.smime import (
    SMIME_ALGORITHM,
    SMIME_ATTRIBUTES,
    SMIME_CONTENT_TYPE,
    SMIME_MALFORMED,
    SMIME_PKCS1V15,
    SMIME_SIGNATURE_WRONG,
    SMIME_SIGNER_CERTIFICATE,
    SMIME_SIGNERS,
    SMIME_TAMPERED,
)
from torwart.wire.certificate.pem import UNREADABLE
from torwart.wire.cms.attributes import Attributes, attribute
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
    sequence,
    set_of,
    tlv,
)
from torwart.wire.smime.algorithms import (
    CAPABILITIES,
    DIGESTS,
    ECDSA,
    ID_DATA,
    ID_PSS,
    PKCS1V15,
    SHA256,
    Algorithm,
    read_pss,
)
from torwart.wire.smime.certificate import holder, issuer_and_serial, key_identifier
from torwart.wire.smime.keys import Signer

_CONTENT_TYPE = oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = oid("1.2.840.113549.1.9.4")
_CAPABILITIES = oid("1.2.840.113549.1.9.15")
_PREFERENCE = oid("1.2.840.113549.1.9.16.2.11")
_VERSION_1 = tlv(INTEGER, b"\x01")
_MOST_CERTIFICATES = 32


def make_signed(content: bytes, *, signer: Signer, detached: bool) -> bytes:
    """The SignedData element over ``content``: SHA-256, one signer, its chain attached."""
    attributes = set_of(_attributes(content, signer))
    info = sequence(
        _VERSION_1,
        sequence(*issuer_and_serial(signer.certificate)),
        SHA256,
        bytes([explicit(0)]) + attributes[1:],  # [0] IMPLICIT here, but signed as SET OF (RFC 5652 5.4)
        signer.algorithm,
        tlv(OCTET_STRING, signer.sign(attributes)),
    )
    octets = b"" if detached else tlv(explicit(0), tlv(OCTET_STRING, content))
    certificates = [signer.certificate, *signer.chain, *([signer.encryption] if signer.encryption else [])]
    body = (
        _VERSION_1
        + tlv(SET, SHA256)
        + sequence(oid(ID_DATA), octets)
        + tlv(explicit(0), b"".join(sorted({c.public_bytes(Encoding.DER) for c in certificates})))
        + tlv(SET, info)
    )
    return head(SEQUENCE, len(body)) + body


def _attributes(content: bytes, signer: Signer) -> Iterator[bytes]:
    yield attribute(_CONTENT_TYPE, oid(ID_DATA))
    yield attribute(_MESSAGE_DIGEST, tlv(OCTET_STRING, hashlib.sha256(content).digest()))
    yield attribute(_CAPABILITIES, CAPABILITIES)
    if signer.encryption is not None:
        # RFC 8551 2.5.3: SMIMEEncryptionKeyPreference, issuerAndSerialNumber [0]
        issuer, serial = issuer_and_serial(signer.encryption)
        yield attribute(_PREFERENCE, tlv(explicit(0), issuer + serial))


@dataclass(frozen=True, slots=True)
class Signed:
    """A SignedData as read, nothing of it believed. ``content``: None if detached. ``signer``: the certificate its
    signer names; ``attributes``: the signed attributes."""

    content: bytes | None
    certificates: tuple[x509.Certificate, ...]
    signer: x509.Certificate
    digest: Algorithm
    attributes: Attributes
    algorithm: Algorithm
    signature: bytes


def read_signed(element: bytes, known: Sequence[x509.Certificate]) -> Signed:
    """Take a SignedData element apart. ``known``: certificates that signers may leave out.

    Every fault of form has its refusal: several signers, no certificate, no attributes, PKCS#1 v1.5.
    """
    fields = Reader(element).enter(SEQUENCE)
    fields.raw(INTEGER)
    fields.raw(SET)
    content = _content(fields.enter(SEQUENCE))
    attached = _certificates(fields.enter(explicit(0))) if fields.tag == explicit(0) else ()
    if fields.tag == explicit(1):
        fields.raw(explicit(1))  # revocation lists in a mail are its sender's; ours are fetched
    infos = fields.enter(SET).each(SEQUENCE)
    fields.close()
    if len(infos) != 1:
        raise SMIME_SIGNERS(count=len(infos))
    return _signer_info(Reader(infos[0]).enter(SEQUENCE), content, attached, known)


def _signer_info(
    info: Reader,
    content: bytes | None,
    attached: tuple[x509.Certificate, ...],
    known: Sequence[x509.Certificate],
) -> Signed:
    info.raw(INTEGER)
    identifier = info.raw(info.tag)
    digest = Algorithm.of(info.raw(SEQUENCE))
    attributes = info.raw(explicit(0)) if info.tag == explicit(0) else None
    algorithm = Algorithm.of(info.raw(SEQUENCE))
    signature = info.value(OCTET_STRING)
    # TR-03116-4 4.8 Table 24: „RSASSA-PKCS1-v1_5 … maximal bis 2023“; spec/05 refuses it by name.
    if algorithm.oid in PKCS1V15:
        raise SMIME_PKCS1V15()
    signer = next((c for c in (*attached, *known) if names(identifier, c)), None)
    if signer is None:
        raise SMIME_SIGNER_CERTIFICATE()
    # Without signed attributes a signature over attributes could be passed off as one over a content.
    if attributes is None:
        raise SMIME_ATTRIBUTES(why="signedAttrs")
    return Signed(content, attached, signer, digest, Attributes.of(attributes), algorithm, signature)


def _content(info: Reader) -> bytes | None:
    kind = dotted(info.raw(OID))
    if kind != ID_DATA:
        raise SMIME_CONTENT_TYPE(found=kind)
    if info.tag == -1:
        return None
    inner = info.enter(explicit(0))
    return inner.value(OCTET_STRING)


def _certificates(members: Reader) -> tuple[x509.Certificate, ...]:
    """The readable X.509 certificates; attribute certificates and broken ones are passed over."""
    found: list[x509.Certificate] = []
    while members.tag != -1:
        tag = members.tag
        element = members.raw(tag)
        if len(found) == _MOST_CERTIFICATES:
            raise SMIME_MALFORMED(why=f"> {_MOST_CERTIFICATES} certificates")
        if tag == SEQUENCE:
            try:
                found.append(x509.load_der_x509_certificate(element))
            except UNREADABLE:
                continue
    return tuple(found)


def names(identifier: bytes, certificate: x509.Certificate) -> bool:
    """Whether a SignerIdentifier or RecipientIdentifier means this certificate."""
    if identifier[0] == implicit(0):
        return bool(own := key_identifier(certificate)) and Reader(identifier).value(implicit(0)) == own
    return identifier == sequence(*issuer_and_serial(certificate))


def verify(signed: Signed, contents: Sequence[bytes]) -> bytes:
    """The one of ``contents`` (forms a detached content may have had before transport) that was signed.

    TR-03116-4 4.2 Table 18 (SHA-2 from 256), 4.3 Table 19 (RSASSA-PSS by RFC 4056, ECDSA by RFC 5753 and 5754).
    """
    digest = DIGESTS.get(signed.digest.oid)
    if digest is None:
        raise SMIME_ALGORITHM(what="hash", found=signed.digest.name)
    if signed.attributes.get(_CONTENT_TYPE) != oid(ID_DATA):
        raise SMIME_ATTRIBUTES(why="contentType")
    stated = signed.attributes.get(_MESSAGE_DIGEST)
    if stated is None:
        raise SMIME_ATTRIBUTES(why="messageDigest")
    _verify_signature(signed, digest)
    for content in contents:
        if hmac.compare_digest(stated, tlv(OCTET_STRING, _hash(digest, content))):
            return content
    raise SMIME_TAMPERED()


def _hash(digest: hashes.HashAlgorithm, content: bytes) -> bytes:
    return hashlib.new(digest.name, content).digest()


def _verify_signature(signed: Signed, digest: hashes.HashAlgorithm) -> None:
    key, algorithm = signed.signer.public_key(), signed.algorithm
    wrong = SMIME_SIGNATURE_WRONG(name=holder(signed.signer))
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            # RFC 5754 3: the hash of the signature algorithm is that of digestAlgorithm.
            if ECDSA.get(algorithm.oid) is not digest:
                raise SMIME_ALGORITHM(what="signature", found=algorithm.name)
            key.verify(signed.signature, signed.attributes.der, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPublicKey):
            # RFC 4056 3: "the hash algorithm … MUST be the same" as digestAlgorithm.
            pss = read_pss(algorithm.parameters) if algorithm.oid == ID_PSS else None
            if pss is None or pss.hash is not digest:
                raise SMIME_ALGORITHM(what="signature", found=algorithm.name)
            key.verify(signed.signature, signed.attributes.der, padding.PSS(padding.MGF1(pss.mgf), pss.salt), digest)
        else:
            raise SMIME_ALGORITHM(what="signature", found=algorithm.name)
    except (InvalidSignature, ValueError):
        raise wrong from None
