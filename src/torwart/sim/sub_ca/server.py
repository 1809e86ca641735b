"""The Sub-CA as a server: web service, revocation lists, and the switches that make it misbehave."""

import json
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Lock, Thread
from time import sleep

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.pki import PKI_ROLE
from torwart.sim.pki import Authority, TestPki, Triple, new_key
from torwart.sim.sub_ca.behaviour import Behaviour, Mode
from torwart.sim.sub_ca.callbacks import Callbacks
from torwart.sim.sub_ca.desk import TRIPLE, Desk
from torwart.sim.sub_ca.registry import Caller, Queued, Registry
from torwart.sim.sub_ca.transport import Listener, tls_context
from torwart.wire.certificate import Role, Use, identify, load_certificate
from torwart.wire.certificate.names import entity_of
from torwart.wire.smpki_service import (
    OPERATIONS,
    RETURN_CODES,
    STATUS_CODES,
    Request,
    RequestCertificate,
    Response,
    decode_request,
    encode_response,
    explain,
    operation_of,
)

SERVICE_PATH = "/SmartMeterService"
CONTROL_PATH = "/control"
_XML = "text/xml; charset=utf-8"
_CRL = "application/pkix-crl"
_FAULT = (
    b'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
    b"<soap:Body><soap:Fault><faultcode>soap:Client</faultcode><faultstring>no operation of "
    b"SmartMeterService</faultstring></soap:Fault></soap:Body></soap:Envelope>"
)
_CRL_RESERVE = timedelta(hours=12)
_CALLERS = (Role.GWA, Role.GWH, Role.EMT)

Answer = tuple[int, str, bytes] | None


def _now() -> datetime:
    return datetime.now(UTC)


