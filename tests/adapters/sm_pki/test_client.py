"""The Sub-CA client against servers that are slow, wrong, absent or not a Sub-CA at all."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.adapters.sm_pki import Patience, SmPkiClient, TlsIdentity
from torwart.kernel.refusals import Refusal
from torwart.ports.sub_ca import SubCA
from torwart.sim.pki import Credential, TestPki
from torwart.sim.sub_ca import SubCaServer
from torwart.wire.smpki_service import Response, encode_response

pytestmark = pytest.mark.requirement("WAN-3.4")


def _pem(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def _identity(pki: TestPki, credential: Credential) -> TlsIdentity:
    return TlsIdentity(_pem(pki.chain_of(credential.certificate)), credential.key_pem, _pem(pki.trust_chain))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestPki, SubCaServer]]:
    pki = TestPki.create(datetime.now(UTC))
    with SubCaServer(pki, state_dir=tmp_path_factory.mktemp("ca")) as server:
        yield pki, server


def _hear(connection: ssl.SSLSocket) -> None:
    """Read a whole request: what stays unread would reset the connection under the answer."""
    heard = b""
    while not heard.rstrip().endswith(b"Envelope>"):
        heard += connection.recv(65536) or b"Envelope>"


def _answering(answer: bytes, *, delay: float = 0.0) -> Callable[[ssl.SSLSocket], None]:
    def serve(connection: ssl.SSLSocket) -> None:
        _hear(connection)
        if delay:
            threading.Event().wait(delay)
        connection.sendall(answer)

    return serve


@contextmanager
def _server(
    pki: TestPki, serve: Callable[[ssl.SSLSocket], None], credential: Credential | None = None
) -> Iterator[str]:
    """A TLS server that treats each connection with ``serve`` and then hangs up."""
    identity = _identity(pki, credential or pki.service_credential())
    context = identity.context(ssl.PROTOCOL_TLS_SERVER)
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    serve(connection)
            except OSError:
                plain.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/x"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _http(status: str, body: bytes, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


def _refused(url: str, pki: TestPki, *, expected: str = "", patience: Patience | None = None) -> Refusal:
    client = SmPkiClient(url, _identity(pki, pki.gwa.tls), expected=expected, patience=patience)
    with pytest.raises(Refusal) as caught:
        client.service_status(message_id="1")
    return caught.value


def test_it_is_a_sub_ca_port(own: tuple[TestPki, SubCaServer]) -> None:
    """The client is what processes see as ``ports.SubCA``."""
    pki, server = own
    port: SubCA = SmPkiClient(server.url, _identity(pki, pki.gwa.tls))

    assert port.service_status(message_id="1").return_code == "ok_received_correctly"


def test_nobody_there_is_unreachable(pki: TestPki) -> None:
    """A closed port: the CA, at fault, to be tried later."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    refusal = _refused(f"https://127.0.0.1:{port}/x", pki)

    assert (refusal.code, refusal.side, refusal.kind.retry) == ("ca.unreachable", "ca", "later")


def test_an_unknown_host_is_unreachable(pki: TestPki) -> None:
    """So is a name nobody knows."""
    assert _refused("https://sub-ca.invalid/x", pki).code == "ca.unreachable"


@pytest.mark.requirement("SIM-sub-ca")
def test_a_slow_ca_is_a_timeout_of_its_own(pki: TestPki) -> None:
    """It may have acted: another refusal than for a CA that never saw the request."""
    with _server(pki, _answering(b"", delay=1.5)) as url:
        assert _refused(url, pki, patience=Patience(answer=0.3)).code == "ca.timeout"


@pytest.mark.requirement("SIM-sub-ca")
def test_a_dripping_ca_is_a_timeout(pki: TestPki) -> None:
    """An answer that comes octet by octet does not hold the worker for ever."""

    def drip(connection: ssl.SSLSocket) -> None:
        _hear(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(40):
            connection.sendall(b"x")
            threading.Event().wait(0.05)

    with _server(pki, drip) as url:
        assert _refused(url, pki, patience=Patience(answer=0.4)).code == "ca.timeout"


_OK = encode_response(Response("GetServiceStatus", "ok_received_correctly"))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "ca.unreachable"),
        (b"SSH-2.0-OpenSSH\r\n", "ca.unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", "ca.unreachable"),
        (_http("503 Busy", b""), "ca.unreachable"),
        (_http("302 Found", b"", "Location: https://elsewhere"), "ca.protocol"),
        (_http("403 Forbidden", b""), "ca.protocol"),
        (_http("500 Error", b"<fault/>"), "ca.protocol"),
        (_http("200 OK", b"no xml"), "ca.protocol"),
        (_http("200 OK", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'), "ca.protocol"),
        (_http("200 OK", _OK.replace(b"GetServiceStatus_Res", b"GeneralMessage_Res")), "ca.protocol"),
        (_http("200 OK", _OK.replace(b"ok_received", b"ok_perceived")), "ca.protocol"),
        (_http("200 OK", b" " * (4 * 2**20 + 1)), "ca.protocol"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:24]),
)
def test_wrong_answers_are_named(pki: TestPki, answer: bytes, code: str) -> None:
    """Silence, other protocols, HTTP errors, redirects, broken or foreign XML: refused, never followed or guessed."""
    with _server(pki, _answering(answer)) as url:
        assert _refused(url, pki).code == code


