"""What all connections of one side share: own credentials, whom to trust, what to offer, and the verdict on peers."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from OpenSSL import SSL, crypto

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.tls import TLS_BAD_CERTIFICATE, TLS_CREDENTIALS, TLS_LIBRARY, TLS_TRUST
from torwart.wire.tls import alerts, openssl
from torwart.wire.tls.offer import SIGNATURES, SUITES_1_3, Offer

Chain = tuple[bytes, ...]
"""Certificates in DER, the peer's own first, the trusted one last."""

Verdict = Callable[[Chain], Refusal | None]
"""Asked once for each chain that OpenSSL has found good; a refusal, returned or raised, ends the handshake with its
alert. It may run in any thread and must not block.
"""

# §4.1.2 "Session Renegotiation DARF NICHT möglich sein"; compression is off (CRIME); tickets are off (see the package).
# Encrypt-then-MAC is on unless switched off (§4.2.2.2); truncated HMAC (RFC 6066 §7) OpenSSL does not know at all.
_OPTIONS = (
    SSL.OP_NO_RENEGOTIATION
    | SSL.OP_NO_COMPRESSION
    | SSL.OP_NO_TICKET
    | SSL.OP_CIPHER_SERVER_PREFERENCE
    | SSL.OP_SINGLE_ECDH_USE
)
_MODE = SSL.MODE_RELEASE_BUFFERS
_VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
_PARTIAL_CHAIN = 0x80000  # X509_V_FLAG_PARTIAL_CHAIN: a chain may end at a Sub-CA we trust
_CHAIN_DEPTH = 3  # root, Sub-CA, end entity (TR-03116-3 chapter 3), and one to spare for a root's link certificate


@dataclass(frozen=True, slots=True)
class Credentials:
    """Our own side: certificates in DER, own first, and the private key of the first."""

    chain: Chain
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def from_pem(cls, chain: bytes, key: bytes, password: bytes | None = None) -> "Credentials":
        """Read PEM; anything but EC credentials raises ``tls.credentials``."""
        try:
            certificates = x509.load_pem_x509_certificates(chain)
            private = load_pem_private_key(key, password)
        except (ValueError, TypeError) as error:
            raise TLS_CREDENTIALS(why=str(error)) from error
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise TLS_CREDENTIALS(why="not an EC key")
        return cls(tuple(c.public_bytes(Encoding.DER) for c in certificates), private)


class Judged(Protocol):
    """A connection whose peer is judged: what the peer showed, and why it is refused."""

    peer: Chain
    refusal: Refusal | None


class TlsContext:
    """What all connections of one side share. Make it with ``server_context`` or ``client_context``."""

    def __init__(self, ssl: SSL.Context, *, server_side: bool, verdict: Verdict) -> None:
        self.ssl = ssl
        self.server_side = server_side
        self._verdict = verdict
        self._current = threading.local()  # the engine whose handshake runs in this thread
        self._callback = openssl.demand_certificate(ssl, self._judge)

    def step(self, engine: Judged, advance: Callable[[], None]) -> None:
        """Run one handshake step of ``engine``, so that a judgement made on the way is put down to it."""
        self._current.engine = engine
        try:
            advance()
        finally:
            self._current.engine = None

    def _judge(self, ok: int, store: Any) -> int:
        """Called for each certificate from the root down to the peer's own, or with ``ok`` 0 on an error."""
        engine: Judged | None = getattr(self._current, "engine", None)
        if engine is None:
            return 0
        if not ok:
            engine.refusal = alerts.of_verification(openssl.error_of(store))
            return 0
        if openssl.depth_of(store) > 0:
            return 1
        engine.peer = openssl.chain_of(store)
        engine.refusal = self._ask(engine.peer)
        if engine.refusal is None:
            return 1
        openssl.set_error(store, alerts.error_for(engine.refusal))
        return 0

    def _ask(self, chain: Chain) -> Refusal | None:
        try:
            return self._verdict(chain)
        except Refusal as refusal:
            return refusal
        except Exception as error:  # noqa: BLE001 – OpenSSL is our caller: a verdict that fails is a no, never a yes
            return TLS_BAD_CERTIFICATE(why=type(error).__name__)


def bare_context(offer: Offer) -> SSL.Context:
    """Versions, suites, groups, signature algorithms and options; no credentials and no trust yet."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(_VERSIONS[offer.minimum])
    context.set_max_proto_version(_VERSIONS[offer.maximum])
    context.set_options(_OPTIONS)
    context.set_mode(_MODE)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_verify_depth(_CHAIN_DEPTH)
    context.set_cipher_list(":".join(offer.suites).encode())
    context.set_tls13_ciphersuites(":".join(SUITES_1_3).encode())
    if not openssl.set_groups(context, offer.groups):
        raise TLS_LIBRARY(why="groups")
    if not openssl.set_signatures(context, SIGNATURES):
        raise TLS_LIBRARY(why="signature algorithms")
    return context


def use(context: SSL.Context, credentials: Credentials) -> None:
    """Give a context its certificate, key and the chain above."""
    try:
        use_own(context, credentials)
        for issuer in credentials.chain[1:]:
            context.add_extra_chain_cert(x509.load_der_x509_certificate(issuer))
    except (ValueError, SSL.Error) as error:
        raise TLS_CREDENTIALS(why=str(error)) from error


def use_own(holder: SSL.Context | SSL.Connection, credentials: Credentials) -> None:
    """Give a context or a single connection its certificate and key; OpenSSL checks that they belong together."""
    try:
        holder.use_certificate(x509.load_der_x509_certificate(credentials.chain[0]))
        holder.use_privatekey(credentials.key)
    except (ValueError, SSL.Error) as error:
        raise TLS_CREDENTIALS(why=str(error)) from error


def trust_in(context: SSL.Context, trust: Sequence[bytes]) -> None:
    """Fill the context's store with the roots and with the Sub-CAs proved by them."""
    try:
        certificates = [x509.load_der_x509_certificate(der) for der in trust]
    except ValueError as error:
        raise TLS_TRUST(why=str(error)) from error
    roots = [c for c in certificates if c.subject == c.issuer]
    if not roots:
        raise TLS_TRUST(why="no root")
    known = crypto.X509Store()
    for root in roots:
        known.add_cert(crypto.X509.from_cryptography(root))
    store = context.get_cert_store()
    assert store is not None  # a context always has one
    store.set_flags(_PARTIAL_CHAIN)
    for certificate in certificates:
        anchor = crypto.X509.from_cryptography(certificate)
        try:
            crypto.X509StoreContext(known, anchor).verify_certificate()
        except crypto.X509StoreContextError as error:
            name = certificate.subject.rfc4514_string()
            raise TLS_TRUST(why=f"{name}: {error}") from error
        store.add_cert(anchor)
