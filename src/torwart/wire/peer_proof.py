"""Who is behind a request that came through a TLS front: the certificate, and proof that the front has put it there.

The front that ends mutual TLS (our head-end, or a reverse proxy) and the web process share a secret. Without proof a
header is only a claim: whoever can reach the web process's socket, or smuggle a header through the front, must not
become somebody else. Two forms:

- our head-end proves each request: HMAC-SHA256 over method, target, certificate and the second it was made, so that
  a proof that leaks from a log is worth nothing for another request or a minute later;
- a reverse proxy, which cannot compute, sends the secret itself with the certificate it has verified, over a socket
  nobody else can open (nginx: ``$ssl_client_escaped_cert``).
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from urllib.parse import unquote, unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.refusals.interface import PEER_UNPROVEN

PREFIX = "torwart-"
"""Headers that begin so are the front's; it drops what a caller sends under such a name."""
PEER, PROOF, TARGET, SECRET = "torwart-peer", "torwart-proof", "torwart-target", "torwart-proxy-secret"
WINDOW = 60
"""Seconds a proof holds, in both directions."""
_LONGEST = 16_384


def prove(secret: bytes, *, method: str, target: str, certificate: bytes, at: float) -> dict[str, str]:
    """The headers a front adds to a request: certificate (DER) and its proof."""
    peer = urlsafe_b64encode(certificate).decode()
    made = f"{int(at)}"
    return {PEER: peer, TARGET: target, PROOF: f"{made}.{_mac(secret, method, target, peer, made)}"}


def peer_of(secret: bytes, *, method: str, path: str, query: str, headers: Mapping[str, str], now: float) -> bytes:
    """The certificate (DER) of who is behind a request; ``interface.peer_unproven`` without good proof.

    ``headers``: names in lower case; ``path`` (decoded, as WSGI gives it) and ``query`` (as it came) of the request
    must be those of the target the front has proven.
    """
    peer = headers.get(PEER, "")
    if not peer or len(peer) > _LONGEST:
        raise PEER_UNPROVEN()
    if SECRET in headers:
        if not hmac.compare_digest(headers[SECRET].encode(), secret.hex().encode()):
            raise PEER_UNPROVEN()
        return _from_proxy(peer)
    made, _, mac = headers.get(PROOF, "").partition(".")
    target = headers.get(TARGET, "")
    right = _mac(secret, method, target, peer, made)
    if not hmac.compare_digest(mac.encode(), right.encode()) or not _fresh(made, now):
        raise PEER_UNPROVEN()
    proven, _, asked = target.partition("?")
    if unquote(proven) != path or asked != query:
        raise PEER_UNPROVEN()
    try:
        return urlsafe_b64decode(peer)
    except (NotBase64, ValueError):
        raise PEER_UNPROVEN() from None


def _mac(secret: bytes, method: str, target: str, peer: str, made: str) -> str:
    said = "\n".join((method, target, peer, made)).encode()
    return hmac.new(secret, said, hashlib.sha256).hexdigest()


def _fresh(made: str, now: float) -> bool:
    return made.isdigit() and len(made) < 12 and abs(now - int(made)) <= WINDOW


def _from_proxy(peer: str) -> bytes:
    """nginx sends PEM, percent-encoded."""
    try:
        return x509.load_pem_x509_certificate(unquote_to_bytes(peer)).public_bytes(Encoding.DER)
    except ValueError:
        raise PEER_UNPROVEN() from None
