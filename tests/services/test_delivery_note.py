"""Delivery notes device by device: what is imported, what is refused, and what a repeat answers (P01)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError

from torwart.config import site as sites
from torwart.kernel.refusals import Refusal
from torwart.services import client as clients
from torwart.services import delivery_note as notes
from torwart.sim.gateway.config import GatewayConfig
from torwart.sim.gateway.manufacture import device_ids, initial_config, make_device
from torwart.sim.pki import TestPki
from torwart.store.models import AuditEntry, Certificate, DeliveryNoteItem, Gateway, Meter
from torwart.wire import cms

NOWHERE = ("127.0.0.1", 1)


@pytest.fixture
def site(own_database: str, tmp_path: Path) -> sites.Site:
    """A fresh installation's data: PKI, keys, client."""
    return sites.create(tmp_path / "site", database=own_database)


def _made(pki: TestPki, count: int, *, first: int = 1) -> list[GatewayConfig]:
    initial = initial_config(pki, management=NOWHERE, admin_service=NOWHERE, ntp=NOWHERE)
    return [make_device(pki, device, initial) for device in device_ids(count, first=first)]


def _import(site: sites.Site, note: bytes, client: int | None = None) -> notes.Report:
    return notes.import_note(
        note,
        client=client or site.client,
        keys=site.keys,
        trust=site.pki.trust,
        makers=[site.pki.gwh.sig.certificate],
        at=datetime.now(UTC),
        actor="test",
    )


@pytest.mark.requirement("P01")
def test_devices_come_with_seal_certificates_and_keys(site: sites.Site) -> None:
    """A gateway is delivered with its three seal certificates, a meter with its key in the key store."""
    (made,) = _made(site.pki, 1)
    report = _import(site, sites.signed_note(site, [made]))
    (meter,) = made.meters

    assert (report.imported, report.repeated) == (2, False)
    gateway = Gateway.objects.get(device_id=made.device)
    assert (gateway.state, gateway.client_id, gateway.firmware) == ("delivered", site.client, sites.FIRMWARE)
    seals = Certificate.objects.filter(gateway=gateway)
    assert {(c.use, c.seal, c.state) for c in seals} == {(use, True, "active") for use in ("TLS", "SIG", "ENC")}
    assert site.keys.secret(Meter.objects.get(device_id=meter.device).key_label) == meter.key
    entry = AuditEntry.objects.get(action="delivery_note.imported")
    assert (entry.payload["imported"], entry.client_id) == (2, site.client)


@pytest.mark.requirement("P01")
def test_the_same_note_again_gets_the_first_answer(site: sites.Site) -> None:
    """A repeat imports nothing and answers what was answered first."""
    note = sites.signed_note(site, _made(site.pki, 1))
    first = _import(site, note)
    again = _import(site, note)

    assert again == replace(first, repeated=True)
    assert again.devices == first.devices
    assert (Gateway.objects.count(), DeliveryNoteItem.objects.count()) == (1, 2)


@pytest.mark.requirement("P01")
def test_a_number_is_used_once_by_its_maker(site: sites.Site) -> None:
    """Another content under the number of an imported note is refused by name, and nothing of it comes in."""
    devices = _made(site.pki, 2)
    _import(site, sites.signed_note(site, devices[:1]))
    assert _refused(site, sites.signed_note(site, devices)) == "els.number_used"
    assert Gateway.objects.count() == 1


@pytest.mark.requirement("P01")
def test_a_bad_device_does_not_stop_good_ones(site: sites.Site) -> None:
    """One with another's seal certificates is refused by name and reason, all others are imported."""
    good, bad, other = _made(site.pki, 3)
    swapped = replace(bad, seal=other.seal, meters=())
    report = _import(site, sites.signed_note(site, [swapped, good]))

    assert [(d.device, d.result, d.code) for d in report.devices if d.result == "refused"] == [
        (bad.device, "refused", "els.identity")
    ]
    assert report.imported == 2
    assert not Gateway.objects.filter(device_id=bad.device).exists()
    assert Gateway.objects.filter(device_id=good.device).exists()


@pytest.mark.requirement("P01")
def test_seal_certificates_of_a_foreign_ca_are_refused(site: sites.Site, pki: TestPki) -> None:
    """A quality seal must chain to a maker's CA we trust."""
    foreign = replace(_made(pki, 1)[0], meters=())
    (refused,) = _import(site, sites.signed_note(site, [foreign])).devices

    assert (refused.result, refused.code.partition(".")[0]) == ("refused", "pki")
    assert refused.de
    assert refused.en


