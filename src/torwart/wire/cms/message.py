"""Whole messages: ContentInfo around SignedData and AuthEnvelopedData (DS 5.3.1), and the three layers together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from torwart.kernel.refusals.cms import CMS_CONTENT_TYPE, CMS_NOT_COMPRESSED, CMS_TOO_LARGE
from torwart.wire.cms import ber
from torwart.wire.cms.algorithms import (
    ID_AUTH_ENVELOPED_DATA,
    ID_COMPRESSED_DATA,
    ID_DATA,
    ID_SIGNED_DATA,
)
from torwart.wire.cms.compressed import compress as pack
from torwart.wire.cms.compressed import expand
from torwart.wire.cms.der import OID, SEQUENCE, Reader, dotted, explicit, head, oid
from torwart.wire.cms.envelope import make_envelope, open_envelope
from torwart.wire.cms.keys import Agreer, Recipient, Signer
from torwart.wire.cms.profile import DEFAULT_LIMITS, TR_PROFILE, Limits, Suite, Switches
from torwart.wire.cms.signed import Verified, make_signed, open_signed


@dataclass(frozen=True, slots=True)
class Opened:
    """A content that was signed by ``signer_ski`` (an empty string of octets if only sealed) and encrypted for us."""

    content: bytes
    signer_ski: bytes
    suite: Suite
    compressed: bool


def protect(
    content: bytes,
    *,
    signer: Signer,
    recipient: Recipient,
    suite: Suite = Suite.GCM,
    compress: bool = True,
    switches: Switches = TR_PROFILE,
) -> bytes:
    """DER of ContentInfo SignedData(AuthEnvelopedData([CompressedData](content))) (DS 6 Table 6.1)."""
    envelope = _enveloped(content, recipient, suite, compress, switches)
    return _content_info(ID_SIGNED_DATA, make_signed(envelope, ID_AUTH_ENVELOPED_DATA, signer=signer))


def open_protected(
    message: bytes,
    *,
    agreer: Agreer,
    signers: Mapping[bytes, EllipticCurvePublicKey],
    limits: Limits = DEFAULT_LIMITS,
    switches: Switches = TR_PROFILE,
) -> Opened:
    """The opposite of ``protect``: verify, then decrypt, then unpack. ``signers``: SKI → SIG key, as configured.

    Refuses with a kind of ``kernel/refusals/cms.py`` and raises nothing else, whatever ``message`` holds.
    """
    verified = verify(message, signers=signers, limits=limits, switches=switches)
    if verified.content_type != ID_AUTH_ENVELOPED_DATA:
        raise CMS_CONTENT_TYPE(found=verified.content_type, expected=ID_AUTH_ENVELOPED_DATA)
    return _opened(verified.content, verified.signer_ski, agreer, limits, switches)


def seal(
    content: bytes,
    *,
    recipient: Recipient,
    suite: Suite = Suite.GCM,
    compress: bool = False,
    switches: Switches = TR_PROFILE,
) -> bytes:
    """DER of ContentInfo AuthEnvelopedData alone: for secrets inside a document that is signed as a whole."""
    return _content_info(ID_AUTH_ENVELOPED_DATA, _enveloped(content, recipient, suite, compress, switches))


def unseal(
    message: bytes, *, agreer: Agreer, limits: Limits = DEFAULT_LIMITS, switches: Switches = TR_PROFILE
) -> Opened:
    """The opposite of ``seal``; nobody has signed what comes out."""
    return _opened(_contained(message, ID_AUTH_ENVELOPED_DATA, limits), b"", agreer, limits, switches)


def sign(
    content: bytes,
    *,
    signer: Signer,
    content_type: str = ID_DATA,
    detached: bool = False,
    certificate: x509.Certificate | None = None,
    chain: Sequence[x509.Certificate] = (),
) -> bytes:
    """DER of ContentInfo SignedData. ``certificate``: the signer's own, to be attached; ``chain``: its issuers."""
    certificates = [*([certificate] if certificate else []), *chain]
    signed = make_signed(content, content_type, signer=signer, detached=detached, certificates=certificates)
    return _content_info(ID_SIGNED_DATA, signed)


def verify(
    message: bytes,
    *,
    signers: Mapping[bytes, EllipticCurvePublicKey],
    content: bytes | None = None,
    limits: Limits = DEFAULT_LIMITS,
    switches: Switches = TR_PROFILE,
) -> Verified:
    """Check a ContentInfo SignedData. ``content`` belongs to a detached signature and to no other."""
    signed = _contained(message, ID_SIGNED_DATA, limits)
    return open_signed(signed, signers=signers, content=content, switches=switches)


def _enveloped(content: bytes, recipient: Recipient, suite: Suite, compress: bool, switches: Switches) -> bytes:
    if compress:
        return make_envelope(pack(content), ID_COMPRESSED_DATA, recipient=recipient, suite=suite, switches=switches)
    return make_envelope(content, ID_DATA, recipient=recipient, suite=suite, switches=switches)


def _opened(envelope: bytes, signer_ski: bytes, agreer: Agreer, limits: Limits, switches: Switches) -> Opened:
    opened = open_envelope(envelope, agreer=agreer, switches=switches)
    if opened.content_type == ID_COMPRESSED_DATA:
        return Opened(expand(opened.plaintext, limits), signer_ski, opened.suite, compressed=True)
    # DS 5.2.2 Table 5.1: „Encapsulated (id-compressedData oder id-Data)“
    if opened.content_type != ID_DATA:
        raise CMS_CONTENT_TYPE(found=opened.content_type, expected=ID_DATA)
    if switches.require_compression:
        raise CMS_NOT_COMPRESSED()
    if len(opened.plaintext) > limits.content:
        raise CMS_TOO_LARGE(size=len(opened.plaintext), limit=limits.content)
    return Opened(opened.plaintext, signer_ski, opened.suite, compressed=False)


def _content_info(content_type: str, element: bytes) -> bytes:
    """ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT } (RFC 5652 3)."""
    tagged = oid(content_type) + head(explicit(0), len(element))
    return head(SEQUENCE, len(tagged) + len(element)) + tagged + element


def _contained(message: bytes, expected: str, limits: Limits) -> bytes:
    """The element inside a ContentInfo of the expected type."""
    if len(message) > limits.message:
        raise CMS_TOO_LARGE(size=len(message), limit=limits.message)
    found, element = ber.read(message, _read)
    # DS 5.3.1: „Als "ContentType" in der Datenstruktur "ContentInfo" MUSS für eine innere Verschlüsselung und äußere
    # Signatur die OID id-SignedData verwendet werden.“
    if found != expected:
        raise CMS_CONTENT_TYPE(found=found, expected=expected)
    return element


def _read(reader: Reader) -> tuple[str, bytes]:
    fields = reader.enter(SEQUENCE)
    reader.close()
    found = dotted(fields.raw(OID))
    content = fields.enter(explicit(0))
    fields.close()
    element = content.raw(SEQUENCE)
    content.close()
    return found, element
