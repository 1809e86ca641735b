"""AuthEnvelopedData (RFC 5083) and EnvelopedData (RFC 5652 section 6) for mail: several recipients, RSA and EC.

Sent is AES-128-GCM, AES-256-CBC for ``legacy`` recipients only; RSAES-OAEP with SHA-256, or ECDH with SHA-256 and
AES key wrap. All that decryption can find wrong is one refusal, ``smime.ciphertext`` (TR-03116-4 4.6).
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from torwart.kernel.refusals.smime import (
    SMIME_ALGORITHM,
    SMIME_CIPHERTEXT,
    SMIME_CONTENT_TYPE,
    SMIME_KEY_TRANSPORT,
    SMIME_KEY_WEAK,
    SMIME_MALFORMED,
    SMIME_NO_RECIPIENT,
    SMIME_NOT_FOR_US,
)
from torwart.wire.cms import ber
from torwart.wire.cms.attributes import Attributes
from torwart.wire.cms.der import (
    BIT_STRING,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    Reader,
    dotted,
    explicit,
    implicit,
    oid,
    sequence,
    tlv,
)
from torwart.wire.smime.algorithms import (
    AES128_WRAP,
    AGREEMENTS,
    CIPHERS,
    ECDH_SHA256,
    ID_AES128_GCM,
    ID_AES256_CBC,
    ID_AUTH_ENVELOPED_DATA,
    ID_DATA,
    ID_EC_PUBLIC_KEY,
    ID_ENVELOPED_DATA,
    ID_OAEP,
    ID_RSA,
    RSA_OAEP_SHA256,
    WRAPS,
    Algorithm,
    key_encryption_key,
    read_oaep,
)
from torwart.wire.smime.caution import Caution
from torwart.wire.smime.certificate import holder, issuer_and_serial
from torwart.wire.smime.keys import Decrypter, Oaep
from torwart.wire.smime.signed import names

_VERSION_0, _VERSION_2, _VERSION_3 = (tlv(INTEGER, bytes([number])) for number in (0, 2, 3))
_NONCE, _TAG, _BLOCK = 12, 16, 16
_MOST_RECIPIENTS = 500

# -- sending ----------------------------------------------------------------------------------------------------------


def make_envelope(content: bytes, *, recipients: Sequence[x509.Certificate], legacy: bool) -> tuple[str, bytes]:
    """Content type and element of the envelope. Time and chain of the certificates are the caller's matter."""
    if not recipients:
        raise SMIME_NO_RECIPIENT()
    key = os.urandom(32 if legacy else 16)
    infos = [_recipient(certificate, key) for certificate in recipients]
    recipient_infos = tlv(SET, b"".join(sorted(infos)))
    if legacy:
        iv = os.urandom(_BLOCK)
        info = _content_info(ID_AES256_CBC, tlv(OCTET_STRING, iv), _cbc(key, iv, content))
        # RFC 5652 6.1: version 2 where a recipient info is not of version 0, which key agreement never is.
        version = _VERSION_2 if any(info[0] != SEQUENCE for info in infos) else _VERSION_0
        return ID_ENVELOPED_DATA, sequence(version, recipient_infos, info)
    nonce = os.urandom(_NONCE)
    sealed = AESGCM(key).encrypt(nonce, content, None)
    parameters = sequence(tlv(OCTET_STRING, nonce), tlv(INTEGER, bytes([_TAG])))
    info = _content_info(ID_AES128_GCM, parameters, sealed[:-_TAG])
    return ID_AUTH_ENVELOPED_DATA, sequence(_VERSION_0, recipient_infos, info, tlv(OCTET_STRING, sealed[-_TAG:]))


def _content_info(cipher: str, parameters: bytes, ciphertext: bytes) -> bytes:
    return sequence(oid(ID_DATA), sequence(oid(cipher), parameters), tlv(implicit(0), ciphertext))


def _cbc(key: bytes, iv: bytes, content: bytes) -> bytes:
    padder = PKCS7(8 * _BLOCK).padder()
    encryptor = BlockCipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()


def _recipient(certificate: x509.Certificate, key: bytes) -> bytes:
    public = certificate.public_key()
    identifier = sequence(*issuer_and_serial(certificate))
    if isinstance(public, rsa.RSAPublicKey):
        # TR-03116-4 Table 21: RSAES-OAEP, 3072
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        return sequence(_VERSION_0, identifier, RSA_OAEP_SHA256, tlv(OCTET_STRING, public.encrypt(key, oaep)))
    if isinstance(public, ec.EllipticCurvePublicKey):
        return _agreed(public, identifier, key)
    raise SMIME_KEY_WEAK(name=holder(certificate), found=type(public).__name__)


