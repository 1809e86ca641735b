"""CMS messages as a gateway sends them: right, or wrong in exactly one of the ways of spec/08."""

from collections.abc import Collection

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import Certificate

from torwart.sim.gateway.fault import Fault
from torwart.wire.cms import ID_AUTH_ENVELOPED_DATA, Recipient, Signer, Suite, seal, sign

_BOMB_BYTES = 16 * 2**20
_SEQUENCE = 0x30
_CONSTRUCTED = 0x20
_NESTED_LEVELS = 4
"""ContentInfo, its content, SignedData, and what that holds: deep enough to meet every reader."""


def protect_with(
    faults: Collection[Fault],
    content: bytes,
    *,
    signer: Signer,
    recipient: Recipient,
    suite: Suite,
    certificate: Certificate | None = None,
) -> bytes:
    """``torwart.wire.cms.protect`` with the CMS faults among ``faults`` applied.

    ``certificate``: the signer's, attached for a receiver that has no directory of gateways.
    """
    if Fault.CMS_CBC_CMAC in faults:
        suite = Suite.CBC_CMAC
    if Fault.CMS_WRONG_SIGNER in faults:
        signer = _Stranger(signer.ski)
    if Fault.CMS_WRONG_RECIPIENT in faults:
        recipient = Recipient(bytes(20), _new_key().public_key())
    if Fault.CMS_BOMB in faults:
        content = bytes(_BOMB_BYTES)
    envelope = _envelope(seal(content, recipient=recipient, suite=suite, compress=Fault.CMS_UNCOMPRESSED not in faults))
    if Fault.CMS_FLIPPED_MAC in faults:
        # The outer signature is right, the MAC under it is not: ``mac`` is the last field of AuthEnvelopedData.
        envelope = envelope[:-1] + bytes((envelope[-1] ^ 1,))
    message = sign(envelope, signer=signer, content_type=ID_AUTH_ENVELOPED_DATA, certificate=certificate)
    return to_indefinite(message) if Fault.CMS_INDEFINITE in faults else message


class _Stranger:
    """Claims the gateway's key identifier and signs with a key nobody knows."""

    def __init__(self, ski: bytes) -> None:
        self.ski = ski
        self._key = _new_key()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, ec.ECDSA(hashes.SHA256()))


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.BrainpoolP256R1())


def _envelope(sealed: bytes) -> bytes:
    """The AuthEnvelopedData inside a ContentInfo."""
    _, start, _ = _element(sealed, 0)
    _, _, type_end = _element(sealed, start)
    _, envelope, _ = _element(sealed, type_end)
    return sealed[envelope:]


def _element(data: bytes, at: int) -> tuple[int, int, int]:
    """(tag, start of the content, end) of the DER element at ``at``; one-octet tags only."""
    length = data[at + 1]
    start = at + 2
    if length & 0x80:
        octets = length & 0x7F
        length = int.from_bytes(data[start : start + octets], "big")
        start += octets
    return data[at], start, start + length


def to_indefinite(message: bytes, levels: int = _NESTED_LEVELS) -> bytes:
    """The same values in BER with indefinite lengths in the outer ``levels`` levels of constructed elements."""
    tag, start, end = _element(message, 0)
    if not tag & _CONSTRUCTED or levels == 0:
        return message[:end]
    parts = [bytes((tag, 0x80))]
    while start < end:
        _, _, after = _element(message, start)
        parts.append(to_indefinite(message[start:after], levels - 1))
        start = after
    return b"".join(parts) + b"\0\0"
