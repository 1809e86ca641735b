"""Delivery notes as a whole: who may send what to whom, what a repeat answers, in which forms they come (P01)."""

import csv
import io
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from delivering import STRANGER_CODE, bring, made, refused_with, stranger_of

from torwart.config import site as sites
from torwart.kernel.refusals import Refusal
from torwart.sim.pki import TestPki
from torwart.store.models import AuditEntry, Certificate, Custody, DeliveryNote, DeliveryNoteItem, Gateway, Meter
from torwart.wire import cms
from torwart.wire.els import csv_form


@pytest.fixture
def site(own_database: str, tmp_path: Path) -> sites.Site:
    """A fresh installation's data: PKI, keys, client."""
    return sites.create(tmp_path / "site", database=own_database)


@pytest.mark.requirement("P01")
def test_devices_come_with_seal_certificates_and_keys(site: sites.Site) -> None:
    """A gateway is delivered with its three seal certificates, a meter with its key in the key store."""
    (device,) = made(site.pki, 1)
    report = bring(site, sites.signed_note(site, [device]))
    (meter,) = device.meters

    assert (report.imported, report.repeated) == (2, False)
    gateway = Gateway.objects.get(device_id=device.device)
    assert (gateway.state, gateway.client_id, gateway.firmware) == ("delivered", site.client, sites.FIRMWARE)
    seals = Certificate.objects.filter(gateway=gateway)
    assert {(c.use, c.seal, c.state) for c in seals} == {(use, True, "active") for use in ("TLS", "SIG", "ENC")}
    assert site.keys.secret(Meter.objects.get(device_id=meter.device).key_label) == meter.key
    entry = AuditEntry.objects.get(action="delivery_note.imported")
    assert (entry.payload["imported"], entry.client_id) == (2, site.client)


@pytest.mark.requirement("P01")
def test_the_same_note_again_gets_the_first_answer(site: sites.Site) -> None:
    """A repeat imports nothing and answers what was answered first."""
    note = sites.signed_note(site, made(site.pki, 1))
    first = bring(site, note)
    again = bring(site, note)

    assert again == replace(first, repeated=True)
    assert again.devices == first.devices
    assert (Gateway.objects.count(), DeliveryNoteItem.objects.count()) == (1, 2)


@pytest.mark.requirement("P01")
def test_a_number_is_used_once_by_its_maker(site: sites.Site) -> None:
    """Another content under the number of an imported note is refused by name, and nothing of it comes in."""
    devices = made(site.pki, 2)
    bring(site, sites.signed_note(site, devices[:1]))
    assert refused_with(site, sites.signed_note(site, devices)) == "els.number_used"
    assert Gateway.objects.count() == 1


@pytest.mark.requirement("P01")
def test_a_note_signed_by_somebody_else_is_refused(site: sites.Site, pki: TestPki) -> None:
    """Only makers we know deliver; nothing of the note is kept."""
    note = sites.signed_note(site, made(site.pki, 1))
    content = cms.verify(note, signers=_signers(site.pki)).content
    stranger = cms.LocalSigner(pki.gwh.sig.key, pki.gwh.sig.certificate)
    with pytest.raises(Refusal) as refused:
        bring(site, cms.sign(content, signer=stranger, certificate=pki.gwh.sig.certificate))

    assert refused.value.code == "cms.signer_unknown"
    assert not Gateway.objects.exists()


def _signers(pki: TestPki) -> dict[bytes, Any]:
    maker = pki.gwh.sig.certificate
    return {cms.ski_of(maker): cms.keys.public_key_of(maker)}


@pytest.mark.requirement("P01", "P-1")
def test_another_clients_note_is_answered_like_one_for_nobody(site: sites.Site) -> None:
    """Whoever sends in a note that is issued to another client hears the same whether it was imported or not."""
    stranger = stranger_of(site)
    note = sites.signed_note(site, made(site.pki, 1))
    before = refused_with(site, note, stranger)
    bring(site, note)

    assert (before, refused_with(site, note, stranger)) == ("els.recipient", "els.recipient")


@pytest.mark.requirement("P01")
@pytest.mark.parametrize(
    "damage", [lambda note: note[:-40], lambda note: b"", lambda note: note[:200] + b"\0" + note[201:]]
)
def test_a_damaged_note_is_refused_whole(site: sites.Site, damage: Callable[[bytes], bytes]) -> None:
    """Cut, empty or altered on its way: refused, nothing kept, and the whole one can be imported afterwards."""
    note = sites.signed_note(site, made(site.pki, 1))
    with pytest.raises(Refusal):
        bring(site, damage(note))

    assert not Gateway.objects.exists()
    assert bring(site, note).imported == 2


