"""The simulated Sub-CA over real mutual TLS: every decision, every mood, every restart."""

import base64
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.adapters.sm_pki import CallbackReceiver, SmPkiClient, TlsIdentity
from torwart.kernel.refusals import Refusal
from torwart.ports.sub_ca import CaAnswer
from torwart.sim.pki import Credential, Fault, TestPki, Triple, new_key
from torwart.sim.sub_ca import Behaviour, Mode, SubCaServer
from torwart.sim.sub_ca.server import run_sub_ca
from torwart.wire.certificate import Identity, Role, Subject, Use, identify, load_certificate, subject_for
from torwart.wire.certificate.pem import load_revocation_list
from torwart.wire.cms import LocalSigner
from torwart.wire.crmf import (
    Action,
    KeyHolder,
    LocalKey,
    add_authorisation,
    add_outer_signature,
    build_package,
    sign_device_admin,
    sign_revocation,
)
from torwart.wire.smpki_service import RETURN_CODES

pytestmark = pytest.mark.requirement("WAN-3.4")

DEVICE = "EPPC0212345678"
GATEWAY = f"{DEVICE}.SMGW"
USES = (Use.TLS, Use.SIG, Use.ENC)
OpenSsl = Callable[..., bytes]


def pem(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def identity_of(pki: TestPki, credential: Credential) -> TlsIdentity:
    return TlsIdentity(pem(pki.chain_of(credential.certificate)), credential.key_pem, pem(pki.trust_chain))


def signer(triple: Triple) -> LocalSigner:
    return LocalSigner(triple.sig.key, triple.sig.certificate)


@pytest.fixture(scope="module")
def pki() -> TestPki:
    """A PKI of this module's own: its Sub-CA issues and revokes."""
    return TestPki.create(datetime.now(UTC))


@pytest.fixture(scope="module")
def server(pki: TestPki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SubCaServer]:
    with SubCaServer(pki, state_dir=tmp_path_factory.mktemp("ca")) as running:
        yield running


@pytest.fixture
def ca(server: SubCaServer) -> Iterator[SubCaServer]:
    """The running server, well behaved at the start of each test."""
    yield server
    server.set_behaviour(Behaviour())
    server.desk.suspended.clear()


@pytest.fixture(scope="module")
def client(pki: TestPki, server: SubCaServer) -> SmPkiClient:
    """The GWA's client."""
    return SmPkiClient(server.url, identity_of(pki, pki.gwa.tls), crl_url=server.crl_url)


def caller(pki: TestPki, ca: SubCaServer, triple: Triple) -> SmPkiClient:
    return SmPkiClient(ca.url, identity_of(pki, triple.tls), crl_url=ca.crl_url)


_numbers = iter(range(1, 10**6))


def fresh_device() -> str:
    return f"EPPC02{next(_numbers):08d}"


def fresh_keys() -> dict[Use, KeyHolder]:
    return {use: LocalKey(new_key()) for use in USES}


def gateway_subject(device: str, sequence: int = 1) -> Subject:
    return subject_for(Role.SMGW, device, organisation="SM-Test-PKI-DE", unit="Torwart Test.GWA", sequence=sequence)


def gateway_package(pki: TestPki, device: str, *, sequence: int = 1, old: Triple | None = None) -> bytes:
    """What a gateway and its GWA send for operational certificates: new keys, outer and authorisation signature."""
    old = old or pki.seal_triple(device)
    package = build_package(gateway_subject(device, sequence), fresh_keys())
    package = add_outer_signature(package, signer=signer(old), chain=pki.chain_of(old.sig.certificate))
    return add_authorisation(package, signer=signer(pki.gwa), chain=[pki.gwa.sig.certificate])


def request(client: SmPkiClient, package: bytes, kind: str = "SMGW-W", message_id: str | None = None) -> CaAnswer:
    return client.request_certificate(package, certificate_type=kind, message_id=message_id)


def certificates(answer: CaAnswer) -> list[x509.Certificate]:
    return [load_certificate(each) for each in answer.certificates]


def identities(answer: CaAnswer) -> list[Identity]:
    return [identify(each) for each in certificates(answer)]


# -- issuing -----------------------------------------------------------------------------------------------------------


def test_a_gateway_gets_operational_certificates_for_its_keys(
    pki: TestPki, ca: SubCaServer, client: SmPkiClient
) -> None:
    """Seal certificates in, operational ones out: right names, right uses, the keys that were asked for."""
    device, keys = fresh_device(), fresh_keys()
    seal = pki.seal_triple(device)
    package = build_package(gateway_subject(device), keys)
    package = add_outer_signature(package, signer=signer(seal), chain=pki.chain_of(seal.sig.certificate))
    package = add_authorisation(package, signer=signer(pki.gwa), chain=[pki.gwa.sig.certificate])

    answer = request(client, package)

    assert answer.return_code == "ok_cert_available"
    assert [each.use for each in identities(answer)] == [Use.TLS, Use.SIG, Use.ENC]
    for certificate, use in zip(certificates(answer), USES, strict=True):
        pki.trust.validate(certificate, at=datetime.now(UTC), role=Role.SMGW, use=use, seal=False)
        assert certificate.public_key() == keys[use].public_key


def test_renewal_is_signed_by_the_still_valid_certificate(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """Sequence 2 with the outer signature of sequence 1; the seal's signature would do no more after revocation."""
    device, keys = fresh_device(), {use: new_key() for use in USES}
    seal = pki.seal_triple(device)
    package = build_package(gateway_subject(device), {use: LocalKey(key) for use, key in keys.items()})
    package = add_outer_signature(package, signer=signer(seal), chain=[seal.sig.certificate])
    first = request(client, add_authorisation(package, signer=signer(pki.gwa)))
    issued = certificates(first)
    old = Triple(*(Credential(certificate, keys[use]) for certificate, use in zip(issued, USES, strict=True)))

    second = request(client, gateway_package(pki, device, sequence=2, old=old))

    assert (first.return_code, second.return_code) == ("ok_cert_available", "ok_cert_available")
    assert [each.sequence for each in identities(second)] == [2, 2, 2]


@pytest.mark.parametrize("who", ["gwa", "gwh", "emt"])
def test_participants_renew_their_own_triples(pki: TestPki, ca: SubCaServer, who: str) -> None:
    """GWA, GWH and EMT ask for themselves, signed by their SIG key, and keep names and addresses."""
    triple: Triple = getattr(pki, who)
    subject = Subject.of(triple.sig.certificate.subject)
    renewed = Subject(subject.common_name, subject.organisation, 2, subject.unit)
    contact = pki.contact(identify(triple.sig.certificate).role, "Neu")
    package = build_package(renewed, fresh_keys(), contact=contact)
    package = add_outer_signature(package, signer=signer(triple), chain=[triple.sig.certificate])

    answer = request(caller(pki, ca, triple), package, who.upper())

    assert answer.return_code == "ok_cert_available"
    assert {each.sequence for each in identities(answer)} == {2}
    tls = certificates(answer)[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert tuple(tls.get_values_for_type(x509.DNSName)) == contact.dns


def test_a_maker_gets_seal_certificates_from_the_seal_ca(pki: TestPki, ca: SubCaServer) -> None:
    """SMGW-G is for the GWH, authorised by its signature, issued by the maker's Sub-CA for seven years."""
    package = build_package(gateway_subject(fresh_device()), fresh_keys())
    package = add_authorisation(package, signer=signer(pki.gwh), chain=[pki.gwh.sig.certificate])

    answer = request(caller(pki, ca, pki.gwh), package, "SMGW-G")

    (tls, *_) = certificates(answer)
    pki.trust.validate(tls, at=datetime.now(UTC), role=Role.SMGW, seal=True)
    assert tls.not_valid_after_utc.year - tls.not_valid_before_utc.year == 7


@pytest.mark.requirement("SIM-sub-ca", "WAN-3.4")
def test_the_same_request_twice_is_one_issue(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """By message id and by package: the same certificates, never a second set."""
    package = gateway_package(pki, fresh_device())

    answers = [request(client, package, message_id=message_id) for message_id in ("once", "once", "other", None)]

    assert answers[0].return_code == "ok_cert_available"
    assert answers[1:] == answers[:1] * 3


def test_the_same_request_from_many_threads_is_one_issue(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """Retries that overtake each other do not lead to two certificates for one key."""
    package = gateway_package(pki, fresh_device())

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: request(client, package), range(12)))

    assert {answer.certificates for answer in answers} == {answers[0].certificates}
    assert answers[0].return_code == "ok_cert_available"


def test_a_message_id_names_one_request(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """§2.2.1: messageID "MUST identify the message uniquely"; another package under it is refused."""
    request(client, gateway_package(pki, fresh_device()), message_id="taken")

    answer = request(client, gateway_package(pki, fresh_device()), message_id="taken")

    assert answer.return_code == "failure_incorrect_request"


# -- refusing ----------------------------------------------------------------------------------------------------------


def _unsigned(pki: TestPki, device: str) -> bytes:
    return build_package(gateway_subject(device), fresh_keys())


def _bad_inner(pki: TestPki, device: str) -> bytes:
    class Liar:
        public_key = new_key().public_key()
        sign = LocalKey(new_key()).sign

    seal = pki.seal_triple(device)
    package = build_package(gateway_subject(device), {**fresh_keys(), Use.ENC: Liar()})
    package = add_outer_signature(package, signer=signer(seal), chain=[seal.sig.certificate])
    return add_authorisation(package, signer=signer(pki.gwa))


def _outer_by(pki: TestPki, device: str, old: Triple) -> bytes:
    package = add_outer_signature(_unsigned(pki, device), signer=signer(old), chain=[old.sig.certificate])
    return add_authorisation(package, signer=signer(pki.gwa))


def _authorised_by(pki: TestPki, device: str, triple: Triple) -> bytes:
    seal = pki.seal_triple(device)
    package = add_outer_signature(_unsigned(pki, device), signer=signer(seal), chain=[seal.sig.certificate])
    return add_authorisation(package, signer=signer(triple), chain=[triple.sig.certificate])


def _not_authorised(pki: TestPki, device: str) -> bytes:
    seal = pki.seal_triple(device)
    return add_outer_signature(_unsigned(pki, device), signer=signer(seal), chain=[seal.sig.certificate])


def _other_curve(pki: TestPki, device: str) -> bytes:
    keys = {**fresh_keys(), Use.TLS: LocalKey(ec.generate_private_key(ec.SECP256R1()))}
    return build_package(gateway_subject(device), keys)


def _with_addresses(pki: TestPki, device: str) -> bytes:
    return build_package(gateway_subject(device), fresh_keys(), contact=pki.contact(Role.EMT, "x"))


def _faulty_outer(fault: Fault) -> Callable[[TestPki, str], bytes]:
    return lambda pki, device: _outer_by(pki, device, pki.faulty_triple(fault, Role.SMGW, device))


_REFUSED: list[tuple[str, str, Callable[[TestPki, str], bytes]]] = [
    ("garbage", "failure_incorrect_request", lambda pki, device: b"garbage"),
    ("cut", "failure_incorrect_request", lambda pki, device: gateway_package(pki, device)[:-1]),
    ("addresses of a gateway", "failure_incorrect_request", _with_addresses),
    ("curve", "failure_domain_parameters", _other_curve),
    ("inner", "failure_inner_signature", _bad_inner),
    ("no outer", "failure_outer_signature", _unsigned),
    ("outer of a stranger", "failure_outer_signature", lambda p, d: _outer_by(p, d, p.seal_triple(fresh_device()))),
    ("outer of another PKI", "failure_outer_signature", lambda p, d: _outer_by(p, d, p.foreign.seal_triple(d))),
    ("outer expired", "failure_outer_signature", _faulty_outer(Fault.EXPIRED)),
    ("outer revoked", "failure_outer_signature", _faulty_outer(Fault.REVOKED)),
    ("not authorised", "failure_authorization_signature", _not_authorised),
    ("authorised by an EMT", "failure_authorization_signature", lambda p, d: _authorised_by(p, d, p.emt)),
    (
        "authorised by another GWA",
        "failure_authorization_signature",
        lambda p, d: _authorised_by(p, d, p.issue_triple(Role.GWA, "Fremd")),
    ),
]  # fmt: skip


@pytest.mark.requirement("SIM-sub-ca", "WAN-3.4")
@pytest.mark.parametrize(("code", "make"), [row[1:] for row in _REFUSED], ids=[row[0] for row in _REFUSED])
def test_each_flaw_has_its_return_code(
    pki: TestPki, ca: SubCaServer, client: SmPkiClient, code: str, make: Callable[[TestPki, str], bytes]
) -> None:
    """The Sub-CA answers with the code of exactly the check that fails, and issues nothing."""
    answer = request(client, make(pki, fresh_device()))

    assert (answer.return_code, answer.certificates) == (code, ())
    assert answer.message


def test_a_gwa_gets_no_seal_certificates(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """§2.2.2: "E.g. a GWA … requested a certificate of type SMGW-G"."""
    answer = request(client, gateway_package(pki, fresh_device()), "SMGW-G")

    assert answer.return_code == "failure_unauthorized_request"


@pytest.mark.parametrize(("who", "kind"), [("emt", "SMGW-W"), ("gwh", "SMGW-W"), ("gwh", "EMT"), ("emt", "GWA")])
def test_others_get_no_certificates_that_are_not_theirs(pki: TestPki, ca: SubCaServer, who: str, kind: str) -> None:
    """Only the GWA asks for gateways, and everyone else only for themselves."""
    package = gateway_package(pki, fresh_device())
    if kind in ("EMT", "GWA"):
        other = pki.emt if kind == "EMT" else pki.gwa
        subject = Subject.of(other.sig.certificate.subject)
        package = add_outer_signature(
            build_package(subject, fresh_keys(), contact=pki.contact(Role.EMT, "x")), signer=signer(other)
        )

    answer = request(caller(pki, ca, getattr(pki, who)), package, kind)

    assert answer.return_code == "failure_unauthorized_request"


def test_a_first_set_does_not_come_over_the_web_service(pki: TestPki, ca: SubCaServer) -> None:
    """spec/04 §3.4: "First certificate set goes another way"; without an outer signature there is none."""
    package = build_package(
        Subject("Stadtwerk Musterstadt.EMT", "SM-Test-PKI-DE", 9), fresh_keys(), contact=pki.contact(Role.EMT, "x")
    )

    assert request(caller(pki, ca, pki.emt), package, "EMT").return_code == "failure_outer_signature"


def test_sequence_numbers_only_grow(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """A new package with a used running number is refused; the message names the next one."""
    device = fresh_device()
    request(client, gateway_package(pki, device, sequence=3))

    answer = request(client, gateway_package(pki, device, sequence=3))

    assert answer.return_code == "failure_incorrect_request"
    assert "4" in answer.message


def test_a_suspended_applicant_is_not_accepted(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """§2.2.2: "i.e. the applicant has been suspended by the CA"."""
    ca.desk.suspended.add("Torwart Test.GWA")

    assert request(client, gateway_package(pki, fresh_device())).return_code == "failure_request_not_accepted"


@pytest.mark.parametrize(
    "shown",
    [
        lambda pki: pki.foreign.gwa.tls,
        lambda pki: pki.gwa.sig,
        lambda pki: pki.seal_triple(DEVICE).tls,
        lambda pki: pki.faulty_triple(Fault.REVOKED, Role.GWA, "Gesperrt").tls,
        lambda pki: pki.faulty_triple(Fault.EXPIRED, Role.GWA, "Alt").tls,
    ],
    ids=["another PKI", "SIG instead of TLS", "a gateway", "revoked", "expired"],
)
def test_strangers_are_turned_away(pki: TestPki, ca: SubCaServer, shown: Callable[[TestPki], Credential]) -> None:
    """§1.2: only valid TLS certificates of market participants may use the service."""
    credential = shown(pki)
    owner = pki.foreign if credential is pki.foreign.gwa.tls else pki
    chain = pem(owner.chain_of(credential.certificate))

    with pytest.raises(Refusal) as caught:
        SmPkiClient(ca.url, TlsIdentity(chain, credential.key_pem, pem(pki.trust_chain))).service_status(message_id="1")

    assert caught.value.code in ("ca.unreachable", "ca.protocol")


# -- chain, revocation, responsibility ---------------------------------------------------------------------------------


def test_chain_starts_with_the_root(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """§2.3.3: "beginning with the first Root-CA certificate, and ending with the indicated certificate"."""
    for authority in (pki.sub_ca, pki.seal_ca):
        name = authority.certificate.subject.rfc4514_string()

        answer = client.get_certificate_chain(name)

        assert certificates(answer) == [pki.root.certificate, authority.certificate]
        assert client.get_certificate_chain(name.replace("2.5.4.5", "serialNumber")).certificates == answer.certificates
    assert client.get_certificate_chain("CN=Niemand.CA").return_code == "failure_cert_not_available"


def _revoke(
    pki: TestPki, client: SmPkiClient, action: Action, shown: list[x509.Certificate], by: Triple | None = None
) -> str:
    by = by or pki.gwa
    order = sign_revocation(action, shown, reason="keyCompromise", signer=signer(by), certificate=by.sig.certificate)
    return client.revoke(order).return_code


def _listed(client: SmPkiClient) -> dict[int, str]:
    crl = load_revocation_list(client.revocation_list())
    return {
        entry.serial_number: entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
        for entry in crl
    }


@pytest.mark.requirement("WAN-3.3")
def test_revocation_is_on_the_list_at_once(
    pki: TestPki, ca: SubCaServer, client: SmPkiClient, openssl: OpenSsl, tmp_path: Path
) -> None:
    """Suspended, released, revoked for good: each shows in the next CRL, which OpenSSL accepts, numbered upwards."""
    shown = certificates(request(client, gateway_package(pki, fresh_device())))
    serials = {each.serial_number for each in shown}
    states = []
    for action in (Action.SUSPEND, Action.UNSUSPEND, Action.REVOKE):
        assert _revoke(pki, client, action, shown) == "ok_received_correctly"
        states.append({reason for serial, reason in _listed(client).items() if serial in serials})

    assert states == [{"certificateHold"}, set(), {"keyCompromise"}]
    assert _revoke(pki, client, Action.UNSUSPEND, shown) == "failure_request_not_accepted"
    issuer = tmp_path / "issuer.pem"
    issuer.write_bytes(pki.sub_ca.credential.certificate_pem)
    pem_list = load_revocation_list(client.revocation_list()).public_bytes(Encoding.PEM)
    openssl("crl", "-verify", "-noout", "-CAfile", issuer, stdin=pem_list)


def test_only_the_gwa_in_charge_revokes(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """§2.3.7: after UpdateDeviceAdmin only the new GWA may revoke, and only the old one could hand over."""
    device = fresh_device()
    shown = certificates(request(client, gateway_package(pki, device)))
    new = pki.issue_triple(Role.GWA, f"Nachfolger {device}")
    other = caller(pki, ca, new)
    handover = sign_device_admin(f"Nachfolger {device}.GWA", [f"{device}.SMGW".lower()], signer=signer(pki.gwa))

    assert _revoke(pki, other, Action.SUSPEND, shown, new) == "failure_request_not_accepted"
    assert client.update_device_admin(handover).return_code == "ok_received_correctly"
    assert client.update_device_admin(handover).return_code == "failure_request_not_accepted"
    assert _revoke(pki, client, Action.SUSPEND, shown) == "failure_request_not_accepted"
    assert _revoke(pki, other, Action.SUSPEND, shown, new) == "ok_received_correctly"
    assert request(client, gateway_package(pki, device, sequence=2)).return_code == "failure_unauthorized_request"


def test_orders_must_be_signed_by_the_caller(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """An order signed by someone else, a stranger or nobody changes nothing."""
    shown = certificates(request(client, gateway_package(pki, fresh_device())))

    assert _revoke(pki, client, Action.REVOKE, shown, pki.emt) == "failure_incorrect_request"
    assert _revoke(pki, client, Action.REVOKE, shown, pki.foreign.gwa) == "failure_incorrect_request"
    assert client.revoke(b"no order").return_code == "failure_incorrect_request"
    assert client.update_device_admin(b"no order").return_code == "failure_incorrect_request"
    assert not {each.serial_number for each in shown} & _listed(client).keys()


def test_unknown_certificates_cannot_be_revoked(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """A certificate this CA did not issue is an incorrect request, and the good ones beside it stay untouched."""
    shown = certificates(request(client, gateway_package(pki, fresh_device())))
    strange = pki.operational_triple(fresh_device()).tls.certificate

    assert _revoke(pki, client, Action.REVOKE, [*shown, strange]) == "failure_incorrect_request"
    assert not {each.serial_number for each in shown} & _listed(client).keys()


def test_adopted_certificates_are_known(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """Certificates that came through the registration authority can be revoked like others."""
    triple = pki.operational_triple(fresh_device())
    ca.adopt(triple, admin="Torwart Test.GWA")

    assert _revoke(pki, client, Action.SUSPEND, list(triple.certificates)) == "ok_received_correctly"


def test_messages_and_status(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """GeneralMessage reaches the people, GetServiceStatus says the application runs."""
    said = client.general_message(caller="Torwart", message_id="g1", subject="Guten Tag", body="Grüße\nvon uns")

    assert said.return_code == "ok_received_correctly"
    assert ca.desk.messages[-1][1].body == "Grüße\nvon uns"
    assert client.service_status(message_id="s1").return_code == "ok_received_correctly"


# -- moods -------------------------------------------------------------------------------------------------------------

_FAILURES = [
    (operation, code)
    for operation in ("RequestCertificate", "GetCertificateChain", "CertificateRevocationRequest", "UpdateDeviceAdmin",
                      "GeneralMessage", "GetServiceStatus")
    for code in sorted(RETURN_CODES[operation])
    if code.startswith("failure")
]  # fmt: skip


@pytest.mark.requirement("SIM-sub-ca")
@pytest.mark.parametrize(("operation", "code"), _FAILURES)
def test_every_failure_code_can_be_had_on_demand(
    pki: TestPki, ca: SubCaServer, client: SmPkiClient, operation: str, code: str
) -> None:
    """Told to fail once, the CA fails once with that code in that operation, and works again."""
    calls: dict[str, Callable[[], CaAnswer]] = {
        "RequestCertificate": lambda: request(client, _PACKAGES.setdefault(id(pki), gateway_package(pki, DEVICE))),
        "GetCertificateChain": lambda: client.get_certificate_chain(pki.sub_ca.certificate.subject.rfc4514_string()),
        "CertificateRevocationRequest": lambda: client.revoke(
            sign_revocation(Action.REVOKE, [pki.gwa.enc.certificate], reason="superseded", signer=signer(pki.gwa))
        ),
        "UpdateDeviceAdmin": lambda: client.update_device_admin(
            sign_device_admin("Torwart Test.GWA", [f"{_known_gateway(pki, client)}.SMGW"], signer=signer(pki.gwa))
        ),
        "GeneralMessage": lambda: client.general_message(caller="c", message_id="m", subject="s", body="b"),
        "GetServiceStatus": lambda: client.service_status(message_id="m"),
    }
    _known_gateway(pki, client)
    ca.set_behaviour(fail=code, fail_operation=operation, fail_times=1)

    assert calls[operation]().return_code == code
    assert calls[operation]().return_code.startswith("ok_")


_PACKAGES: dict[int, bytes] = {}


def _known_gateway(pki: TestPki, client: SmPkiClient) -> str:
    request(client, _PACKAGES.setdefault(id(pki), gateway_package(pki, DEVICE)))
    return DEVICE


@pytest.mark.requirement("SIM-sub-ca")
def test_a_ca_that_is_down_hangs_up_and_comes_back(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """Down, even kept connections end; up again, the same request with the same id succeeds."""
    package = gateway_package(pki, fresh_device())
    ca.set_behaviour(mode=Mode.DOWN)

    for _ in range(2):
        with pytest.raises(Refusal) as caught:
            request(client, package, message_id="patient")
        assert caught.value.code == "ca.unreachable"
    ca.set_behaviour(mode=Mode.SYNCHRONOUS)
    assert request(client, package, message_id="patient").return_code == "ok_cert_available"


@pytest.mark.requirement("SIM-sub-ca", "SIM-wrong-key")
def test_certificates_for_the_wrong_key(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """Well signed, well named, but for keys nobody has; asking again gives the right ones."""
    device, keys = fresh_device(), fresh_keys()
    seal = pki.seal_triple(device)
    package = add_outer_signature(
        build_package(gateway_subject(device), keys), signer=signer(seal), chain=[seal.sig.certificate]
    )
    package = add_authorisation(package, signer=signer(pki.gwa))
    ca.set_behaviour(wrong_key=True)
    wrong = certificates(request(client, package))
    ca.set_behaviour(wrong_key=False)
    right = certificates(request(client, package))

    for certificate, use in zip(wrong, USES, strict=True):
        pki.trust.validate(certificate, at=datetime.now(UTC), role=Role.SMGW, use=use, seal=False)
        assert certificate.public_key() != keys[use].public_key
    assert [each.public_key() for each in right] == [keys[use].public_key for use in USES]


@pytest.mark.requirement("SIM-sub-ca")
def test_certificates_revoked_meanwhile(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """Handed over and on the list already."""
    ca.set_behaviour(revoke_meanwhile=True)

    shown = certificates(request(client, gateway_package(pki, fresh_device())))

    assert {each.serial_number for each in shown} <= _listed(client).keys()


# -- callbacks ---------------------------------------------------------------------------------------------------------

Call = tuple[str | None, str, tuple[bytes, ...]]


class _Inbox:
    """A store of our own kind: keeps what it is given, knows the ids it waits for."""

    def __init__(self, *known: str) -> None:
        self.known = set(known)
        self.calls: list[Call] = []
        self._arrived = threading.Condition()

    def __call__(self, message_id: str | None, status: str, certificates: tuple[bytes, ...]) -> bool:
        with self._arrived:
            self.calls.append((message_id, status, certificates))
            self._arrived.notify_all()
        return message_id is None or message_id in self.known

    def wait(self, count: int = 1) -> list[Call]:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.calls) >= count, timeout=10)
            return list(self.calls)


@pytest.fixture
def inbox(pki: TestPki, ca: SubCaServer) -> Iterator[_Inbox]:
    """A callback receiver of the GWA, registered with the CA."""
    box = _Inbox()
    with CallbackReceiver(identity_of(pki, pki.gwa.tls), box) as receiver:
        ca.register("Torwart Test.GWA", receiver.url)
        yield box
    ca.register("Torwart Test.GWA", None)


@pytest.mark.requirement("SIM-sub-ca", "WAN-3.4")
def test_callback_brings_the_certificates_later(
    pki: TestPki, ca: SubCaServer, client: SmPkiClient, inbox: _Inbox
) -> None:
    """ok_syntax at once, certificates by SendCertificates under the same message id."""
    ca.set_behaviour(mode=Mode.CALLBACK, callback_delay=0.05)
    inbox.known.add("later-1")
    package = gateway_package(pki, fresh_device())

    at_once = request(client, package, message_id="later-1")
    ((message_id, status, shown),) = inbox.wait()

    assert (at_once.return_code, at_once.certificates) == ("ok_syntax", ())
    assert (message_id, status, len(shown)) == ("later-1", "ok_cert_available", 3)
    assert request(client, package, message_id="later-1").certificates == shown


@pytest.mark.requirement("SIM-sub-ca")
def test_callback_twice_brings_the_same(pki: TestPki, ca: SubCaServer, client: SmPkiClient, inbox: _Inbox) -> None:
    """A CA that calls twice sends one set of certificates twice."""
    ca.set_behaviour(mode=Mode.CALLBACK, callback_delay=0.0, callback_times=2)
    inbox.known.add("twice")

    request(client, gateway_package(pki, fresh_device()), message_id="twice")
    first, second = inbox.wait(2)

    assert first == second


@pytest.mark.parametrize("code", ["failure_outer_signature", "failure_cert_not_available", "failure_internal_error"])
def test_callback_can_bring_a_failure(
    pki: TestPki, ca: SubCaServer, client: SmPkiClient, inbox: _Inbox, code: str
) -> None:
    """statusInfo carries what a synchronous answer would have said."""
    ca.set_behaviour(mode=Mode.CALLBACK, callback_delay=0.0, fail=code, fail_operation="SendCertificates")
    inbox.known.add(f"fail-{code}")

    request(client, gateway_package(pki, fresh_device()), message_id=f"fail-{code}")

    assert inbox.wait() == [(f"fail-{code}", code, ())]


def test_without_callback_a_busy_ca_says_so(pki: TestPki, ca: SubCaServer, client: SmPkiClient) -> None:
    """No message id, or no registered address: failure_synchronous_processing_not_possible."""
    ca.set_behaviour(mode=Mode.CALLBACK)
    package = gateway_package(pki, fresh_device())

    for message_id in (None, "nowhere"):
        answer = request(client, package, message_id=message_id)
        assert answer.return_code == "failure_synchronous_processing_not_possible"


# -- restarts ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("SIM-sub-ca")
def test_a_restarted_ca_knows_what_it_did(tmp_path: Path) -> None:
    """Issued, revoked, in charge, numbers of lists and used message ids survive; a torn last line does not hurt."""
    pki = TestPki.create(datetime.now(UTC))
    pki.write(tmp_path / "pki")
    device = fresh_device()
    package = gateway_package(pki, device)
    with SubCaServer(pki, state_dir=tmp_path / "state") as ca:
        client = caller(pki, ca, pki.gwa)
        answer = request(client, package, message_id="m1")
        assert _revoke(pki, client, Action.SUSPEND, certificates(answer)) == "ok_received_correctly"
        before = load_revocation_list(client.revocation_list())
    with (tmp_path / "state/sub-ca.jsonl").open("ab") as journal:
        journal.write(b'{"event":"issued","caller":"torn')

    again = TestPki.load(tmp_path / "pki")
    with SubCaServer(again, state_dir=tmp_path / "state") as ca:
        client = caller(again, ca, again.gwa)
        after = load_revocation_list(client.revocation_list())
        assert request(client, package, message_id="m1") == answer
        assert request(client, gateway_package(pki, device)).return_code == "failure_incorrect_request"
        assert _revoke(again, client, Action.UNSUSPEND, certificates(answer)) == "ok_received_correctly"

    number = x509.CRLNumber
    numbers = [crl.extensions.get_extension_for_class(number).value.crl_number for crl in (before, after)]
    assert {entry.serial_number for entry in after} == {each.serial_number for each in certificates(answer)}
    assert numbers[0] < numbers[1]


@pytest.mark.requirement("SIM-sub-ca")
def test_a_queued_callback_survives_a_restart_and_an_absent_receiver(tmp_path: Path) -> None:
    """Hours later, after a restart, once the receiver is there: called back exactly once."""
    pki = TestPki.create(datetime.now(UTC))
    package = gateway_package(pki, fresh_device())
    with SubCaServer(pki, state_dir=tmp_path, behaviour=Behaviour(Mode.CALLBACK, callback_delay=3600)) as ca:
        ca.register("Torwart Test.GWA", "https://127.0.0.1:9/nobody")
        assert request(caller(pki, ca, pki.gwa), package, message_id="m").return_code == "ok_syntax"
    box = _Inbox("m")
    with (
        SubCaServer(pki, state_dir=tmp_path, behaviour=Behaviour(callback_delay=0.0)) as ca,
        CallbackReceiver(identity_of(pki, pki.gwa.tls), box) as receiver,
    ):
        ca.register("Torwart Test.GWA", receiver.url)
        box.wait()
        deadline = time.monotonic() + 5
        while ca.registry.queue and time.monotonic() < deadline:
            time.sleep(0.01)
        assert ca.registry.queue == []
    with SubCaServer(pki, state_dir=tmp_path, behaviour=Behaviour(callback_delay=0.0)) as ca:
        assert ca.registry.queue == []

    assert [(message_id, status) for message_id, status, _ in box.calls] == [("m", "ok_cert_available")]


# -- revocation lists and control by HTTP ------------------------------------------------------------------------------


def _http(method: str, url: str, body: object = None) -> tuple[int, bytes]:
    data = json.dumps(body).encode() if body is not None else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method), timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_every_authority_publishes_its_list(pki: TestPki, ca: SubCaServer) -> None:
    """Root, Sub-CA and seal CA, at the file name of their distribution point."""
    for authority in pki.authorities:
        status, der = _http("GET", ca.crl_url_of(authority))

        assert status == 200
        assert pki.trust.revocation_list(load_revocation_list(der)).issuer == (
            authority.certificate.subject.rfc4514_string()
        )
        assert ca.crl_url_of(authority).rpartition("/")[2] == authority.crl_uri.rpartition("/")[2]
    assert _http("GET", ca.crl_url + "x")[0] == 404


def test_lists_are_renewed_before_they_run_out(tmp_path: Path) -> None:
    """Without any revocation the list is the same for days, and a new one comes before its end."""
    pki = TestPki.create(datetime.now(UTC))
    present = [pki.now]
    with SubCaServer(pki, state_dir=tmp_path, clock=lambda: present[0]) as ca:
        first = ca.crl(pki.sub_ca)
        present[0] += timedelta(days=6)
        same = ca.crl(pki.sub_ca)
        present[0] += timedelta(hours=13)
        later = ca.crl(pki.sub_ca)

    assert same is first
    assert later.last_update_utc > first.last_update_utc
    assert later.next_update_utc is not None
    assert later.next_update_utc - later.last_update_utc == timedelta(days=7)


def test_behaviour_is_told_and_changed_by_http(pki: TestPki, ca: SubCaServer) -> None:
    """The demo switches moods from outside; nonsense is refused and changes nothing."""
    status, body = _http("PUT", ca.control_url, {"mode": "callback", "callback_delay": 5})

    assert (status, json.loads(body)["mode"]) == (200, "callback")
    assert ca.behaviour == Behaviour(Mode.CALLBACK, callback_delay=5)
    for nonsense in ({"mode": "angry"}, {"colour": "red"}, [], "x"):
        assert _http("PUT", ca.control_url, nonsense)[0] == 400
    assert json.loads(_http("GET", ca.control_url)[1])["callback_delay"] == 5
    assert _http("POST", ca.control_url, {"caller": "X.GWA", "callback_url": "https://x"})[0] == 200
    assert _http("POST", ca.control_url, {"caller": "X.GWA"})[0] == 400


# -- the wire itself ---------------------------------------------------------------------------------------------------


def _raw(pki: TestPki, ca: SubCaServer, method: str, path: str, body: bytes, action: str = "") -> tuple[int, bytes]:
    context = identity_of(pki, pki.gwa.tls).context(ssl.PROTOCOL_TLS_CLIENT)
    url = f"https://{ca.address[0]}:{ca.address[1]}{path}"
    wanted = urllib.request.Request(url, body, {"SOAPAction": f'"{action}"'}, method=method)
    try:
        with urllib.request.urlopen(wanted, context=context, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_broken_soap_is_failure_syntax_of_its_operation(pki: TestPki, ca: SubCaServer) -> None:
    """The soapAction tells whose response it is; without one there is only a SOAP fault."""
    status, body = _raw(pki, ca, "POST", "/SmartMeterService", b"<no/>", "GetServiceStatus")
    fault, _ = _raw(pki, ca, "POST", "/SmartMeterService", b"<no/>")

    assert (status, b"GetServiceStatus_Res" in body, b"failure_syntax" in body) == (200, True, True)
    assert fault == 500


def test_other_paths_and_methods_are_refused(pki: TestPki, ca: SubCaServer) -> None:
    """The service answers POST at one path."""
    assert _raw(pki, ca, "POST", "/else", b"x")[0] == 404
    assert _raw(pki, ca, "PUT", "/SmartMeterService", b"x")[0] == 405


def test_openssl_reaches_the_service(pki: TestPki, ca: SubCaServer, openssl: OpenSsl, tmp_path: Path) -> None:
    """A foreign TLS client with the GWA's certificate gets through; brainpool, TLS 1.2, an approved suite."""
    (tmp_path / "cert").write_bytes(pki.gwa.tls.certificate_pem)
    (tmp_path / "chain").write_bytes(pem(pki.trust_chain))
    (tmp_path / "key").write_bytes(pki.gwa.tls.key_pem)
    said = openssl(
        *("s_client", "-connect", f"{ca.address[0]}:{ca.address[1]}", "-CAfile", tmp_path / "chain", "-tls1_2"),
        *("-groups", "brainpoolP256r1", "-cert", tmp_path / "cert", "-key", tmp_path / "key", "-verify_return_error"),
        *("-cert_chain", tmp_path / "chain"),
        stdin=b"Q\n",
    ).decode()

    assert "Verify return code: 0 (ok)" in said
    assert "Cipher is ECDHE-ECDSA-AES" in said
    assert "Protocol  : TLSv1.2" in said


def test_running_in_a_process_of_its_own(tmp_path: Path) -> None:
    """``run_sub_ca`` takes a PKI from disk, says where it listens and ends when told."""
    pki = TestPki.create(datetime.now(UTC))
    pki.write(tmp_path / "pki")
    ready, stop, seen = threading.Event(), threading.Event(), []

    def greet(server: SubCaServer) -> None:
        seen.append(server.url)
        ready.set()

    runner = threading.Thread(
        target=run_sub_ca, args=(tmp_path / "pki", tmp_path / "state"), kwargs={"ready": greet, "stop": stop}
    )
    runner.start()
    assert ready.wait(10)
    answer = SmPkiClient(seen[0], identity_of(pki, pki.gwa.tls)).service_status(message_id="1")
    stop.set()
    runner.join(10)

    assert answer.return_code == "ok_received_correctly"
    assert not runner.is_alive()


def test_journal_lines_are_whole_before_anyone_is_told(tmp_path: Path) -> None:
    """Each issue is one line of JSON with its certificates, readable by any tool."""
    pki = TestPki.create(datetime.now(UTC))
    with SubCaServer(pki, state_dir=tmp_path) as ca:
        answer = request(caller(pki, ca, pki.gwa), gateway_package(pki, fresh_device()), message_id="m")
        lines = [json.loads(line) for line in (tmp_path / "sub-ca.jsonl").read_text().splitlines()]

    issued = [line for line in lines if line["event"] == "issued"]
    assert [tuple(base64.b64decode(each) for each in line["certificates"]) for line in issued] == [answer.certificates]
