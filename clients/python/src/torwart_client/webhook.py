"""Webhooks: is this really from the interface? (Standard Webhooks, asymmetric signatures ``v1a``)"""

import json
import time
from base64 import b64decode
from collections.abc import Iterable, Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from torwart_client.errors import BadSignature
from torwart_client.model import Event, read

TOLERANCE = 300
"""Seconds between the timestamp and our clock."""


class WebhookVerifier:
    """``keys``: the public keys of the webhook (``whpk_…``), all that are valid, so that rotation leaves no gap."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = [
            Ed25519PublicKey.from_public_bytes(b64decode(key.removeprefix("whpk_"), validate=True)) for key in keys
        ]

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: float | None = None) -> Event:
        """The event, or ``BadSignature``. ``body``: the octets as they came. One event may come twice: remember ids."""
        given = {name.lower(): value for name, value in headers.items()}
        message, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
        present = time.time() if now is None else now
        if not message or not stamp.isdigit() or abs(present - int(stamp)) > TOLERANCE:
            raise BadSignature("webhook-id or webhook-timestamp is missing, or too old")
        content = f"{message}.{stamp}.".encode() + body
        if not any(self._signed(part, content) for part in given.get("webhook-signature", "").split()):
            raise BadSignature("no signature of a known key")
        event = read(Event, json.loads(body))
        if event.id != message:
            raise BadSignature("webhook-id is not the event's id")
        return event

    def _signed(self, part: str, content: bytes) -> bool:
        version, _, text = part.partition(",")
        return version == "v1a" and any(_fits(key, text, content) for key in self._keys)


def _fits(key: Ed25519PublicKey, signature: str, content: bytes) -> bool:
    try:
        key.verify(b64decode(signature, validate=True), content)
    except (InvalidSignature, ValueError):
        return False
    return True
