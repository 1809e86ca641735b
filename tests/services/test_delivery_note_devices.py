"""Delivery notes device by device: what is imported, what is refused and why (P01)."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from delivering import STRANGER_CODE, bring, made, refusals, refused_with, stranger_of
from django.db import IntegrityError

from torwart.config import site as sites
from torwart.services.delivery_note import batch
from torwart.sim.pki import TestPki
from torwart.store.models import Custody, Gateway, Meter
from torwart.wire import cms, els


@pytest.fixture
def site(own_database: str, tmp_path: Path) -> sites.Site:
    """A fresh installation's data: PKI, keys, client."""
    return sites.create(tmp_path / "site", database=own_database)


@pytest.mark.requirement("P01")
def test_a_bad_device_does_not_stop_good_ones(site: sites.Site) -> None:
    """One with another's seal certificates is refused by name and reason, all others are imported."""
    good, bad, other = made(site.pki, 3)
    swapped = replace(bad, seal=other.seal, meters=())
    report = bring(site, sites.signed_note(site, [swapped, good]))

    assert [(d.device, d.result, d.code) for d in report.devices if d.result == "refused"] == [
        (bad.device, "refused", "els.identity")
    ]
    assert report.imported == 2
    assert not Gateway.objects.filter(device_id=bad.device).exists()
    assert Gateway.objects.filter(device_id=good.device).exists()


@pytest.mark.requirement("P01")
def test_seal_certificates_of_a_foreign_ca_are_refused(site: sites.Site, pki: TestPki) -> None:
    """A quality seal must chain to a maker's CA we trust."""
    foreign = replace(made(pki, 1)[0], meters=())
    (refused,) = bring(site, sites.signed_note(site, [foreign])).devices

    assert (refused.result, refused.code.partition(".")[0]) == ("refused", "pki")
    assert refused.de
    assert refused.en


@pytest.mark.requirement("P01", "MsbG-52")
def test_a_secret_for_another_certificate_is_refused(site: sites.Site, pki: TestPki) -> None:
    """A meter's key sealed for somebody else's certificate is of no use: the meter is refused, the gateway is not."""
    ours = site.pki.gwa
    site.pki.gwa = pki.gwa
    note = sites.signed_note(site, made(site.pki, 1))
    site.pki.gwa = ours
    report = bring(site, note)

    assert {d.result: d.code for d in report.devices} == {"imported": "", "refused": "els.secret"}
    assert not Meter.objects.exists()


@pytest.mark.requirement("P01")
def test_each_device_is_refused_for_its_own_reason(site: sites.Site) -> None:
    """Number, kind, type, firmware, CC certificate, carrier, secret: by name, in the note's order, and not stored."""
    gateway, meter = sites.items(site, made(site.pki, 1))
    others = list(sites.items(site, [replace(each, meters=()) for each in made(site.pki, 4, first=2)]))
    short = cms.seal(b"too short", recipient=cms.Recipient.of(site.pki.gwa.enc.certificate))
    (secret,) = meter.secrets
    wrong = [
        replace(meter, id="1EMH00000000AB"),
        replace(meter, id="EPPC0200000099"),
        replace(meter, id="1EMH0000000011", maker_type="unbekannt"),
        replace(meter, id="1EMH0000000012", secrets=(replace(secret, envelope=short),)),
        replace(meter, id="1EMH0000000013", secrets=(replace(secret, recipient=bytes(32)),)),
        replace(meter, id="1EMH0000000014", secrets=(replace(secret, envelope=b"no cms"),)),
        replace(others[0], firmware="0.0.0"),
        replace(others[1], cc_certificate="BSI-DSZ-CC-0000"),
        replace(others[2], cc_certificate=""),
        replace(others[3], carrier="BOX-9"),
    ]
    report = bring(site, sites.signed_items(site, [*wrong, gateway, meter]))

    assert refusals(report) == [
        ("1EMH00000000AB", "identifier.character"),
        ("EPPC0200000099", "els.kind"),
        ("1EMH0000000011", "els.type_unknown"),
        ("1EMH0000000012", "els.secret"),
        ("1EMH0000000013", "els.secret"),
        ("1EMH0000000014", "els.secret"),
        (others[0].id, "els.type_unknown"),
        (others[1].id, "els.cc_unknown"),
        (others[2].id, "els.cc_unknown"),
        (others[3].id, "els.carrier"),
    ]
    assert (report.imported, report.refused) == (2, len(wrong))
    assert (Gateway.objects.count(), Meter.objects.count(), Custody.objects.count()) == (1, 1, 2)
    assert len(site.keys.labels(f"client-{site.client}.1emh")) == 1


