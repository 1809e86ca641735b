"""The outbox: written with its cause, delivered at least once, data only to whom it may go (spec: mail)."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from mail_stage import MailStage

from torwart.kernel.refusals import Refusal
from torwart.services import contact as contacts
from torwart.services import delivery, outbox
from torwart.services import ticket as tickets
from torwart.sim.mailbox import Behaviour
from torwart.store.models import AuditEntry, Contact, ContactCertificate, MailOut, TicketEntry
from torwart.wire.mail import Attachment, Facts, Letter, Paragraph
from torwart.wire.smime import TrustStore

ANNA, BERND = "anna@stadtwerk.test", "bernd@stadtwerk.test"
SECRET = "Gateway EABC0012345678"


@pytest.fixture
def stage(db: None) -> Iterator[MailStage]:
    made = MailStage.open()
    yield made
    made.box.stop()


def letter(language: str) -> Letter:
    """Data of a client, in the language it is asked for."""
    return Letter("Your order" if language == "en" else "Ihr Auftrag", (Facts((("Gateway", SECRET),)),), language)


def harmless(language: str) -> Letter:
    return Letter("Hallo", (Paragraph("nichts Geheimes"),), language)


def question(stage: MailStage, client: int) -> str:
    return tickets.open_question(client=client, contact=None, subject="Frage", text="?", now=stage.now)


# -- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S-MAIL-3")
def test_data_goes_to_tested_contacts_only(stage: MailStage) -> None:
    """One tested contact gets the data, encrypted; the other, in English, a notice with number and link, no data."""
    client = stage.tested("Stadtwerk", ANNA)
    stage.contact(client, BERND, language="en")
    number = question(stage, client)

    outbox.to_contacts(client, letter, kind="order.placed", ticket=number, now=stage.now)
    stage.run()

    anna = stage.box.wait(ANNA, lambda got: "Ihr Auftrag" in got.mail.subject)  # type: ignore[union-attr]
    assert anna.opened is not None
    assert anna.opened.encrypted
    assert SECRET in anna.mail.text  # type: ignore[union-attr]
    assert SECRET.encode() not in anna.raw
    bernd = stage.box.wait(BERND, lambda got: number in got.mail.subject)  # type: ignore[union-attr]
    assert bernd.opened is not None
    assert (bernd.opened.signed, bernd.opened.encrypted) == (True, False)
    assert SECRET not in bernd.mail.text  # type: ignore[union-attr]
    assert f"/portal/vorgaenge/{number}" in bernd.mail.text  # type: ignore[union-attr]
    assert f"[#{number}]" in bernd.mail.subject  # type: ignore[union-attr]
    assert "there is a new message" in bernd.mail.text  # type: ignore[union-attr]


@pytest.mark.requirement("O-2", "O-3")
def test_a_mail_is_written_with_its_cause_or_not_at_all(stage: MailStage) -> None:
    """If the transaction that causes a mail fails, there is no mail."""
    client = stage.client("Stadtwerk", ANNA)
    with transaction.atomic():
        outbox.to_contacts(client, letter, kind="order.placed", now=stage.now)
        transaction.set_rollback(True)

    assert not MailOut.objects.exists()


@pytest.mark.requirement("P-3")
def test_inactive_contacts_get_nothing(stage: MailStage) -> None:
    """Whoever has been taken out is not written to."""
    client = stage.client("Stadtwerk", ANNA, BERND, "carla@stadtwerk.test")
    contacts.deactivate(Contact.objects.get(email=ANNA).pk, client=client, actor="test", now=stage.now)

    outbox.to_contacts(client, letter, kind="order.placed", now=stage.now)

    assert set(MailOut.objects.values_list("address", flat=True)) == {BERND, "carla@stadtwerk.test"}


@pytest.mark.requirement("O-3", "C-2")
def test_files_and_thread_arrive(stage: MailStage) -> None:
    """Attachments arrive whole inside the encryption; a reply hangs on the mail it answers; junk ids are left out."""
    client = stage.tested("Stadtwerk", ANNA)
    thread = ["<frage@stadtwerk.test>", "keine id", "<zwei@stadtwerk.test>"]
    file = Attachment("Geräte.csv", "text/csv", b"id;state\r\n" * 1000)

    outbox.enqueue(
        letter, kind="order.done", secure=True, contact=Contact.objects.get(client=client).pk, now=stage.now,
        references=thread, files=[file],
    )  # fmt: skip
    stage.run()

    got = stage.box.wait(ANNA, lambda got: "Ihr Auftrag" in got.mail.subject)  # type: ignore[union-attr]
    assert got.mail is not None
    assert got.mail.attachments == (file,)
    assert got.mail.references == ("<frage@stadtwerk.test>", "<zwei@stadtwerk.test>")


# -- delivering -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S-MAIL-3", "S-MAIL-4")
def test_what_is_true_at_the_last_moment_counts(stage: MailStage) -> None:
    """Between writing and sending the certificate is revoked: the notice goes, not the data; the ticket says so."""
    client = stage.tested("Stadtwerk", ANNA)
    number = question(stage, client)
    outbox.to_contacts(client, letter, kind="order.done", ticket=number, now=stage.now)
    certificate = stage.box.people[ANNA].decrypters[0].certificate
    trust = stage.desk.trust
    crls = (stage.ca.crl([certificate]),)
    stage.desk = delivery.Desk(stage.desk.identity, TrustStore(trust.certificates, trust.intermediates, crls))
    stage.now += timedelta(minutes=1)

    stage.run()

    row = MailOut.objects.get(kind="order.done")
    assert (row.state, row.secure) == ("sent", False)
    assert SECRET not in row.text + row.html
    got = stage.box.wait(ANNA, lambda got: number in got.mail.subject)  # type: ignore[union-attr]
    assert SECRET.encode() not in got.raw
    assert "nur ein Hinweis" in TicketEntry.objects.get(mail_out=row).de
    states = ContactCertificate.objects.filter(uses=["encrypt"]).values_list("state", "failure")
    assert list(states) == [("expired", "smime.revoked")]
    assert MailOut.objects.filter(kind="contact.revoked", state="sent").count() == 1


@pytest.mark.requirement("S-MAIL-3")
def test_of_several_certificates_the_right_one_is_taken(stage: MailStage) -> None:
    """An expired certificate, one only for signing and an untested one never get in the way of the tested one."""
    client = stage.tested("Stadtwerk", ANNA)
    first = stage.box.people[ANNA]
    later = stage.ca.issue(ANNA, use="encrypt", not_after=stage.now + timedelta(days=800))
    pk = Contact.objects.get(client=client).pk
    contacts.keep_certificates(
        contacts.held(pk, None), [later.certificate], source="upload", actor="test", now=stage.now
    )
    ContactCertificate.objects.filter(uses=["sign"]).update(state="expired", not_after=stage.now - timedelta(days=1))

    outbox.to_contacts(client, letter, kind="order.done", now=stage.now)
    stage.run()

    stage.renew(ANNA, first)
    got = stage.box.wait(ANNA, lambda got: got.mail is not None and "Ihr Auftrag" in got.mail.subject)
    assert got.opened is not None
    assert got.opened.encrypted


@pytest.mark.requirement("S-MAIL-3")
def test_old_programs_are_an_exception_somebody_has_allowed(stage: MailStage) -> None:
    """AES-CBC goes only to a contact an operator has marked; ticket and trail say so."""
    client = stage.tested("Stadtwerk", ANNA)
    pk = Contact.objects.get(client=client).pk
    number = question(stage, client)
    contacts.allow_legacy(pk, True, "Altes Programm", client=None, actor="operator:olga", now=stage.now)

    outbox.to_contacts(client, letter, kind="order.done", ticket=number, now=stage.now)
    stage.run()

    got = stage.box.wait(ANNA, lambda got: "Ihr Auftrag" in got.mail.subject)  # type: ignore[union-attr]
    assert [caution.value for caution in got.opened.cautions if caution.value == "cbc"] == ["cbc"]  # type: ignore[union-attr]
    assert "AES-256-CBC" in TicketEntry.objects.get(mail_out__kind="order.done").de
    assert AuditEntry.objects.filter(action="contact.legacy_allowed").count() == 1


@pytest.mark.requirement("O-3")
def test_a_busy_server_is_asked_again_at_growing_distances(stage: MailStage) -> None:
    """4xx: after 1, 5, 15, 60 and 240 minutes; the mail that arrives then is the same mail."""
    stage.box.behaviour = Behaviour(busy_times=6)
    stage.contact(stage.client("Stadtwerk"), ANNA)
    outbox.enqueue(harmless, kind="test", secure=False, address=ANNA, now=stage.now)
    waits = []
    for _ in range(6):
        stage.send()
        row = MailOut.objects.get()
        assert row.state == "queued"
        waits.append((row.next_attempt_at - stage.now) // timedelta(minutes=1))
        assert stage.send() == 0, "not before its time"
        stage.now = row.next_attempt_at

    assert waits == [1, 5, 15, 60, 240, 240]
    assert stage.send() == 1
    assert stage.box.wait(ANNA).mail.message_id == row.message_id  # type: ignore[union-attr]
    assert MailOut.objects.get().state == "sent"


@pytest.mark.requirement("O-3")
@pytest.mark.parametrize(("behaviour", "attempts"), [(Behaviour(gone=True), 1), (Behaviour(busy_times=99), 23)])
def test_what_cannot_arrive_shows_on_the_ticket(stage: MailStage, behaviour: Behaviour, attempts: int) -> None:
    """5xx at once, 4xx after three days: failed, in the ticket's history in both languages, in the trail; once."""
    client = stage.client("Stadtwerk", ANNA)
    number = question(stage, client)
    outbox.to_contacts(client, harmless, kind="test", ticket=number, secure=False, now=stage.now)
    stage.box.behaviour = behaviour
    begin = stage.now
    for _ in range(attempts):
        assert MailOut.objects.get().state == "queued"
        stage.send()
        stage.now = MailOut.objects.get().next_attempt_at

    row = MailOut.objects.get()
    assert (row.state, row.attempts) == ("failed", attempts)
    assert attempts == 1 or timedelta(days=2.9) < stage.now - begin < timedelta(days=3.2)
    entry = TicketEntry.objects.get(mail_out=row)
    assert ANNA in entry.de
    assert ANNA in entry.en
    assert (entry.internal, entry.de == entry.en) == (False, False)
    assert AuditEntry.objects.filter(action="mail.failed").count() == 1
    stage.now += timedelta(days=9)
    assert stage.send() == 0


