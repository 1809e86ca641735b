"""The Sub-CA as a server: restarts, revocation lists, control, the wire itself, strangers."""

import base64
import json
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.adapters.sm_pki import SmPkiClient, TlsIdentity
from torwart.kernel.refusals import Refusal
from torwart.sim.pki import Credential, Fault, TestPki
from torwart.sim.sub_ca import Behaviour, Mode, SubCaServer, run_sub_ca
from torwart.sim.sub_ca.applicant import gateway_package
from torwart.wire.certificate import Role
from torwart.wire.certificate.pem import load_revocation_list
from torwart.wire.crmf import Action

pytestmark = pytest.mark.requirement("WAN-3.4")

Counter = Any
"""The fixture's class; see conftest."""


def _pem(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


# -- restarts ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("SIM-sub-ca")
def test_a_restarted_ca_knows_what_it_did(tmp_path: Path, make_counter: Counter) -> None:
    """Issued, revoked, in charge, numbers of lists and used message ids survive; a torn last line does not hurt."""
    pki = TestPki.create(datetime.now(UTC))
    pki.write(tmp_path / "pki")
    with SubCaServer(pki, state_dir=tmp_path / "state") as ca:
        counter = make_counter(pki, ca)
        device = counter.device()
        package = gateway_package(pki, device)
        answer = counter.ask(package, message_id="m1")
        shown = counter.certificates(answer)
        assert counter.revoke(Action.SUSPEND, shown) == "ok_received_correctly"
        before = load_revocation_list(counter.client.revocation_list())
    with (tmp_path / "state/sub-ca.jsonl").open("ab") as journal:
        journal.write(b'{"event":"issued","caller":"torn')

    again = TestPki.load(tmp_path / "pki")
    with SubCaServer(again, state_dir=tmp_path / "state") as ca:
        counter = make_counter(again, ca)
        after = load_revocation_list(counter.client.revocation_list())
        assert counter.ask(package, message_id="m1") == answer
        assert counter.ask(gateway_package(pki, device)).return_code == "failure_incorrect_request"
        assert counter.revoke(Action.UNSUSPEND, shown) == "ok_received_correctly"

    numbers = [crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for crl in (before, after)]
    assert {entry.serial_number for entry in after} == {each.serial_number for each in shown}
    assert numbers[0] < numbers[1]


def test_journal_lines_are_whole_before_anyone_is_told(tmp_path: Path, make_counter: Counter) -> None:
    """Each issue is one line of JSON with its certificates, readable by any tool."""
    pki = TestPki.create(datetime.now(UTC))
    with SubCaServer(pki, state_dir=tmp_path) as ca:
        counter = make_counter(pki, ca)
        answer = counter.ask(gateway_package(pki, counter.device()), message_id="m")
        lines = [json.loads(line) for line in (tmp_path / "sub-ca.jsonl").read_text().splitlines()]

    issued = [line for line in lines if line["event"] == "issued"]
    assert [tuple(base64.b64decode(each) for each in line["certificates"]) for line in issued] == [answer.certificates]


def test_running_in_a_process_of_its_own(tmp_path: Path, make_counter: Counter) -> None:
    """``run_sub_ca`` takes a PKI from disk, says where it listens and ends when told."""
    pki = TestPki.create(datetime.now(UTC))
    pki.write(tmp_path / "pki")
    ready, stop, seen = threading.Event(), threading.Event(), []

    def greet(server: SubCaServer) -> None:
        seen.append(server)
        ready.set()

    runner = threading.Thread(
        target=run_sub_ca, args=(tmp_path / "pki", tmp_path / "state"), kwargs={"ready": greet, "stop": stop}
    )
    runner.start()
    assert ready.wait(10)
    answer = make_counter(pki, seen[0]).client.service_status(message_id="1")
    stop.set()
    runner.join(10)

    assert answer.return_code == "ok_received_correctly"
    assert not runner.is_alive()


# -- revocation lists and control by HTTP ------------------------------------------------------------------------------


def _http(method: str, url: str, body: object = None) -> tuple[int, bytes]:
    data = json.dumps(body).encode() if body is not None else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method), timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.requirement("WAN-3.3")
def test_every_authority_publishes_its_list(counter: Counter) -> None:
    """Root, Sub-CA and seal CA, at the file name of their distribution point."""
    pki, ca = counter.pki, counter.ca
    for authority in pki.authorities:
        status, der = _http("GET", ca.crl_url_of(authority))

        assert status == 200
        name = authority.certificate.subject.rfc4514_string()
        assert pki.trust.revocation_list(load_revocation_list(der)).issuer == name
        assert ca.crl_url_of(authority).rpartition("/")[2] == authority.crl_uri.rpartition("/")[2]
    assert _http("GET", ca.crl_url + "x")[0] == 404


