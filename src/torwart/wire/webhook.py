"""Standard Webhooks signatures, asymmetric (``v1a``): the receiver needs our public key only.

„signed content: msg_id.timestamp.payload“; header ``webhook-signature`` is a list ``v1a,<base64>`` separated by
blanks, one for each key that is valid, so that keys can be rotated without a gap. Keys are written ``whpk_<base64>``.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PUBLIC_PREFIX = "whpk_"
TOLERANCE = 300
"""Seconds a receiver should accept between timestamp and its clock."""


def private_key(secret: bytes, webhook: str, key: str) -> Ed25519PrivateKey:
    """The signing key of one webhook, derived from the installation's secret: nothing to store, nothing to lose."""
    info = f"torwart webhook {webhook} {key}".encode()
    return Ed25519PrivateKey.from_private_bytes(HKDF(hashes.SHA256(), 32, None, info).derive(secret))


def public_text(key: Ed25519PrivateKey) -> str:
    return PUBLIC_PREFIX + b64encode(key.public_key().public_bytes_raw()).decode()


def headers(message: str, timestamp: int, payload: bytes, keys: Sequence[Ed25519PrivateKey]) -> dict[str, str]:
    """The three headers of a delivery."""
    content = _content(message, timestamp, payload)
    signatures = " ".join(f"v1a,{b64encode(key.sign(content)).decode()}" for key in keys)
    return {"webhook-id": message, "webhook-timestamp": str(timestamp), "webhook-signature": signatures}


def verify(given: Mapping[str, str], payload: bytes, publics: Sequence[str], *, now: float) -> bool:
    """Whether one of these public keys has signed this delivery lately. ``given``: header names in lower case."""
    message, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not message or not stamp.isdigit() or len(stamp) > 11 or abs(now - int(stamp)) > TOLERANCE:
        return False
    content = _content(message, int(stamp), payload)
    for part in given.get("webhook-signature", "").split():
        version, _, text = part.partition(",")
        if version == "v1a" and any(_signed(public, text, content) for public in publics):
            return True
    return False


def _signed(public: str, signature: str, content: bytes) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(b64decode(public.removeprefix(PUBLIC_PREFIX), validate=True))
        key.verify(b64decode(signature, validate=True), content)
    except (InvalidSignature, NotBase64, ValueError):
        return False
    return True


def _content(message: str, timestamp: int, payload: bytes) -> bytes:
    return f"{message}.{timestamp}.".encode() + payload
