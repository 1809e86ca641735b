"""Mail as it comes: kept, read, routed, answered or not; nothing lost, nothing twice (C-2)."""

import hashlib
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.db import connections
from mail_stage import SERVICE, MailStage

from torwart.kernel.refusals import KINDS, Refusal
from torwart.kernel.refusals.keys import KEYS_LOCKED
from torwart.kernel.ticket_state import TicketState
from torwart.kernel.words import Words
from torwart.services import delivery, mail_in, mail_route, outbox
from torwart.services import ticket as tickets
from torwart.services.mail_incoming import ANSWERS_AN_HOUR
from torwart.sim.mailbox import REFUSED, MailFault
from torwart.store.models import Attachment as Kept
from torwart.store.models import AuditEntry, Contact, ContactCertificate, MailIn, MailOut, Ticket, TicketEntry
from torwart.wire.mail import Attachment, Letter
from torwart.wire.smime import TrustStore

ANNA, BERND, EVE = "anna@stadtwerk.test", "bernd@stadtwerk.test", "eve@nachbarwerke.test"
FILE = Attachment("LS-2026-0001.p7m", "application/pkcs7-mime", b"\x30\x82lieferschein")


@pytest.fixture
def stage(db: None) -> Iterator[MailStage]:
    made = MailStage.open()
    yield made
    made.box.stop()


def numbers(answer: MailOut) -> str:
    """The text without the numbers that differ from case to case."""
    return NUMBER.sub("T-#", answer.text)


NUMBER = re.compile(r"T-[0-9]{9}")


# -- questions and receipts -------------------------------------------------------------------------------------------


@pytest.mark.requirement("C-1", "C-2")
def test_a_mail_opens_a_ticket_and_the_sender_hears_its_number(stage: MailStage) -> None:
    """A contact's new mail is a question with its file kept by hash; the receipt says number and where to order."""
    client = stage.client("Stadtwerk", ANNA)
    stage.box.write(ANNA, SERVICE, "Bitte 3 Gateways in Betrieb nehmen", "wir bestellen hiermit …", [FILE])
    stage.run()

    row = stage.last()
    ticket = Ticket.objects.get()
    assert (row.state, row.ticket_id, row.contact_id) == ("done", ticket.pk, Contact.objects.get().pk)
    assert (ticket.kind, ticket.client_id, ticket.order_id) == ("question", client, None)
    entry = TicketEntry.objects.get()
    assert (entry.kind, "wir bestellen hiermit" in entry.de, entry.mail_in_id) == ("message_in", True, row.pk)
    kept = Kept.objects.get()
    assert (kept.name, bytes(kept.content), kept.secure) == (FILE.name, FILE.content, False)
    assert kept.digest == hashlib.sha256(FILE.content).hexdigest()
    receipt = stage.box.wait(ANNA).mail
    assert receipt is not None
    assert receipt.subject.startswith(f"[#{ticket.number}]")
    assert receipt.references[-1] == row.message_id
    assert receipt.auto_submitted
    assert "Aufträge nehmen wir nicht per Mail an" in receipt.text
    assert "/portal/" in receipt.text


@pytest.mark.requirement("C-2", "P-1")
def test_a_stranger_gets_a_neutral_receipt_in_both_languages(stage: MailStage) -> None:
    """Nobody we know: a ticket without client; the receipt names no client and speaks German and English."""
    stage.client("Stadtwerk", ANNA)
    row = stage.plain("wer@elsewhere.test", "Frage", "was kostet das?")

    ticket = Ticket.objects.get()
    assert (row.state, ticket.client_id, ticket.contact_id) == ("done", None, None)
    (receipt,) = stage.answers("wer@elsewhere.test")
    assert receipt.client_id is None
    assert "Ihre Mail ist angekommen" in receipt.text
    assert "Your mail has arrived" in receipt.subject
    assert "Stadtwerk" not in receipt.text