@pytest.mark.requirement("P01")
def test_a_note_signed_by_somebody_else_is_refused(site: sites.Site, pki: TestPki) -> None:
    """Only makers we know deliver; nothing of the note is kept."""
    note = sites.signed_note(site, _made(site.pki, 1))
    content = cms.verify(note, signers=_signers(site.pki)).content
    stranger = cms.LocalSigner(pki.gwh.sig.key, pki.gwh.sig.certificate)
    with pytest.raises(Refusal) as refused:
        _import(site, cms.sign(content, signer=stranger, certificate=pki.gwh.sig.certificate))

    assert refused.value.code == "cms.signer_unknown"
    assert not Gateway.objects.exists()


STRANGER_CODE = "9904628000007"


def _stranger(site: sites.Site) -> int:
    """Another client with a code number and GWA keys of its own."""
    client = clients.create("Nachbarwerke", actor="test")
    clients.add_participant(client, STRANGER_CODE, "Nachbarwerke", actor="test", now=datetime.now(UTC))
    other = replace(site, client=client)
    sites.key_set(other)
    return client


def _refused(site: sites.Site, note: bytes, client: int | None = None) -> str:
    with pytest.raises(Refusal) as refused:
        _import(site, note, client)
    return refused.value.code


def _signers(pki: TestPki) -> dict[bytes, Any]:
    maker = pki.gwh.sig.certificate
    return {cms.ski_of(maker): cms.keys.public_key_of(maker)}


@pytest.mark.requirement("P01", "MsbG-52")
def test_a_secret_for_another_certificate_is_refused(site: sites.Site, pki: TestPki) -> None:
    """A meter's key sealed for somebody else's certificate is of no use: the meter is refused, the gateway is not."""
    ours = site.pki.gwa
    site.pki.gwa = pki.gwa
    note = sites.signed_note(site, _made(site.pki, 1))
    site.pki.gwa = ours
    report = _import(site, note)

    assert {d.result: d.code for d in report.devices} == {"imported": "", "refused": "els.secret"}
    assert not Meter.objects.exists()


@pytest.mark.requirement("P01", "P-1")
def test_another_clients_note_is_answered_like_one_for_nobody(site: sites.Site) -> None:
    """Whoever sends in a note that is issued to another client hears the same whether it was imported or not."""
    stranger = _stranger(site)
    note = sites.signed_note(site, _made(site.pki, 1))
    before = _refused(site, note, stranger)
    _import(site, note)

    assert (before, _refused(site, note, stranger)) == ("els.recipient", "els.recipient")


@pytest.mark.requirement("P01", "P-1")
def test_devices_and_numbers_of_another_client_are_taken(site: sites.Site) -> None:
    """A device and a note number belong to one client; the answer to another one does not say to whom."""
    stranger = _stranger(site)
    devices = _made(site.pki, 1)
    _import(site, sites.signed_note(site, devices, number="LS-1"))
    theirs = {"operator": "Nachbarwerke", "operator_code": STRANGER_CODE}
    assert _refused(site, sites.signed_note(site, devices, number="LS-1", **theirs), stranger) == "els.taken"

    report = _import(site, sites.signed_note(site, devices, number="LS-2", **theirs), stranger)
    assert {(d.result, d.code) for d in report.devices} == {("refused", "els.taken")}
    assert not any(sites.OPERATOR in text for d in report.devices for text in (d.de, d.en))
    again = _import(site, sites.signed_note(site, devices, number="LS-3"))
    assert (again.known, again.total) == (2, 2)


@pytest.mark.requirement("P01")
@pytest.mark.parametrize(
    "damage", [lambda note: note[:-40], lambda note: b"", lambda note: note[:200] + b"\0" + note[201:]]
)
def test_a_damaged_note_is_refused_whole(site: sites.Site, damage: Callable[[bytes], bytes]) -> None:
    """Cut, empty or altered on its way: refused, nothing kept, and the whole one can be imported afterwards."""
    note = sites.signed_note(site, _made(site.pki, 1))
    with pytest.raises(Refusal):
        _import(site, damage(note))

    assert not Gateway.objects.exists()
    assert _import(site, note).imported == 2


def test_two_gateways_cannot_have_one_number(site: sites.Site) -> None:
    """The database itself holds a device number once."""
    Gateway.objects.create(device_id="EPPC0200000001", client_id=site.client, state="delivered")
    with pytest.raises(IntegrityError):
        Gateway.objects.create(device_id="EPPC0200000001", client_id=site.client, state="delivered")
