"""The Sub-CA in every bad mood (spec/08): down, late by callback, twice, wrong keys, revoked, each failure code."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from torwart.adapters.sm_pki import CallbackReceiver
from torwart.kernel.refusals import Refusal
from torwart.ports.sub_ca import CaAnswer
from torwart.sim.pki import TestPki
from torwart.sim.sub_ca import Behaviour, Mode, SubCaServer
from torwart.sim.sub_ca.applicant import fresh_keys, gateway_package, signer_of
from torwart.wire.certificate import Role, Use
from torwart.wire.crmf import Action, sign_device_admin, sign_revocation
from torwart.wire.smpki_service import OPERATIONS, RETURN_CODES

pytestmark = pytest.mark.requirement("SIM-sub-ca", "WAN-3.4")

GWA = "Torwart Test.GWA"
USES = (Use.TLS, Use.SIG, Use.ENC)
Counter = Any
Inbox = Any
"""The fixtures' classes; see conftest."""

_FAILURES = [
    (operation, code)
    for operation in OPERATIONS
    if operation != "SendCertificates"
    for code in sorted(RETURN_CODES[operation])
    if code.startswith("failure")
]


def _calls(counter: Counter) -> dict[str, Callable[[], CaAnswer]]:
    """One good call of each operation."""
    pki, client, device = counter.pki, counter.client, counter.device()
    package = gateway_package(pki, device)
    counter.ask(package)
    revocation = sign_revocation(
        Action.REVOKE, [pki.gwa.enc.certificate], reason="superseded", signer=signer_of(pki.gwa)
    )
    handover = sign_device_admin(GWA, [f"{device}.SMGW"], signer=signer_of(pki.gwa))
    return {
        "RequestCertificate": lambda: counter.ask(package),
        "GetCertificateChain": lambda: client.get_certificate_chain(pki.sub_ca.certificate.subject.rfc4514_string()),
        "CertificateRevocationRequest": lambda: client.revoke(revocation),
        "UpdateDeviceAdmin": lambda: client.update_device_admin(handover),
        "GeneralMessage": lambda: client.general_message(caller="c", message_id="m", subject="s", body="b"),
        "GetServiceStatus": lambda: client.service_status(message_id="m"),
    }


@pytest.mark.parametrize(("operation", "code"), _FAILURES)
def test_every_failure_code_can_be_had_on_demand(counter: Counter, operation: str, code: str) -> None:
    """Told to fail once, the CA fails once with that code in that operation, and works again."""
    call = _calls(counter)[operation]
    counter.ca.set_behaviour(fail=code, fail_operation=operation, fail_times=1)

    assert call().return_code == code
    assert call().return_code.startswith("ok_")


def test_a_ca_that_is_down_hangs_up_and_comes_back(counter: Counter) -> None:
    """Down, even kept connections end; up again, the same request with the same id succeeds."""
    package = gateway_package(counter.pki, counter.device())
    counter.client.service_status(message_id="connected")
    counter.ca.set_behaviour(mode=Mode.DOWN)

    for _ in range(2):
        with pytest.raises(Refusal) as caught:
            counter.ask(package, message_id="patient")
        assert caught.value.code == "ca.unreachable"
    counter.ca.set_behaviour(mode=Mode.SYNCHRONOUS)
    assert counter.ask(package, message_id="patient").return_code == "ok_cert_available"


@pytest.mark.requirement("SIM-wrong-key")
def test_certificates_for_the_wrong_key(counter: Counter) -> None:
    """Well signed, well named, but for keys nobody has; asking again gives the right ones."""
    keys = fresh_keys()
    package = gateway_package(counter.pki, counter.device(), keys=keys)
    counter.ca.set_behaviour(wrong_key=True)
    wrong = counter.certificates(counter.ask(package))
    counter.ca.set_behaviour(wrong_key=False)
    right = counter.certificates(counter.ask(package))

    for certificate, use in zip(wrong, USES, strict=True):
        counter.pki.trust.validate(certificate, at=datetime.now(UTC), role=Role.SMGW, use=use, seal=False)
        assert certificate.public_key() != keys[use].public_key
    assert [each.public_key() for each in right] == [keys[use].public_key for use in USES]


def test_certificates_revoked_meanwhile(counter: Counter) -> None:
    """Handed over and on the list already."""
    counter.ca.set_behaviour(revoke_meanwhile=True)

    shown = counter.commission()

    assert len(shown) == 3
    assert {each.serial_number for each in shown} <= counter.listed().keys()


# -- callbacks ---------------------------------------------------------------------------------------------------------