def test_a_failed_mail_goes_once_more_when_asked(stage: MailStage) -> None:
    """An operator may send it again; one with a secret has no text any more and is refused, like one that was sent."""
    stage.contact(stage.client("Stadtwerk"), ANNA)
    stage.box.behaviour = Behaviour(gone=True)
    plain = outbox.enqueue(harmless, kind="test", secure=False, address=ANNA, now=stage.now)
    secret = outbox.enqueue(harmless, kind="account.link", secure=False, address=ANNA, now=stage.now)
    stage.send()
    assert [MailOut.objects.get(pk=pk).state for pk in (plain, secret)] == ["failed", "failed"]
    stage.box.behaviour = Behaviour()

    outbox.retry(plain, actor="operator:olga", now=stage.now)
    stage.send()
    for pk in (plain, secret, 10**9):
        with pytest.raises(Refusal) as no:
            outbox.retry(pk, actor="operator:olga", now=stage.now)
        assert no.value.code == "mailroom.not_failed"

    assert MailOut.objects.get(pk=plain).state == "sent"
    assert stage.box.wait(ANNA).mail is not None


@pytest.mark.requirement("P-4", "S-MAIL-3")
def test_secrets_are_forgotten_once_sent(stage: MailStage) -> None:
    """The outbox is read by people: test words and one-time links are not in it any more when the mail is out."""
    stage.client("Stadtwerk", ANNA)
    stage.introduce(ANNA)
    outbox.enqueue(harmless, kind="account.link", secure=False, address=ANNA, now=stage.now)
    stage.run()

    rows = MailOut.objects.filter(kind__in=outbox.SECRET_KINDS)
    assert {row.kind for row in rows} == {"contact.test", "account.link"}
    assert {(row.state, row.text, row.html) for row in rows} == {("sent", "", "")}