@pytest.mark.requirement("C-2")
@pytest.mark.parametrize("how", ["subject", "reference"])
def test_a_reply_joins_its_ticket_without_a_receipt(stage: MailStage, how: str) -> None:
    """By the number in the subject or by the reference headers; what waited for the client goes on."""
    client = stage.client("Stadtwerk", ANNA, BERND)
    stage.plain(ANNA, "Frage", "wann?")
    ticket = Ticket.objects.get()
    tickets.rest(ticket, Words("Rückfrage", "a question"), actor="test", now=stage.now)
    sent = MailOut.objects.get(kind="mail.receipt")
    before = MailOut.objects.count()

    if how == "subject":
        row = stage.plain(BERND, f"AW: [#{ticket.number}] Frage", "morgen")
    else:
        row = stage.plain(BERND, "Noch etwas", "morgen", f"References: {sent.message_id}\r\n")

    assert (row.state, row.ticket_id) == ("done", ticket.pk)
    assert Ticket.objects.get().state == TicketState.OPEN
    assert MailOut.objects.count() == before
    assert TicketEntry.objects.filter(mail_in=row, author=BERND, de__contains="morgen").exists()
    assert Contact.objects.filter(client=client).count() == 2


@pytest.mark.requirement("P-1", "C-2")
def test_a_foreign_number_is_like_no_number(stage: MailStage) -> None:
    """A contact of another client, and a stranger, naming a real ticket hear what they would hear of a made-up one."""
    stage.client("Stadtwerk", ANNA)
    stage.client("Nachbarwerke", EVE)
    stage.plain(ANNA, "Frage", "wann kommt Gateway X?")
    real = Ticket.objects.get()
    assert real.number != "T-123456782"
    for sender in (EVE, "wer@elsewhere.test"):
        for number in (real.number, "T-123456782"):
            row = stage.plain(sender, f"Re: [#{number}] Frage", f"was ist mit {number}?")
            assert (row.state, row.ticket_id == real.pk) == ("done", False)
        first, second = (numbers(answer) for answer in stage.answers(sender))
        assert first == second
        assert "gibt es zu Ihrer Adresse nicht" in " ".join(first.split())

    assert TicketEntry.objects.filter(ticket=real).count() == 1
    assert set(Ticket.objects.exclude(pk=real.pk).values_list("client__name", flat=True)) == {"Nachbarwerke", None}


@pytest.mark.requirement("C-2")
def test_the_stranger_who_opened_a_ticket_may_go_on_with_it(stage: MailStage) -> None:
    """Their reply joins; that of another stranger with the same number does not."""
    stage.plain("wer@elsewhere.test", "Frage", "eins")
    ticket = Ticket.objects.get()

    own = stage.plain("wer@elsewhere.test", f"Re: [#{ticket.number}]", "zwei")
    other = stage.plain("niemand@elsewhere.test", f"Re: [#{ticket.number}]", "drei")

    assert own.ticket_id == ticket.pk
    assert other.ticket_id != ticket.pk


@pytest.mark.requirement("C-2")
def test_a_reply_to_what_is_over_is_a_new_question(stage: MailStage) -> None:
    """A reply to the ticket of an order that has ended would be seen by nobody: it opens one that names it."""
    client = stage.client("Stadtwerk", ANNA)
    ended = stage.import_order(client)
    Ticket.objects.filter(pk=ended.pk).update(state=TicketState.RESOLVED)

    row = stage.plain(ANNA, f"Re: [#{ended.number}]", "und die übrigen?")

    assert row.ticket is not None
    assert row.ticket_id != ended.pk
    assert ended.number in row.ticket.subject
    assert row.ticket.client_id == client


@pytest.mark.requirement("P-1", "C-2")
def test_one_person_of_two_clients_is_asked_by_ticket(stage: MailStage) -> None:
    """An address named by two clients belongs to the ticket's client; without a ticket nobody guesses."""
    first = stage.client("Stadtwerk", ANNA)
    second = stage.client("Nachbarwerke", ANNA)
    ticket = tickets.open_question(client=second, contact=None, subject="?", text="?", now=stage.now)

    joined = stage.plain(ANNA, f"Re: [#{ticket}]", "ja")
    new = stage.plain(ANNA, "Noch eine Frage", "wie?")

    assert joined.contact is not None
    assert joined.contact.client_id == second != first
    assert new.ticket is not None
    assert (new.contact_id, new.ticket.client_id) == (None, None)
    assert "Ihre Mail ist angekommen" in stage.answers(ANNA)[-1].text


