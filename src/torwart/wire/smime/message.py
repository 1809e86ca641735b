"""Whole mails: signed and encrypted on the way out, opened layer by layer on the way in (RFC 8551).

Header fields other than Content-… stay outside on the way out and are taken from outside on the way in: the transport
needs them. They are not protected, so nothing is believed of them but the sender, and that only if the signer's
certificate carries the same address.
"""

import re
from base64 import encodebytes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from cryptography import x509

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.mail import MAIL_TOO_LARGE
from torwart.kernel.refusals.smime import (
    SMIME_CONTENT_TYPE,
    SMIME_LAYERS,
    SMIME_MALFORMED,
    SMIME_SIGNER_NOT_SENDER,
)
from torwart.wire.cms import ber
from torwart.wire.cms.der import OID, SEQUENCE, NotDER, Reader, dotted, explicit, head, oid
from torwart.wire.mail.address import read_sender
from torwart.wire.mail.message import multipart
from torwart.wire.mail.mime import LIMITS, Entity, Limits, parts, split
from torwart.wire.mail.words import lenient_base64
from torwart.wire.smime.algorithms import ID_AUTH_ENVELOPED_DATA, ID_ENVELOPED_DATA, ID_SIGNED_DATA
from torwart.wire.smime.caution import Caution
from torwart.wire.smime.certificate import CertificateUse, addresses, certificate_uses
from torwart.wire.smime.envelope import make_envelope, open_envelope
from torwart.wire.smime.keys import Decrypter, Signer
from torwart.wire.smime.signed import Signed, make_signed, read_signed, verify
from torwart.wire.smime.trust import TrustStore, validate

_CRLF = b"\r\n"

# -- sending ----------------------------------------------------------------------------------------------------------


def protect(
    entity: bytes,
    *,
    signer: Signer,
    recipients: Sequence[x509.Certificate],
    legacy: bool = False,
    opaque: bool = False,
) -> bytes:
    """Sign, then encrypt, a whole mail or a bare MIME entity.

    ``legacy``: AES-256-CBC instead of AES-128-GCM, for recipients an operator has marked so. ``opaque``: the content
    inside the signature instead of beside it. Choose recipients with ``choose_encryption`` and ``validate`` them.
    """
    return encrypt(sign(entity, signer=signer, opaque=opaque), recipients=recipients, legacy=legacy)


def sign(entity: bytes, *, signer: Signer, opaque: bool = False) -> bytes:
    """The mail with a signature: ``multipart/signed``, or ``smime-type=signed-data`` if ``opaque``."""
    outside, inside = _parted(entity)
    signed = _content_info(ID_SIGNED_DATA, make_signed(inside, signer=signer, detached=not opaque))
    if opaque:
        return outside + _wrapped("pkcs7-mime; smime-type=signed-data", "smime.p7m", signed)
    signature = _wrapped("pkcs7-signature", "smime.p7s", signed)
    parameters = 'protocol="application/pkcs7-signature"; micalg=sha-256; '
    return outside + multipart("signed", [inside, signature], parameters)


def encrypt(entity: bytes, *, recipients: Sequence[x509.Certificate], legacy: bool = False) -> bytes:
    """The mail encrypted for the holders of ``recipients``; refuses ``smime.no_recipient`` if there are none."""
    outside, inside = _parted(entity)
    content_type, element = make_envelope(inside, recipients=recipients, legacy=legacy)
    kind = "authEnveloped-data" if content_type == ID_AUTH_ENVELOPED_DATA else "enveloped-data"
    return outside + _wrapped(f"pkcs7-mime; smime-type={kind}", "smime.p7m", _content_info(content_type, element))


def _parted(entity: bytes) -> tuple[bytes, bytes]:
    """The header fields that stay outside, and the MIME entity in canonical form (CRLF, RFC 8551 3.1.1)."""
    whole = split(re.sub(rb"\r?\n", _CRLF, entity))
    inside = b"".join(raw for name, _, raw in whole.fields if name.startswith("content-"))
    outside = b"".join(raw for name, _, raw in whole.fields if not name.startswith("content-"))
    return outside, inside + _CRLF + whole.body


