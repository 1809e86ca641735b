"""Contacts, their certificates, the test of secure mail, its end (P-3, S-MAIL-1 … S-MAIL-4)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from mail_stage import SERVICE, WORD, MailStage

from torwart.kernel.contact_state import MailState
from torwart.kernel.refusals import KINDS, Refusal
from torwart.services import client as clients
from torwart.services import contact as contacts
from torwart.services import contact_watch
from torwart.services.contact_watch import DAYS
from torwart.sim.mailbox import MailFault
from torwart.store.models import AuditEntry, Client, Contact, ContactCertificate, MailOut
from torwart.wire.smime import TrustStore

ANNA, BERND, CARLA = "anna@stadtwerk.test", "bernd@stadtwerk.test", "carla@stadtwerk.test"


@pytest.fixture
def stage(db: None) -> Iterator[MailStage]:
    made = MailStage.open()
    yield made
    made.box.stop()


def contact(address: str) -> Contact:
    return Contact.objects.get(email=address)


def refused(code: str) -> "pytest.RaisesExc[Refusal]":
    return pytest.raises(Refusal, check=lambda refusal: refusal.code == code)


# -- people -----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("P-3")
def test_two_contacts_stay(stage: MailStage) -> None:
    """With three, one may go; with two, none; the reason says to name another first."""
    client = stage.client("Stadtwerk", ANNA, BERND, CARLA)

    contacts.deactivate(contact(CARLA).pk, client=client, actor="test", now=stage.now)
    with refused("contact.too_few"):
        contacts.deactivate(contact(BERND).pk, client=client, actor="test", now=stage.now)

    assert Contact.objects.filter(client=client, active=True).count() == 2


@pytest.mark.requirement("P-1")
def test_a_foreign_contact_does_not_exist(stage: MailStage) -> None:
    """Every verb answers a contact of another client like one that was never there."""
    stage.client("Stadtwerk", ANNA)
    other = stage.client("Nachbarwerke")
    verbs = (
        lambda pk: contacts.change(pk, client=other, actor="test", now=stage.now, phone="+49 1 23456"),
        lambda pk: contacts.deactivate(pk, client=other, actor="test", now=stage.now),
        lambda pk: contacts.store_certificate(pk, _pem(stage, ANNA), client=other, actor="test", now=stage.now),
        lambda pk: contacts.send_test(pk, client=other, actor="test", now=stage.now),
    )
    for verb in verbs:
        told = []
        for pk in (contact(ANNA).pk, 10**9):
            with refused("contact.unknown") as no:
                verb(pk)
            told.append(no.value.text("de"))
        assert told[0] == told[1]


@pytest.mark.requirement("P-3")
@pytest.mark.parametrize(
    ("field", "value"),
    [("first_name", " "), ("name", ""), ("phone", "ruf an"), ("email", "anna"), ("email", "a@b.test, c@d.test"),
     ("language", "fr"), ("name", "x" * 201), ("name", "a\0b")],
)  # fmt: skip
def test_every_field_is_asked_for(stage: MailStage, field: str, value: str) -> None:
    """A contact without name, first name, phone or one mail address is refused with what to enter."""
    client = stage.client("Stadtwerk")
    values = {"first_name": "Anna", "name": "Muster", "phone": "+49 261 1", "email": ANNA, "language": "de"}
    values["phone"] = "+49 261 123456"

    with refused("contact.field"):
        contacts.add(client, **{**values, field: value}, actor="test", now=stage.now)


@pytest.mark.requirement("P-3")
def test_an_address_names_one_contact_of_a_client(stage: MailStage) -> None:
    """The same address again is refused whatever its case; another client may name the same person."""
    stage.client("Stadtwerk", ANNA)
    values = {"first_name": "A", "name": "M", "phone": "0261 12345", "email": ANNA.upper()}
    with refused("contact.address_taken"):
        contacts.add(contact(ANNA).client_id, **values, actor="test", now=stage.now)

    assert contacts.add(clients.create("Nachbarwerke", actor="test"), **values, actor="test", now=stage.now)


@pytest.mark.requirement("S-MAIL-3")
def test_with_another_address_other_certificates_count(stage: MailStage) -> None:
    """A contact whose address changes is no longer tested: the certificates are another's. Changed back, they count."""
    client = stage.tested("Stadtwerk", ANNA)
    pk = contact(ANNA).pk

    contacts.change(pk, client=client, actor="test", now=stage.now, email="neu@stadtwerk.test")
    assert Contact.objects.get(pk=pk).mail_state == MailState.UNKNOWN

    contacts.change(pk, client=client, actor="test", now=stage.now, email=ANNA)
    assert Contact.objects.get(pk=pk).mail_state == MailState.TESTED


