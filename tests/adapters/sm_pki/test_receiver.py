"""Where the Sub-CA calls back: stored before acknowledged, known ids only, the CA only."""

import http.client
import ssl
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.adapters.sm_pki import CallbackReceiver, TlsIdentity
from torwart.sim.pki import Credential, TestPki
from torwart.wire.smpki_service import (
    GeneralMessage,
    GetServiceStatus,
    Request,
    RequestCertificate,
    SendCertificates,
    decode_response,
    encode_request,
    operation_of,
)

pytestmark = pytest.mark.requirement("WAN-3.4", "SIM-sub-ca")


def _pem(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def _identity(pki: TestPki, credential: Credential) -> TlsIdentity:
    return TlsIdentity(_pem(pki.chain_of(credential.certificate)), credential.key_pem, _pem(pki.trust_chain))


class Shelf:
    """A store that knows what it asked for and may break."""

    def __init__(self) -> None:
        self.asked = {"m1"}
        self.kept: dict[str, tuple[str, tuple[bytes, ...]]] = {}
        self.unasked: list[tuple[bytes, ...]] = []
        self.broken = False

    def __call__(self, message_id: str | None, status: str, certificates: tuple[bytes, ...]) -> bool:
        if self.broken:
            raise OSError("disk full")
        if message_id is None:
            self.unasked.append(certificates)
            return True
        if message_id not in self.asked:
            return False
        self.kept[message_id] = (status, certificates)
        return True


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def messages() -> list[GeneralMessage]:
    return []


@pytest.fixture
def receiver(pki: TestPki, shelf: Shelf, messages: list[GeneralMessage]) -> Iterator[CallbackReceiver]:
    with CallbackReceiver(
        _identity(pki, pki.gwa.tls), shelf, expected="Torwart Test.CA.TLS", on_message=messages.append
    ) as running:
        yield running


@pytest.fixture
def call(pki: TestPki, receiver: CallbackReceiver) -> Callable[..., tuple[int, bytes]]:
    """One HTTP exchange as the Sub-CA (or as ``by``)."""

    def exchange(
        body: bytes,
        *,
        method: str = "POST",
        path: str | None = None,
        action: str = "",
        by: Credential | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        context = _identity(pki, by or pki.service_credential()).context(ssl.PROTOCOL_TLS_CLIENT)
        address = urlsplit(receiver.url)
        connection = http.client.HTTPSConnection(address.hostname or "", address.port, timeout=5, context=context)
        connection.request(method, path or address.path, body, {"SOAPAction": f'"{action}"', **(headers or {})})
        response = connection.getresponse()
        return response.status, response.read()

    return exchange


def _code(call: Callable[..., tuple[int, bytes]], request: Request) -> str:
    status, body = call(encode_request(request))
    assert status == 200
    return decode_response(body, operation_of(request)).return_code


def test_certificates_are_stored_before_they_are_acknowledged(
    call: Callable[..., tuple[int, bytes]], shelf: Shelf
) -> None:
    """ok_received_correctly means: they are safe."""
    message = SendCertificates("ok_cert_available", (b"one", b"two"), "m1")

    assert _code(call, message) == "ok_received_correctly"
    assert shelf.kept == {"m1": ("ok_cert_available", (b"one", b"two"))}


def test_twice_is_acknowledged_twice_and_stored_once(call: Callable[..., tuple[int, bytes]], shelf: Shelf) -> None:
    """A CA that repeats itself is not told off."""
    message = SendCertificates("ok_cert_available", (b"one",), "m1")

    assert [_code(call, message), _code(call, message)] == ["ok_received_correctly"] * 2
    assert len(shelf.kept) == 1


def test_unknown_message_ids_are_named(call: Callable[..., tuple[int, bytes]], shelf: Shelf) -> None:
    """§2.2.2 failure_messageID_unknown: nothing we asked for."""
    assert _code(call, SendCertificates("ok_cert_available", (b"x",), "m2")) == "failure_messageID_unknown"
    assert shelf.kept == {}


def test_a_store_that_breaks_makes_the_ca_send_again(call: Callable[..., tuple[int, bytes]], shelf: Shelf) -> None:
    """failure_internal_error while the disk is full; the repeated message is stored."""
    message = SendCertificates("ok_cert_available", (b"x",), "m1")
    shelf.broken = True
    first = _code(call, message)
    shelf.broken = False

    assert [first, _code(call, message)] == ["failure_internal_error", "ok_received_correctly"]


def test_failures_and_news_arrive_too(call: Callable[..., tuple[int, bytes]], shelf: Shelf) -> None:
    """A refused request by its code; certificates nobody asked for without message id (§2.3.4)."""
    assert _code(call, SendCertificates("failure_outer_signature", (), "m1")) == "ok_received_correctly"
    assert _code(call, SendCertificates("ok_cert_available", (b"new CA",))) == "ok_received_correctly"
    assert shelf.kept == {"m1": ("failure_outer_signature", ())}
    assert shelf.unasked == [(b"new CA",)]


def test_messages_reach_people_and_status_is_told(
    call: Callable[..., tuple[int, bytes]], messages: list[GeneralMessage]
) -> None:
    """§2.4.3: GeneralMessage and GetServiceStatus belong to an end user's service."""
    message = GeneralMessage("CA", "g1", "Wartung", "Morgen von 8 bis 9")

    assert _code(call, message) == "ok_received_correctly"
    assert _code(call, GetServiceStatus("s1")) == "ok_received_correctly"
    assert messages == [message]


def test_what_an_end_user_does_not_offer_is_an_error(call: Callable[..., tuple[int, bytes]]) -> None:
    """We issue no certificates."""
    assert _code(call, RequestCertificate(b"x")) == "failure_other_error"


def test_broken_soap_is_failure_syntax(call: Callable[..., tuple[int, bytes]], shelf: Shelf) -> None:
    """With a soapAction the answer has its form, without one there is nothing to say."""
    status, body = call(b"<broken", action="SendCertificates")

    assert (status, decode_response(body, "SendCertificates").return_code) == (200, "failure_syntax")
    assert call(b"<broken")[0] == 400
    assert shelf.kept == {}


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"path": "/else"}, 404),
        ({"method": "PUT"}, 405),
        ({"method": "GET", "headers": {"Content-Length": "0"}}, 405),
        ({"headers": {"Content-Length": str(5 * 2**20)}}, 413),
        ({"headers": {"Content-Length": "x"}}, 411),
        ({"headers": {"Transfer-Encoding": "chunked"}}, 411),
    ],
)
def test_http_outside_the_service_is_refused(
    call: Callable[..., tuple[int, bytes]], options: dict[str, object], status: int
) -> None:
    """Other paths, methods and lengths."""
    assert call(b"", **options)[0] == status


