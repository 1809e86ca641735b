"""Contacts: named, changed, taken out but never below two, certificates stored and tested."""

import re
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from portal_world import NOW, Town, mail_certificate, town

from torwart.services.sealed import seal
from torwart.store.models import Contact, ContactCertificate, MailOut


def _text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def _pem(email: str) -> bytes:
    return mail_certificate(email).public_bytes(serialization.Encoding.PEM)


PERSON = {
    "first_name": "Clara",
    "name": "Zander",
    "phone": "+49 261 99",
    "email": "clara@example.org",
    "language": "en",
}


@pytest.mark.requirement("P-3")
def test_contacts_are_named_changed_and_taken_out(home: Town, contact: Client) -> None:
    """A third one can leave again; with two nobody can."""
    page = _text(contact.get("/portal/ansprechpartner/"))
    assert "Austragen ist erst möglich" in page
    contact.post("/portal/ansprechpartner/neu/", PERSON)
    third = Contact.objects.get(email="clara@example.org")
    contact.post(f"/portal/ansprechpartner/{seal('contact', third.pk)}/", PERSON | {"phone": "+49 261 100"})
    third.refresh_from_db()
    assert third.phone == "+49 261 100"
    assert "Clara Zander austragen?" in _text(
        contact.get(f"/portal/ansprechpartner/{seal('contact', third.pk)}/austragen/")
    )
    contact.post(f"/portal/ansprechpartner/{seal('contact', third.pk)}/austragen/")
    third.refresh_from_db()
    assert not third.active
    last = Contact.objects.filter(client=home.client, active=True).first()
    refused = _text(contact.post(f"/portal/ansprechpartner/{seal('contact', last.pk)}/austragen/", follow=True))  # type: ignore[union-attr]

    assert "tw-alert" in refused
    assert Contact.objects.filter(client=home.client, active=True).count() == 2


@pytest.mark.requirement("O-5")
def test_a_wrong_entry_keeps_what_was_typed(home: Town, contact: Client) -> None:
    """The reason stands on top, the form as it was."""
    page = _text(contact.post("/portal/ansprechpartner/neu/", PERSON | {"email": "keine Adresse"}))

    assert "name@firma.de" in page
    assert 'value="Zander"' in page


@pytest.mark.requirement("S-MAIL-1", "S-MAIL-2")
def test_a_certificate_is_stored_and_its_test_goes_out(home: Town, contact: Client) -> None:
    """The upload brings the test mail; the list shows its state; the test can be sent again."""
    person = Contact.objects.get(email="bernd.busch.a@example.org")
    address = f"/portal/ansprechpartner/{seal('contact', person.pk)}/zertifikat/"
    file = SimpleUploadedFile("busch.pem", _pem(person.email))
    page = _text(contact.post(address, {"file": file}, follow=True))
    assert "Das Zertifikat ist hinterlegt" in page
    assert "Testmail gesendet" in page
    contact.post(f"/portal/ansprechpartner/{seal('contact', person.pk)}/test/")

    assert MailOut.objects.filter(contact=person, kind="contact.test").count() == 2


@pytest.mark.requirement("S-MAIL-1")
@pytest.mark.parametrize("content", [b"", b"nonsense", _pem("somebody@else.example")])
def test_what_is_no_certificate_of_this_contact_is_refused_at_the_field(
    home: Town, contact: Client, content: bytes
) -> None:
    """Nothing is stored, the reason stands at the file."""
    person = Contact.objects.get(email="bernd.busch.a@example.org")
    before = ContactCertificate.objects.count()
    file = SimpleUploadedFile("x.pem", content)
    page = _text(contact.post(f"/portal/ansprechpartner/{seal('contact', person.pk)}/zertifikat/", {"file": file}))

    assert 'id="id_file_error"' in page
    assert ContactCertificate.objects.count() == before


@pytest.mark.requirement("S-MAIL-4")
def test_a_certificate_near_its_end_waits_on_the_start_page(home: Town, contact: Client) -> None:
    """Only as long as no longer one is tested."""
    person = Contact.objects.get(email="bernd.busch.a@example.org")
    person.certificates.update(state="expiring", not_after=NOW + timedelta(days=20))
    assert "Mail-Zertifikat von Bernd Busch erneuern" in _text(contact.get("/portal/"))
    longer = person.certificates.get()
    longer.pk, longer.fingerprint, longer.state = None, "f" * 64, "tested"
    longer.not_after = NOW + timedelta(days=500)
    longer.save()

    assert "Bernd Busch erneuern" not in _text(contact.get("/portal/"))


@pytest.mark.requirement("P-3")
def test_a_new_client_sees_what_is_still_to_be_done(db: None, visitor: Any) -> None:
    """Two named, none tested; ordering opens by itself."""
    new = town("Neuwerk", tag="n", active=False, gateways=0)
    page = _text(visitor(new.contact).get("/portal/"))

    assert "Noch zu tun, bevor Sie Aufträge erteilen können" in page
    assert "0 von 2 getestet" in page
    assert "/portal/bestellen/wake_up/" not in page