def _content_info(content_type: str, element: bytes) -> bytes:
    tagged = oid(content_type) + head(explicit(0), len(element)) + element
    return head(SEQUENCE, len(tagged)) + tagged


def _wrapped(kind: str, name: str, der: bytes) -> bytes:
    return (
        f'Content-Type: application/{kind}; name="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
    ).encode() + encodebytes(der).replace(b"\n", _CRLF)


# -- receiving --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """A mail with its protection taken off.

    ``entity``: the whole mail, outer header and inner content, ready for ``wire.mail.read``. ``signed``: the content
    itself was signed, by a trusted certificate of the sender (``signer``, ``addresses``); a signature around nothing
    but ciphertext does not count. ``offered``: valid certificates of the sender that came along, to be stored.
    ``order``: the layers from outside in, of "signed" and "encrypted". ``cautions``: what has to be recorded.
    """

    entity: bytes
    signer: x509.Certificate | None
    addresses: tuple[str, ...]
    signed: bool
    encrypted: bool
    cautions: tuple[Caution, ...]
    order: tuple[str, ...]
    offered: tuple[x509.Certificate, ...]


class _Layer(NamedTuple):
    """One protection: CMS content type and element, and for a detached signature what it is about."""

    content_type: str
    element: bytes
    beside: bytes | None


def is_protected(raw: bytes) -> bool:
    """Whether a mail claims to be S/MIME; refuses ``mail.malformed``."""
    return _claims(split(raw)) is not None


def open_mail(
    raw: bytes, *, decrypters: Sequence[Decrypter], trust: TrustStore, at: datetime, limits: Limits = LIMITS
) -> Opened:
    """Decrypt and verify, layer by layer. A mail without protection comes back as it is, neither signed nor encrypted.

    Refuses ``mail.too_large``, ``mail.malformed`` and every kind of the subject ``smime`` that a sender can cause.
    """
    if len(raw) > limits.size:
        raise MAIL_TOO_LARGE(size=len(raw), limit=limits.size)
    whole = split(raw, limits)
    sender = read_sender(whole.all("from"))
    opener = _Opener(sender.address if sender else "", decrypters, trust, at)
    inner = opener.peel(whole, limits)
    if not opener.order:
        return Opened(raw, None, (), False, False, (), (), ())
    outside = b"".join(line for name, _, line in whole.fields if not name.startswith("content-"))
    inside = b"".join(line for name, _, line in inner.fields if name.startswith("content-"))
    signed = opener.order[-1] == "signed"
    if not signed and "signed" in opener.order:
        opener.cautions.append(Caution.SIGNED_OUTSIDE)
    return Opened(
        entity=outside + inside + _CRLF + inner.body,
        signer=opener.signer if signed else None,
        addresses=addresses(opener.signer) if signed and opener.signer else (),
        signed=signed,
        encrypted="encrypted" in opener.order,
        cautions=tuple(dict.fromkeys(opener.cautions)),
        order=tuple(opener.order),
        offered=tuple(opener.offered) if signed else (),
    )


class _Opener:
    """Takes off layer after layer and remembers what it met."""

    def __init__(self, sender: str, decrypters: Sequence[Decrypter], trust: TrustStore, at: datetime) -> None:
        self._sender, self._decrypters, self._trust, self._at = sender, decrypters, trust, at
        self.order: list[str] = []
        self.cautions: list[Caution] = []
        self.signer: x509.Certificate | None = None
        self.offered: list[x509.Certificate] = []

    def peel(self, entity: Entity, limits: Limits) -> Entity:
        """The innermost entity (TR-03116-4 4.6: „beliebige Verschachtelungen“, here up to ``limits.nested``)."""
        while (claim := _claims(entity)) is not None:
            if len(self.order) == limits.nested:
                raise SMIME_LAYERS(limit=limits.nested)
            with _reading():
                layer = _layer(entity, claim)
                signed = layer.content_type == ID_SIGNED_DATA
                content = self._verified(layer) if signed else self._decrypted(layer)
            self.order.append("signed" if signed else "encrypted")
            entity = split(content, limits)
        return entity

    def _decrypted(self, layer: _Layer) -> bytes:
        content, cautions = open_envelope(layer.content_type, layer.element, self._decrypters)
        self.cautions += cautions
        return content

    def _verified(self, layer: _Layer) -> bytes:
        signed = read_signed(layer.element, self._trust.intermediates)
        # TR-03116-4 4.6: „… sollte bei Erhalt einer signierten … Nachricht mit der Validierung der verwendeten
        # Zertifikate beginnen“
        self._validate(signed)
        if signed.content is not None and layer.beside is None:
            content = verify(signed, [signed.content])
        elif layer.beside is not None and signed.content is None:
            # Transport may have changed line ends only; RFC 8551 3.1.1 signs the form with CRLF.
            content = verify(signed, [layer.beside, re.sub(rb"\r?\n", _CRLF, layer.beside)])
        else:
            raise SMIME_MALFORMED(why="content and signature: inside or beside, not both")
        self._offer(signed)
        return content

    def _validate(self, signed: Signed) -> None:
        signer, attached = signed.signer, signed.certificates
        path = validate(signer, use=CertificateUse.SIGN, trust=self._trust, at=self._at, attached=attached)
        # RFC 8550 3: "Receiving agents MUST check that the address in the From or Sender header … matches".
        own = addresses(signer)
        if not self._sender or self._sender not in own:
            raise SMIME_SIGNER_NOT_SENDER(sender=self._sender or "?", signer=", ".join(own) or "?")
        self.signer = signer
        self.cautions += path.cautions

    def _offer(self, signed: Signed) -> None:
        """The sender's certificates in the mail, its encryption certificate among them, if they hold."""
        for certificate in (signed.signer, *signed.certificates):
            uses = certificate_uses(certificate)
            if certificate in self.offered or not uses or self._sender not in addresses(certificate):
                continue
            try:
                use = min(uses)
                validate(certificate, use=use, trust=self._trust, at=self._at, attached=signed.certificates)
            except Refusal:
                continue
            self.offered.append(certificate)