# -- certificates -----------------------------------------------------------------------------------------------------


def _pem(stage: MailStage, address: str, **how: object) -> bytes:
    return stage.ca.issue(address, **how).certificate.public_bytes(Encoding.PEM)  # type: ignore[arg-type]


@pytest.mark.requirement("S-MAIL-1", "S-MAIL-2")
def test_an_uploaded_certificate_is_tested_by_itself(stage: MailStage) -> None:
    """Stored by upload, the test mail goes out at once, encrypted for it; the same again changes nothing."""
    client = stage.client("Stadtwerk", ANNA)
    identity = stage.box.people[ANNA]
    pem = identity.decrypters[0].certificate.public_bytes(Encoding.PEM)

    (new,) = contacts.store_certificate(contact(ANNA).pk, pem, client=client, actor="test", now=stage.now)
    again = contacts.store_certificate(contact(ANNA).pk, pem, client=client, actor="test", now=stage.now)
    stage.run()

    row = ContactCertificate.objects.get(pk=new)
    assert (row.state, row.source, row.uses) == ("test_sent", "upload", ["encrypt"])
    assert again == []
    got = stage.test_mail(ANNA)
    assert got.opened is not None
    assert (got.opened.signed, got.opened.encrypted) == (True, True)
    assert row.word in got.mail.text  # type: ignore[union-attr]


@pytest.mark.requirement("S-MAIL-1")
@pytest.mark.parametrize(
    ("made", "code"),
    [
        (lambda ca, now: ca.issue("wer@anders.test"), "contact.certificate_address"),
        (lambda ca, now: ca.issue(ANNA, email_protection=False), "contact.certificate_use"),
        (lambda ca, now: ca.issue(ANNA, key="rsa2048"), "smime.key_weak"),
        (lambda ca, now: ca.issue(ANNA, not_before=now - timedelta(9), not_after=now - timedelta(1)), "smime.expired"),
        (lambda ca, now: ca.issue(ANNA, not_before=now + timedelta(1)), "smime.not_yet_valid"),
    ],
)
def test_a_certificate_that_cannot_serve_is_refused(stage: MailStage, made, code: str) -> None:  # type: ignore[no-untyped-def]
    """Another's, not for mail, weak, out of date: each upload is refused by its own name and nothing is stored."""
    client = stage.client("Stadtwerk", ANNA)
    pem = made(stage.ca, stage.now).certificate.public_bytes(Encoding.PEM)

    with refused(code):
        contacts.store_certificate(contact(ANNA).pk, pem, client=client, actor="test", now=stage.now)
    with refused("smime.certificate"):
        contacts.store_certificate(contact(ANNA).pk, b"kein Zertifikat", client=client, actor="test", now=stage.now)

    assert not ContactCertificate.objects.exists()


@pytest.mark.requirement("S-MAIL-2")
def test_an_uploaded_certificate_of_an_unknown_issuer_fails(stage: MailStage) -> None:
    """No test mail is encrypted for a certificate nobody vouches for; the contact learns why, the state shows it."""
    client = stage.client("Stadtwerk", ANNA)
    stranger = type(stage.ca).create(stage.now, "Fremde CA").issue(ANNA)
    pem = stranger.certificate.public_bytes(Encoding.PEM)

    contacts.store_certificate(contact(ANNA).pk, pem, client=client, actor="test", now=stage.now)
    stage.run()

    row = ContactCertificate.objects.get()
    assert (row.state, row.failure) == ("failed", "smime.issuer_unknown")
    assert contact(ANNA).mail_state == MailState.FAILED
    told = stage.box.wait(ANNA)
    assert told.mail is not None
    assert "nicht hinterlegt" in " ".join(told.mail.text.split())
    assert not any(WORD.search(got.mail.text) for got in stage.box.mails(ANNA) if got.mail)


