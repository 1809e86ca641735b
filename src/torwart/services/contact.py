"""Contacts (Ansprechpartner) and how far secure mail with each of them is (P-3, S-MAIL-1 … S-MAIL-4).

Theory of operation
- Each certificate goes the way of ``kernel.contact_state`` by itself. A contact is as far as the best of those that
  serve for encrypting, since that is what sending them data needs; what they send counts by the certificate that has
  signed it.
- A certificate is tested as soon as it is stored: a mail encrypted for it asks a word back. The answer, encrypted and
  signed, proves both directions: the certificate that could be read with, and the one that has signed.
- Every verb holds the client's row first. So "at least two" (P-3) stays true whoever else removes a contact now, and
  the second tested contact activates the client exactly once.
- ``client``: on whose behalf. A contact of another client does not exist (P-1); ``None`` is the provider.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare

from torwart.kernel.contact_state import CONTACT_MAIL, SECURE, MailState, MailVerb
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.contact import (
    CONTACT_ADDRESS_TAKEN,
    CONTACT_CERTIFICATE_ADDRESS,
    CONTACT_CERTIFICATE_USE,
    CONTACT_FIELD,
    CONTACT_NO_ENCRYPTION,
    CONTACT_TOO_FEW,
    CONTACT_UNKNOWN,
    TEST_OVER,
    TEST_TOO_LATE,
    TEST_UNENCRYPTED,
    TEST_UNSIGNED,
    TEST_WRONG_SIGNER,
    TEST_WRONG_WORD,
)
from torwart.kernel.words import Words
from torwart.rules.lead_time import spoken
from torwart.services import client as clients
from torwart.services import outbox
from torwart.services.contact_certificate import carrying, fingerprint, move, record, refresh, title
from torwart.services.letter import contact as letters
from torwart.store.models import Contact, ContactCertificate, MailIn, MailOut
from torwart.wire.mail.address import is_address
from torwart.wire.mail.words import clean
from torwart.wire.smime import CertificateUse, addresses, certificate_uses, load_mail_certificates
from torwart.wire.smime.certificate import demand

TEST_DAYS = 14
ATTEMPTS = 3

_EXPECTED = {
    "first_name": Words("einen Vornamen", "a first name"),
    "name": Words("einen Nachnamen", "a last name"),
    "phone": Words("eine Telefonnummer wie +49 261 123456", "a phone number such as +49 261 123456"),
    "email": Words("eine Mailadresse wie name@firma.de", "a mail address such as name@company.de"),
    "language": Words("de oder en", "de or en"),
}
_PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{3,38}[0-9]")
_FORMS: dict[str, Callable[[str], object]] = {
    "first_name": bool,
    "name": bool,
    "phone": _PHONE.fullmatch,
    "email": is_address,
    "language": ("de", "en").__contains__,
}


# -- people -----------------------------------------------------------------------------------------------------------


def add(
    client: int, *, first_name: str, name: str, phone: str, email: str, language: str = "de", actor: str, now: datetime
) -> int:
    """Name a contact; its id. Refused: ``contact.field``, ``contact.address_taken``."""
    values = _checked({"first_name": first_name, "name": name, "phone": phone, "email": email, "language": language})
    with transaction.atomic():
        clients.locked(client)
        row = Contact(client_id=client, **values)
        _save(row)
        record(row, "contact.added", actor, now, values)
    return row.pk


def change(contact: int, *, client: int | None, actor: str, now: datetime, **values: str) -> None:
    """Change ``first_name``, ``name``, ``phone``, ``email`` or ``language``.

    With a new address, only certificates that name it count from now on.
    """
    values = _checked(values)
    with transaction.atomic():
        row = held(contact, client)
        before = {name: getattr(row, name) for name in values}
        for name, value in values.items():
            setattr(row, name, value)
        _save(row)
        refresh(row)
        record(row, "contact.changed", actor, now, {"before": before, "after": values})


def deactivate(contact: int, *, client: int | None, actor: str, now: datetime) -> None:
    """Take a contact out; refused (``contact.too_few``) if fewer than two would be left."""
    with transaction.atomic():
        row = held(contact, client)
        if not row.active:
            return
        if Contact.objects.filter(client=row.client_id, active=True).count() <= clients.NEEDED:
            raise CONTACT_TOO_FEW(name=row.full_name)
        row.active = False
        row.save(update_fields=["active"])
        record(row, "contact.deactivated", actor, now, {})


def allow_legacy(contact: int, allowed: bool, reason: str, *, client: int | None, actor: str, now: datetime) -> None:
    """An operator has mail to a contact encrypted with AES-256-CBC because its program reads nothing better, or ends
    that; ``reason`` stands in the audit trail.
    """
    with transaction.atomic():
        row = held(contact, client)
        if row.legacy == allowed:
            return
        row.legacy = allowed
        row.save(update_fields=["legacy"])
        action = "contact.legacy_allowed" if allowed else "contact.legacy_ended"
        record(row, action, actor, now, {"reason": reason})


def held(contact: int, client: int | None) -> Contact:
    """The contact, its client's row held until the transaction ends; refuses ``contact.unknown``."""
    owner = Contact.objects.filter(pk=contact).values_list("client_id", flat=True).first()
    if owner is None or client not in (None, owner):
        raise CONTACT_UNKNOWN()
    clients.locked(owner)
    return Contact.objects.select_for_update(no_key=True).get(pk=contact)