def test_callback_brings_the_certificates_later(counter: Counter, called_back: Inbox) -> None:
    """ok_syntax at once, certificates by SendCertificates under the same message id."""
    counter.ca.set_behaviour(mode=Mode.CALLBACK, callback_delay=0.05)
    called_back.known.add("later-1")
    package = gateway_package(counter.pki, counter.device())

    at_once = counter.ask(package, message_id="later-1")
    ((message_id, status, shown),) = called_back.wait()

    assert (at_once.return_code, at_once.certificates) == ("ok_syntax", ())
    assert (message_id, status, len(shown)) == ("later-1", "ok_cert_available", 3)
    assert counter.ask(package, message_id="later-1").certificates == shown


def test_callback_twice_brings_the_same(counter: Counter, called_back: Inbox) -> None:
    """A CA that calls twice sends one set of certificates twice."""
    counter.ca.set_behaviour(mode=Mode.CALLBACK, callback_delay=0.0, callback_times=2)
    called_back.known.add("twice")

    counter.ask(gateway_package(counter.pki, counter.device()), message_id="twice")
    first, second = called_back.wait(2)

    assert first == second


@pytest.mark.parametrize("code", ["failure_outer_signature", "failure_cert_not_available", "failure_internal_error"])
def test_callback_can_bring_a_failure(counter: Counter, called_back: Inbox, code: str) -> None:
    """statusInfo carries what a synchronous answer would have said."""
    counter.ca.set_behaviour(mode=Mode.CALLBACK, callback_delay=0.0, fail=code, fail_operation="SendCertificates")
    called_back.known.add(f"fail-{code}")

    counter.ask(gateway_package(counter.pki, counter.device()), message_id=f"fail-{code}")

    assert called_back.wait() == [(f"fail-{code}", code, ())]


def test_without_callback_a_busy_ca_says_so(counter: Counter) -> None:
    """No message id, or no registered address: failure_synchronous_processing_not_possible."""
    counter.ca.set_behaviour(mode=Mode.CALLBACK)
    package = gateway_package(counter.pki, counter.device())

    for message_id in (None, "nowhere"):
        answer = counter.ask(package, message_id=message_id)
        assert answer.return_code == "failure_synchronous_processing_not_possible"


def test_a_queued_callback_survives_a_restart_and_an_absent_receiver(
    tmp_path: Path, make_counter: Counter, inbox: Inbox
) -> None:
    """Hours later, after a restart, once the receiver is there: called back exactly once."""
    pki = TestPki.create(datetime.now(UTC))
    inbox.known.add("m")
    with SubCaServer(pki, state_dir=tmp_path, behaviour=Behaviour(Mode.CALLBACK, callback_delay=3600)) as ca:
        ca.register(GWA, "https://127.0.0.1:9/nobody")
        counter = make_counter(pki, ca)
        package = gateway_package(pki, counter.device())
        assert counter.ask(package, message_id="m").return_code == "ok_syntax"
    with (
        SubCaServer(pki, state_dir=tmp_path, behaviour=Behaviour(callback_delay=0.0)) as ca,
        CallbackReceiver(counter.identity(pki.gwa.tls), inbox) as receiver,
    ):
        ca.register(GWA, receiver.url)
        inbox.wait()
        deadline = time.monotonic() + 5
        while ca.registry.queue and time.monotonic() < deadline:
            time.sleep(0.01)
        assert ca.registry.queue == []
    with SubCaServer(pki, state_dir=tmp_path, behaviour=Behaviour(callback_delay=0.0)) as ca:
        assert ca.registry.queue == []

    assert [(message_id, status) for message_id, status, _ in inbox.calls] == [("m", "ok_cert_available")]


def test_a_callback_nobody_takes_is_tried_again(counter: Counter, inbox: Inbox) -> None:
    """The receiver breaks once, hears the same again and has it."""
    broken = [True]

    def store(message_id: str | None, status: str, certificates: tuple[bytes, ...]) -> bool:
        if broken:
            broken.clear()
            raise OSError("disk full")
        return bool(inbox(message_id, status, certificates))

    inbox.known.add("again")
    counter.ca.set_behaviour(mode=Mode.CALLBACK, callback_delay=0.0)
    with CallbackReceiver(counter.identity(counter.pki.gwa.tls), store) as receiver:
        counter.ca.register(GWA, receiver.url)
        counter.ask(gateway_package(counter.pki, counter.device()), message_id="again")
        ((message_id, status, _),) = inbox.wait()
    counter.ca.register(GWA, None)

    assert (message_id, status) == ("again", "ok_cert_available")
