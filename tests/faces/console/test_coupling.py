"""A client's system coupled, judged, suspended and uncoupled by the provider (R-4)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import portal_world
import pytest
from console_world import Office, Shown, Web, get
from cryptography.hazmat.primitives.hashes import SHA256
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from portal_world import Town

from torwart.kernel.refusals import Refusal
from torwart.services import interface, present
from torwart.sim.pki import TestPki
from torwart.store.models import AuditEntry, Certificate, Coupling, Emt
from torwart.wire.certificate import Role, identify
from torwart.wire.certificate.names import display_name

pytestmark = pytest.mark.requirement("R-4")
NAME = "Stadtwerk Koblenz.EMT"
MONDAY = datetime(2026, 11, 23, 9, 40, tzinfo=UTC)


@pytest.fixture(scope="module")
def ours() -> TestPki:
    """Made an hour before the present of these pages."""
    return TestPki.create(MONDAY - timedelta(hours=1))


@pytest.fixture
def home(people: Office) -> Town:
    return portal_world.town()


def send(web: Any, path: str, **values: Any) -> Shown:
    return Shown(web.post(f"/konsole/auftraggeber/{path}", values, follow=True))


def upload(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("zertifikat", content)


def hidden(shown: Shown) -> Mapping[str, str]:
    """What the second page carries from the first."""
    inputs = shown._root.xpath("//main//input[@type='hidden' and @name!='csrfmiddlewaretoken']")
    return {each.get("name"): each.get("value") for each in inputs}


def pem(pki: TestPki) -> bytes:
    """Root and Sub-CA."""
    return b"".join(each.credential.certificate_pem for each in (pki.root, pki.sub_ca))


def test_a_system_is_coupled_judged_and_uncoupled(people: Office, web: Web, home: Town) -> None:
    """Each step is audited with who did it, and the page says what holds."""
    admin, pk = web(people.administrator), home.client
    interface.couple(pk, NAME, software="EMT Pro", software_version="3.1", actor="test")
    row = Coupling.objects.get()
    assert (row.client_id, row.compatibility) == (pk, "unknown")
    path, old = f"{pk}/kopplung/{row.pk}/", {"software": "EMT Pro", "software_version": "3.1"}
    send(admin, path, verdict="incompatible", reason="3.1 ist zu alt", **old)
    shown = get(admin, f"/konsole/auftraggeber/{pk}/kopplung/")
    assert "ausgesetzt" in shown.text
    assert "3.1 ist zu alt" in shown.text
    silent = send(admin, path, verdict="incompatible", **old)
    assert (silent.status, "warum" in silent.text) == (422, True)
    assert send(admin, path, verdict="unknown", reason="x", **old).status == 422
    send(admin, path, software="EMT Pro", software_version="3.2", verdict="compatible", reason="")
    send(admin, f"{pk}/kopplung/{row.pk}/entkoppeln/")
    row.refresh_from_db()
    assert (row.compatibility, row.software_version, row.active) == ("compatible", "3.2", False)
    trail = AuditEntry.objects.filter(subject=f"coupling:{NAME}").order_by("id")
    actor = f"user:{people.administrator.email}"
    assert list(trail.values_list("action", "actor")) == [
        ("interface.coupled", "test"),
        ("interface.incompatible", actor),
        ("interface.compatible", actor),
        ("interface.uncoupled", actor),
    ]


def test_an_uncoupled_system_is_turned_away(home: Town, pki: Any) -> None:
    """From that moment on, whatever certificate it shows."""
    from torwart.wire.certificate import identify

    certificate, now = pki.emt.tls.certificate, datetime.now(UTC)
    name = identify(certificate).common_name
    pk = interface.couple(home.client, name, software="", software_version="", actor="test")
    assert interface.peer(pki.emt.tls.certificate_der, now).client == home.client
    interface.uncouple(pk, actor="test", now=now)

    with pytest.raises(Refusal, match="not_coupled"):
        interface.peer(pki.emt.tls.certificate_der, now)


def test_a_system_is_coupled_by_its_certificate_after_a_look(
    people: Office, web: Web, home: Town, ours: TestPki
) -> None:
    """The first page reads PEM or DER and shows name, chain and validity; only the second one couples."""
    admin, path = web(people.administrator), f"{home.client}/kopplung/neu/"
    leaf = ours.emt.tls
    name = identify(leaf.certificate).common_name
    fingerprint = leaf.certificate.fingerprint(SHA256()).hex()
    assert "EMT-TLS-Zertifikat" in get(admin, f"/konsole/auftraggeber/{path}").text
    for sent in (leaf.certificate_der, leaf.certificate_pem + pem(ours)):
        shown = send(admin, path, file=upload(sent), software="EMT Pro", software_version="3.1")
        assert shown.status == 200
        assert not Coupling.objects.exists()
        assert all(each in shown.text for each in (name, fingerprint, "EMT Pro", "hier nicht geprüft"))
    assert (
        f"{display_name(ours.sub_ca.credential.certificate)} → {display_name(ours.root.credential.certificate)}"
        in shown.text
    )
    send(admin, path, **hidden(shown))
    row = Coupling.objects.get()

    assert (row.client_id, row.common_name, row.software, row.software_version) == (home.client, name, "EMT Pro", "3.1")
    assert AuditEntry.objects.get(action="interface.coupled").payload["certificate"] == fingerprint


def test_what_is_no_emt_certificate_for_tls_is_refused_by_name(
    people: Office, web: Web, home: Town, ours: TestPki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with its own sentence, and nothing is coupled: another role or use, garbage, a key, an ended one."""
    admin, path = web(people.administrator), f"{home.client}/kopplung/neu/"
    stranger = TestPki.create(MONDAY - timedelta(hours=1))
    sent: dict[str, bytes] = {
        "GWA": ours.gwa.tls.certificate_der,
        "Es fehlt das Zertifikat für TLS; gefunden: SIG": ours.emt.sig.certificate_der,
        "privaten Schlüssel": ours.emt.tls.certificate_pem + ours.emt.tls.key_pem,
        "lesbar": b"nichts davon",
        "Unterschrift des Ausstellers": ours.emt.tls.certificate_pem + pem(stranger),
    }
    for said, file in sent.items():
        refused = send(admin, path, file=upload(file))
        assert (refused.status, said in refused.text) == (422, True), said
    monkeypatch.setattr(present, "now", lambda: MONDAY + timedelta(days=4000))
    late = web(people.administrator)
    assert send(late, path, file=upload(ours.emt.tls.certificate_der)).status == 422
    assert not Coupling.objects.exists()