@pytest.mark.parametrize(
    "shown", [lambda pki: pki.emt.tls, lambda pki: pki.foreign.service_credential()], ids=["an EMT", "another PKI"]
)
def test_only_a_sub_ca_is_talked_to(pki: TestPki, shown: Callable[[TestPki], Credential]) -> None:
    """A participant or a stranger in the CA's place is refused before anything is sent."""
    heard = []

    def listen(connection: ssl.SSLSocket) -> None:
        heard.append(connection.recv(65536))

    credential = shown(pki)
    owner = pki if credential is pki.emt.tls else pki.foreign
    with _server(owner, listen, credential) as url:
        refusal = _refused(url, pki)

    assert refusal.code in ("ca.identity", "ca.unreachable")
    assert [each for each in heard if each] == []


def test_the_expected_name_is_demanded(pki: TestPki) -> None:
    """Another trusted Sub-CA is not the one we have a contract with."""
    with _server(pki, _answering(_http("200 OK", _OK))) as url:
        assert _refused(url, pki, expected="Andere.CA.TLS").code == "ca.identity"


def test_a_closed_connection_is_opened_again(pki: TestPki) -> None:
    """The CA ends kept connections as it likes; the next call does not notice."""
    with _server(pki, _answering(_http("200 OK", _OK))) as url:
        client = SmPkiClient(url, _identity(pki, pki.gwa.tls))

        codes = [client.service_status(message_id=str(number)).return_code for number in range(3)]

    assert codes == ["ok_received_correctly"] * 3


def test_connections_are_kept(own: tuple[TestPki, SubCaServer]) -> None:
    """One handshake for many calls of a thread."""
    pki, server = own
    client = SmPkiClient(server.url, _identity(pki, pki.gwa.tls))
    client.service_status(message_id="1")
    first = client._kept.connection.sock

    for number in range(5):
        client.service_status(message_id=str(number))

    assert client._kept.connection.sock is first


def test_files_are_as_good_as_memory(own: tuple[TestPki, SubCaServer], tmp_path: Path) -> None:
    """The GWA's TLS certificate and key may lie in files, as ``torwart pki init`` writes them."""
    pki, server = own
    pki.write(tmp_path)
    identity = TlsIdentity.from_files(
        tmp_path / "torwart-test.gwa.tls.cert.pem", tmp_path / "torwart-test.gwa.tls.key.pem", tmp_path / "chain.pem"
    )

    answer = SmPkiClient(server.url, identity, expected="Torwart Test.CA.TLS").service_status(message_id="1")

    assert answer.return_code == "ok_received_correctly"
    assert pki.gwa.tls.key_pem.decode() not in repr(identity)


def test_revocation_lists_are_believed_only_when_signed(own: tuple[TestPki, SubCaServer], tmp_path: Path) -> None:
    """A list from another PKI at the right address is refused, no list at all is unreachable."""
    pki, server = own
    with SubCaServer(pki.foreign, state_dir=tmp_path) as other:
        for url, code in (
            (other.crl_url, "pki.crl_signature"),
            (server.control_url, "pki.malformed"),
            (server.crl_url + "x", "ca.unreachable"),
            ("http://127.0.0.1:9/x.crl", "ca.unreachable"),
        ):
            client = SmPkiClient(server.url, _identity(pki, pki.gwa.tls), crl_url=url)
            with pytest.raises(Refusal) as caught:
                client.revocation_list()
            assert caught.value.code == code


@pytest.mark.parametrize("url", ["http://x/y", "ftp://x", "nonsense", ""])
def test_addresses_are_checked_at_once(pki: TestPki, url: str) -> None:
    """A web service without TLS is a mistake of the configuration."""
    with pytest.raises(Refusal) as caught:
        SmPkiClient(url, _identity(pki, pki.gwa.tls))

    assert caught.value.code == "ca.message"


def test_certificate_types_are_those_of_the_standard(own: tuple[TestPki, SubCaServer]) -> None:
    """An unknown certType is refused before it is sent."""
    pki, server = own
    with pytest.raises(Refusal) as caught:
        SmPkiClient(server.url, _identity(pki, pki.gwa.tls)).request_certificate(
            b"", certificate_type="KING", message_id=None
        )

    assert caught.value.code == "ca.message"
