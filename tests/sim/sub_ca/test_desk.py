"""The Sub-CA's decisions over real mutual TLS: who gets what, and which return code says why not."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.sim.pki import Credential, Fault, TestPki, Triple, new_key
from torwart.sim.sub_ca.applicant import (
    bare_package,
    fresh_keys,
    gateway_package,
    gateway_subject,
    outer_package,
    participant_package,
    seal_package,
    signer_of,
)
from torwart.wire.certificate import Role, Subject, Use, identify
from torwart.wire.certificate.pem import load_revocation_list
from torwart.wire.crmf import Action, LocalKey, add_authorisation, build_package, sign_device_admin

pytestmark = pytest.mark.requirement("WAN-3.4")

USES = (Use.TLS, Use.SIG, Use.ENC)
GWA = "Torwart Test.GWA"
Counter = Any
"""The fixture's class; see conftest."""


# -- issuing -----------------------------------------------------------------------------------------------------------


def test_a_gateway_gets_operational_certificates_for_its_keys(counter: Counter) -> None:
    """Seal certificates in, operational ones out: right names, right uses, the keys that were asked for."""
    keys = fresh_keys()

    answer = counter.ask(gateway_package(counter.pki, counter.device(), keys=keys))

    assert answer.return_code == "ok_cert_available"
    assert [each.use for each in counter.identities(answer)] == [Use.TLS, Use.SIG, Use.ENC]
    for certificate, use in zip(counter.certificates(answer), USES, strict=True):
        counter.pki.trust.validate(certificate, at=datetime.now(UTC), role=Role.SMGW, use=use, seal=False)
        assert certificate.public_key() == keys[use].public_key


def test_renewal_is_signed_by_the_still_valid_certificate(counter: Counter) -> None:
    """Sequence 2 with the outer signature of sequence 1, as long as that is not revoked."""
    device, keys = counter.device(), {use: new_key() for use in USES}
    first = counter.ask(gateway_package(counter.pki, device, keys={use: LocalKey(key) for use, key in keys.items()}))
    issued = counter.certificates(first)
    old = Triple(*(Credential(certificate, keys[use]) for certificate, use in zip(issued, USES, strict=True)))

    second = counter.ask(gateway_package(counter.pki, device, sequence=2, old=old))
    counter.revoke(Action.SUSPEND, issued)
    third = counter.ask(gateway_package(counter.pki, device, sequence=3, old=old))

    assert [first.return_code, second.return_code] == ["ok_cert_available"] * 2
    assert [each.sequence for each in counter.identities(second)] == [2, 2, 2]
    assert third.return_code == "failure_outer_signature"


@pytest.mark.parametrize("who", ["gwa", "gwh", "emt"])
def test_participants_renew_their_own_triples(counter: Counter, who: str) -> None:
    """GWA, GWH and EMT ask for themselves, signed by their SIG key, and keep names and addresses."""
    triple: Triple = getattr(counter.pki, who)
    contact = counter.pki.contact(identify(triple.sig.certificate).role, "Neu")

    answer = counter.ask(participant_package(triple, contact), who.upper(), by=triple)

    assert answer.return_code == "ok_cert_available"
    assert {each.sequence for each in counter.identities(answer)} == {2}
    names = counter.certificates(answer)[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert tuple(names.get_values_for_type(x509.DNSName)) == contact.dns


def test_key_sets_of_one_participant_may_ask_for_each_other(counter: Counter) -> None:
    """The CN's extension tells key sets of one GWA apart (one per client); the entity is the same."""
    other_set = counter.pki.issue_triple(Role.GWA, "Torwart Test", extension="CLIENT7")
    package = gateway_package(counter.pki, counter.device(), by=other_set)

    assert counter.ask(package).return_code == "ok_cert_available"


def test_a_maker_gets_seal_certificates_from_the_seal_ca(counter: Counter) -> None:
    """SMGW-G is for the GWH, authorised by its signature, issued by the maker's Sub-CA for seven years."""
    answer = counter.ask(seal_package(counter.pki, counter.device()), "SMGW-G", by=counter.pki.gwh)

    (tls, *_) = counter.certificates(answer)
    counter.pki.trust.validate(tls, at=datetime.now(UTC), role=Role.SMGW, seal=True)
    assert tls.not_valid_after_utc.year - tls.not_valid_before_utc.year == 7


@pytest.mark.requirement("SIM-sub-ca", "WAN-3.4")
def test_the_same_request_twice_is_one_issue(counter: Counter) -> None:
    """By message id and by package: the same certificates, never a second set."""
    package = gateway_package(counter.pki, counter.device())

    answers = [counter.ask(package, message_id=message_id) for message_id in ("once", "once", "other", None)]

    assert answers[0].return_code == "ok_cert_available"
    assert answers[1:] == answers[:1] * 3


def test_the_same_request_from_many_threads_is_one_issue(counter: Counter) -> None:
    """Retries that overtake each other do not lead to two certificates for one key."""
    package = gateway_package(counter.pki, counter.device())

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: counter.ask(package), range(12)))

    assert {answer.certificates for answer in answers} == {answers[0].certificates}
    assert answers[0].return_code == "ok_cert_available"