def tested_count(client: int) -> int:
    """How many contacts of the client can be sent its data."""
    return clients.tested_count(client)


def _checked(values: dict[str, str]) -> dict[str, str]:
    found = {name: " ".join(value.split()) for name, value in values.items()}
    for name, value in found.items():
        if not _FORMS[name](value) or "\0" in value or len(value) > 200:
            expected = _EXPECTED[name]
            raise CONTACT_FIELD(given=clean(value)[:60], expected_de=expected.de, expected_en=expected.en)
    if "email" in found:
        found["email"] = found["email"].lower()
    return found


def _save(row: Contact) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise CONTACT_ADDRESS_TAKEN(email=row.email) from None


# -- certificates -----------------------------------------------------------------------------------------------------


def store_certificate(contact: int, data: bytes, *, client: int | None, actor: str, now: datetime) -> list[int]:
    """Store what was uploaded (DER, PEM or a bundle) and send the test mail; ids of the certificates that are new.

    Refuses ``smime.certificate``, ``smime.expired`` … ``smime.key_weak``, ``contact.certificate_address`` and
    ``contact.certificate_use``. Whether its issuer is trusted is found when the test mail goes out.
    """
    found = load_mail_certificates(data)
    with transaction.atomic():
        row = held(contact, client)
        own = [certificate for certificate in found if row.email in addresses(certificate)]
        if not own:
            names = dict.fromkeys(name for certificate in found for name in addresses(certificate))
            raise CONTACT_CERTIFICATE_ADDRESS(addresses=", ".join(names)[:200] or "–", email=row.email)
        for certificate in own:
            uses = certificate_uses(certificate)
            if not uses:
                raise CONTACT_CERTIFICATE_USE()
            demand(certificate, use=min(uses), at=now)
        return keep_certificates(row, own, source="upload", actor=actor, now=now)


def keep_certificates(
    contact: Contact, certificates: Iterable[x509.Certificate], *, source: str, actor: str, now: datetime
) -> list[int]:
    """Store checked certificates of a contact that is ``held``, and test what is new; ids of the new ones.

    A certificate that is only for signing is tested together with one for encrypting that waits for its answer, or
    else by a test mail of its own.
    """
    fresh = [row for each in certificates if (row := _keep(contact, each, source, actor, now)) is not None]
    refresh(contact)
    encrypting = [row for row in fresh if CertificateUse.ENCRYPT in row.uses]
    waiting = contact.certificates.filter(state=MailState.TEST_SENT, uses__contains=[CertificateUse.ENCRYPT])
    if encrypting:
        for row in encrypting:
            _send_test(contact, row, actor, now)
    elif fresh and not waiting.exists() and contact.mail_state in SECURE:
        for row in fresh:
            _send_test(contact, row, actor, now)
    return [row.pk for row in fresh]


