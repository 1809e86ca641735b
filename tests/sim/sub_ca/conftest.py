"""A Sub-CA that really runs, and the GWA at its counter."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from threading import Condition

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.adapters.sm_pki import CallbackReceiver, SmPkiClient, TlsIdentity
from torwart.ports.sub_ca import CaAnswer
from torwart.sim.pki import Credential, TestPki, Triple
from torwart.sim.sub_ca import Behaviour, SubCaServer
from torwart.sim.sub_ca.applicant import gateway_package, signer_of
from torwart.wire.certificate import Identity, identify, load_certificate
from torwart.wire.certificate.pem import load_revocation_list
from torwart.wire.crmf import Action, sign_revocation

_numbers = count(1)


def _pem(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


@dataclass
class Counter:
    """Who stands at the Sub-CA's counter: the GWA, unless another triple is named."""

    pki: TestPki
    ca: SubCaServer

    def __post_init__(self) -> None:
        self.client = self.caller(self.pki.gwa)

    def device(self) -> str:
        """A gateway nobody has seen before."""
        return f"EPPC02{next(_numbers):08d}"

    def identity(self, credential: Credential) -> TlsIdentity:
        """TLS certificate with its issuers, key, and the authorities of this PKI."""
        chain = _pem(self.pki.chain_of(credential.certificate))
        return TlsIdentity(chain, credential.key_pem, _pem(self.pki.trust_chain))

    def caller(self, triple: Triple) -> SmPkiClient:
        """A client that calls with another participant's TLS certificate."""
        return SmPkiClient(self.ca.url, self.identity(triple.tls), crl_url=self.ca.crl_url)

    def ask(
        self, package: bytes, kind: str = "SMGW-W", *, message_id: str | None = None, by: Triple | None = None
    ) -> CaAnswer:
        """RequestCertificate."""
        client = self.caller(by) if by else self.client
        return client.request_certificate(package, certificate_type=kind, message_id=message_id)

    def commission(self) -> list[x509.Certificate]:
        """The operational certificates of a new gateway."""
        return certificates(self.ask(gateway_package(self.pki, self.device())))

    def revoke(self, action: Action, shown: list[x509.Certificate], *, signed: Triple | None = None) -> str:
        """CertificateRevocationRequest by the GWA, signed by it or by another; the return code."""
        signed = signed or self.pki.gwa
        order = sign_revocation(
            action, shown, reason="keyCompromise", signer=signer_of(signed), certificate=signed.sig.certificate
        )
        return self.client.revoke(order).return_code

    def listed(self) -> dict[int, str]:
        """Serial numbers and reasons of the CRL as published now."""
        reason = x509.CRLReason
        crl = load_revocation_list(self.client.revocation_list())
        return {
            entry.serial_number: entry.extensions.get_extension_for_class(reason).value.reason.value for entry in crl
        }

    def certificates(self, answer: CaAnswer) -> list[x509.Certificate]:
        return certificates(answer)

    def identities(self, answer: CaAnswer) -> list[Identity]:
        return [identify(each) for each in certificates(answer)]


def certificates(answer: CaAnswer) -> list[x509.Certificate]:
    return [load_certificate(each) for each in answer.certificates]


@pytest.fixture(scope="package")
def pki() -> TestPki:
    """A PKI of this package's own: its Sub-CA issues and revokes."""
    return TestPki.create(datetime.now(UTC))


@pytest.fixture(scope="package")
def server(pki: TestPki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SubCaServer]:
    with SubCaServer(pki, state_dir=tmp_path_factory.mktemp("ca")) as running:
        yield running


@pytest.fixture
def ca(server: SubCaServer) -> Iterator[SubCaServer]:
    """The running server, well behaved at the start of each test."""
    yield server
    server.set_behaviour(Behaviour())
    server.desk.suspended.clear()


@pytest.fixture
def counter(pki: TestPki, ca: SubCaServer) -> Counter:
    return Counter(pki, ca)


@pytest.fixture
def make_counter() -> type[Counter]:
    """For tests that run Sub-CAs of their own."""
    return Counter


Call = tuple[str | None, str, tuple[bytes, ...]]


class Inbox:
    """A store for callbacks: keeps what it is given, knows the ids it waits for."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.calls: list[Call] = []
        self._arrived = Condition()

    def __call__(self, message_id: str | None, status: str, certificates: tuple[bytes, ...]) -> bool:
        with self._arrived:
            self.calls.append((message_id, status, certificates))
            self._arrived.notify_all()
        return message_id is None or message_id in self.known

    def wait(self, count: int = 1) -> list[Call]:
        """The calls so far, as soon as there are ``count``."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.calls) >= count, timeout=10)
            return list(self.calls)


@pytest.fixture
def inbox() -> Inbox:
    """A store that is not connected to any receiver yet."""
    return Inbox()


@pytest.fixture
def called_back(counter: Counter, inbox: Inbox) -> Iterator[Inbox]:
    """The inbox behind a callback receiver of the GWA, registered with the CA."""
    with CallbackReceiver(counter.identity(counter.pki.gwa.tls), inbox) as receiver:
        counter.ca.register("Torwart Test.GWA", receiver.url)
        yield inbox
    counter.ca.register("Torwart Test.GWA", None)