@pytest.mark.requirement("P01")
@pytest.mark.parametrize("size", [2000, 1], ids=["in one batch", "in several"])
def test_a_device_counts_once_in_a_note(site: sites.Site, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first entry of a device is taken, every further one is refused, and its secret stays what it was."""
    monkeypatch.setattr(batch, "_SIZE", size)
    gateway, meter = sites.items(site, made(site.pki, 1))
    other = cms.seal(b"another MK0 here", recipient=cms.Recipient.of(site.pki.gwa.enc.certificate))
    again = replace(meter, secrets=(replace(meter.secrets[0], envelope=other),))
    report = bring(site, sites.signed_items(site, [meter, gateway, again, gateway]))

    assert refusals(report) == [(meter.id, "els.twice"), (gateway.id, "els.twice")]
    assert report.imported == 2
    assert site.keys.secret(Meter.objects.get().key_label) != b"another MK0 here"


@pytest.mark.requirement("P01")
def test_a_ca_gives_a_serial_number_once(site: sites.Site) -> None:
    """A second certificate with a serial number its CA has used is refused, in the same note and in another one."""
    first, second = sites.items(site, [replace(each, meters=()) for each in made(site.pki, 2)])
    copy = site.pki.seal_ca.credential.key
    tls = x509.load_der_x509_certificate(first.tls)
    forged = _with_serial(x509.load_der_x509_certificate(second.tls), tls.serial_number, copy)
    second = replace(second, tls=forged)

    assert refusals(bring(site, sites.signed_items(site, [first, second], number="LS-1"))) == [
        (second.id, "els.certificate_used")
    ]
    assert refusals(bring(site, sites.signed_items(site, [second], number="LS-2"))) == [
        (second.id, "els.certificate_used")
    ]


def _with_serial(certificate: x509.Certificate, serial: int, key: ec.EllipticCurvePrivateKey) -> bytes:
    builder = x509.CertificateBuilder(
        certificate.issuer,
        certificate.subject,
        certificate.public_key(),
        serial,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        list(certificate.extensions),
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.requirement("P01")
def test_a_control_unit_is_kept_with_its_secrets(site: sites.Site) -> None:
    """It has no life of its own yet: we know where it is, what it is, and keep what opens it."""
    enc = site.pki.gwa.enc.certificate
    secrets = tuple(
        els.Secret("SONSTIGES", enc.fingerprint(hashes.SHA256()), cms.seal(text, recipient=cms.Recipient.of(enc)))
        for text in (b"first", b"second")
    )
    box = els.ControlItem(id="1EFR0100000815", maker_type="Steuerbox S1", firmware="2.0", secrets=secrets)
    bring(site, sites.signed_items(site, [box]))
    label = Custody.objects.get(device_id=box.id).details["secrets"]["SONSTIGES"]

    assert [site.keys.secret(each) for each in (label, f"{label}.2")] == [b"first", b"second"]
    assert bring(site, sites.signed_items(site, [box], number="LS-2")).known == 1


def test_two_gateways_cannot_have_one_number(site: sites.Site) -> None:
    """The database itself holds a device number once."""
    Gateway.objects.create(device_id="EPPC0200000001", client_id=site.client, state="delivered")
    with pytest.raises(IntegrityError):
        Gateway.objects.create(device_id="EPPC0200000001", client_id=site.client, state="delivered")


@pytest.mark.requirement("P01", "P-1")
def test_devices_and_numbers_of_another_client_are_taken(site: sites.Site) -> None:
    """A device and a note number belong to one client; the answer to another one does not say to whom."""
    stranger = stranger_of(site)
    devices = made(site.pki, 1)
    bring(site, sites.signed_note(site, devices, number="LS-1"))
    theirs = {"operator": "Nachbarwerke", "operator_code": STRANGER_CODE}
    assert refused_with(site, sites.signed_note(site, devices, number="LS-1", **theirs), stranger) == "els.taken"

    report = bring(site, sites.signed_note(site, devices, number="LS-2", **theirs), stranger)
    assert {(d.result, d.code) for d in report.devices} == {("refused", "els.taken")}
    assert not any(sites.OPERATOR in text for d in report.devices for text in (d.de, d.en))
    again = bring(site, sites.signed_note(site, devices, number="LS-3"))
    assert (again.known, again.total) == (2, 2)