def _keep(
    contact: Contact, certificate: x509.Certificate, source: str, actor: str, now: datetime
) -> ContactCertificate | None:
    der = certificate.public_bytes(Encoding.DER)
    row, new = ContactCertificate.objects.get_or_create(
        contact=contact,
        fingerprint=fingerprint(certificate),
        defaults={
            "der": der,
            "uses": sorted(use.value for use in certificate_uses(certificate)),
            "subject": clean(certificate.subject.rfc4514_string())[:500],
            "issuer": clean(certificate.issuer.rfc4514_string())[:500],
            "not_before": certificate.not_valid_before_utc,
            "not_after": certificate.not_valid_after_utc,
            "source": source,
            "state": CONTACT_MAIL.next(MailState.UNKNOWN, MailVerb.STORE),
            "added_at": now,
        },
    )
    if not new:
        return None
    payload = {"fingerprint": row.fingerprint, "uses": row.uses, "source": source, "until": row.not_after.isoformat()}
    record(contact, "contact.certificate_stored", actor, now, payload)
    return row


# -- the test ---------------------------------------------------------------------------------------------------------


def send_test(contact: int, *, client: int | None, actor: str, now: datetime) -> None:
    """Send a new test mail for each certificate that waits for one or has failed; older words no longer count.

    Refuses ``contact.no_encryption`` if there is nothing to encrypt for.
    """
    with transaction.atomic():
        person = held(contact, client)
        rows = [row for row in carrying(person) if row.not_after > now]
        if not any(CertificateUse.ENCRYPT in row.uses for row in rows):
            raise CONTACT_NO_ENCRYPTION(name=person.full_name)
        open_rows = [row for row in rows if CONTACT_MAIL.can(MailState(row.state), MailVerb.SEND_TEST)]
        encrypting = [row for row in open_rows if CertificateUse.ENCRYPT in row.uses]
        for row in encrypting or open_rows:
            _send_test(person, row, actor, now)


def test_again(contact: Contact, signer: str, now: datetime) -> None:
    """Data came signed with a stored certificate that is not tested: ask for the test, at most once a day."""
    row = contact.certificates.filter(fingerprint=signer).first()
    if row is None or not CONTACT_MAIL.can(MailState(row.state), MailVerb.SEND_TEST):
        return
    if row.test_sent_at is None or row.test_sent_at < now - timedelta(days=1):
        _send_test(contact, row, "mailroom", now)


def _send_test(contact: Contact, row: ContactCertificate, actor: str, now: datetime) -> None:
    if MailVerb.SEND_TEST not in CONTACT_MAIL.allowed(MailState(row.state)):
        return
    word = new_word()
    until = now + timedelta(days=TEST_DAYS)
    sign_only = CertificateUse.ENCRYPT not in row.uses
    outbox.enqueue(
        lambda language: letters.test(language, certificate=title(row), word=word, until=until, sign_only=sign_only),
        kind=outbox.TEST_KIND,
        secure=True,
        now=now,
        contact=contact.pk,
        certificate=row.pk,
    )
    move(contact, row, MailVerb.SEND_TEST, actor, now, word=word, test_sent_at=now, failure="")


def new_word() -> str:
    """Twelve signs nobody guesses (60 bits) and nobody misreads: no 0 and O, no 1 and I."""
    signs = "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(12))
    return f"{signs[:4]}-{signs[4:8]}-{signs[8:]}"


_WORD = re.compile(r"\b[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}\b")


