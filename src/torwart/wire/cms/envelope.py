"""AuthEnvelopedData (RFC 5083) by the profile of DS 5.3.2.1 Table 5.5: one recipient, ECKA-EG, ephemeral key.

Sending: everything but point, wrapped key and content is constant per recipient and cached as two fragments.
Receiving: ``_read`` knows the structure, ``open_envelope`` the cryptography.
"""

from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from torwart.kernel.refusals.cms import (
    CMS_ALGORITHM,
    CMS_AUTHENTICATED_ATTRIBUTES,
    CMS_KEY_WRONG,
    CMS_MAC_WRONG,
    CMS_ORIGINATOR,
    CMS_POINT,
    CMS_RECIPIENT_KIND,
    CMS_RECIPIENTS,
    CMS_UNAUTHENTICATED_ATTRIBUTES,
    CMS_VERSION,
    CMS_WRONG_RECIPIENT,
)
from torwart.wire.cms import ber, content
from torwart.wire.cms.algorithms import (
    ATTRIBUTE_CMAC_PARAMETERS,
    ATTRIBUTE_CONTENT_TYPE,
    CURVES,
    EC_PUBLIC_KEY,
    ID_DATA,
    KEY_ENCRYPTIONS,
    ORIGINATOR_ALGORITHMS,
    SENT_KEY_ENCRYPTIONS,
    name_of,
)
from torwart.wire.cms.attributes import Attributes, attribute
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
    head,
    implicit,
    oid,
    sequence,
    set_of,
    tlv,
)
from torwart.wire.cms.keys import Agreer, Recipient
from torwart.wire.cms.profile import Kdf, Suite, Switches

_VERSION_0 = tlv(INTEGER, b"\x00")
_VERSION_3 = tlv(INTEGER, b"\x03")
_WRAP_OVERHEAD = 8


def make_envelope(
    plaintext: bytes, content_type: str, *, recipient: Recipient, suite: Suite, switches: Switches
) -> bytes:
    """The AuthEnvelopedData element over ``plaintext``, whose type is ``content_type``."""
    fresh = content.fresh(suite, switches.cmac_parameters)
    attributes = _authenticated(content_type, fresh.authenticated)
    ciphertext, mac = fresh.mode.encrypt(fresh.key, fresh.iv, plaintext, attributes)
    encrypted = oid(content_type) + fresh.identifier + head(implicit(0), len(ciphertext)) + ciphertext
    # authAttrs is [1] IMPLICIT here, but authenticated as SET OF (RFC 5083 2.2).
    tagged = head(explicit(1), 0)[:1] + attributes[1:] if attributes else b""
    body = (
        _VERSION_0
        + _recipient_infos(recipient, fresh.key, switches)
        + head(SEQUENCE, len(encrypted))
        + encrypted
        + tagged
        + head(OCTET_STRING, content.MAC_SIZE)
        + mac
    )
    return head(SEQUENCE, len(body)) + body


def _authenticated(content_type: str, parameters: bytes) -> bytes:
    """The authAttrs as SET OF, or nothing where none are due.

    Table 5.5: „MUSS vorhanden sein, falls contentType in EncryptedContentInfo nicht vom Typ id-data ist.“
    DS 5.4: „MÜSSEN die Parameter als authentisierte Attribute im Feld "authAttr" in die MAC-Berechnung eingehen.“
    """
    if parameters:
        return set_of([_content_type_attribute(content_type), attribute(ATTRIBUTE_CMAC_PARAMETERS, parameters)])
    return b"" if content_type == ID_DATA else _only_content_type(content_type)


@lru_cache(maxsize=16)
def _content_type_attribute(content_type: str) -> bytes:
    return attribute(ATTRIBUTE_CONTENT_TYPE, oid(content_type))


@lru_cache(maxsize=16)
def _only_content_type(content_type: str) -> bytes:
    return set_of([_content_type_attribute(content_type)])


def _recipient_infos(recipient: Recipient, key: bytes, switches: Switches) -> bytes:
    point, z = recipient.ephemeral()
    row = SENT_KEY_ENCRYPTIONS[switches.kdf]
    wrapped = aes_key_wrap(row.derive(z, switches.shared_info), key)
    curve = recipient.curve.name if switches.named_curve else ""
    before, between = _fragments(curve, recipient.ski, switches.kdf, len(point), len(wrapped))
    return before + point + between + wrapped