def _claims(entity: Entity) -> str | None:
    """What the MIME header says: "signed" beside, "cms" inside, or no protection."""
    kind = entity.content_type
    if kind == "multipart/signed":
        protocol = entity.parameter("protocol").lower()
        return "signed" if protocol in {"application/pkcs7-signature", "application/x-pkcs7-signature"} else None
    if kind in {"application/pkcs7-mime", "application/x-pkcs7-mime"}:
        return "cms"
    # RFC 8551 3.9: application/octet-stream with the extension .p7m counts too.
    if kind == "application/octet-stream" and entity.file_name.lower().endswith(".p7m"):
        return "cms"
    return None


def _layer(entity: Entity, claim: str) -> _Layer:
    if claim == "cms":
        return _Layer(*_content(_der(entity)), None)
    pieces = parts(entity)
    if len(pieces) != 2:
        raise SMIME_MALFORMED(why=f"multipart/signed: {len(pieces)} parts")
    content_type, element = _content(_der(split(pieces[1])))
    if content_type != ID_SIGNED_DATA:
        raise SMIME_CONTENT_TYPE(found=content_type)
    return _Layer(content_type, element, pieces[0])


def _der(entity: Entity) -> bytes:
    """The CMS octets, whatever the transfer encoding says and whatever it is (RFC 8551 3.1.2: base64 or binary)."""
    content = entity.content()
    return content if content[:1] == b"\x30" else lenient_base64(entity.body)


def _content(message: bytes) -> tuple[str, bytes]:
    """Type and element of a ContentInfo, BER or DER."""
    fields = Reader(ber.to_der(message)).enter(SEQUENCE)
    content_type = dotted(fields.raw(OID))
    if content_type not in {ID_SIGNED_DATA, ID_ENVELOPED_DATA, ID_AUTH_ENVELOPED_DATA}:
        raise SMIME_CONTENT_TYPE(found=content_type)
    return content_type, fields.enter(explicit(0)).raw(SEQUENCE)


@contextmanager
def _reading() -> Iterator[None]:
    """What the CMS reader refuses, or cannot read, is a mail that cannot be read."""
    try:
        yield
    except NotDER as error:
        raise SMIME_MALFORMED(why=error) from None
    except Refusal as refusal:
        if not refusal.code.startswith("cms."):
            raise
        raise SMIME_MALFORMED(why=refusal.details.get("why", refusal.code)) from None