def test_with_our_own_root_a_strangers_certificate_is_refused(
    people: Office, web: Web, home: Town, ours: TestPki, tmp_path: Path
) -> None:
    """``TORWART_SMPKI``: what does not lead to it is refused, what does is said to."""
    admin, path = web(people.administrator), f"{home.client}/kopplung/neu/"
    other = TestPki.create(MONDAY - timedelta(hours=1))
    for name, known, status in (("ours", ours, 200), ("other", other, 422)):
        (tmp_path / name).write_bytes(pem(known))
        with override_settings(TORWART_SMPKI=str(tmp_path / name)):
            shown = send(admin, path, file=upload(ours.emt.tls.certificate_der))
        assert shown.status == status
        assert ("führt zu unserer Wurzel" in shown.text) == (status == 200)


def test_a_name_serves_one_client_and_pages_show_only_their_own(
    people: Office, web: Web, home: Town, ours: TestPki
) -> None:
    """A second client cannot have the same certificate; a coupling is not found below another client."""
    other = portal_world.town("Nachbarwerke", tag="b")
    admin, name = web(people.administrator), identify(ours.emt.tls.certificate).common_name
    interface.couple(home.client, name, software="", software_version="", actor="test")
    given = {"software": "", "software_version": "", "certificates": ours.emt.tls.certificate_pem.decode()}
    refused = send(admin, f"{other.client}/kopplung/neu/", **given)
    assert (refused.status, "dient nur einem" in refused.text) == (422, True)
    assert Coupling.objects.count() == 1
    assert admin.get(f"/konsole/auftraggeber/{other.client}/kopplung/{Coupling.objects.get().pk}/").status_code == 404