@lru_cache(maxsize=4096)
def _fragments(curve: str, ski: bytes, kdf: Kdf, point_size: int, wrapped_size: int) -> tuple[bytes, bytes]:
    """The constant octets of RecipientInfos before the ephemeral point, and between it and the wrapped key."""
    point = bytes(point_size)
    algorithm = sequence(EC_PUBLIC_KEY, CURVES[curve] if curve else b"")
    originator = tlv(explicit(0), tlv(explicit(1), algorithm + tlv(BIT_STRING, b"\x00" + point)))
    key_id = tlv(explicit(0), tlv(OCTET_STRING, ski))
    keys = sequence(sequence(key_id, tlv(OCTET_STRING, bytes(wrapped_size))))
    kari = tlv(explicit(1), _VERSION_3 + originator + SENT_KEY_ENCRYPTIONS[kdf].identifier + keys)
    whole = tlv(SET, kari)
    start = len(whole) - len(keys) - len(SENT_KEY_ENCRYPTIONS[kdf].identifier) - point_size
    return whole[:start], whole[start + point_size : -wrapped_size]


@dataclass(slots=True)
class _Envelope:
    """What ``_read`` found, not yet believed. ``attributes``: authAttrs as DER SET OF, empty if absent."""

    point: bytes
    key_encryption: bytes
    ski: bytes
    wrapped: bytes
    content_type: str
    encryption: content.Received
    ciphertext: bytes
    attributes: Attributes | None
    mac: bytes


@dataclass(frozen=True, slots=True)
class OpenedEnvelope:
    """A decrypted and authenticated content of type ``content_type``."""

    plaintext: bytes
    content_type: str
    suite: Suite


def open_envelope(element: bytes, *, agreer: Agreer, switches: Switches) -> OpenedEnvelope:
    """Read, agree, unwrap, authenticate, decrypt, in that order; every departure is refused by its own kind."""
    envelope = ber.read(element, _read)
    if envelope.ski != agreer.ski:
        raise CMS_WRONG_RECIPIENT(ski=envelope.ski.hex())
    row = KEY_ENCRYPTIONS.get(envelope.key_encryption)
    if row is None:
        raise CMS_ALGORITHM(what="key agreement", found=name_of(envelope.key_encryption))
    cipher = envelope.encryption
    aad = _checked_attributes(envelope, cipher.parameters)
    key = _unwrap(row.derive(_agree(agreer, envelope.point), switches.shared_info), envelope.wrapped, cipher.key_size)
    # Without this, octets could wander between ciphertext and MAC. DS 5.3.2.2.4 and 5.4: 16 octets.
    if len(envelope.mac) != content.MAC_SIZE:
        raise CMS_MAC_WRONG()
    plaintext = cipher.mode.decrypt(key, cipher.iv, envelope.ciphertext, envelope.mac, aad)
    return OpenedEnvelope(plaintext, envelope.content_type, cipher.mode.suite)


def _agree(agreer: Agreer, point: bytes) -> bytes:
    try:
        return agreer.agree(point)
    except ValueError:
        raise CMS_POINT() from None


def _unwrap(kek: bytes, wrapped: bytes, size: int) -> bytes:
    try:
        key = aes_key_unwrap(kek, wrapped)
    except (InvalidUnwrap, ValueError):
        raise CMS_KEY_WRONG() from None
    if len(key) != size:
        raise CMS_KEY_WRONG()
    return key


def _checked_attributes(envelope: _Envelope, parameters: bytes) -> bytes:
    """The octets the MAC covers beside the ciphertext; refuses ``cms.authenticated_attributes``."""
    attributes = envelope.attributes
    if attributes is None:
        # Table 5.5 (authAttrs): „MUSS vorhanden sein, falls contentType … nicht vom Typ id-data ist. In diesem Fall
        # MUSS mindestens das contentType-Attribut enthalten sein“
        if envelope.content_type != ID_DATA:
            raise CMS_AUTHENTICATED_ATTRIBUTES(why="contentType is missing")
        if parameters:
            raise CMS_AUTHENTICATED_ATTRIBUTES(why="the parameters of CBC-CMAC are missing")
        return b""
    stated = attributes.get(ATTRIBUTE_CONTENT_TYPE)
    if stated != oid(envelope.content_type) and (stated is not None or envelope.content_type != ID_DATA):
        raise CMS_AUTHENTICATED_ATTRIBUTES(why="contentType is missing or another")
    # DS 5.4: „Um im Falle des Vorhandenseins des "Parameter"-Feldes die Authentiziät des Initialisierungvektors …
    # sicherzustellen, MÜSSEN die Parameter als authentisierte Attribute … eingehen.“
    # The other way round too: parameters taken away would leave the MAC whole and turn the IV into 0.
    if (attributes.get(ATTRIBUTE_CMAC_PARAMETERS) or b"") != parameters:
        raise CMS_AUTHENTICATED_ATTRIBUTES(why="the parameters of CBC-CMAC are missing or others")
    return attributes.der


