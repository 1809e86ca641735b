"""TLS as the SM-PKI prescribes it, sans I/O: bytes in, bytes out (TR-03116-3 chapter 4, Stand 2025).

``server_context`` and ``client_context`` make a context once; a ``TlsEngine`` carries one connection over it. No
socket is touched here: the caller moves ciphertext with ``receive_data`` and ``data_to_send``.

What may be negotiated stands in the table below and nowhere else. Sessions are never resumed (no tickets, no cache),
so every connection's certificate passes every check again: "Innerhalb der erlaubten Session-Lebensdauer KANN Session
Resumption verwendet werden" (§4.1.2) leaves that open, and the limit of 48 hours then is the connection's age alone.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.tls import (
    TLS_ALERT,
    TLS_BAD_CERTIFICATE,
    TLS_CREDENTIALS,
    TLS_EXPIRED,
    TLS_LIBRARY,
    TLS_NO_AGREEMENT,
    TLS_NO_CERTIFICATE,
    TLS_NOT_ALLOWED,
    TLS_NOT_YET_VALID,
    TLS_PROTOCOL,
    TLS_REVOKED,
    TLS_TRUNCATED,
    TLS_TRUST,
    TLS_UNKNOWN_CA,
    TLS_WRONG_USE,
)

# --- The table of TR-03116-3 ---------------------------------------------------------------------------------------
# §4.2.1: "Andere Cipher Suites oder elliptische Kurven, als die in Tabelle 7 oder Tabelle 8 genannten, DÜRFEN NICHT
# für die Kommunikation im WAN oder in der Marktkommunikation unterstützt werden." Names as OpenSSL spells them, in
# our order of preference; the server's preference decides.
SUITES_1_2 = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",  # Tabelle 7, from 2024
    "ECDHE-ECDSA-AES128-SHA256",  # Tabelle 7
    "ECDHE-ECDSA-AES256-GCM-SHA384",  # Tabelle 8
    "ECDHE-ECDSA-AES256-SHA384",  # Tabelle 8
)
SUITES_1_3 = (
    "TLS_AES_128_GCM_SHA256",  # Tabelle 11
    "TLS_AES_256_GCM_SHA384",  # Tabelle 12
    "TLS_AES_128_CCM_SHA256",  # Tabelle 12
)
GROUPS_1_3 = (
    "brainpoolP256r1tls13",  # Tabelle 13, 31
    "brainpoolP384r1tls13",  # Tabelle 13, 32
    "brainpoolP512r1tls13",  # Tabelle 14, 33
)
GROUPS_1_2 = (
    "brainpoolP256r1",  # Tabelle 7, 26
    "P-256",  # Tabelle 7 and 13, 23
    "brainpoolP384r1",  # Tabelle 7, 27
    "brainpoolP512r1",  # Tabelle 8, 28
    "P-384",  # Tabelle 8 and 14, 24
)
GROUPS = GROUPS_1_3 + GROUPS_1_2
# §4.2.2.1: "Digitale Signaturen während des TLS Handshakes MÜSSEN mit ECDSA erstellt werden"; Tabelle 9: SHA-256,
# -384, -512 and no other hash. §4.3.2.1, Tabelle 15 for TLS 1.3 (there the secp names are those of ECDSA+SHA…).
SIGNATURES = (
    "ecdsa_brainpoolP256r1tls13_sha256",
    "ecdsa_brainpoolP384r1tls13_sha384",
    "ecdsa_brainpoolP512r1tls13_sha512",
    "ECDSA+SHA256",
    "ECDSA+SHA384",
    "ECDSA+SHA512",
)
VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
"""§4.1.2: "Ein Fallback auf eine ältere TLS-Version als TLS 1.2 DARF NICHT möglich sein"; 1.3 is recommended."""

MAX_SESSION_SECONDS = 48 * 3600
"""§4.1.2: "… MÜSSEN eine TLS-Session … auf einen Wert begrenzen, der 48 Stunden nicht überschreitet." """

# §4.1.2 "Session Renegotiation DARF NICHT möglich sein"; compression is off (CRIME); tickets are off (see above).
# Encrypt-then-MAC is on unless switched off (§4.2.2.2); truncated HMAC (RFC 6066 §7) OpenSSL does not know at all.
_OPTIONS = (
    SSL.OP_NO_RENEGOTIATION
    | SSL.OP_NO_COMPRESSION
    | SSL.OP_NO_TICKET
    | SSL.OP_CIPHER_SERVER_PREFERENCE
    | SSL.OP_SINGLE_ECDH_USE
)
_MODE = SSL.MODE_RELEASE_BUFFERS
_RECORD = 16384
"""Bytes of plaintext in one record (RFC 5246 §6.2.1)."""
_CHAIN_DEPTH = 3  # root, Sub-CA, end entity (TR-03116-3 chapter 3), and one to spare for a root's link certificate

# OpenSSL's verification errors that have a refusal of their own; every other is tls.bad_certificate.
_lib: Any = SSL._lib  # type: ignore[attr-defined]
_ffi: Any = SSL._ffi  # type: ignore[attr-defined]
_V_UNKNOWN_CA = frozenset((2, 18, 19, 20, 21, 24, 27))
_V_NOT_YET_VALID, _V_EXPIRED, _V_REVOKED, _V_PURPOSE, _V_REJECTED = 9, 10, 23, 26, 28
_V_PARTIAL_CHAIN = 0x80000

# The alert a refusal makes: OpenSSL derives it from the verification error (RFC 5246 §7.2.2). access_denied(49) has
# no such error, so a peer refused by policy gets bad_certificate(42).
_UNKNOWN_ISSUER = 20
_ERROR_FOR = {
    "tls.revoked": _V_REVOKED,  # certificate_revoked(44)
    "pki.revoked": _V_REVOKED,
    "pki.suspended": _V_REVOKED,
    "tls.expired": _V_EXPIRED,  # certificate_expired(45)
    "pki.expired": _V_EXPIRED,
    "tls.unknown_ca": _UNKNOWN_ISSUER,  # unknown_ca(48)
    "pki.issuer_unknown": _UNKNOWN_ISSUER,
    "tls.wrong_use": _V_PURPOSE,  # unsupported_certificate(43)
    "pki.use": _V_PURPOSE,
    "pki.key_usage": _V_PURPOSE,
    "pki.extended_key_usage": _V_PURPOSE,
}

Chain = tuple[bytes, ...]
"""Certificates in DER, the peer's own first, the trusted one last."""

