"""One TLS connection, sans I/O: ciphertext in, plaintext out, and back."""

from OpenSSL import SSL

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.tls import TLS_TRUNCATED
from torwart.wire.tls import alerts, openssl
from torwart.wire.tls.context import Chain, Credentials, TlsContext, use_own
from torwart.wire.tls.offer import Negotiated

_RECORD = 16384
"""Bytes of plaintext in one record (RFC 5246 §6.2.1)."""
_HELLO_BYTES = 256
"""A ServerHello of TLS 1.2 with its few extensions is shorter."""


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
            use_own(self._connection, credentials)
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
            self.refusal = self.refusal or alerts.of_connection(error)
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
        while limit > 0 and (openssl.received(connection) or connection.pending()):
            try:
                chunk = connection.recv(min(limit, _RECORD))
            except SSL.WantReadError:
                break
            except SSL.ZeroReturnError:
                self.closed = True
                break
            except SSL.Error as error:
                self.refusal = alerts.of_connection(error)
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
            self.refusal = alerts.of_connection(error)
            raise self.refusal from None

    def data_to_send(self) -> bytes:
        """All ciphertext waiting to go out, ``b""`` if none."""
        waiting = openssl.to_send(self._connection)
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
            extended_master_secret=version != "1.2" or openssl.extended_master_secret(connection),
        )

    def forget_handshake(self) -> None:
        """Free what only the handshake needed: ``peer``, and the buffers that grew for its certificates.

        A connection may be held for days; without this it would keep some 8 KiB more. Call it when nothing received
        is left unread and nothing is left to send; else only ``peer`` is forgotten.
        """
        self.peer = ()
        if not openssl.received(self._connection) and not openssl.to_send(self._connection):
            openssl.renew_buffers(self._connection)

    def _keep_hello(self, data: bytes) -> None:
        if len(self._hello) < _HELLO_BYTES:
            self._hello += data[: _HELLO_BYTES - len(self._hello)]


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
