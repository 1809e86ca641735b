"""The client of a Sub-CA (``ports.SubCA``) over mutual TLS.

What it promises while the CA is away: nothing is lost here because nothing is kept here. A call either answers or
raises ``ca.unreachable`` (the CA has not seen the request) or ``ca.timeout`` (it may have). The caller keeps package
and message id, both written down before the first call, and repeats the same call with the same two until it has an
answer; a Sub-CA issues once for one message id and one package.
"""

import http.client
import ssl
import threading
from dataclasses import dataclass
from time import monotonic
from urllib.parse import SplitResult, urlsplit

from torwart.adapters.sm_pki.tls import TlsIdentity, identify_sub_ca
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.ca import CA_IDENTITY, CA_MESSAGE, CA_PROTOCOL, CA_TIMEOUT, CA_UNREACHABLE
from torwart.ports.sub_ca import CaAnswer
from torwart.wire.certificate.pem import load_revocation_list
from torwart.wire.smpki_service import (
    LARGEST,
    CertificateRevocationRequest,
    CertificateType,
    GeneralMessage,
    GetCertificateChain,
    GetServiceStatus,
    Request,
    RequestCertificate,
    UpdateDeviceAdmin,
    decode_response,
    encode_request,
    operation_of,
)

_LARGEST_CRL = 64 * 1024 * 1024
_BUSY = (502, 503, 504)
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for a connection, and for a whole answer once the request is on its way."""

    connect: float = 10.0
    answer: float = 30.0


class SmPkiClient:
    """Blocking client of one Sub-CA; thread-safe, one kept connection per thread.

    ``url`` of the web service; ``crl_url`` of the CRL (plain HTTP, it is signed); ``expected``: the CN the CA's TLS
    certificate must have, empty: that of any trusted Sub-CA.
    """

    def __init__(
        self,
        url: str,
        identity: TlsIdentity,
        *,
        crl_url: str = "",
        expected: str = "",
        patience: Patience | None = None,
    ) -> None:
        self._address = _address(url, "https")
        self._crl_address = _address(crl_url, "http") if crl_url else None
        self._expected = expected
        self._patience = patience or Patience()
        self._trust = identity.authorities
        self._context = identity.context(ssl.PROTOCOL_TLS_CLIENT)
        self._kept = threading.local()

    # -- the operations -------------------------------------------------------------------------------------------

    def request_certificate(self, package: bytes, *, certificate_type: str, message_id: str | None) -> CaAnswer:
        try:
            kind = CertificateType(certificate_type)
        except ValueError as error:
            raise CA_MESSAGE(why=f"certType {certificate_type!r}") from error
        return self._call(RequestCertificate(package, message_id, kind))

    def get_certificate_chain(self, issuer_name: str, *, message_id: str | None = None) -> CaAnswer:
        return self._call(GetCertificateChain(issuer_name, message_id))

    def revoke(self, request: bytes) -> CaAnswer:
        return self._call(CertificateRevocationRequest(request))

    def update_device_admin(self, request: bytes) -> CaAnswer:
        return self._call(UpdateDeviceAdmin(request))

    def general_message(self, *, caller: str, message_id: str, subject: str, body: str) -> CaAnswer:
        return self._call(GeneralMessage(caller, message_id, subject, body))

    def service_status(self, *, message_id: str) -> CaAnswer:
        return self._call(GetServiceStatus(message_id))

    def revocation_list(self) -> bytes:
        """The present CRL, DER; refused (``pki.crl_signature``) if no trusted authority signed it."""
        if self._crl_address is None:
            raise CA_MESSAGE(why="crl_url")
        address = self._crl_address
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port or _PORTS["http"], timeout=self._patience.connect
        )
        try:
            status, body = self._exchange(connection, "GET", address, b"", {}, _LARGEST_CRL)
        finally:
            connection.close()
        if status != 200:
            raise CA_UNREACHABLE(address=address.netloc, why=f"HTTP {status}")
        self._trust.revocation_list(load_revocation_list(body))
        return body

    def close(self) -> None:
        """Close this thread's connection; the next call opens a new one."""
        connection = getattr(self._kept, "connection", None)
        if connection is not None:
            connection.close()
            self._kept.connection = None

    # -- one exchange ---------------------------------------------------------------------------------------------

    def _call(self, request: Request) -> CaAnswer:
        operation = operation_of(request)
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation}"'}
        status, body = self._post(encode_request(request), headers)
        if status in _BUSY:
            raise CA_UNREACHABLE(address=self._address.netloc, why=f"HTTP {status}")
        if status != 200:
            raise CA_PROTOCOL(why=f"HTTP {status}")
        try:
            response = decode_response(body, operation)
        except Refusal as refusal:
            raise CA_PROTOCOL(why=refusal.details.get("why", refusal.code)) from refusal
        return CaAnswer(response.return_code, response.certificates, response.message or "")

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """POST on the kept connection, or on a new one if the CA has closed that in the meantime."""
        kept = getattr(self._kept, "connection", None)
        if kept is not None:
            try:
                return self._exchange(kept, "POST", self._address, body, headers, LARGEST)
            except Refusal as refusal:
                self.close()
                if refusal.kind is not CA_UNREACHABLE:
                    raise
        connection = self._connect()
        try:
            answer = self._exchange(connection, "POST", self._address, body, headers, LARGEST)
        except Refusal:
            connection.close()
            raise
        self._kept.connection = connection
        return answer

    def _connect(self) -> http.client.HTTPSConnection:
        host, port = self._address.hostname or "", self._address.port or _PORTS["https"]
        connection = http.client.HTTPSConnection(host, port, timeout=self._patience.connect, context=self._context)
        try:
            connection.connect()
            peer = connection.sock.getpeercert(binary_form=True)
            identify_sub_ca(self._trust, peer, self._address.netloc, self._expected)
        except ssl.SSLCertVerificationError as error:
            raise CA_IDENTITY(address=self._address.netloc, why=error.verify_message) from error
        except Refusal as refusal:
            connection.close()
            raise CA_IDENTITY(address=self._address.netloc, why=refusal.text()) from refusal
        except OSError as error:
            raise CA_UNREACHABLE(address=self._address.netloc, why=error) from error
        return connection

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        address: SplitResult,
        body: bytes,
        headers: dict[str, str],
        largest: int,
    ) -> tuple[int, bytes]:
        """Send and read within ``patience.answer``; what comes later than that belongs to nobody."""
        deadline = monotonic() + self._patience.answer
        target = address.path or "/"
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(self._patience.answer)
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            return response.status, _read(connection, response, deadline, largest)
        except TimeoutError as error:
            raise CA_TIMEOUT(address=address.netloc, seconds=self._patience.answer) from error
        except (OSError, http.client.HTTPException) as error:
            raise CA_UNREACHABLE(address=address.netloc, why=error or type(error).__name__) from error


def _read(
    connection: http.client.HTTPConnection, response: http.client.HTTPResponse, deadline: float, largest: int
) -> bytes:
    pieces, size = [], 0
    while piece := response.read1(65536):
        pieces.append(piece)
        size += len(piece)
        if size > largest:
            raise CA_PROTOCOL(why=f"> {largest} bytes")
        remaining = deadline - monotonic()
        if remaining <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(remaining)
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    response.close()  # read1 alone does not tell the connection that it is free for the next request
    return b"".join(pieces)


def _address(url: str, scheme: str) -> SplitResult:
    address = urlsplit(url)
    if address.scheme != scheme or not address.hostname:
        raise CA_MESSAGE(why=f"{url!r}: {scheme}://…")
    return address