def _read(reader: Reader) -> _Envelope:
    """AuthEnvelopedData ::= SEQUENCE { version, [0] originatorInfo, recipientInfos, authEncryptedContentInfo,
    [1] authAttrs, mac, [2] unauthAttrs } (RFC 5083 2.1)."""
    fields = reader.enter(SEQUENCE)
    reader.close()
    if not fields.skips(_VERSION_0):
        raise CMS_VERSION(structure="AuthEnvelopedData", expected=0)
    if fields.tag == explicit(0):
        # Table 5.5 (originatorInfo x): „Entfällt, da der PublicKey des Senders ephemer ist.“
        raise CMS_ORIGINATOR(why="originatorInfo is present")
    point, key_encryption, ski, wrapped = _read_recipient(fields.enter(SET))
    info = fields.enter(SEQUENCE)
    content_type = dotted(info.raw(OID))
    encryption = content.received(info.raw(SEQUENCE))
    ciphertext = _read_ciphertext(info)
    attributes = Attributes.read(fields, explicit(1)) if fields.tag == explicit(1) else None
    mac = fields.value(OCTET_STRING)
    if fields.tag == explicit(2):
        raise CMS_UNAUTHENTICATED_ATTRIBUTES()
    fields.close()
    return _Envelope(point, key_encryption, ski, wrapped, content_type, encryption, ciphertext, attributes, mac)


def _read_ciphertext(info: Reader) -> bytes:
    """encryptedContent [0] IMPLICIT OCTET STRING, in one piece or (BER) in several; absent means empty."""
    if info.tag == explicit(0):
        pieces = info.enter(explicit(0))
        ciphertext = ber.join(pieces.each(OCTET_STRING, ber.MAX_ELEMENTS))
    elif info.tag == -1:
        ciphertext = b""
    else:
        ciphertext = info.value(implicit(0))
    info.close()
    return ciphertext


def _read_recipient(infos: Reader) -> tuple[bytes, bytes, bytes, bytes]:
    """Ephemeral point, keyEncryptionAlgorithm, recipient's SKI, wrapped key."""
    # Table 5.5 (RecipientInfo): „Es MUSS die Variante kari … ausgewählt werden.“
    if infos.tag != explicit(1):
        raise CMS_RECIPIENT_KIND(why="no key agreement recipient")
    kari = infos.enter(explicit(1))
    if infos.at != infos.end:
        raise CMS_RECIPIENTS(count="several")
    if not kari.skips(_VERSION_3):
        raise CMS_VERSION(structure="KeyAgreeRecipientInfo", expected=3)
    point = _read_originator(kari.enter(explicit(0)))
    if kari.tag == explicit(1):
        # Table 5.5 (ukm x): „Entfällt“
        raise CMS_ORIGINATOR(why="ukm is present")
    key_encryption = kari.raw(SEQUENCE)
    keys = kari.enter(SEQUENCE)
    kari.close()
    key = keys.enter(SEQUENCE)
    if keys.at != keys.end:
        raise CMS_RECIPIENTS(count="several")
    # Table 5.5 (rid): „Es wird die Variante rKeyID … gewählt. Die optionalen Felder date und other … entfallen.“
    # and for other itself: „o … Kann Hinweise für den Empfänger enthalten“; so date is refused, other is not looked at.
    if key.tag != explicit(0):
        raise CMS_RECIPIENT_KIND(why="recipient not given by rKeyId")
    identifier = key.enter(explicit(0))
    ski = identifier.value(OCTET_STRING)
    if identifier.tag not in (-1, SEQUENCE):
        raise CMS_RECIPIENT_KIND(why="rKeyId has a date")
    wrapped = key.value(OCTET_STRING)
    key.close()
    return point, key_encryption, ski, wrapped


def _read_originator(originator: Reader) -> bytes:
    """The ephemeral point. Table 5.5: „Es MUSS die Variante originatorKey … verwendet werden.“"""
    if originator.tag != explicit(1):
        raise CMS_ORIGINATOR(why="no originatorKey")
    key = originator.enter(explicit(1))
    originator.close()
    algorithm = key.raw(SEQUENCE)
    if algorithm not in ORIGINATOR_ALGORITHMS:
        raise CMS_ALGORITHM(what="ephemeral key", found=name_of(algorithm))
    bits = key.value(BIT_STRING)
    key.close()
    if not bits.startswith(b"\x00"):
        raise CMS_POINT()
    return bits[1:]
