"""Where a list goes on: row numbers sealed, so that only our own marks come back and nobody reads from two of them how
much happened in between for others (P-1).
"""

import hashlib
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings

from torwart.kernel.refusals.interface import CURSOR_INVALID

Place = tuple[int, int]
_PLACE = struct.Struct(">QQ")


def write(place: Place) -> str:
    """Characters for the URL; the same place gives the same mark (RFC 5297)."""
    return urlsafe_b64encode(_cipher().encrypt(_PLACE.pack(*place), None)).decode().rstrip("=")


def read(text: str) -> Place | None:
    """``None`` for the beginning; ``interface.cursor_invalid`` for what we have not written."""
    if not text:
        return None
    try:
        plain = _cipher().decrypt(urlsafe_b64decode(text.encode("ascii") + b"=="), None)
        first, second = _PLACE.unpack(plain)
    except (NotBase64, UnicodeEncodeError, InvalidTag, ValueError, struct.error):
        raise CURSOR_INVALID() from None
    return first, second


@cache
def _cipher() -> AESSIV:
    return AESSIV(hashlib.sha256(b"torwart.interface.cursor " + str(settings.SECRET_KEY).encode()).digest())