def _agreed(public: ec.EllipticCurvePublicKey, identifier: bytes, key: bytes) -> bytes:
    """KeyAgreeRecipientInfo with a fresh ephemeral key (TR-03116-4 Table 22: ECDH, AES-Wrap)."""
    ephemeral = ec.generate_private_key(public.curve)
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    # TR-03116-4 4.4.2: „Zudem sollten zusätzliche ephemere Daten in die Schlüsselableitung mit einfließen.“
    ukm = os.urandom(16)
    z = ephemeral.exchange(ec.ECDH(), public)
    wrapped = aes_key_wrap(key_encryption_key(z, hashes.SHA256(), AES128_WRAP, 16, ukm), key)
    originator = tlv(explicit(1), sequence(oid(ID_EC_PUBLIC_KEY)) + tlv(BIT_STRING, b"\x00" + point))
    return tlv(
        explicit(1),
        _VERSION_3
        + tlv(explicit(0), originator)
        + tlv(explicit(1), tlv(OCTET_STRING, ukm))
        + ECDH_SHA256
        + sequence(sequence(identifier, tlv(OCTET_STRING, wrapped))),
    )


# -- receiving --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Box:
    """One wrapped content key. ``point`` is empty for RSA; ``ukm`` None where there is none."""

    identifier: bytes
    algorithm: Algorithm
    wrapped: bytes
    point: bytes = b""
    ukm: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Envelope:
    boxes: tuple[_Box, ...]
    cipher: Algorithm
    ciphertext: bytes
    authenticated: bytes
    mac: bytes


def open_envelope(
    content_type: str, element: bytes, decrypters: Sequence[Decrypter]
) -> tuple[bytes, tuple[Caution, ...]]:
    """The content of an (Auth)EnvelopedData element that is for one of ``decrypters``, and what to note about it."""
    envelope = _read(element, authenticated=content_type == ID_AUTH_ENVELOPED_DATA)
    cipher = CIPHERS.get(envelope.cipher.oid)
    # TR-03116-4 Table 20: AES CBC-Mode (until 2025), AES GCM-Mode; each in the structure made for it.
    if cipher is None or cipher.authenticated is not (content_type == ID_AUTH_ENVELOPED_DATA):
        raise SMIME_ALGORITHM(what="encryption", found=envelope.cipher.name)
    box, decrypter = _ours(envelope.boxes, decrypters)
    key, cautions = _unlock(box, decrypter)
    if len(key) != cipher.key:
        raise SMIME_CIPHERTEXT()
    if cipher.authenticated:
        return _open_gcm(envelope, key), cautions
    return _open_cbc(envelope, key), (Caution.CBC, *cautions)


def _ours(boxes: Sequence[_Box], decrypters: Sequence[Decrypter]) -> tuple[_Box, Decrypter]:
    for decrypter in decrypters:
        for box in boxes:
            if names(box.identifier, decrypter.certificate):
                return box, decrypter
    raise SMIME_NOT_FOR_US()


def _unlock(box: _Box, decrypter: Decrypter) -> tuple[bytes, tuple[Caution, ...]]:
    """The content key; what is wrong with it is not told."""
    try:
        return _unlock_rsa(box, decrypter) if not box.point else _unlock_ec(box, decrypter)
    except (ValueError, InvalidUnwrap):
        raise SMIME_CIPHERTEXT() from None


def _unlock_rsa(box: _Box, decrypter: Decrypter) -> tuple[bytes, tuple[Caution, ...]]:
    # TR-03116-4 Table 21 names RSAES-OAEP alone; PKCS#1 v1.5 is not among the transitions of Table 24.
    if box.algorithm.oid == ID_RSA:
        raise SMIME_KEY_TRANSPORT()
    oaep = read_oaep(box.algorithm.parameters) if box.algorithm.oid == ID_OAEP else None
    if oaep is None:
        raise SMIME_ALGORITHM(what="key", found=box.algorithm.name)
    cautions = (Caution.OAEP_SHA1,) if "sha1" in {oaep[0].name, oaep[1].name} else ()
    return decrypter.decrypt_key(box.wrapped, Oaep(*oaep)), cautions


def _unlock_ec(box: _Box, decrypter: Decrypter) -> tuple[bytes, tuple[Caution, ...]]:
    digest = AGREEMENTS.get(box.algorithm.oid)
    wrap = Algorithm.of(box.algorithm.parameters) if digest is not None else None
    if digest is None or wrap is None or wrap.oid not in WRAPS:
        raise SMIME_ALGORITHM(what="key", found=(wrap or box.algorithm).name)
    z = decrypter.agree(box.point)
    kek = key_encryption_key(z, digest, wrap.whole, WRAPS[wrap.oid], box.ukm)
    return aes_key_unwrap(kek, box.wrapped), (Caution.KDF_SHA1,) if digest.name == "sha1" else ()


