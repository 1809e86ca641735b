"""The wake-up packet, version 1 (TR-03109-1 Detailspezifikation ch. 2): the one thing that reaches a gateway unasked.

    header "WU" | version 1 | recipient 9 | timestamp 8 | padding 12 x 0B | format 1 | OID length 1 | OID | R ‖ S

The first 32 octets are signed. With brainpoolP256r1 and SHA-256 a packet has 108 octets. The gateway never answers;
whatever it does not like it drops in silence.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.wakeup import (
    WAKEUP_ALGORITHM,
    WAKEUP_MALFORMED,
    WAKEUP_NOT_ADDRESSED,
    WAKEUP_OUTSIDE_WINDOW,
    WAKEUP_REPLAYED,
    WAKEUP_SIGNATURE_WRONG,
    WAKEUP_VERSION,
)

__all__ = [
    "DEFAULT_WINDOW",
    "ECDSA_PLAIN_SHA256",
    "ECDSA_PLAIN_SHA384",
    "ECDSA_PLAIN_SHA512",
    "ByteOrder",
    "WakeUp",
    "Window",
    "build",
    "parse",
    "plain",
    "plain_signer",
    "signed_part",
]

ByteOrder = Literal["little", "big"]
"""Of the timestamp. Table 2.1 says „beginnend mit dem niederwertigen Byte“ but prints an example of the other order."""

DEFAULT_WINDOW = 30
"""Seconds the timestamp may be off; Table 2.1 speaks of „im festgelegten Zeitfenster“ and names no number (ours)."""

# „ecdsa-plain-SHA256 ::= { … bsi-de(7) algorithms(1) id-ecc(1) signatures(4) ecdsa-plain-signatures(1) 3 }“; the two
# longer hashes are 4 and 5 (TR-03111). Content octets: Table 2.1 wants the OID without tag and padding.
ECDSA_PLAIN_SHA256 = bytes.fromhex("04007f00070101040103")
ECDSA_PLAIN_SHA384 = bytes.fromhex("04007f00070101040104")
ECDSA_PLAIN_SHA512 = bytes.fromhex("04007f00070101040105")
_HASHES: Mapping[bytes, ec.ECDSA] = {
    ECDSA_PLAIN_SHA256: ec.ECDSA(hashes.SHA256()),
    ECDSA_PLAIN_SHA384: ec.ECDSA(hashes.SHA384()),
    ECDSA_PLAIN_SHA512: ec.ECDSA(hashes.SHA512()),
}

_HEADER = b"WU"
_VERSION = 1
_START = _HEADER + bytes([_VERSION])
_PADDING = b"\x0b" * 12
_PLAIN_FORMAT = 1
_SIGNED_SIZE = 32
_MAX_OID_SIZE = 14
_LAYOUT: Mapping[ByteOrder, struct.Struct] = {
    "little": struct.Struct("<3s9sq12s"),
    "big": struct.Struct(">3s9sq12s"),
}


def build(
    recipient: DeviceId,
    at: datetime,
    *,
    sign_plain: Callable[[bytes], bytes],
    algorithm: bytes = ECDSA_PLAIN_SHA256,
    byte_order: ByteOrder = "little",
) -> bytes:
    """The packet that makes ``recipient`` call its administrator.

    ``at``: the present, aware. ``sign_plain``: R ‖ S over its argument with the hash that ``algorithm`` (content octets
    of an OID) names; see ``plain_signer``.
    """
    part = signed_part(recipient, at, byte_order=byte_order)
    return part + bytes((_PLAIN_FORMAT, len(algorithm))) + algorithm + sign_plain(part)


def signed_part(recipient: DeviceId, at: datetime, *, byte_order: ByteOrder = "little") -> bytes:
    """The 32 octets from header to padding: „Signatur R||S über die Datenfelder "Header" bis "Padding" inklusive“."""
    return _LAYOUT[byte_order].pack(_START, recipient.binary, int(at.timestamp()), _PADDING)


def plain_signer(sign: Callable[[bytes], bytes], curve: ec.EllipticCurve) -> Callable[[bytes], bytes]:
    """Turn a signer that yields DER (``Signer.sign``, ``KeyStore.sign``) into one that yields R ‖ S."""
    length = _length(curve)
    return lambda message: plain(sign(message), length)


def plain(signature: bytes, length: int) -> bytes:
    """R ‖ S out of a DER signature: „R = I2OS(r; L) und S = I2OS(s; L)“."""
    r, s = decode_dss_signature(signature)
    return r.to_bytes(length, "big") + s.to_bytes(length, "big")


def _length(curve: ec.EllipticCurve) -> int:
    """L: „Die Länge L bestimmt sich aus der elliptischen Kurve des öffentlichen Signaturschlüssels“."""
    return (curve.key_size + 7) // 8


@dataclass(frozen=True, slots=True)
class WakeUp:
    """A packet taken apart; nothing of it is proven before ``verify``. ``timestamp``: seconds since 1970, UTC."""

    recipient: DeviceId
    timestamp: int
    algorithm: bytes
    signature: bytes
    signed: bytes

    def verify(self, key: ec.EllipticCurvePublicKey) -> None:
        """Refuses ``wakeup.algorithm`` and ``wakeup.signature_wrong``. ``key``: that of GWA_WAN_SIG_CRT."""
        # REQ.WakeUp.Datenstruktur.30: „das über SignatureAlgorithmOID bestimmte Hash- und Signaturverfahren … und die
        # durch den öffentlichen Signaturschlüssel des GWA_WAN_SIG_CRT bestimmte elliptische Kurve“
        algorithm = _HASHES.get(self.algorithm)
        if algorithm is None:
            raise WAKEUP_ALGORITHM(found=self.algorithm.hex())
        length = _length(key.curve)
        if len(self.signature) != 2 * length:
            raise WAKEUP_SIGNATURE_WRONG()
        r = int.from_bytes(self.signature[:length], "big")
        s = int.from_bytes(self.signature[length:], "big")
        try:
            key.verify(encode_dss_signature(r, s), self.signed, algorithm)
        except InvalidSignature:
            raise WAKEUP_SIGNATURE_WRONG() from None


def parse(packet: bytes, *, byte_order: ByteOrder = "little") -> WakeUp:
    """Take a packet apart; refuses ``wakeup.malformed``, ``wakeup.version``, ``wakeup.algorithm`` (no plain format)."""
    if len(packet) < _SIGNED_SIZE + 2 or not packet.startswith(_HEADER):
        raise WAKEUP_MALFORMED(why="it does not begin with WU or is too short")
    if packet[2] != _VERSION:
        raise WAKEUP_VERSION(found=packet[2])
    signed = packet[:_SIGNED_SIZE]
    _, recipient, timestamp, padding = _LAYOUT[byte_order].unpack(signed)
    if padding != _PADDING:
        raise WAKEUP_MALFORMED(why="the padding is not 0B")
    form, size = packet[_SIGNED_SIZE], packet[_SIGNED_SIZE + 1]
    if form != _PLAIN_FORMAT:
        raise WAKEUP_ALGORITHM(found=f"format {form}")
    end = _SIGNED_SIZE + 2 + size
    if not 1 <= size <= _MAX_OID_SIZE or end >= len(packet):
        raise WAKEUP_MALFORMED(why=f"OID of {size} octets")
    try:
        device = DeviceId.from_binary(recipient)
    except Refusal:
        raise WAKEUP_MALFORMED(why="the recipient is no device id") from None
    return WakeUp(device, timestamp, packet[end - size : end], packet[end:], signed)


@dataclass(slots=True)
class Window:
    """The gateway's judgement of wake-ups: address, time window, no replay, signature; cheap checks come first.

    ``last``: timestamp of the last accepted packet, to be kept over restarts. ``seconds``: allowed difference to
    the gateway's clock. Only a packet whose signature holds moves ``last``, so forged ones cannot block true ones.
    """

    recipient: DeviceId
    key: ec.EllipticCurvePublicKey
    seconds: int = DEFAULT_WINDOW
    byte_order: ByteOrder = "little"
    last: int | None = None

    def accept(self, packet: bytes, now: datetime) -> WakeUp:
        """The proven packet, once; refuses it with a kind of ``kernel/refusals/wakeup.py`` otherwise."""
        wake_up = parse(packet, byte_order=self.byte_order)
        # Table 2.1 note 1: „Nur das adressierte SMGW darf die Wake-Up-Nachricht verarbeiten.“
        if wake_up.recipient != self.recipient:
            raise WAKEUP_NOT_ADDRESSED(recipient=wake_up.recipient)
        # Table 2.1: „Das SMGW prüft, ob der Timestamp im festgelegten Zeitfenster relativ zur Uhrzeit des SMGW liegt.“
        off = wake_up.timestamp - int(now.astimezone(UTC).timestamp())
        if abs(off) > self.seconds:
            raise WAKEUP_OUTSIDE_WINDOW(seconds=off, window=self.seconds)
        # Table 2.1: „… dass eine einzelne Wake-Up-Nachricht nicht mehrfach … wiederverwendet werden kann“
        if self.last is not None and wake_up.timestamp <= self.last:
            raise WAKEUP_REPLAYED()
        wake_up.verify(self.key)
        self.last = wake_up.timestamp
        return wake_up
