"""Where the Sub-CA calls back (TR-03129-4 §2.4.3): SendCertificates, GeneralMessage, GetServiceStatus.

Rule of this module: what the CA sends is stored before it hears ``ok_received_correctly``. If storing fails it hears
``failure_internal_error`` and sends again; a message stored twice is the store's matter and answered the same.
"""

import logging
import ssl
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from threading import BoundedSemaphore, Thread

from torwart.adapters.sm_pki.tls import TlsIdentity, identify_sub_ca
from torwart.kernel.refusals import Refusal
from torwart.wire.smpki_service import (
    LARGEST,
    OPERATIONS,
    GeneralMessage,
    GetServiceStatus,
    Request,
    Response,
    SendCertificates,
    decode_request,
    encode_response,
    explain,
    operation_of,
)

log = logging.getLogger(__name__)

Store = Callable[[str | None, str, tuple[bytes, ...]], bool]
"""Takes (message id, statusInfo, certificates DER) and writes them down. ``True``: they are safe, also when they had
been before; ``False``: there is no request with this message id. Without message id the CA announces new certificates
unasked. Whatever it raises makes the CA send again.
"""

_HANDSHAKE = 10.0
_IDLE = 30.0
_CONNECTIONS = 32


class CallbackReceiver:
    """A mutual-TLS SOAP server for the callbacks of one Sub-CA; its URL is registered with the CA by contract (§2.2.2
    ok_syntax). ``on_message`` takes GeneralMessage texts (they are for people).
    """

    def __init__(
        self,
        identity: TlsIdentity,
        store: Store,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        path: str = "/SmartMeterService",
        expected: str = "",
        on_message: Callable[[GeneralMessage], None] | None = None,
    ) -> None:
        self._trust = identity.authorities
        self._store = store
        self._path = path
        self._expected = expected
        self._on_message = on_message
        self._server = _Server((host, port), self._serve, identity.context(ssl.PROTOCOL_TLS_SERVER))
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="ca-callbacks", daemon=True)

    @property
    def url(self) -> str:
        """What to register with the CA, as far as this machine knows its own name."""
        host, port = self._server.server_address[:2]
        return f"https://{host!s}:{port}{self._path}"

    def start(self) -> "CallbackReceiver":
        """Serve in a thread of its own; returns itself."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Take no more connections; one that is being answered is answered."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> "CallbackReceiver":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self, peer: bytes | None, method: str, path: str, action: str, body: bytes) -> tuple[int, bytes]:
        if path != self._path:
            return 404, b""
        if method != "POST":
            return 405, b""
        try:
            identify_sub_ca(self._trust, peer, "callback", self._expected)
        except Refusal as refusal:
            log.warning("callback refused: %s", refusal)
            return 403, b""
        try:
            request = decode_request(body)
        except Refusal as refusal:
            if action not in OPERATIONS:
                return 400, b""
            return 200, encode_response(Response(action, "failure_syntax", (), explain(refusal)))
        return 200, encode_response(Response(operation_of(request), self._answer(request)))

    def _answer(self, request: Request) -> str:
        try:
            if isinstance(request, SendCertificates):
                known = self._store(request.message_id, request.status, request.certificates)
                return "ok_received_correctly" if known else "failure_messageID_unknown"
            if isinstance(request, GeneralMessage):
                if self._on_message:
                    self._on_message(request)
                return "ok_received_correctly"
        except Exception:
            log.exception("callback could not be stored")
            return "failure_internal_error"
        # §2.4.3: an end user implements SendCertificates, GeneralMessage and GetServiceStatus, nothing else.
        return "ok_received_correctly" if isinstance(request, GetServiceStatus) else "failure_other_error"


class _Server(ThreadingHTTPServer):
    """Handshakes happen in the connection's own thread; a stranger's slowness costs a thread for 10 s at most."""

    daemon_threads = True
    Serve = Callable[[bytes | None, str, str, str, bytes], tuple[int, bytes]]

    def __init__(self, address: tuple[str, int], serve: Serve, context: ssl.SSLContext) -> None:
        self.serve = serve
        self._context = context
        self._free = BoundedSemaphore(_CONNECTIONS)
        super().__init__(address, _Handler)

    def finish_request(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        if not isinstance(request, socket) or not self._free.acquire(blocking=False):
            return
        try:
            request.settimeout(_HANDSHAKE)
            with suppress(OSError), self._context.wrap_socket(request, server_side=True) as secured:
                secured.settimeout(_IDLE)
                _Handler(secured, client_address, self)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        log.exception("callback connection from %s broke", client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else an answer in two writes waits 40 ms for a delayed acknowledgement
    wbufsize = 65536
    server: _Server

    def _run(self) -> None:
        size = self.headers.get("Content-Length", "")
        if not size.isascii() or not size.isdigit() or int(size) > LARGEST or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._reply(413 if size.isdigit() else 411, b"")
            return
        action = self.headers.get("SOAPAction", "").strip('"')
        peer = self.connection.getpeercert(binary_form=True)
        self._reply(*self.server.serve(peer, self.command, self.path, action, self.rfile.read(int(size))))

    def _reply(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _run  # noqa: N815 -- names the standard library looks for

    def log_message(self, *_: object) -> None:
        """No access log: what matters is in the audit trail."""
