"""Row numbers where outsiders can see them – addresses, forms, links in mails: sealed, so that nobody reads from two of
them how much was made in between for others (P-1).

The kind of thing is part of the seal: what opens as a contact opens as nothing else. The same thing always has the same
token (RFC 5297); another ``SECRET_KEY`` gives other tokens.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings

LENGTH = 32
"""Characters of a token, all of the URL-safe base64 alphabet."""
_BYTES = 8


def seal(kind: str, number: int) -> str:
    """The token of row ``number`` (0 to 2^64 - 1) of a ``kind`` of thing."""
    return urlsafe_b64encode(_cipher().encrypt(number.to_bytes(_BYTES), [kind.encode()])).decode()


def opened(kind: str, token: str) -> int | None:
    """The row's number; ``None`` for what was not sealed here, or for another kind."""
    try:
        plain = _cipher().decrypt(urlsafe_b64decode(token.encode("ascii")), [kind.encode()])
    except (InvalidTag, NotBase64, UnicodeEncodeError, ValueError):
        return None
    return int.from_bytes(plain) if len(token) == LENGTH else None


@cache
def _cipher() -> AESSIV:
    return AESSIV(hashlib.sha256(b"torwart.sealed " + str(settings.SECRET_KEY).encode()).digest())