def _open_gcm(envelope: _Envelope, key: bytes) -> bytes:
    parameters = Reader(envelope.cipher.parameters).enter(SEQUENCE)
    nonce = parameters.value(OCTET_STRING)
    # RFC 5084 3.2: aes-ICVlen DEFAULT 12; 12 octets of nonce are recommended, others have to be hashed first.
    size = int.from_bytes(parameters.value(INTEGER), "big") if parameters.tag == INTEGER else 12
    if len(nonce) != _NONCE or not 12 <= size <= _TAG or len(envelope.mac) != size:
        raise SMIME_ALGORITHM(what="encryption", found=f"AES-GCM, {len(nonce)}/{len(envelope.mac)}")
    mode = modes.GCM(nonce, envelope.mac, min_tag_length=12)
    decryptor = BlockCipher(algorithms.AES(key), mode).decryptor()
    decryptor.authenticate_additional_data(envelope.authenticated)
    try:
        return decryptor.update(envelope.ciphertext) + decryptor.finalize()
    except InvalidTag:
        raise SMIME_CIPHERTEXT() from None


def _open_cbc(envelope: _Envelope, key: bytes) -> bytes:
    iv = Reader(envelope.cipher.parameters).value(OCTET_STRING)
    try:
        decryptor = BlockCipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        padded = decryptor.update(envelope.ciphertext) + decryptor.finalize()
        unpadder = PKCS7(8 * _BLOCK).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise SMIME_CIPHERTEXT() from None


def _read(element: bytes, *, authenticated: bool) -> _Envelope:
    fields = Reader(element).enter(SEQUENCE)
    fields.raw(INTEGER)
    if fields.tag == explicit(0):
        fields.raw(explicit(0))  # originatorInfo
    boxes = tuple(_boxes(fields.enter(SET)))
    info = fields.enter(SEQUENCE)
    kind = dotted(info.raw(OID))
    if kind != ID_DATA:
        raise SMIME_CONTENT_TYPE(found=kind)
    cipher = Algorithm.of(info.raw(SEQUENCE))
    ciphertext = _ciphertext(info)
    attributes, mac = b"", b""
    if authenticated:
        if fields.tag == explicit(1):
            attributes = Attributes.of(fields.raw(explicit(1))).der
        mac = fields.value(OCTET_STRING)
    return _Envelope(boxes, cipher, ciphertext, attributes, mac)


def _ciphertext(info: Reader) -> bytes:
    if info.tag == explicit(0):
        return ber.join(info.enter(explicit(0)).each(OCTET_STRING, ber.MAX_ELEMENTS))
    return info.value(implicit(0)) if info.tag == implicit(0) else b""


def _boxes(infos: Reader) -> Iterator[_Box]:
    """Every box of the kinds we can open: KeyTransRecipientInfo and KeyAgreeRecipientInfo [1]."""
    count = 0
    while infos.tag != -1:
        count += 1
        if count > _MOST_RECIPIENTS:
            raise SMIME_MALFORMED(why=f"> {_MOST_RECIPIENTS} recipients")
        tag = infos.tag
        info = infos.enter(tag)
        if tag == SEQUENCE:
            info.raw(INTEGER)
            yield _Box(info.raw(info.tag), Algorithm.of(info.raw(SEQUENCE)), info.value(OCTET_STRING))
        elif tag == explicit(1):
            yield from _agreement_boxes(info)


def _agreement_boxes(info: Reader) -> Iterator[_Box]:
    info.raw(INTEGER)
    originator = info.enter(explicit(0))
    if originator.tag != explicit(1):
        return  # a static originator key (RFC 5753 3.1.1 wants an ephemeral one)
    key = originator.enter(explicit(1))
    if Algorithm.of(key.raw(SEQUENCE)).oid != ID_EC_PUBLIC_KEY:
        return
    point = key.value(BIT_STRING)[1:]
    ukm = info.enter(explicit(1)).value(OCTET_STRING) if info.tag == explicit(1) else None
    algorithm = Algorithm.of(info.raw(SEQUENCE))
    for element in info.enter(SEQUENCE).each(SEQUENCE, _MOST_RECIPIENTS):
        fields = Reader(element).enter(SEQUENCE)
        identifier = fields.raw(fields.tag)
        if identifier[0] == explicit(0):  # rKeyId [0] { subjectKeyIdentifier, … }: as the [0] of the other kind
            identifier = tlv(implicit(0), Reader(identifier).enter(explicit(0)).value(OCTET_STRING))
        yield _Box(identifier, algorithm, fields.value(OCTET_STRING), point, ukm)