# -- the test ---------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S-MAIL-1", "S-MAIL-2", "S-MAIL-3")
def test_a_signed_mail_and_one_answer_make_a_contact_tested(stage: MailStage) -> None:
    """The first signed mail brings both certificates, the test mail follows by itself, the answer proves both."""
    stage.client("Stadtwerk", ANNA)
    stage.introduce(ANNA)
    assert contact(ANNA).mail_state == MailState.TEST_SENT

    answer = stage.pass_test(ANNA)

    assert (answer.state, answer.code) == ("done", "")
    assert contact(ANNA).mail_state == MailState.TESTED
    rows = ContactCertificate.objects.all()
    assert {(*row.uses, row.state) for row in rows} == {("sign", "tested"), ("encrypt", "tested")}
    assert {row.word for row in rows} == {""}
    assert "getestet" in stage.box.wait(ANNA, lambda got: "getestet" in got.mail.subject).mail.subject  # type: ignore[union-attr]


@pytest.mark.requirement("S-MAIL-3")
@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"sign": False}, "contact.test_unsigned"),
        ({"encrypt": False}, "contact.test_unencrypted"),
        ({"sign": False, "encrypt": False}, "contact.test_unsigned"),
        ({"fault": MailFault.SIGNED_OUTSIDE}, "contact.test_unsigned"),
        ({"fault": MailFault.EXPIRED}, "smime.expired"),
        ({"fault": MailFault.SIGNER_NOT_SENDER}, "smime.signer_not_sender"),
    ],
)
def test_half_an_answer_does_not_pass(stage: MailStage, how: dict[str, object], code: str) -> None:
    """Unsigned, unencrypted, badly signed: answered with the reason, and nothing counts as tested."""
    stage.client("Stadtwerk", ANNA)
    stage.introduce(ANNA)

    answer = stage.pass_test(ANNA, **how)

    assert (answer.state, answer.code) == ("refused", code)
    assert contact(ANNA).mail_state == MailState.TEST_SENT
    told = stage.answers(ANNA)[-1]
    assert (told.state, told.secure) == ("sent", False)
    assert _first_words(code) in " ".join(told.text.split())


def _first_words(code: str) -> str:
    """What the refusal's German text begins with, up to its first field."""
    return KINDS[code].words.de.partition("{")[0].strip()


@pytest.mark.requirement("S-MAIL-2", "S-MAIL-3")
def test_the_third_wrong_answer_ends_the_test(stage: MailStage) -> None:
    """Three answers without the word fail the certificate; a new test mail may be asked for, its word passes."""
    client = stage.client("Stadtwerk", ANNA)
    stage.introduce(ANNA)
    test = stage.test_mail(ANNA)
    codes = []
    for _ in range(3):
        stage.box.write(ANNA, SERVICE, "Re: Testmail", "AAAA-BBBB-CCCC", sign=True, encrypt=True)
        raw = bytes(stage.last().raw)
        stage.last().delete()
        stage.keep(_answering(raw, test.mail.message_id), ANNA)  # type: ignore[union-attr]
        stage.run()
        codes.append(stage.last().code)
    assert codes == ["contact.test_wrong_word"] * 3
    assert contact(ANNA).mail_state == MailState.FAILED
    assert stage.pass_test(ANNA).code == "contact.test_over"

    contacts.send_test(contact(ANNA).pk, client=client, actor="test", now=stage.now)
    stage.run()
    stage.pass_test(ANNA, 2)
    assert contact(ANNA).mail_state == MailState.TESTED


def _answering(raw: bytes, message_id: str) -> bytes:
    return f"In-Reply-To: {message_id}\r\n".encode() + raw