# -- loops ------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("C-2")
@pytest.mark.parametrize(
    ("headers", "envelope", "code"),
    [
        ("Auto-Submitted: auto-replied\r\n", ANNA, "mailroom.automatic"),
        ("X-Autoreply: yes\r\n", ANNA, "mailroom.automatic"),
        ("Precedence: bulk\r\n", ANNA, "mailroom.from_list"),
        ("List-Id: <gwa.liste.test>\r\n", ANNA, "mailroom.from_list"),
        ("", "", "mailroom.report"),
        ("Return-Path: <>\r\n", ANNA, "mailroom.report"),
    ],
)
def test_programs_and_lists_get_no_answer(stage: MailStage, headers: str, envelope: str, code: str) -> None:
    """Auto-Submitted, lists and the null sender: kept for an operator to see, no ticket, no receipt, no reply."""
    stage.client("Stadtwerk", ANNA)
    raw = f"From: {ANNA}\r\nTo: {SERVICE}\r\nSubject: Abwesend\r\nMessage-ID: <1@x.test>\r\n{headers}\r\nbin weg\r\n"
    stage.keep(raw.encode(), envelope)
    stage.run()

    assert (stage.last().state, stage.last().code) == ("ignored", code)
    assert not Ticket.objects.exists()
    assert not MailOut.objects.exists()


@pytest.mark.requirement("C-2")
def test_an_absence_note_does_not_wake_a_ticket(stage: MailStage) -> None:
    """An automatic reply is filed with the ticket it names, which keeps waiting for a person."""
    stage.client("Stadtwerk", ANNA)
    stage.plain(ANNA, "Frage", "wann?")
    tickets.rest(Ticket.objects.get(), Words("Rückfrage", "a question"), actor="test", now=stage.now)

    row = stage.plain(ANNA, f"Abwesend: [#{Ticket.objects.get().number}]", "weg", "Auto-Submitted: auto-replied\r\n")

    assert (row.state, row.ticket_id) == ("ignored", Ticket.objects.get().pk)
    assert Ticket.objects.get().state == TicketState.WAITING_CLIENT


@pytest.mark.requirement("C-2")
def test_our_own_mail_is_not_a_question(stage: MailStage) -> None:
    """Whatever comes back with our own address as its sender ends there."""
    assert stage.plain(SERVICE, "Re: Re:", "Ihre Mail ist angekommen").code == "mailroom.own"
    assert not MailOut.objects.exists()


@pytest.mark.requirement("C-2")
def test_a_responder_that_does_not_say_so_runs_dry(stage: MailStage) -> None:
    """A program that answers each receipt as a person would: it joins the ticket, which is answered no more; one that
    writes anew each time gets ten receipts an hour, and each mail is kept."""
    stage.client("Stadtwerk", ANNA)
    stage.plain(ANNA, "Frage", "x")
    for count in range(3):
        stage.plain(ANNA, stage.answers(ANNA)[0].subject, f"antwort {count}")
    assert len(stage.answers(ANNA)) == 1

    for count in range(11):
        stage.plain(ANNA, f"neu {count}", "x" * count)
    assert len(stage.answers(ANNA)) == ANSWERS_AN_HOUR
    assert Ticket.objects.count() == 12
    assert "nicht beantwortet" in stage.last().why

    stage.now += timedelta(hours=1, minutes=1)
    stage.plain(ANNA, "später", "wieder")
    assert len(stage.answers(ANNA)) == ANSWERS_AN_HOUR + 1


@pytest.mark.requirement("C-2")
def test_a_flood_of_a_stranger_is_put_aside(stage: MailStage) -> None:
    """From the 21st mail an hour on a stranger opens no ticket; the mails wait for an operator."""
    for count in range(21):
        stage.plain("flut@elsewhere.test", f"Frage {count}", "x")

    assert Ticket.objects.count() == 20
    assert MailIn.objects.filter(state="quarantined", code="mailroom.flood").count() == 1


# -- nothing twice, nothing lost --------------------------------------------------------------------------------------


@pytest.mark.requirement("C-2")
def test_the_same_mail_again_changes_nothing(stage: MailStage) -> None:
    """The same bytes are one row; other bytes with the same Message-ID of the same sender are recorded and ignored."""
    stage.client("Stadtwerk", ANNA, BERND)
    first = stage.plain(ANNA, "Frage", "eins", message_id="<gleich@x.test>")
    again = stage.keep(bytes(first.raw), ANNA)
    other = stage.plain(ANNA, "Frage", "eins, über einen anderen Weg", message_id="<gleich@x.test>")
    somebody = stage.plain(BERND, "Frage", "zwei", message_id="<gleich@x.test>")

    assert again.pk == first.pk
    assert (other.state, other.code) == ("ignored", "mailroom.repeated")
    assert str(first.pk) in other.why
    assert somebody.state == "done"
    assert Ticket.objects.count() == 2