@pytest.mark.requirement("WAN-3.3")
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


@pytest.mark.requirement("SIM-sub-ca")
def test_behaviour_is_told_and_changed_by_http(counter: Counter) -> None:
    """The demo switches moods from outside; nonsense is refused and changes nothing."""
    ca = counter.ca
    status, body = _http("PUT", ca.control_url, {"mode": "callback", "callback_delay": 5})

    assert (status, json.loads(body)["mode"]) == (200, "callback")
    assert ca.behaviour == Behaviour(Mode.CALLBACK, callback_delay=5)
    for nonsense in ({"mode": "angry"}, {"colour": "red"}, [], "x"):
        assert _http("PUT", ca.control_url, nonsense)[0] == 400
    assert json.loads(_http("GET", ca.control_url)[1])["callback_delay"] == 5
    assert _http("POST", ca.control_url, {"caller": "X.GWA", "callback_url": "https://x"})[0] == 200
    assert _http("POST", ca.control_url, {"caller": "X.GWA"})[0] == 400


# -- the wire itself ---------------------------------------------------------------------------------------------------


def _raw(counter: Counter, method: str, path: str, body: bytes, action: str = "") -> tuple[int, bytes]:
    context = counter.identity(counter.pki.gwa.tls).context(ssl.PROTOCOL_TLS_CLIENT)
    host, port = counter.ca.address
    wanted = urllib.request.Request(f"https://{host}:{port}{path}", body, {"SOAPAction": f'"{action}"'}, method=method)
    try:
        with urllib.request.urlopen(wanted, context=context, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_broken_soap_is_failure_syntax_of_its_operation(counter: Counter) -> None:
    """The soapAction tells whose response it is; without one there is only a SOAP fault."""
    status, body = _raw(counter, "POST", "/SmartMeterService", b"<no/>", "GetServiceStatus")
    fault, _ = _raw(counter, "POST", "/SmartMeterService", b"<no/>")

    assert (status, b"GetServiceStatus_Res" in body, b"failure_syntax" in body) == (200, True, True)
    assert fault == 500


def test_other_paths_and_methods_are_refused(counter: Counter) -> None:
    """The service answers POST at one path."""
    assert _raw(counter, "POST", "/else", b"x")[0] == 404
    assert _raw(counter, "PUT", "/SmartMeterService", b"x")[0] == 405


def test_openssl_reaches_the_service(counter: Counter, openssl: Callable[..., bytes], tmp_path: Path) -> None:
    """A foreign TLS client with the GWA's certificate gets through; brainpool, TLS 1.2, an approved suite."""
    pki, (host, port) = counter.pki, counter.ca.address
    (tmp_path / "cert").write_bytes(pki.gwa.tls.certificate_pem)
    (tmp_path / "chain").write_bytes(_pem(pki.trust_chain))
    (tmp_path / "key").write_bytes(pki.gwa.tls.key_pem)

    said = openssl(
        *("s_client", "-connect", f"{host}:{port}", "-CAfile", tmp_path / "chain", "-tls1_2"),
        *("-groups", "brainpoolP256r1", "-cert", tmp_path / "cert", "-key", tmp_path / "key"),
        *("-verify_return_error", "-cert_chain", tmp_path / "chain"),
        stdin=b"Q\n",
    ).decode()

    assert "Verify return code: 0 (ok)" in said
    assert "Cipher is ECDHE-ECDSA-AES" in said
    assert "Protocol  : TLSv1.2" in said


_STRANGERS: list[tuple[str, Callable[[TestPki], Credential]]] = [
    ("another PKI", lambda pki: pki.foreign.gwa.tls),
    ("SIG instead of TLS", lambda pki: pki.gwa.sig),
    ("a gateway", lambda pki: pki.seal_triple("EPPC0212345678").tls),
    ("revoked", lambda pki: pki.faulty_triple(Fault.REVOKED, Role.GWA, "Gesperrt").tls),
    ("expired", lambda pki: pki.faulty_triple(Fault.EXPIRED, Role.GWA, "Alt").tls),
]


@pytest.mark.parametrize("shown", [row[1] for row in _STRANGERS], ids=[row[0] for row in _STRANGERS])
def test_strangers_are_turned_away(counter: Counter, shown: Callable[[TestPki], Credential]) -> None:
    """§1.2: only valid TLS certificates of market participants may use the service."""
    pki, credential = counter.pki, shown(counter.pki)
    owner = pki.foreign if credential is pki.foreign.gwa.tls else pki
    chain = _pem(owner.chain_of(credential.certificate))
    client = SmPkiClient(counter.ca.url, TlsIdentity(chain, credential.key_pem, _pem(pki.trust_chain)))

    with pytest.raises(Refusal) as caught:
        client.service_status(message_id="1")

    assert caught.value.code in ("ca.unreachable", "ca.protocol")