@pytest.mark.requirement("S-MAIL-3")
def test_a_word_counts_once_and_for_two_weeks(stage: MailStage) -> None:
    """After 14 days the word is too old: a new test mail comes by itself, and only its word passes."""
    stage.client("Stadtwerk", ANNA)
    stage.introduce(ANNA)
    stage.now += timedelta(days=14, minutes=1)

    assert stage.pass_test(ANNA).code == "contact.test_too_late"
    assert stage.pass_test(ANNA).code == "contact.test_wrong_word"
    assert stage.pass_test(ANNA, 2).code == ""
    assert contact(ANNA).mail_state == MailState.TESTED
    assert stage.pass_test(ANNA, 2).ticket is not None, "an answer after the end is a mail like any other"


@pytest.mark.requirement("S-MAIL-2")
def test_a_new_certificate_takes_nothing_away(stage: MailStage) -> None:
    """While a second certificate waits for its test, the first one still counts; its own test comes by itself."""
    stage.tested("Stadtwerk", ANNA)
    stage.renew(ANNA)

    stage.introduce(ANNA)

    assert contact(ANNA).mail_state == MailState.TESTED
    states = ContactCertificate.objects.filter(uses=["encrypt"]).order_by("id").values_list("state", flat=True)
    assert list(states) == ["tested", "test_sent"]
    stage.pass_test(ANNA, 2)
    assert set(ContactCertificate.objects.values_list("state", flat=True)) == {"tested"}


@pytest.mark.requirement("S-MAIL-2", "S-MAIL-3")
def test_a_new_signing_certificate_is_tested_on_its_own(stage: MailStage) -> None:
    """A renewed signature alone gets a test mail; an answer signed with the old one does not prove the new one."""
    stage.tested("Stadtwerk", ANNA)
    old = stage.box.people[ANNA]
    new = stage.ca.issue(ANNA, use="sign")
    renewed = type(old)(ANNA, new.signer(old.decrypters[0].certificate), old.decrypters)
    stage.renew(ANNA, renewed)
    stage.introduce(ANNA)

    stage.renew(ANNA, old)
    assert stage.pass_test(ANNA, 2).code == "contact.test_wrong_signer"
    stage.renew(ANNA, renewed)
    assert stage.pass_test(ANNA, 2).code == ""

    assert list(ContactCertificate.objects.values_list("state", flat=True)) == ["tested"] * 3


@pytest.mark.requirement("S-MAIL-1")
def test_whoever_only_signs_is_asked_for_the_other_certificate(stage: MailStage) -> None:
    """A signed mail without a certificate to encrypt for is answered with what is missing."""
    stage.client("Stadtwerk", ANNA)
    sign = stage.ca.issue(ANNA, use="sign")
    stage.renew(ANNA, type(stage.desk.identity)(ANNA, sign.signer(), stage.box.people[ANNA].decrypters))

    stage.introduce(ANNA)

    assert contact(ANNA).mail_state == MailState.STORED
    assert "contact.encryption_missing" in [mail.kind for mail in stage.answers(ANNA)]
    with refused("contact.no_encryption"):
        contacts.send_test(contact(ANNA).pk, client=None, actor="test", now=stage.now)


@pytest.mark.requirement("S-MAIL-2")
def test_a_test_mail_nobody_gets_has_failed(stage: MailStage) -> None:
    """If the address does not exist, the certificate's test has failed, visibly."""
    stage.client("Stadtwerk", ANNA)
    stage.box.behaviour = type(stage.box.behaviour)(gone=True)

    stage.introduce(ANNA)

    states = ContactCertificate.objects.filter(uses=["encrypt"]).values_list("state", "failure")
    assert list(states) == [("failed", "mail.refused")]