Verdict = Callable[[Chain], Refusal | None]
"""Asked once for each chain that OpenSSL has found good; a refusal ends the handshake with its alert. It may run in
any thread and must neither block nor raise.
"""


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


@dataclass(frozen=True, slots=True)
class Offer:
    """What one end offers of the table, in its order of preference; anything outside raises ``tls.not_allowed``.

    A group list for TLS 1.2 must hold the curve of both certificates (RFC 8422 §5.1), brainpoolP256r1 (Tabelle 6).
    """

    minimum: str = "1.2"
    maximum: str = "1.3"
    suites: tuple[str, ...] = SUITES_1_2
    groups: tuple[str, ...] = GROUPS

    def __post_init__(self) -> None:
        asked = {self.minimum, self.maximum, *self.suites, *self.groups}
        if outside := asked - {*VERSIONS, *SUITES_1_2, *GROUPS}:
            raise TLS_NOT_ALLOWED(what=", ".join(sorted(outside)))


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What both ends agreed on. ``suite`` and ``group`` in OpenSSL's names; ``encrypt_then_mac`` (RFC 7366) is
    ``None`` where the suite has no MAC of its own (GCM, CCM).
    """

    version: str
    suite: str
    group: str
    encrypt_then_mac: bool | None
    extended_master_secret: bool

    def details(self) -> dict[str, object]:
        """Its fields by name, for facts and logs."""
        return {name: getattr(self, name) for name in self.__slots__}


class TlsContext:
    """What all connections of one side share. Make it with ``server_context`` or ``client_context``."""

    def __init__(self, ssl: SSL.Context, *, server_side: bool, verdict: Verdict) -> None:
        self.ssl = ssl
        self.server_side = server_side
        self._verdict = verdict
        self._current = threading.local()  # the engine whose handshake runs in this thread
        self._callback = _ffi.callback("int (*)(int, X509_STORE_CTX *)", self._judge, error=0)
        mode = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        _lib.SSL_CTX_set_verify(ssl._context, mode, self._callback)

    def step(self, engine: "TlsEngine", advance: Callable[[], None]) -> None:
        """Run one handshake step of ``engine``, so that a judgement made on the way is put down to it."""
        self._current.engine = engine
        try:
            advance()
        finally:
            self._current.engine = None

    def _judge(self, ok: int, store: Any) -> int:
        """OpenSSL's verify callback: called for each certificate from the root down, or with ``ok`` 0 on an error.

        pyOpenSSL's own wrapper cannot tell OpenSSL *why*, and the reason makes the alert; hence the bare callback.
        """
        engine: TlsEngine | None = getattr(self._current, "engine", None)
        if engine is None:
            return 0
        if not ok:
            engine.refusal = _refusal_of(_lib.X509_STORE_CTX_get_error(store))
            return 0
        if _lib.X509_STORE_CTX_get_error_depth(store) > 0:
            return 1
        chain = _chain_of(store)
        engine.peer = chain
        refusal = self._verdict(chain)
        if refusal is None:
            return 1
        engine.refusal = refusal
        _lib.X509_STORE_CTX_set_error(store, _ERROR_FOR.get(refusal.code, _V_REJECTED))
        return 0


def server_context(
    credentials: Credentials, trust: Sequence[bytes], verdict: Verdict, *, offer: Offer | None = None
) -> TlsContext:
    """A context for the side that is called; the peer must show a certificate that ``verdict`` lets pass.

    ``trust``: DER of roots, and of Sub-CAs if wanted: these are proved here once against the roots (``tls.trust``
    if that fails) and then need no signature check in each handshake. Chains by other Sub-CAs are verified up to
    the root each time. Their validity is checked in each handshake either way.
    """
    return TlsContext(_context(credentials, trust, offer or Offer()), server_side=True, verdict=verdict)


def client_context(
    credentials: Credentials, trust: Sequence[bytes], verdict: Verdict, *, offer: Offer | None = None
) -> TlsContext:
    """A context for the side that calls; otherwise like ``server_context``. Names are for ``verdict`` to check."""
    return TlsContext(_context(credentials, trust, offer or Offer()), server_side=False, verdict=verdict)


def _context(credentials: Credentials, trust: Sequence[bytes], offer: Offer) -> SSL.Context:
    self_test()
    context = _bare_context(offer)
    _use(context, credentials)
    _trust(context, trust)
    return context


def _bare_context(offer: Offer) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(VERSIONS[offer.minimum])
    context.set_max_proto_version(VERSIONS[offer.maximum])
    context.set_options(_OPTIONS)
    context.set_mode(_MODE)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_verify_depth(_CHAIN_DEPTH)
    context.set_cipher_list(":".join(offer.suites).encode())
    context.set_tls13_ciphersuites(":".join(SUITES_1_3).encode())
    # pyOpenSSL has no public way to set more than one group, or any signature algorithms; self_test guards this one.
    pointer = context._context
    if not _lib.SSL_CTX_set1_curves_list(pointer, ":".join(offer.groups).encode()):
        raise TLS_LIBRARY(why="groups")
    if not _lib.SSL_CTX_set1_sigalgs_list(pointer, ":".join(SIGNATURES).encode()):
        raise TLS_LIBRARY(why="signature algorithms")
    return context


def _use(context: SSL.Context, credentials: Credentials) -> None:
    try:
        _use_own(context, credentials)
        for issuer in credentials.chain[1:]:
            context.add_extra_chain_cert(x509.load_der_x509_certificate(issuer))
    except (ValueError, SSL.Error) as error:
        raise TLS_CREDENTIALS(why=str(error)) from error


def _use_own(holder: SSL.Context | SSL.Connection, credentials: Credentials) -> None:
    """Give a context or a single connection its certificate and key; OpenSSL checks that they belong together."""
    try:
        holder.use_certificate(x509.load_der_x509_certificate(credentials.chain[0]))
        holder.use_privatekey(credentials.key)
    except (ValueError, SSL.Error) as error:
        raise TLS_CREDENTIALS(why=str(error)) from error


def _trust(context: SSL.Context, trust: Sequence[bytes]) -> None:
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
    store.set_flags(_V_PARTIAL_CHAIN)
    for certificate in certificates:
        anchor = crypto.X509.from_cryptography(certificate)
        try:
            crypto.X509StoreContext(known, anchor).verify_certificate()
        except crypto.X509StoreContextError as error:
            name = certificate.subject.rfc4514_string()
            raise TLS_TRUST(why=f"{name}: {error}") from error
        store.add_cert(anchor)


class TlsEngine:
    """One TLS connection, sans I/O.

    Feed what came from the wire with ``receive_data``, call ``handshake`` until it answers ``True``, then ``read``
    and ``write``; after every call send what ``data_to_send`` gives – also after a refusal, it holds the alert. Not
    thread-safe: one call at a time, from whichever thread.
    """

    __slots__ = (
        "_connection",
        "_context",
        "_encrypt_then_mac",
        "_hello",
        "closed",
        "complete",
        "peer",
        "refusal",
    )

    def __init__(
        self, context: TlsContext, *, server_name: str | None = None, credentials: Credentials | None = None
    ) -> None:
        """``server_name`` (client only) is sent as SNI, which the communication profile of a gateway names (tlsSni).
        ``credentials``: own certificate and key of this connection alone, so that many gateways can share a context;
        above its own certificate goes the chain of the context.
        """
        self._context = context
        self._connection = SSL.Connection(context.ssl, None)
        if credentials is not None:
            _use_own(self._connection, credentials)
        self._hello = b""  # start of the server's first flight, kept until the handshake is complete
        self._encrypt_then_mac = False
        self.complete = False
        self.closed = False
        """The peer has said close_notify; nothing more will come."""
        self.peer: Chain = ()
        """The peer's verified chain, its own certificate first. Until the handshake is complete the peer has only
        shown it; that it holds the private key is proved later.
        """
        self.refusal: Refusal | None = None
        """Why the peer was refused, if it was."""
        if context.server_side:
            self._connection.set_accept_state()
        else:
            self._connection.set_connect_state()
            if server_name:
                self._connection.set_tlsext_host_name(server_name.encode("ascii"))

    def receive_data(self, data: bytes) -> None:
        """Take ciphertext from the wire."""
        if not self.complete and not self._context.server_side:
            self._keep_hello(data)
        if data:
            self._connection.bio_write(data)

    def receive_eof(self) -> None:
        """The transport has ended. Without a close_notify before, that is ``tls.truncated``."""
        if not self.closed:
            raise self.refusal or TLS_TRUNCATED()

    def handshake(self) -> bool:
        """Go on with the handshake as far as the bytes at hand allow; ``True`` once it is complete.

        Raises the refusal of the verdict, or ``tls.…`` of what OpenSSL or the peer found wrong.
        """
        try:
            self._context.step(self, self._connection.do_handshake)
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            self.refusal = self.refusal or _refusal_of_error(error)
            raise self.refusal from None
        if not self.complete:
            self.complete = True
            self._encrypt_then_mac = _offers_encrypt_then_mac(self._hello)
            self._hello = b""
        return True

    def read(self, limit: int = 65536) -> bytes:
        """Plaintext at hand, at most ``limit`` bytes; ``b""`` if there is none now (look at ``closed``)."""
        chunks: list[bytes] = []
        connection = self._connection
        # Asked first, since an SSL_read in vain costs more than the question.
        while limit > 0 and (_pending(connection._into_ssl) or connection.pending()):
            try:
                chunk = connection.recv(min(limit, _RECORD))
            except SSL.WantReadError:
                break
            except SSL.ZeroReturnError:
                self.closed = True
                break
            except SSL.Error as error:
                self.refusal = _refusal_of_error(error)
                raise self.refusal from None
            chunks.append(chunk)
            limit -= len(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def write(self, data: bytes) -> None:
        """Encrypt ``data``; the handshake must be complete."""
        view = memoryview(data)
        try:
            while view:
                view = view[self._connection.send(view[:_RECORD]) :]
        except SSL.Error as error:
            self.refusal = _refusal_of_error(error)
            raise self.refusal from None

    def data_to_send(self) -> bytes:
        """All ciphertext waiting to go out, ``b""`` if none."""
        waiting = _pending(self._connection._from_ssl)
        data = self._connection.bio_read(waiting) if waiting else b""
        if not self.complete and self._context.server_side:
            self._keep_hello(data)
        return data

    def close_notify(self) -> None:
        """Say that we send nothing more; harmless when the connection is broken or not yet complete."""
        if self.complete and (self.refusal is None):
            try:
                self._connection.shutdown()
            except SSL.Error:
                self.closed = True

    @property
    def negotiated(self) -> Negotiated:
        """What was agreed; only after the handshake."""
        connection = self._connection
        version = connection.get_protocol_version_name().removeprefix("TLSv")
        suite = connection.get_cipher_name() or ""
        has_mac = version == "1.2" and "GCM" not in suite
        return Negotiated(
            version=version,
            suite=suite,
            group=connection.get_group_name() or "",
            encrypt_then_mac=self._encrypt_then_mac if has_mac else None,
            extended_master_secret=version != "1.2" or _lib.SSL_get_extms_support(connection._ssl) == 1,
        )

    def forget_handshake(self) -> None:
        """Free what only the handshake needed: ``peer``, and the buffers that grew for its certificates.

        A connection may be held for days; without this it would keep some 8 KiB more. Call it when nothing received
        is left unread and nothing is left to send; else only ``peer`` is forgotten.
        """
        self.peer = ()
        connection = self._connection
        if _pending(connection._into_ssl) or _pending(connection._from_ssl):
            return
        received, to_send = _lib.BIO_new(_lib.BIO_s_mem()), _lib.BIO_new(_lib.BIO_s_mem())
        _lib.SSL_set_bio(connection._ssl, received, to_send)  # frees the old ones
        connection._into_ssl, connection._from_ssl = received, to_send

    def _keep_hello(self, data: bytes) -> None:
        if len(self._hello) < _HELLO_BYTES:
            self._hello += data[: _HELLO_BYTES - len(self._hello)]


_HELLO_BYTES = 256  # a ServerHello of TLS 1.2 with its few extensions is shorter


def _offers_encrypt_then_mac(flight: bytes) -> bool:
    """Whether the ServerHello that opens ``flight`` carries encrypt_then_mac (extension 22, RFC 7366 §2).

    OpenSSL has no question for this. Layout: record header 5, handshake header 4, version 2, random 32, session id
    (length 1), suite 2, compression 1, extensions (length 2; each type 2, length 2) – RFC 5246 §7.4.1.3.
    """
    at = 5 + 4 + 2 + 32
    at += 1 + flight[at] + 2 + 1
    end = min(len(flight), at + 2 + int.from_bytes(flight[at : at + 2], "big"))
    at += 2
    while at + 4 <= end:
        if int.from_bytes(flight[at : at + 2], "big") == 22:
            return True
        at += 4 + int.from_bytes(flight[at + 2 : at + 4], "big")
    return False


def _pending(bio: Any) -> int:
    """Bytes that wait in a memory BIO."""
    count: int = _lib.BIO_get_mem_data(bio, _ffi.NULL)
    return count


def _chain_of(store: Any) -> Chain:
    """The chain under judgement in DER, end entity first."""
    stack = _lib.X509_STORE_CTX_get1_chain(store)
    bio = _lib.BIO_new(_lib.BIO_s_mem())
    pointer = _ffi.new("char **")
    chain: list[bytes] = []
    start = 0
    for index in range(_lib.sk_X509_num(stack)):
        certificate = _lib.sk_X509_value(stack, index)
        _lib.i2d_X509_bio(bio, certificate)
        _lib.X509_free(certificate)
        end = _lib.BIO_get_mem_data(bio, pointer)
        chain.append(_ffi.buffer(pointer[0] + start, end - start)[:])
        start = end
    _lib.BIO_free(bio)
    _lib.sk_X509_free(stack)
    return tuple(chain)


def _refusal_of(error: int) -> Refusal:
    """OpenSSL's verification error as one of our refusals."""
    why = _ffi.string(_lib.X509_verify_cert_error_string(error)).decode()
    if error in _V_UNKNOWN_CA:
        return TLS_UNKNOWN_CA(why=why)
    if error == _V_EXPIRED:
        return TLS_EXPIRED()
    if error == _V_NOT_YET_VALID:
        return TLS_NOT_YET_VALID()
    if error == _V_REVOKED:
        return TLS_REVOKED(serial="")
    if error == _V_PURPOSE:
        return TLS_WRONG_USE(why=why)
    return TLS_BAD_CERTIFICATE(why=why)


