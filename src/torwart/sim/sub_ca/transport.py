"""Sockets of the simulated Sub-CA: mutual TLS 1.2 for the web service, plain HTTP for revocation lists."""

import ssl
import tempfile
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, socket

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.sim.pki import Credential
from torwart.wire.smpki_service import LARGEST

# TR-03116-3 §4.1.2: the two suites that MUST be offered; TLS 1.2 because OpenSSL 3.0 has no brainpool in TLS 1.3.
CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256"
CURVE = "brainpoolP256r1"
_IDLE = 60.0
_HANDSHAKE = 10.0

Serve = Callable[[bytes | None, str, str, dict[str, str], bytes], tuple[int, str, bytes] | None]
"""(peer certificate DER, method, path, headers, body) → (status, content type, body), or ``None`` to hang up."""


def tls_context(
    purpose: int, credential: Credential, sub_ca: x509.Certificate, trusted: list[x509.Certificate]
) -> ssl.SSLContext:
    """A context for ``ssl.PROTOCOL_TLS_SERVER`` or ``…_CLIENT`` that demands a certificate of a trusted CA."""
    context = ssl.SSLContext(purpose)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.set_ecdh_curve(CURVE)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.options |= ssl.OP_NO_TICKET
    context.load_verify_locations(cadata="".join(each.public_bytes(Encoding.PEM).decode() for each in trusted))
    with tempfile.TemporaryDirectory() as directory:
        # The ssl module takes keys from files only.
        file = Path(directory) / "credential.pem"
        file.touch(0o600)
        file.write_bytes(credential.certificate_pem + sub_ca.public_bytes(Encoding.PEM) + credential.key_pem)
        context.load_cert_chain(file)
    return context


class Listener(ThreadingHTTPServer):
    """A threading HTTP/1.1 server that hands every request to ``serve``; with ``context`` it speaks TLS, and the
    handshake happens in the connection's own thread.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], serve: Serve, context: ssl.SSLContext | None) -> None:
        self.serve = serve
        self.context = context
        self._open: set[socket] = set()
        super().__init__(address, _Handler)

    def finish_request(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        assert isinstance(request, socket)
        request.settimeout(_HANDSHAKE)
        if self.context is None:
            self._serve_on(request, client_address)
            return
        try:
            secured = self.context.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError):
            return
        with secured:
            self._serve_on(secured, client_address)

    def _serve_on(self, connection: socket, client_address: object) -> None:
        connection.settimeout(_IDLE)
        self._open.add(connection)
        with suppress(OSError):  # the other side went away
            _Handler(connection, client_address, self)
        self._open.discard(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Broken connections are no news."""

    def hang_up(self) -> None:
        """Close all open connections."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else an answer in two writes waits 40 ms for a delayed acknowledgement
    wbufsize = 65536
    server: Listener

    def _run(self) -> None:
        size = self.headers.get("Content-Length", "0")
        if not size.isdigit() or int(size) > LARGEST or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self.send_error(413 if size.isdigit() else 400)
            return
        body = self.rfile.read(int(size))
        secured = self.connection
        peer = secured.getpeercert(binary_form=True) if isinstance(secured, ssl.SSLSocket) else None
        answer = self.server.serve(peer, self.command, self.path, dict(self.headers.items()), body)
        if answer is None:
            self.close_connection = True
            return
        status, content_type, content = answer
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _run  # noqa: N815 -- names the standard library looks for

    def log_message(self, *_: object) -> None:
        """The simulator keeps its own journal."""