def test_a_message_id_names_one_request(counter: Counter) -> None:
    """§2.2.1: messageID "MUST identify the message uniquely"; another package under it is refused."""
    counter.ask(gateway_package(counter.pki, counter.device()), message_id="taken")

    answer = counter.ask(gateway_package(counter.pki, counter.device()), message_id="taken")

    assert answer.return_code == "failure_incorrect_request"


# -- refusing ----------------------------------------------------------------------------------------------------------


def _bad_inner(pki: TestPki, device: str) -> bytes:
    class Liar:
        public_key = new_key().public_key()
        sign = LocalKey(new_key()).sign

    return gateway_package(pki, device, keys={**fresh_keys(), Use.ENC: Liar()})


def _other_curve(pki: TestPki, device: str) -> bytes:
    return gateway_package(
        pki, device, keys={**fresh_keys(), Use.TLS: LocalKey(ec.generate_private_key(ec.SECP256R1()))}
    )


def _outer(of: Callable[[TestPki, str], Triple]) -> Callable[[TestPki, str], bytes]:
    return lambda pki, device: gateway_package(pki, device, old=of(pki, device))


def _authorised(by: Callable[[TestPki], Triple]) -> Callable[[TestPki, str], bytes]:
    return lambda pki, device: gateway_package(pki, device, by=by(pki))


def _no_outer(pki: TestPki, device: str) -> bytes:
    return add_authorisation(bare_package(pki, device), signer=signer_of(pki.gwa))


def _with_addresses(pki: TestPki, device: str) -> bytes:
    return build_package(gateway_subject(pki, device), fresh_keys(), contact=pki.contact(Role.EMT, "x"))


_REFUSED: list[tuple[str, str, Callable[[TestPki, str], bytes]]] = [
    ("garbage", "failure_incorrect_request", lambda pki, device: b"garbage"),
    ("cut", "failure_incorrect_request", lambda pki, device: gateway_package(pki, device)[:-1]),
    ("addresses of a gateway", "failure_incorrect_request", _with_addresses),
    ("curve", "failure_domain_parameters", _other_curve),
    ("inner", "failure_inner_signature", _bad_inner),
    ("no outer", "failure_outer_signature", _no_outer),
    ("outer of another gateway", "failure_outer_signature", _outer(lambda p, d: p.seal_triple("EPPC0299999999"))),
    ("outer of another PKI", "failure_outer_signature", _outer(lambda p, d: p.foreign.seal_triple(d))),
    ("outer expired", "failure_outer_signature", _outer(lambda p, d: p.faulty_triple(Fault.EXPIRED, Role.SMGW, d))),
    ("outer revoked", "failure_outer_signature", _outer(lambda p, d: p.faulty_triple(Fault.REVOKED, Role.SMGW, d))),
    ("not authorised", "failure_authorization_signature", outer_package),
    ("authorised by an EMT", "failure_authorization_signature", _authorised(lambda p: p.emt)),
    (
        "authorised by another GWA",
        "failure_authorization_signature",
        _authorised(lambda p: p.issue_triple(Role.GWA, "Fremd")),
    ),
]