_DISAGREEMENTS = ("no shared", "unsupported protocol", "no suitable", "no protocols", "wrong curve", "bad ecpoint")


def _refusal_of_error(error: SSL.Error) -> Refusal:
    """What OpenSSL reports of a broken handshake or record."""
    if isinstance(error, SSL.SysCallError):
        return TLS_TRUNCATED()
    reasons = [reason for _, _, reason in error.args[0]] if error.args and isinstance(error.args[0], list) else []
    why = ", ".join(reasons) or "unknown"
    if " alert " in why:
        return TLS_ALERT(alert=why.split(" alert ", 1)[1])
    if "did not return a certificate" in why:
        return TLS_NO_CERTIFICATE()
    if "unexpected eof" in why:
        return TLS_TRUNCATED()
    if any(word in why for word in _DISAGREEMENTS):
        return TLS_NO_AGREEMENT(why=why)
    return TLS_PROTOCOL(why=why)


@cache
def self_test() -> None:
    """Prove once per process that the installed library does what this module relies on, else ``tls.library``.

    A handshake in memory with throw-away brainpool credentials: it must end in TLS 1.2, our group, the CBC suite
    with encrypt-then-MAC, and the verdict must have been asked on both sides.
    """
    credentials = _throwaway()
    asked: list[Chain] = []

    def verdict(chain: Chain) -> Refusal | None:
        asked.append(chain)
        return None

    ends: list[TlsEngine] = []
    for server_side in (False, True):
        context = _bare_context(Offer(maximum="1.2", suites=SUITES_1_2[1:2]))
        _use(context, credentials)
        _trust(context, credentials.chain)
        ends.append(TlsEngine(TlsContext(context, server_side=server_side, verdict=verdict)))
    client, server = ends
    for _ in range(4):
        client.handshake()
        server.receive_data(client.data_to_send())
        server.handshake()
        client.receive_data(server.data_to_send())
    expected = Negotiated("1.2", SUITES_1_2[1], GROUPS_1_2[0], True, True)
    if client.negotiated != expected or server.negotiated != expected:
        raise TLS_LIBRARY(why=f"negotiated {server.negotiated}")
    if asked != [credentials.chain] * 2:
        raise TLS_LIBRARY(why="the verdict was not asked")


def _throwaway() -> Credentials:
    """A self-signed brainpoolP256r1 certificate that lives for the self-test only."""
    key = ec.generate_private_key(ec.BrainpoolP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self-test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )
    certificate = builder.sign(key, hashes.SHA256())
    return Credentials((certificate.public_bytes(Encoding.DER),), key)