@pytest.mark.requirement("P13")
def test_an_emt_is_recorded_with_its_three_certificates_and_renewed(
    people: Office, web: Web, home: Town, ours: TestPki
) -> None:
    """One file or three; orders can name it; under the same name it gets a new address and new certificates."""
    admin, path = web(people.administrator), f"{home.client}/emt/eintragen/"
    first = ours.issue_triple(Role.EMT, "Messwerte Mosel", unit="9903100000006")
    files = [upload(each.certificate_der) for each in (first.enc, first.tls, first.sig)]
    values = {"name": "Messwerte Mosel", "endpoint": "emt.mosel.example:8443/cls"}
    shown = send(admin, path, file=files[0], second=files[1], third=files[2], **values)
    assert not Emt.objects.filter(name="Messwerte Mosel").exists()
    send(admin, path, **hidden(shown))
    row = Emt.objects.get(name="Messwerte Mosel")
    assert (row.client_id, row.endpoint, row.code) == (home.client, "emt.mosel.example:8443/cls", "9903100000006")
    assert sorted(row.certificates.values_list("use", flat=True)) == ["ENC", "SIG", "TLS"]
    page = get(web(people.operator), f"/konsole/auftraggeber/{home.client}/emt/").text
    assert all(each in page for each in ("Messwerte Mosel", "9903100000006", "emt.mosel.example:8443/cls"))
    assert "emt.mosel.example" in get(admin, f"/konsole/auftraggeber/{path}?name=Messwerte+Mosel").text
    renewed = ours.issue_triple(Role.EMT, "Messwerte Mosel", unit="9903100000006")
    together = b"".join(each.certificate_pem for each in (renewed.tls, renewed.sig, renewed.enc))
    send(admin, path, **hidden(send(admin, path, file=upload(together), **(values | {"endpoint": "neu.example:1"}))))

    assert Emt.objects.get(name="Messwerte Mosel").endpoint == "neu.example:1"
    assert row.certificates.count() == 6
    assert AuditEntry.objects.filter(action="emt.registered", subject=f"emt:{row.pk}").count() == 2


@pytest.mark.requirement("P13", "P-1")
def test_what_does_not_make_an_emt_is_refused(people: Office, web: Web, home: Town, ours: TestPki) -> None:
    """Missing uses, two parties, an address that is none, what is revoked, and what serves somebody else already."""
    admin, path = web(people.administrator), f"{home.client}/emt/eintragen/"
    own, others = (ours.issue_triple(Role.EMT, name, unit="9903100000006") for name in ("Eins", "Zwei"))
    two = own.tls.certificate_pem + own.sig.certificate_pem
    whole = two + own.enc.certificate_pem
    refused = (
        (two, "a:1", "Es fehlt das Zertifikat für ENC; gefunden: TLS, SIG"),
        (two + others.enc.certificate_pem, "a:1", "gehören nicht zusammen: Eins.EMT, Zwei.EMT"),
    )
    for sent, endpoint, said in refused:
        shown = send(admin, path, file=upload(sent), name="Eins", endpoint=endpoint)
        assert (shown.status, said in shown.text) == (422, True), said
    carried = {"name": "Eins", "certificates": whole.decode()}
    for endpoint in ("emt.example", "emt.example:0", "emt example:1", "https://emt.example:1"):
        shown = send(admin, path, endpoint=endpoint, **carried)
        assert (shown.status, "keine Adresse" in shown.text) == (422, True), endpoint
    neighbour = portal_world.town("Nachbarwerke", tag="b")
    assert send(admin, f"{neighbour.client}/emt/eintragen/", endpoint="a:1", **carried).status == 200
    taken = send(admin, path, endpoint="a:1", **carried)
    assert (taken.status, "für einen anderen EMT" in taken.text) == (422, True)
    assert "Nachbarwerke" not in taken.text
    Certificate.objects.filter(emt__name="Eins").update(state="revoked")
    again = send(admin, f"{neighbour.client}/emt/eintragen/", endpoint="a:1", **carried)
    assert again.status == 422
    assert not Certificate.objects.filter(emt__name="Eins").exclude(state="revoked").exists()
    assert not Emt.objects.filter(client=home.client, name="Eins").exists()


def test_only_administrators_couple(people: Office, web: Web, home: Town) -> None:
    """Operators see the couplings; the verbs are not there for them."""
    operator = web(people.operator)
    assert operator.get(f"/konsole/auftraggeber/{home.client}/kopplung/").status_code == 200
    assert operator.get(f"/konsole/auftraggeber/{home.client}/kopplung/neu/").status_code == 404