@pytest.mark.requirement("SIM-sub-ca", "WAN-3.4")
@pytest.mark.parametrize(("code", "make"), [row[1:] for row in _REFUSED], ids=[row[0] for row in _REFUSED])
def test_each_flaw_has_its_return_code(counter: Counter, code: str, make: Callable[[TestPki, str], bytes]) -> None:
    """The Sub-CA answers with the code of exactly the check that fails, and issues nothing."""
    answer = counter.ask(make(counter.pki, counter.device()))

    assert (answer.return_code, answer.certificates) == (code, ())
    assert answer.message


def test_a_gwa_gets_no_seal_certificates(counter: Counter) -> None:
    """§2.2.2: "E.g. a GWA … requested a certificate of type SMGW-G"."""
    answer = counter.ask(gateway_package(counter.pki, counter.device()), "SMGW-G")

    assert answer.return_code == "failure_unauthorized_request"


@pytest.mark.parametrize(("who", "kind"), [("emt", "SMGW-W"), ("gwh", "SMGW-W"), ("gwh", "EMT"), ("emt", "GWA")])
def test_others_get_no_certificates_that_are_not_theirs(counter: Counter, who: str, kind: str) -> None:
    """Only the GWA asks for gateways, and everyone else only for themselves."""
    pki = counter.pki
    package = gateway_package(pki, counter.device())
    if kind in ("EMT", "GWA"):
        package = participant_package(pki.emt if kind == "EMT" else pki.gwa, pki.contact(Role.EMT, "x"), sequence=9)

    answer = counter.ask(package, kind, by=getattr(pki, who))

    assert answer.return_code == "failure_unauthorized_request"


def test_a_first_set_does_not_come_over_the_web_service(counter: Counter) -> None:
    """spec/04 §3.4: "First certificate set goes another way"; without an outer signature there is none."""
    pki = counter.pki
    subject = Subject.of(pki.emt.sig.certificate.subject)
    package = build_package(subject, fresh_keys(), contact=pki.contact(Role.EMT, "x"))

    assert counter.ask(package, "EMT", by=pki.emt).return_code == "failure_outer_signature"


def test_sequence_numbers_only_grow(counter: Counter) -> None:
    """A new package with a used running number is refused; the message names the next one."""
    device = counter.device()
    counter.ask(gateway_package(counter.pki, device, sequence=3))

    answer = counter.ask(gateway_package(counter.pki, device, sequence=3))

    assert answer.return_code == "failure_incorrect_request"
    assert "4" in answer.message


def test_a_suspended_applicant_is_not_accepted(counter: Counter) -> None:
    """§2.2.2: "i.e. the applicant has been suspended by the CA"."""
    counter.ca.desk.suspended.add(GWA)

    assert counter.ask(gateway_package(counter.pki, counter.device())).return_code == "failure_request_not_accepted"


# -- chain, revocation, responsibility ---------------------------------------------------------------------------------


def test_chain_starts_with_the_root(counter: Counter) -> None:
    """§2.3.3: "beginning with the first Root-CA certificate, and ending with the indicated certificate"."""
    client = counter.client
    for authority in (counter.pki.sub_ca, counter.pki.seal_ca):
        name = authority.certificate.subject.rfc4514_string()

        answer = client.get_certificate_chain(name)

        assert counter.certificates(answer) == [counter.pki.root.certificate, authority.certificate]
        assert client.get_certificate_chain(name.replace("2.5.4.5", "serialNumber")).certificates == answer.certificates
    assert client.get_certificate_chain("CN=Niemand.CA").return_code == "failure_cert_not_available"