# -- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S-MAIL-4")
def test_reminders_come_once_each_and_then_the_end(stage: MailStage) -> None:
    """At 60, 30, 14, 7 and 1 days one reminder each, however often one looks; at the end one notice, no data more."""
    stage.tested("Stadtwerk", ANNA)
    row = ContactCertificate.objects.get(uses=["encrypt"])
    ContactCertificate.objects.exclude(pk=row.pk).delete()
    end = row.not_after
    seen = []
    for days in (61, 60, 45, 30, 14, 10, 7, 3, 1, 0.5):
        stage.now = end - timedelta(days=days)
        contact_watch.watch(stage.now)
        contact_watch.watch(stage.now + timedelta(minutes=1))
        seen.append(MailOut.objects.filter(kind="contact.reminder").count())
    assert seen == [0, 1, 1, 2, 3, 3, 4, 4, 5, 5]
    assert sorted(ContactCertificate.objects.get(pk=row.pk).reminded, reverse=True) == list(DAYS)
    assert contact(ANNA).mail_state == MailState.EXPIRING

    for _ in range(2):
        contact_watch.watch(end + timedelta(seconds=1))
    assert contact(ANNA).mail_state == MailState.EXPIRED
    assert MailOut.objects.filter(kind="contact.expired").count() == 1
    subjects = [mail.subject for mail in MailOut.objects.filter(kind="contact.reminder").order_by("id")]
    assert [subject.partition("noch ")[2] for subject in subjects] == [
        "60 Tage)", "30 Tage)", "14 Tage)", "7 Tage)", "1 Tag)"
    ]  # fmt: skip


@pytest.mark.requirement("S-MAIL-4")
def test_reminders_stop_when_a_newer_one_is_tested(stage: MailStage) -> None:
    """A new pair of certificates that has passed ends the reminders for the old pair; untested it does not."""
    stage.tested("Stadtwerk", ANNA)
    end = ContactCertificate.objects.first().not_after  # type: ignore[union-attr]
    stage.now = end - timedelta(days=29)
    contact_watch.watch(stage.now)
    assert MailOut.objects.filter(kind="contact.reminder").count() == 2, "one for signing, one for encrypting"
    later = {"not_before": stage.now - timedelta(days=1), "not_after": end + timedelta(days=300)}
    sign, encrypt = (stage.ca.issue(ANNA, use=use, **later) for use in ("sign", "encrypt"))
    old = stage.box.people[ANNA].decrypters
    stage.renew(ANNA, type(stage.desk.identity)(ANNA, sign.signer(encrypt.certificate), (encrypt.decrypter(), *old)))
    stage.introduce(ANNA)
    contact_watch.watch(end - timedelta(days=14))
    assert MailOut.objects.filter(kind="contact.reminder").count() == 4

    stage.pass_test(ANNA, 2)
    contact_watch.watch(end - timedelta(days=7))
    contact_watch.watch(end + timedelta(days=1))

    assert MailOut.objects.filter(kind="contact.reminder").count() == 4
    assert not MailOut.objects.filter(kind="contact.expired").exists()
    assert contact(ANNA).mail_state == MailState.TESTED


@pytest.mark.requirement("S-MAIL-4")
def test_a_revoked_certificate_ends_at_once(stage: MailStage) -> None:
    """The watch finds a tested certificate on its CA's revocation list: it ends, the contact learns it once."""
    stage.tested("Stadtwerk", ANNA)
    certificate = stage.box.people[ANNA].decrypters[0].certificate
    trust = TrustStore(stage.ca.trust.certificates, stage.ca.trust.intermediates, (stage.ca.crl([certificate]),))

    for _ in range(2):
        contact_watch.watch(stage.now + timedelta(minutes=1), trust)

    row = ContactCertificate.objects.get(uses=["encrypt"])
    assert (row.state, row.failure) == ("expired", "smime.revoked")
    assert contact(ANNA).mail_state == MailState.EXPIRED
    assert MailOut.objects.filter(kind="contact.revoked").count() == 1


# -- the client -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("P-3", "S-MAIL-3")
def test_the_second_tested_contact_activates_the_client(stage: MailStage) -> None:
    """With one tested contact it stays onboarding and may not order; with two it is active, once, told and audited."""
    client = stage.client("Stadtwerk", ANNA, BERND)
    for address in (ANNA, BERND):
        assert Client.objects.get(pk=client).state == "onboarding"
        stage.introduce(address)
        stage.pass_test(address)

    assert Client.objects.get(pk=client).state == "active"
    assert AuditEntry.objects.filter(action="client.activated").count() == 1
    assert MailOut.objects.filter(kind="client.activated").count() == 2