def test_only_the_sub_ca_is_heard(pki: TestPki, call: Callable[..., tuple[int, bytes]], shelf: Shelf) -> None:
    """An EMT with a good certificate of the same PKI cannot bring us certificates."""
    status, _ = call(encode_request(SendCertificates("ok_cert_available", (b"evil",), "m1")), by=pki.emt.tls)

    assert (status, shelf.kept) == (403, {})


def test_strangers_do_not_get_through_the_handshake(pki: TestPki, receiver: CallbackReceiver, shelf: Shelf) -> None:
    """A certificate of another PKI, or none, ends in TLS."""
    address = urlsplit(receiver.url)
    stranger = pki.foreign.service_credential()
    shown = TlsIdentity(_pem([stranger.certificate]), stranger.key_pem, _pem(pki.trust_chain))
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nobody.check_hostname, nobody.verify_mode = False, ssl.CERT_NONE
    nobody.set_ecdh_curve("brainpoolP256r1")
    nobody.maximum_version = ssl.TLSVersion.TLSv1_2
    for context in (shown.context(ssl.PROTOCOL_TLS_CLIENT), nobody):
        connection = http.client.HTTPSConnection(address.hostname or "", address.port, timeout=5, context=context)
        with pytest.raises((OSError, http.client.HTTPException)):
            _exchange(connection, address.path)
    assert shelf.kept == {}


def _exchange(connection: http.client.HTTPSConnection, path: str) -> None:
    connection.request("POST", path, encode_request(SendCertificates("ok_cert_available", (b"evil",), "m1")))
    connection.getresponse()