@pytest.mark.requirement("WAN-3.3")
def test_revocation_is_on_the_list_at_once(counter: Counter, openssl: Callable[..., bytes], tmp_path: Path) -> None:
    """Suspended, released, revoked for good: each shows in the next CRL, which OpenSSL accepts."""
    shown = counter.commission()
    serials = {each.serial_number for each in shown}
    states = []
    for action in (Action.SUSPEND, Action.UNSUSPEND, Action.REVOKE):
        assert counter.revoke(action, shown) == "ok_received_correctly"
        states.append({reason for serial, reason in counter.listed().items() if serial in serials})

    assert states == [{"certificateHold"}, set(), {"keyCompromise"}]
    assert counter.revoke(Action.UNSUSPEND, shown) == "failure_request_not_accepted"
    assert counter.revoke(Action.SUSPEND, shown) == "failure_request_not_accepted"
    assert counter.revoke(Action.REVOKE, shown) == "ok_received_correctly"
    issuer = tmp_path / "issuer.pem"
    issuer.write_bytes(counter.pki.sub_ca.credential.certificate_pem)
    published = load_revocation_list(counter.client.revocation_list()).public_bytes(Encoding.PEM)
    openssl("crl", "-verify", "-noout", "-CAfile", issuer, stdin=published)


def test_only_the_gwa_in_charge_revokes(counter: Counter) -> None:
    """§2.3.7: after UpdateDeviceAdmin only the new GWA may revoke, and only the old one could hand over."""
    device = counter.device()
    shown = counter.certificates(counter.ask(gateway_package(counter.pki, device)))
    heir = counter.pki.issue_triple(Role.GWA, f"Nachfolger {device}")
    handover = sign_device_admin(
        f"Nachfolger {device}.GWA", [f"{device}.SMGW".lower()], signer=signer_of(counter.pki.gwa)
    )
    successor = type(counter)(counter.pki, counter.ca)
    successor.client = counter.caller(heir)

    assert successor.revoke(Action.SUSPEND, shown, signed=heir) == "failure_request_not_accepted"
    assert counter.client.update_device_admin(handover).return_code == "ok_received_correctly"
    assert counter.client.update_device_admin(handover).return_code == "failure_request_not_accepted"
    assert counter.revoke(Action.SUSPEND, shown) == "failure_request_not_accepted"
    assert successor.revoke(Action.SUSPEND, shown, signed=heir) == "ok_received_correctly"
    renewal = counter.ask(gateway_package(counter.pki, device, sequence=2))
    assert renewal.return_code == "failure_unauthorized_request"


def test_orders_must_be_signed_by_the_caller(counter: Counter) -> None:
    """An order signed by someone else, a stranger or nobody changes nothing."""
    shown = counter.commission()

    assert counter.revoke(Action.REVOKE, shown, signed=counter.pki.emt) == "failure_incorrect_request"
    assert counter.revoke(Action.REVOKE, shown, signed=counter.pki.foreign.gwa) == "failure_incorrect_request"
    assert counter.client.revoke(b"no order").return_code == "failure_incorrect_request"
    assert counter.client.update_device_admin(b"no order").return_code == "failure_incorrect_request"
    assert not {each.serial_number for each in shown} & counter.listed().keys()


def test_unknown_certificates_cannot_be_revoked(counter: Counter) -> None:
    """A certificate this CA does not know makes the order incorrect; the good ones beside it stay untouched."""
    shown = counter.commission()
    strange = counter.pki.operational_triple(counter.device()).tls.certificate

    assert counter.revoke(Action.REVOKE, [*shown, strange]) == "failure_incorrect_request"
    assert not {each.serial_number for each in shown} & counter.listed().keys()


def test_adopted_certificates_are_known(counter: Counter) -> None:
    """Certificates that came through the registration authority can be revoked like others."""
    triple = counter.pki.operational_triple(counter.device())
    counter.ca.adopt(triple, admin=GWA)

    assert counter.revoke(Action.SUSPEND, list(triple.certificates)) == "ok_received_correctly"


def test_messages_and_status(counter: Counter) -> None:
    """GeneralMessage reaches the people, GetServiceStatus says the application runs."""
    said = counter.client.general_message(caller=GWA, message_id="g1", subject="Guten Tag", body="Grüße\nvon uns")

    assert said.return_code == "ok_received_correctly"
    assert counter.ca.desk.messages[-1][1].body == "Grüße\nvon uns"
    assert counter.client.service_status(message_id="s1").return_code == "ok_received_correctly"