def asked(contact: Contact, references: Sequence[str], text: str) -> ContactCertificate | None:
    """Which certificate's test a mail of this contact answers: by the word in it, else by the mail it replies to.

    ``None`` if it answers none, or one that has been passed.
    """
    waiting = list(contact.certificates.filter(state__in=[MailState.TEST_SENT, MailState.FAILED]))
    for row in waiting:
        if row.word and _contains(text, row.word):
            return row
    sent = MailOut.objects.filter(contact=contact, kind=outbox.TEST_KIND, message_id__in=list(references)).order_by(
        "-id"
    )
    answered = sent.values_list("certificate_id", flat=True).first()
    return next((row for row in waiting if row.pk == answered), None)


def _contains(text: str, word: str) -> bool:
    found = [constant_time_compare(candidate, word) for candidate in _WORD.findall(text)[:1000]]
    return any(found)


def answer_test(
    contact: Contact, row: ContactCertificate, *, text: str, encrypted: bool, signer: str, now: datetime
) -> list[Refusal]:
    """Judge the answer to a test mail, from a contact that is ``held``: what is wrong with it, nothing if it passes.

    ``signer``: fingerprint of the certificate that signed it validly, ``""`` if none did. The third wrong answer fails
    the certificate (S-MAIL-2); a word that is too old brings a new test mail.
    """
    if row.state == MailState.FAILED:
        return [TEST_OVER()]
    wrong = _wrong(row, text, encrypted, signer)
    end = (row.test_sent_at or now) + timedelta(days=TEST_DAYS)
    if not wrong and now > end:
        _send_test(contact, row, "mailroom", now)
        return [TEST_TOO_LATE(end=spoken(end))]
    if not wrong:
        _prove(contact, row, signer, now)
    elif _answers(contact, row) + 1 >= ATTEMPTS:
        wrong.append(TEST_OVER())
        move(contact, row, MailVerb.FAIL, "mailroom", now, failure=wrong[0].code, word="")
    return wrong


def _wrong(row: ContactCertificate, text: str, encrypted: bool, signer: str) -> list[Refusal]:
    wrong = []
    if not signer:
        wrong.append(TEST_UNSIGNED())
    if not encrypted:
        wrong.append(TEST_UNENCRYPTED())
    if not wrong and not _contains(text, row.word):
        wrong.append(TEST_WRONG_WORD())
    if not wrong and CertificateUse.ENCRYPT not in row.uses and signer != row.fingerprint:
        wrong.append(TEST_WRONG_SIGNER())
    return wrong


def _answers(contact: Contact, row: ContactCertificate) -> int:
    """How many wrong answers there were to the test mail that counts."""
    since = row.test_sent_at
    return MailIn.objects.filter(contact=contact, code__startswith="contact.test_", received_at__gte=since).count()


def _prove(contact: Contact, row: ContactCertificate, signer: str, now: datetime) -> None:
    """Both directions work: with the certificate under test, and with the one that signed."""
    move(contact, row, MailVerb.PROVE, "mailroom", now, word="", tested_at=now, failure="")
    signing = contact.certificates.exclude(pk=row.pk).filter(fingerprint=signer).first()
    if signing is not None and CertificateUse.ENCRYPT not in signing.uses:
        if MailVerb.SEND_TEST in CONTACT_MAIL.allowed(MailState(signing.state)):
            move(contact, signing, MailVerb.SEND_TEST, "mailroom", now, test_sent_at=row.test_sent_at)
        if MailVerb.PROVE in CONTACT_MAIL.allowed(MailState(signing.state)):
            move(contact, signing, MailVerb.PROVE, "mailroom", now, word="", tested_at=now, failure="")
    certificate, end = title(row), row.not_after
    outbox.enqueue(
        lambda language: letters.tested(language, certificate=certificate, end=end),
        kind="contact.tested",
        secure=False,
        now=now,
        contact=contact.pk,
    )
    clients.activate_if_ready(contact.client_id, now=now)