@pytest.mark.requirement("C-2")
def test_a_refused_mail_may_be_sent_again(stage: MailStage) -> None:
    """Only a mail that was taken makes its repeat superfluous: programs keep the Message-ID when they send again."""
    client = stage.tested("Stadtwerk", ANNA)
    ticket = stage.import_order(client)
    raw = stage.box.write(ANNA, SERVICE, f"Re: [#{ticket.number}]", "anbei", [FILE], sign=True, encrypt=True)
    stage.last().delete()
    trust = stage.desk.trust
    stage.desk = delivery.Desk(stage.desk.identity, TrustStore(stage.ca.create(stage.now, "x").trust.certificates))
    stage.keep(raw + b"\r\n", ANNA)
    stage.run()
    assert stage.last().code == "smime.issuer_unknown"

    stage.desk = delivery.Desk(stage.desk.identity, trust)
    stage.keep(raw, ANNA)
    stage.run()
    assert stage.last().state == "done"


@pytest.mark.requirement("C-2")
def test_a_crash_between_receipt_and_reading_loses_nothing(stage: MailStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks in the middle of a mail undoes everything it had begun; the next try does it once."""
    stage.client("Stadtwerk", ANNA)
    stage.box.write(ANNA, SERVICE, "Frage", "wann?", [FILE])
    real = mail_route.mark

    def breaks(*_: object, **__: object) -> None:
        monkeypatch.setattr(mail_route, "mark", real)
        raise MemoryError

    monkeypatch.setattr(mail_route, "mark", breaks)
    assert mail_in.work(stage.engine, stage.desk, now=stage.now, limit=1) == 1
    assert stage.last().state == "stored"
    assert not Ticket.objects.exists()

    stage.run()
    assert (stage.last().state, stage.last().attempts) == ("done", 2)
    assert (Ticket.objects.count(), Kept.objects.count(), MailOut.objects.count()) == (1, 1, 1)


@pytest.mark.requirement("C-2")
def test_a_mail_that_breaks_us_stops_nobody(stage: MailStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """After five tries it lies in quarantine with its fault, visible; the mail behind it is read."""
    stage.client("Stadtwerk", ANNA)
    real = mail_route.route

    def route(engine: object, desk: object, found: mail_route.Incoming, raw: bytes) -> None:
        if b"Gift" in raw:
            raise RecursionError
        real(engine, desk, found, raw)  # type: ignore[arg-type]

    monkeypatch.setattr(mail_in.mail_route, "route", route)
    stage.box.write(ANNA, SERVICE, "Gift", "x")
    stage.box.write(ANNA, SERVICE, "Frage", "x")
    stage.run()

    poison, good = MailIn.objects.order_by("id")
    assert (poison.state, poison.code, poison.attempts) == ("quarantined", "mailroom.breaks", 5)
    assert "RecursionError" in poison.why
    assert good.state == "done"


@pytest.mark.requirement("C-2")
def test_what_is_our_own_fault_waits(stage: MailStage) -> None:
    """If our keys cannot be used the mail stays stored, is not blamed on its sender and not counted as a try."""
    stage.tested("Stadtwerk", ANNA)
    stage.box.write(ANNA, SERVICE, "Frage", "x", encrypt=True, sign=True)
    good = stage.desk

    class Locked:
        certificate = good.identity.decrypters[0].certificate

        def agree(self, peer_point: bytes) -> bytes:
            raise KEYS_LOCKED(store="keys", why="weg")

        decrypt_key = agree

    stage.desk = delivery.Desk(type(good.identity)(SERVICE, good.identity.signer, (Locked(),)), good.trust)  # type: ignore[arg-type]
    assert stage.read() == 0
    assert (stage.last().state, stage.last().attempts) == ("stored", 0)

    stage.desk = good
    stage.run()
    assert stage.last().state == "done"


@pytest.mark.requirement("C-2")
def test_two_rooms_read_each_mail_once(own_database: str) -> None:
    """Two mail rooms on one inbox: every mail, also one that came twice, is tried once, one ticket and receipt each."""
    stage = MailStage.open()
    stage.client("Stadtwerk", *(f"p{count}@stadtwerk.test" for count in range(12)))
    for count in range(12):
        sender = f"p{count}@stadtwerk.test"
        for way in ("eins", "zwei"):
            raw = f"From: {sender}\r\nSubject: F\r\nMessage-ID: <{count}@x.test>\r\nX-Way: {way}\r\n\r\nwann?\r\n"
            stage.keep(raw.encode(), sender)
    begin = threading.Barrier(2)

    def room() -> None:
        begin.wait()
        stage.read()
        connections.close_all()

    rooms = [threading.Thread(target=room) for _ in range(2)]
    for each in rooms:
        each.start()
    for each in rooms:
        each.join()
    stage.box.stop()

    states = sorted(MailIn.objects.values_list("state", flat=True))
    assert states == ["done"] * 12 + ["ignored"] * 12
    assert (Ticket.objects.count(), MailOut.objects.filter(kind="mail.receipt").count()) == (12, 12)
    assert set(MailIn.objects.values_list("attempts", flat=True)) == {1}  # who came too late has not tried


# -- bounces ----------------------------------------------------------------------------------------------------------


def report(message_id: str, action: str, status: str) -> bytes:
    """A delivery report as Postfix writes it."""
    return (
        f"From: MAILER-DAEMON@mx.stadtwerk.test\r\nTo: {SERVICE}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        "Message-ID: <dsn@mx.stadtwerk.test>\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; {ANNA}\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 unknown user\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"From: {SERVICE}\r\nMessage-ID: {message_id}\r\n\r\nIhr Auftrag\r\n--b--\r\n"
    ).encode()


@pytest.mark.requirement("C-2")
@pytest.mark.parametrize(("action", "status", "state"), [("failed", "5.1.1", "failed"), ("delayed", "4.4.1", "sent")])
def test_a_bounce_marks_the_mail_it_is_about(stage: MailStage, action: str, status: str, state: str) -> None:
    """A report of failure marks our mail and shows on its ticket; one of delay changes nothing; none is answered."""
    client = stage.client("Stadtwerk", ANNA)
    number = tickets.open_question(client=client, contact=None, subject="?", text="?", now=stage.now)
    outbox.to_contacts(
        client, lambda language: Letter("Hallo", (), language), kind="test", ticket=number, secure=False, now=stage.now
    )
    stage.run()
    mail = MailOut.objects.get()

    stage.keep(report(mail.message_id, action, status), "")
    stage.run()

    mail.refresh_from_db()
    assert mail.state == state
    told = TicketEntry.objects.filter(mail_out=mail)
    assert [("unknown user" in entry.de, ANNA in entry.en) for entry in told] == [(True, True)] * (state == "failed")
    assert (stage.last().state, stage.last().code) == ("ignored", "mailroom.report")
    assert MailOut.objects.count() == 1


# -- what cannot be read ----------------------------------------------------------------------------------------------


def _nested(depth: int) -> bytes:
    mail = EmailMessage()
    mail.set_content("innen")
    for level in range(depth):
        outer = EmailMessage()
        outer["From"], outer["Subject"], outer["Message-ID"] = ANNA, f"Ebene {level}", f"<n{level}@x.test>"
        outer.set_content("x")
        outer.add_attachment(mail)
        mail = outer
    return mail.as_bytes().replace(b"\n", b"\r\n")


@pytest.mark.requirement("C-2")
@pytest.mark.parametrize(
    ("raw", "code", "state"),
    [
        (lambda: f"From: {ANNA}\r\nSubject: gross\r\n\r\n".encode() + b"x" * (25 * 2**20), "mail.too_large", "refused"),
        (lambda: _nested(7), "mail.nested", "quarantined"),
        (lambda: f"From: {ANNA}\r\n".encode() + b"X-A: b\r\n" * 40_000 + b"\r\nx", "mail.malformed", "quarantined"),
    ],
)
def test_what_is_too_much_is_answered_by_name(stage: MailStage, raw, code: str, state: str) -> None:  # type: ignore[no-untyped-def]
    """Too large, nested too deep, absurd headers: kept, put where an operator sees it, a contact told what to do."""
    stage.client("Stadtwerk", ANNA)
    stage.keep(raw(), ANNA)
    stage.run()

    assert (stage.last().state, stage.last().code) == (state, code)
    (answer,) = stage.answers(ANNA)
    assert answer.kind == "mail.refused"
    assert KINDS[code].words.de.partition("{")[0].strip() in " ".join(answer.text.split())


@pytest.mark.requirement("C-2")
def test_what_has_no_header_lies_in_quarantine(stage: MailStage) -> None:
    """Bytes that are no mail are kept and shown; there is nobody to answer."""
    stage.keep(b"\x00\xff\xfe", "wer@elsewhere.test")
    stage.run()

    assert (stage.last().state, stage.last().code) == ("quarantined", "mail.malformed")
    assert not MailOut.objects.exists()


# -- secure mail ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("P01", "O-7")
def test_a_secure_reply_brings_the_file_to_the_ticket(stage: MailStage) -> None:
    """Signed and encrypted by a tested contact: the file is with the ticket, marked secure, and the run is nudged."""
    client = stage.tested("Stadtwerk", ANNA)
    ticket = stage.import_order(client)

    row = stage.reply_to(ticket, ANNA, [FILE])

    assert (row.state, row.code, row.ticket_id) == ("done", "", ticket.pk)
    assert (row.security["signed"], row.security["encrypted"]) == (True, True)
    kept = Kept.objects.get()
    assert (kept.name, bytes(kept.content), kept.secure) == (FILE.name, FILE.content, True)
    assert FILE.content not in bytes(row.raw)


@pytest.mark.requirement("P01", "S-MAIL-3")
@pytest.mark.parametrize(
    ("how", "codes"),
    [
        ({"sign": False}, ["mailroom.unsigned"]),
        ({"encrypt": False}, ["mailroom.unencrypted"]),
        ({"sign": False, "encrypt": False}, ["mailroom.unsigned", "mailroom.unencrypted"]),
        ({"fault": MailFault.SIGNED_OUTSIDE}, ["mailroom.unsigned"]),
        *[({"fault": fault}, [code]) for fault, code in REFUSED.items()],
    ],
)
def test_every_broken_form_has_its_answer(stage: MailStage, how: dict[str, object], codes: list[str]) -> None:
    """Each fault of spec/05 in a reply with a delivery note: refused by its own name, told to the sender and on the
    ticket, which keeps waiting; no file is taken, and nothing of the client's stands in the answer."""
    client = stage.tested("Stadtwerk", ANNA)
    ticket = stage.import_order(client)

    row = stage.reply_to(ticket, ANNA, [FILE], **how)

    assert (row.state, row.code, row.ticket_id) == ("refused", codes[0], ticket.pk)
    assert not Kept.objects.exists()
    answer = stage.answers(ANNA)[-1]
    assert (answer.kind, answer.state, answer.secure) == ("mail.refused", "sent", False)
    said = " ".join(answer.text.split())
    for code in codes:
        assert KINDS[code].words.de.partition("{")[0].strip() in said
    assert f"Ihr Vorgang {ticket.number} wartet weiter" in said
    assert FILE.name not in said
    assert ANNA in TicketEntry.objects.get(ticket=ticket, kind="event").de
    assert AuditEntry.objects.filter(action="mail.refused").count() == 1


@pytest.mark.requirement("P01")
@pytest.mark.parametrize("fault", [MailFault.CBC, MailFault.OPAQUE, MailFault.TRIPLE, MailFault.NO_CHAIN])
def test_unusual_but_right_forms_are_taken(stage: MailStage, fault: MailFault) -> None:
    """CBC with a recorded warning, opaque and triple wrapped signatures, a chain we complete: all accepted."""
    client = stage.tested("Stadtwerk", ANNA)
    ticket = stage.import_order(client)
    if fault is MailFault.NO_CHAIN:  # made with a new certificate, which has to pass its test first
        assert stage.reply_to(ticket, ANNA, [FILE], fault=fault).code == "contact.not_tested"
        assert ContactCertificate.objects.filter(state="test_sent").count() == 1
        return

    row = stage.reply_to(ticket, ANNA, [FILE], fault=fault)

    assert (row.state, row.code) == ("done", "")
    assert Kept.objects.get().secure
    assert ("cbc" in row.security["cautions"]) == (fault is MailFault.CBC)


@pytest.mark.requirement("P01", "S-MAIL-3")
def test_an_untested_contact_sends_no_data(stage: MailStage) -> None:
    """Signed and encrypted, but the test is not passed: refused with that reason; after the test the same passes."""
    client = stage.client("Stadtwerk", ANNA)
    ticket = stage.import_order(client)

    assert stage.reply_to(ticket, ANNA, [FILE]).code == "contact.not_tested"
    assert not Kept.objects.exists()
    stage.pass_test(ANNA)
    assert stage.reply_to(ticket, ANNA, [FILE]).code == ""
    assert Kept.objects.get().secure


@pytest.mark.requirement("P01", "P-1")
def test_another_clients_contact_cannot_deliver(stage: MailStage) -> None:
    """A tested contact of another client replying to the import ticket: nothing joins, nothing is taken."""
    client = stage.tested("Stadtwerk", ANNA)
    stage.tested("Nachbarwerke", EVE)
    ticket = stage.import_order(client)

    row = stage.reply_to(ticket, EVE, [FILE])

    assert row.ticket_id != ticket.pk
    assert not Kept.objects.filter(ticket=ticket).exists()
    assert not TicketEntry.objects.filter(ticket=ticket).exists()


@pytest.mark.requirement("S-MAIL-3")
def test_a_revoked_signer_is_refused(stage: MailStage) -> None:
    """A certificate on the revocation list signs nothing any more."""
    client = stage.tested("Stadtwerk", ANNA)
    ticket = stage.import_order(client)
    trust, signer = stage.desk.trust, stage.box.people[ANNA].signer.certificate
    crls = (stage.ca.crl([signer]), stage.ca.root_crl())
    stage.desk = delivery.Desk(stage.desk.identity, TrustStore(trust.certificates, trust.intermediates, crls))
    stage.now += timedelta(minutes=1)

    assert stage.reply_to(ticket, ANNA, [FILE]).code == "smime.revoked"


@pytest.mark.requirement("C-2")
def test_unsecured_mail_may_ask_but_gets_no_data(stage: MailStage) -> None:
    """A tested contact asks in the clear: a ticket and a receipt of number and links, nothing else goes back on it."""
    client = stage.tested("Stadtwerk", ANNA)
    row = stage.plain(ANNA, "Stand zu EABC0012345678?", "was macht mein Gateway EABC0012345678?")

    answer = stage.answers(ANNA)[-1]
    assert (row.state, answer.kind) == ("done", "mail.receipt")
    assert "EABC0012345678" not in answer.text + answer.subject
    assert Ticket.objects.latest("id").client_id == client


@pytest.mark.requirement("S-MAIL-3")
def test_files_on_other_tickets_say_how_they_came(stage: MailStage) -> None:
    """On a question anybody of the client may send a file; only a secure one is marked so."""
    stage.tested("Stadtwerk", ANNA)
    stage.plain(ANNA, "Frage", "siehe später")
    ticket = Ticket.objects.latest("id")

    stage.reply_to(ticket, ANNA, [FILE], sign=False, encrypt=False)
    stage.reply_to(ticket, ANNA, [FILE])

    assert list(Kept.objects.order_by("id").values_list("secure", flat=True)) == [False, True]


@pytest.mark.requirement("C-2")
def test_an_operator_lets_a_mail_be_read_again(stage: MailStage) -> None:
    """After its CA was added a refused mail is read again and taken; one that was taken is not read twice."""
    client = stage.tested("Stadtwerk", ANNA)
    ticket = stage.import_order(client)
    trust = stage.desk.trust
    stage.desk = delivery.Desk(stage.desk.identity, TrustStore(stage.ca.create(stage.now, "x").trust.certificates))
    row = stage.reply_to(ticket, ANNA, [FILE])
    assert row.state == "refused"

    stage.desk = delivery.Desk(stage.desk.identity, trust)
    mail_in.release(row.pk, "CA ergänzt", actor="operator:olga", now=stage.now)
    stage.run()

    assert MailIn.objects.get(pk=row.pk).state == "done"
    assert Kept.objects.get().secure
    for pk in (row.pk, 10**9):
        with pytest.raises(Refusal, check=lambda no: no.code == "mailroom.not_aside"):
            mail_in.release(pk, "noch einmal", actor="operator:olga", now=stage.now)