@pytest.mark.requirement("O-3")
def test_a_lost_answer_repeats_the_same_mail(stage: MailStage) -> None:
    """The server takes the mail and hangs up before 250: it comes again, with the same Message-ID and text."""
    stage.box.behaviour = Behaviour(hang_up_times=1)
    stage.contact(stage.client("Stadtwerk"), ANNA)
    outbox.enqueue(harmless, kind="test", secure=False, address=ANNA, now=stage.now)
    stage.send()
    stage.now += timedelta(minutes=1)
    stage.send()

    first, second = stage.box.mails(ANNA)
    assert first.mail == second.mail
    assert MailOut.objects.get().state == "sent"


@pytest.mark.requirement("O-3")
def test_two_rooms_send_each_mail_once(own_database: str) -> None:
    """Two mail rooms on one outbox share the work; nobody gets a mail twice."""
    stage = MailStage.open()
    stage.contact(stage.client("Stadtwerk"), ANNA)
    for number in range(30):
        outbox.enqueue(
            lambda language, number=number: Letter(f"Mail {number}", (), language),  # type: ignore[misc]
            kind="test", secure=False, address=ANNA, now=stage.now,
        )  # fmt: skip
    sent: list[int] = []

    def room() -> None:
        sent.append(stage.send())
        connections.close_all()

    rooms = [threading.Thread(target=room) for _ in range(2)]
    for each in rooms:
        each.start()
    for each in rooms:
        each.join()
    stage.box.stop()

    subjects = [got.mail.subject for got in stage.box.mails(ANNA)]  # type: ignore[union-attr]
    assert sorted(subjects) == sorted(f"Mail {number}" for number in range(30))
    assert sum(sent) == 30


@pytest.mark.requirement("O-3")
def test_an_unreachable_server_ends_the_round(stage: MailStage) -> None:
    """When no server answers, one mail is tried and the others wait untouched."""
    stage.contact(stage.client("Stadtwerk"), ANNA)
    for _ in range(5):
        outbox.enqueue(harmless, kind="test", secure=False, address=ANNA, now=stage.now)
    stage.box.stop()

    assert stage.send() == 0
    assert sorted(MailOut.objects.values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]
    assert connection.in_atomic_block