class SubCaServer:
    """A running Sub-CA (operational, and the maker's seal CA beside it).

    ``url`` is the web service (mutual TLS), ``crl_url`` the operational CA's CRL and ``control_url`` the switches
    (both plain HTTP; the switches on loopback only). ``state_dir`` holds the journal; a server started on the same
    directory knows everything an earlier one issued, revoked and still has to call back. Without it the journal is a
    temporary one.
    """

    def __init__(
        self,
        pki: TestPki,
        host: str = "127.0.0.1",
        port: int = 0,
        state_dir: Path | None = None,
        behaviour: Behaviour | None = None,
        *,
        http_port: int = 0,
        clock: Callable[[], datetime] = _now,
        durable: bool = True,
    ) -> None:
        self.pki = pki
        self._clock = clock
        self._behaviour = behaviour or Behaviour()
        self._failures_left = self._behaviour.fail_times
        self._lock = Lock()
        self._callback_urls: dict[str, str] = {}
        self._crls: dict[str, tuple[int, x509.CertificateRevocationList]] = {}
        directory = state_dir or Path(tempfile.mkdtemp(prefix="torwart-sub-ca-"))
        self.registry = Registry(pki, directory, durable=durable)
        self.desk = Desk(pki, self.registry, clock)
        self._adopt_first_sets()
        credential, sub_ca = pki.service_credential(), pki.sub_ca.certificate
        server_side = tls_context(ssl.PROTOCOL_TLS_SERVER, credential, sub_ca, pki.trust_chain)
        client_side = tls_context(ssl.PROTOCOL_TLS_CLIENT, credential, sub_ca, pki.trust_chain)
        self._service = Listener((host, port), self._serve_soap, server_side)
        self._web = Listener((host, http_port), self._serve_web, None)
        self._callbacks = Callbacks(
            self.registry,
            client_side,
            work=self._answer_queued,
            url=self._callback_urls.get,
            delay=lambda: self._behaviour.callback_delay,
            times=lambda: self._behaviour.callback_times,
        )
        self._threads = [Thread(target=each.serve_forever, args=(0.05,), daemon=True) for each in self._listeners]

    @property
    def _listeners(self) -> tuple[Listener, Listener]:
        return self._service, self._web

    def start(self) -> "SubCaServer":
        """Listen; returns itself, so that ``SubCaServer(…).start()`` reads well."""
        for thread in self._threads:
            thread.start()
        self._callbacks.start()
        return self

    def stop(self) -> None:
        """Stop listening, hang up, close the journal; the next server on ``state_dir`` takes over."""
        for listener in self._listeners:
            listener.shutdown()
            listener.server_close()
            listener.hang_up()
        self._callbacks.stop()
        self.registry.close()

    def __enter__(self) -> "SubCaServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- addresses and registration -------------------------------------------------------------------------------

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._service.server_address[:2]
        return str(host), int(port)

    @property
    def url(self) -> str:
        return f"https://{self.address[0]}:{self.address[1]}{SERVICE_PATH}"

    @property
    def _web_url(self) -> str:
        host, port = self._web.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def crl_url(self) -> str:
        return self.crl_url_of(self.pki.sub_ca)

    def crl_url_of(self, authority: Authority) -> str:
        """Where the CRL of one of the three authorities lies; the last part is that of its distribution point."""
        return f"{self._web_url}/{authority.crl_uri.rpartition('/')[2]}"

    @property
    def control_url(self) -> str:
        return f"{self._web_url}{CONTROL_PATH}"

    def register(self, common_name: str, callback_url: str | None) -> None:
        """Where a caller, known by the CN of its TLS certificate, wants to be called back (§2.2.2 ok_syntax)."""
        if callback_url is None:
            self._callback_urls.pop(common_name, None)
        else:
            self._callback_urls[common_name] = callback_url

    def adopt(self, triple: Triple, *, admin: str = "") -> None:
        """Know a triple that was issued outside the web service (the first set comes through the RA, spec/04 §3.4);
        ``admin``: CN of the GWA in charge, for gateways.
        """
        self.registry.adopt(list(triple.certificates), entity_of(admin) if admin else "")

    def _adopt_first_sets(self) -> None:
        for triple in (self.pki.gwa, self.pki.gwh, self.pki.emt):
            if self.registry.signer(identify(triple.sig.certificate).ski) is None:
                self.adopt(triple)

    # -- behaviour ------------------------------------------------------------------------------------------------

    @property
    def behaviour(self) -> Behaviour:
        return self._behaviour

    def set_behaviour(self, behaviour: Behaviour | None = None, **changes: object) -> Behaviour:
        """Behave like this from now on; ``changes`` alter single switches of the present behaviour."""
        with self._lock:
            self._behaviour = replace(behaviour or self._behaviour, **changes)  # type: ignore[arg-type]
            self._failures_left = self._behaviour.fail_times
            down = self._behaviour.mode is Mode.DOWN
        if down:
            self._service.hang_up()
        return self._behaviour

    def _failure(self, operation: str, allowed: frozenset[str]) -> str | None:
        """The return code to fail with now, if the behaviour says so."""
        with self._lock:
            now = self._behaviour
            if not now.fail or now.fail not in allowed or now.fail_operation not in ("", operation):
                return None
            if now.fail_times:
                if not self._failures_left:
                    return None
                self._failures_left -= 1
            return now.fail

    # -- web service ----------------------------------------------------------------------------------------------

    def _serve_soap(self, peer: bytes | None, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if self._behaviour.mode is Mode.DOWN:
            return None
        sleep(self._behaviour.delay)
        if path != SERVICE_PATH:
            return 404, "text/plain", b""
        if method != "POST":
            return 405, "text/plain", b""
        try:
            caller = self._caller(peer)
        except Refusal as refusal:
            return 403, "text/plain; charset=utf-8", str(refusal).encode()
        return self._dispatch(caller, headers, body)

    def _caller(self, peer: bytes | None) -> Caller:
        """Who is calling, by the TLS certificate; §1.2: "verify whether … the caller is authorised"."""
        shown = self.desk.validate(load_certificate(peer or b""), Use.TLS)
        if shown.role not in _CALLERS:
            raise PKI_ROLE(name=shown.common_name, found=shown.role, wanted=", ".join(_CALLERS))
        return Caller(shown.common_name, shown.role)

    def _dispatch(self, caller: Caller, headers: dict[str, str], body: bytes) -> Answer:
        try:
            request = decode_request(body)
        except Refusal as refusal:
            named = {name.lower(): value for name, value in headers.items()}.get("soapaction", "").strip('"')
            if named not in OPERATIONS:
                return 500, _XML, _FAULT
            return 200, _XML, encode_response(Response(named, "failure_syntax", (), explain(refusal)))
        return 200, _XML, encode_response(self._answer(caller, request))

    def _answer(self, caller: Caller, request: Request) -> Response:
        operation = operation_of(request)
        code = self._failure(operation, RETURN_CODES[operation])
        if code is not None and code.startswith("failure"):
            return Response(operation, code, (), "as told")
        if self._behaviour.mode is Mode.CALLBACK and isinstance(request, RequestCertificate):
            return self._enqueue(caller, request)
        return self._spoil(self.desk.answer(caller, request))

    def _enqueue(self, caller: Caller, request: RequestCertificate) -> Response:
        operation = operation_of(request)
        if request.message_id is None or caller.common_name not in self._callback_urls:
            return Response(operation, "failure_synchronous_processing_not_possible")
        if self.registry.reused(caller.common_name, request.request, request.message_id):
            return Response(operation, "failure_incorrect_request", (), "messageID was used for another request")
        if self.registry.issued_for(caller.common_name, request.request, request.message_id) is not None:
            return self.desk.answer(caller, request)
        kind = request.certificate_type.value if request.certificate_type else ""
        self.registry.enqueue(Queued(caller, request.message_id, request.request, kind))
        return Response(operation, "ok_syntax")

    def _answer_queued(self, queued: Queued) -> Response:
        code = self._failure("SendCertificates", STATUS_CODES)
        if code is not None and code.startswith("failure"):
            return Response("RequestCertificate", code, (), "as told")
        return self._spoil(self.desk.answer(queued.caller, self.desk.queued_request(queued)))

    def _spoil(self, response: Response) -> Response:
        """Wrong keys and early revocation, if the behaviour says so."""
        if response.operation != "RequestCertificate" or not response.certificates:
            return response
        certificates = [load_certificate(each) for each in response.certificates]
        if self._behaviour.revoke_meanwhile:
            for each in certificates:
                self.registry.record_revocation(
                    self.pki.authority(each), each.serial_number, "keyCompromise", self._clock()
                )
        if self._behaviour.wrong_key:
            certificates = self._for_other_keys(certificates)
        return replace(response, certificates=tuple(each.public_bytes(Encoding.DER) for each in certificates))

    def _for_other_keys(self, certificates: list[x509.Certificate]) -> list[x509.Certificate]:
        identity = identify(certificates[0])
        keys = {use: new_key().public_key() for use in TRIPLE}
        triple = self.pki.issue_triple(
            identity.role,
            identity.name,
            ca=self.pki.authority(certificates[0]),
            public_keys=keys,
            sequence=identity.sequence,
            unit=identity.unit,
            extension=identity.extension,
            not_before=self._clock(),
        )
        return list(triple.certificates)

    # -- revocation lists and control -----------------------------------------------------------------------------

    def crl(self, authority: Authority) -> x509.CertificateRevocationList:
        """The present CRL: a new one whenever something was revoked (spec/04 §3.3: "new CRL without delay after
        revocation") and before the old one runs out.
        """
        name = authority.identity.common_name
        with self.registry.lock:
            now = self._clock()
            revision, known = self._crls.get(name, (-1, None))
            end = known.next_update_utc if known is not None else None  # an empty list is false
            if known is None or end is None or revision != authority.revision or end - now < _CRL_RESERVE:
                known = authority.crl(now)
                self._crls[name] = (authority.revision, known)
                self.registry.record_list(authority)
            return known

    def _serve_web(self, peer: bytes | None, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if path == CONTROL_PATH and ip_address(self.address[0]).is_loopback:
            return self._control(method, body)
        for authority in self.pki.authorities:
            if method == "GET" and self.crl_url_of(authority).endswith(path):
                return 200, _CRL, self.crl(authority).public_bytes(Encoding.DER)
        return 404, "text/plain", b""

    def _control(self, method: str, body: bytes) -> Answer:
        """GET tells the behaviour, PUT replaces it, both as JSON; POST registers ``{"caller", "callback_url"}``."""
        try:
            if method == "PUT":
                self.set_behaviour(Behaviour.of(json.loads(body)))
            elif method == "POST":
                wanted = json.loads(body)
                self.register(wanted["caller"], wanted["callback_url"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return 400, "text/plain; charset=utf-8", str(error).encode()
        return 200, "application/json", json.dumps(self._behaviour.as_dict()).encode()


def run_sub_ca(
    pki_dir: Path,
    state_dir: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    http_port: int = 0,
    behaviour: Behaviour | None = None,
    ready: Callable[[SubCaServer], None] | None = None,
    stop: Event | None = None,
) -> None:
    """Run a Sub-CA in this process on a PKI that ``torwart pki init`` wrote, until ``stop`` is set or Ctrl-C.

    ``ready`` is called with the listening server (to print ``url``, ``crl_url``, ``control_url``).
    """
    stop = stop or Event()
    with SubCaServer(TestPki.load(pki_dir), host, port, state_dir, behaviour, http_port=http_port) as server:
        if ready:
            ready(server)
        try:
            stop.wait()
        except KeyboardInterrupt:
            return
