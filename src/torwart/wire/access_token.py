"""Access tokens of the test environment: who may call without a certificate of the SM-PKI (spec/07 point 6).

OAuth 2.0 client credentials (RFC 6749 §4.4). Nothing is stored: a system's secret follows from the installation's and
its name, and a token is its name and end under our MAC. Whoever takes the installation's secret anew ends them all.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64

LASTS = 3600
"""Seconds."""
_LONGEST = 1000


def client_secret(secret: bytes, name: str) -> str:
    """The secret of the system of this name."""
    return _mac(secret, "client", name)


def is_secret(secret: bytes, name: str, given: str) -> bool:
    return hmac.compare_digest(client_secret(secret, name).encode(), given.encode("utf-8", "surrogatepass"))


def issue(secret: bytes, name: str, now: float) -> str:
    """A token for the system of this name, good for an hour."""
    said = f"{urlsafe_b64encode(name.encode()).decode().rstrip('=')}.{int(now) + LASTS}"
    return f"{said}.{_mac(secret, 'token', said)}"


def read(secret: bytes, token: str, now: float) -> str | None:
    """Whose token this is; ``None`` for what we have not issued, or too long ago."""
    said, _, mac = token.rpartition(".")
    name, _, until = said.partition(".")
    if len(token) > _LONGEST or not hmac.compare_digest(_mac(secret, "token", said).encode(), mac.encode()):
        return None
    try:
        return urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode() if now < int(until) else None
    except (NotBase64, ValueError):
        return None


def _mac(secret: bytes, use: str, said: str) -> str:
    return hmac.new(secret, f"torwart {use}\n{said}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