@pytest.mark.requirement("P01")
@pytest.mark.parametrize(
    ("head", "code"),
    [
        ({"maker": "Anderswerk AG", "maker_flag": "AND"}, "els.maker"),
        ({"operator_code": STRANGER_CODE}, "els.recipient"),
        ({"operator_code": "9905048000008"}, "identifier.check_digit"),
        ({"administrator": "Ein anderer GWA"}, "els.recipient"),
        ({"message_type": "STORNO"}, "els.message_type"),
        ({"message_type": "UEBERGABE_GWA"}, "els.message_type"),
        ({"message_type": "KORREKTUR"}, "els.replaces"),
        ({"message_type": "KORREKTUR", "replaces": "LS-0"}, "els.replaces"),
    ],
)
def test_a_note_for_others_or_of_another_kind_is_refused_whole(
    site: sites.Site, head: dict[str, str], code: str
) -> None:
    """Maker, recipient, administrator and kind of message are checked before any device; nothing is kept."""
    assert refused_with(site, sites.signed_note(site, made(site.pki, 1), **head)) == code
    assert not DeliveryNote.objects.exists()
    assert not Gateway.objects.exists()


@pytest.mark.requirement("P01")
@pytest.mark.parametrize("maker", [{"maker": "ppc"}, {"maker_flag": "XYZ", "maker": "PPC"}])
def test_a_maker_is_known_by_flag_or_name(site: sites.Site, maker: dict[str, str]) -> None:
    """The signer's certificate is issued to PPC: the note may give that as FLAG or as name."""
    assert bring(site, sites.signed_note(site, made(site.pki, 1), **maker)).imported == 2


@pytest.mark.requirement("P01")
def test_a_makers_certificate_is_in_date(site: sites.Site) -> None:
    """What was signed with a certificate that has ended by now is refused."""
    note = sites.signed_note(site, made(site.pki, 1))
    with pytest.raises(Refusal) as refused:
        bring(site, note, at=datetime.now(UTC) + timedelta(days=3 * 365))
    assert refused.value.code == "pki.expired"


@pytest.mark.requirement("P01")
def test_a_correction_brings_what_was_refused(site: sites.Site) -> None:
    """It names the first note; what had come in stays known, what was refused comes in now."""
    good, other = sites.items(site, [replace(each, meters=()) for each in made(site.pki, 2)])
    wrong = replace(other, firmware="0.0.0")
    bring(site, sites.signed_items(site, [good, wrong], number="LS-1"))
    report = bring(
        site, sites.signed_items(site, [good, other], number="LS-2", message_type="KORREKTUR", replaces="LS-1")
    )

    assert [(d.device, d.result) for d in report.devices] == [(good.id, "known"), (other.id, "imported")]
    assert (report.imported, report.known, report.refused) == (1, 1, 0)


@pytest.mark.requirement("P01")
def test_a_file_may_be_given_as_path_or_stream(site: sites.Site, tmp_path: Path) -> None:
    """Attachments lie on disk; they are read from there."""
    note = sites.signed_note(site, made(site.pki, 1))
    path = tmp_path / "lieferschein.p7m"
    path.write_bytes(note)
    first = bring(site, path)
    with path.open("rb") as file:
        again = bring(site, file)

    assert (first.imported, again) == (2, replace(first, repeated=True))


@pytest.mark.requirement("P01")
def test_a_signed_csv_form_is_imported(site: sites.Site) -> None:
    """Pilots send a signed CSV form: devices come in without secrets, a wrong row is refused by row and column."""
    (gateway, _) = sites.items(site, made(site.pki, 1))
    table = list(csv.DictReader(io.StringIO(csv_form.template()), delimiter=";"))
    seals = {f"SMGW-G-{use}": b64encode(getattr(gateway, use.lower())).decode() for use in ("TLS", "SIG", "ENC")}
    table[0] |= {"Geraetenummer": gateway.id, "HerstellerTyp": sites.GATEWAY_TYPE, "Firmwareversion": sites.FIRMWARE}
    table[0] |= seals
    table[1]["LMNAnbindung"] = "Funk"
    out = io.StringIO()
    writer = csv.DictWriter(out, csv_form.COLUMNS, delimiter=";")
    writer.writeheader()
    writer.writerows(table)
    maker = site.pki.gwh.sig
    report = bring(site, cms.sign(out.getvalue().encode(), signer=cms.LocalSigner(maker.key, maker.certificate)))

    assert [(d.device, d.result, d.code) for d in report.devices] == [
        (gateway.id, "imported", ""),
        ("1EMH0012345678", "refused", "els.cell"),
    ]
    assert Custody.objects.get().carrier.number == "BOX-7"
