"""Where a mail that has been read goes: who sent it, what it answers, what becomes of it (spec: mail; catalogue P01).

In this order, and the first that fits ends it:
1. Loops: our own mail, repeats, bounces, programs and lists. Never answered (C-2).
2. What a sender must not do: S/MIME that does not hold, each fault with its own reason.
3. Certificates of a known contact are stored (S-MAIL-1), the answer to a test mail is judged (S-MAIL-3).
4. A reply joins its ticket, if its sender is a contact of the ticket's client. A number of another client counts
   exactly like one that does not exist (P-1). A ticket that waits for a file takes it signed and encrypted, or not.
5. Everything else is a question: it opens a ticket, and its sender gets a receipt.

Nothing a client owns goes into an answer: receipts and refusals say the ticket's number and the reason.
"""

import hashlib
import re
from datetime import timedelta

from django.conf import settings
from django.db import connection

from torwart.kernel.contact_state import SECURE
from torwart.kernel.refusals import Refusal, Side
from torwart.kernel.refusals.contact import CONTACT_NOT_TESTED
from torwart.kernel.refusals.mailroom import (
    MAIL_AUTOMATIC,
    MAIL_FLOOD,
    MAIL_FROM_LIST,
    MAIL_OWN,
    MAIL_REPEATED,
    MAIL_REPORT,
    MAIL_UNENCRYPTED,
    MAIL_UNSIGNED,
)
from torwart.ports.process_engine import ProcessEngine
from torwart.services import contact as contacts
from torwart.services import delivery, outbox
from torwart.services import ticket as tickets
from torwart.services.contact_certificate import carrying, fingerprint
from torwart.services.contact_watch import PAGE
from torwart.services.delivery import Desk
from torwart.services.letter import contact as contact_letters
from torwart.services.letter import mail as letters
from torwart.services.mail_incoming import (
    ENCRYPTION_MISSING,
    RECEIPT,
    TEST_REFUSED,
    Incoming,
    answer,
    mark,
    over,
    pk_of,
    quarantine,
    refuse,
)
from torwart.store.models import Contact, ContactCertificate, MailIn, Ticket
from torwart.store.models.run import ACTIVE
from torwart.wire.mail import ReadMail, read
from torwart.wire.mail.words import clean
from torwart.wire.smime import CertificateUse, open_mail

STRANGERS_AN_HOUR = 20
_SECURE = [state.value for state in SECURE]
_NOTE_IMPORT = "P01"
_LONGEST_TEXT = 100_000


def route(engine: ProcessEngine, desk: Desk, found: Incoming, raw: bytes) -> None:
    """Decide what becomes of a mail that could be read; in the caller's transaction."""
    why = _loop(found, desk, raw)
    if why is not None:
        mark(found, "ignored", code=why.code, why=why.text("de"))
        return
    try:
        _open(found, desk, raw)
    except Refusal as refusal:
        if refusal.side is not Side.CLIENT:
            raise
        untested = _wants_file(found.ticket) and found.contact is not None and found.contact.mail_state not in SECURE
        refuse(found, [CONTACT_NOT_TESTED(), refusal] if untested else [refusal])
        return
    _store_certificates(found)
    if _is_test_answer(engine, found):
        return
    if found.ticket is not None and not over(found.ticket):
        _join(engine, found, found.ticket)
    else:
        _question(found)


# -- 1. loops ---------------------------------------------------------------------------------------------------------


def _loop(found: Incoming, desk: Desk, raw: bytes) -> Refusal | None:
    """Why nothing more is done with the mail; ``None`` if it is a person's."""
    mail = found.read
    if mail.from_address == desk.identity.address.lower():
        return MAIL_OWN()
    if mail.bounce or (found.row.via == "smtp" and not found.row.envelope_from):
        return _bounce(found, mail, raw)
    if mail.auto_submitted or mail.from_list:
        return MAIL_AUTOMATIC() if mail.auto_submitted else MAIL_FROM_LIST()
    earlier = _earlier(mail)
    return MAIL_REPEATED(mail=earlier) if earlier else None


def _earlier(mail: ReadMail) -> int | None:
    """The mail with the same Message-ID of the same sender that has been taken; two at once wait for each other."""
    if not mail.message_id:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [mail.message_id])
    rows = MailIn.objects.filter(message_id=mail.message_id, from_address=mail.from_address, state="done")
    return rows.values_list("id", flat=True).first()


_STATUS = re.compile(rb"(?im)^(?:Action:[ \t]*failed|Status:[ \t]*5\.)")
_DIAGNOSIS = re.compile(rb"(?im)^Diagnostic-Code:[ \t]*([^\r\n]{1,300})")


def _bounce(found: Incoming, mail: ReadMail, raw: bytes) -> Refusal:
    """A delivery report (RFC 3464): what it says has failed is marked, what is only delayed stays as it is."""
    domain = re.escape(settings.TORWART_SERVICE_MAIL.rpartition("@")[2].encode())
    named = re.findall(rb"<[!-;=?-~]{1,200}@" + domain + rb">", raw[: 2**20])
    ours = list(dict.fromkeys([*(each.decode("ascii") for each in named), *mail.references]))[:50]
    if _STATUS.search(raw):
        diagnosis = _DIAGNOSIS.search(raw)
        words = diagnosis[1].decode("utf-8", "replace") if diagnosis else mail.subject
        row = delivery.bounced(ours, clean(words).strip()[:300], found.now)
        found.ticket = row.ticket if row is not None else found.ticket
    return MAIL_REPORT()


# -- 2. and 3. S/MIME -------------------------------------------------------------------------------------------------


def _open(found: Incoming, desk: Desk, raw: bytes) -> None:
    """Take S/MIME off; ``mail`` is then what is inside."""
    opened = open_mail(raw, decrypters=desk.identity.decrypters, trust=desk.trust, at=found.row.received_at)
    if opened.order:
        found.mail = read(opened.entity)
    found.opened = opened
    found.row.security = {
        "signed": opened.signed,
        "encrypted": opened.encrypted,
        "order": list(opened.order),
        "cautions": [caution.value for caution in opened.cautions],
        "signer": found.signer,
    }


def _store_certificates(found: Incoming) -> None:
    """S-MAIL-1: the first signed mail brings the certificate, and so does each renewal."""
    offered = found.opened.offered if found.opened and found.opened.signed else ()
    url = outbox.portal_url(PAGE)
    for person in found.people:
        known = set(person.certificates.values_list("fingerprint", flat=True))
        fresh = [each for each in offered if fingerprint(each) not in known]
        if not fresh:
            continue
        contact = contacts.held(person.pk, None)
        contacts.keep_certificates(contact, fresh, source="mail", actor=f"mail:{found.sender}", now=found.now)
        _refreshed(found, contact)
        if not any(CertificateUse.ENCRYPT in row.uses for row in carrying(contact)):
            answer(found, lambda language: contact_letters.encryption_missing(language, url=url), ENCRYPTION_MISSING)


def _refreshed(found: Incoming, contact: Contact) -> None:
    found.people = [contact if person.pk == contact.pk else person for person in found.people]
    if found.contact is not None and found.contact.pk == contact.pk:
        found.contact = contact


def _is_test_answer(engine: ProcessEngine, found: Incoming) -> bool:
    """Judge the mail if it answers a test mail; whether it did."""
    mail, encrypted = found.read, found.opened is not None and found.opened.encrypted
    for person in found.people:
        if contacts.asked(person, mail.references, mail.text) is None:
            continue
        contact = contacts.held(person.pk, None)
        row = contacts.asked(contact, mail.references, mail.text)  # once more, now that nobody else judges it
        if row is None:
            continue
        found.contact = contact
        wrong = contacts.answer_test(
            contact, row, text=mail.text, encrypted=encrypted, signer=found.signer, now=found.now
        )
        _tested(found, wrong)
        engine.nudge(f"contact:{person.pk}")
        return True
    return False


def _tested(found: Incoming, wrong: list[Refusal]) -> None:
    if not wrong:
        mark(found, "done", why="Testmail beantwortet")
        return
    url = outbox.portal_url(PAGE)
    mark(found, "refused", code=wrong[0].code, why=wrong[0].text("de"))
    answer(found, lambda language: contact_letters.test_refused(language, reasons=wrong, url=url), TEST_REFUSED)


def _proven(found: Incoming) -> bool:
    """S-MAIL-3: signed and encrypted by a contact, with a certificate that has passed its test."""
    person, opened = found.contact, found.opened
    if person is None or opened is None or not (opened.signed and opened.encrypted):
        return False
    rows = ContactCertificate.objects.filter(contact=person, fingerprint=found.signer, state__in=_SECURE)
    return person.mail_state in SECURE and rows.exists()


# -- 4. replies -------------------------------------------------------------------------------------------------------


def _wants_file(ticket: Ticket | None) -> bool:
    """Whether the ticket is of an import that still runs (P01): its files are data."""
    run = ticket.order.run if ticket is not None and ticket.order is not None else None
    return run is not None and run.process == _NOTE_IMPORT and run.state in ACTIVE


def _join(engine: ProcessEngine, found: Incoming, ticket: Ticket) -> None:
    proven, number = _proven(found), ticket.number
    if _wants_file(ticket) and not proven:
        refuse(found, _why_not_secure(found))
        return
    mark(found, "done")
    text = found.read.text[:_LONGEST_TEXT]
    tickets.joined_by_mail(number, found.row.pk, text, contact=pk_of(found.contact), now=found.now)
    _attach(found, number, proven)
    engine.nudge(f"ticket:{number}")


def _why_not_secure(found: Incoming) -> list[Refusal]:
    """P01, in the catalogue's order: a tested contact, encrypted, signed; an untested certificate is tested now."""
    opened, person = found.opened, found.contact
    assert opened is not None
    assert person is not None
    reasons = []
    if person.mail_state not in SECURE:
        reasons.append(CONTACT_NOT_TESTED())
    if not opened.signed:
        reasons.append(MAIL_UNSIGNED())
    if not opened.encrypted:
        reasons.append(MAIL_UNENCRYPTED())
    if found.signer:
        contacts.test_again(contacts.held(person.pk, None), found.signer, found.now)
    return reasons or [CONTACT_NOT_TESTED()]


def _attach(found: Incoming, number: str, proven: bool) -> None:
    for file in found.read.attachments:
        tickets.attach(
            number,
            name=file.name,
            media_type=file.media_type,
            content=file.content,
            digest=hashlib.sha256(file.content).hexdigest(),
            now=found.now,
            mail_in=found.row.pk,
            secure=proven,
        )


# -- 5. questions -----------------------------------------------------------------------------------------------------


def _question(found: Incoming) -> None:
    """A ticket of its own, and the receipt, which says where to order (C-1)."""
    mail, before = found.read, found.ticket
    if not found.people and _flooding(found):
        quarantine(found, MAIL_FLOOD(address=found.sender, limit=STRANGERS_AN_HOUR))
        return
    about = f"{before.number}: " if before is not None else ""
    number = tickets.open_question(
        client=found.contact.client_id if found.contact else None,
        contact=pk_of(found.contact),
        subject=f"{about}{mail.subject}" or "(ohne Betreff)",
        text=mail.text[:_LONGEST_TEXT],
        mail_in=found.row.pk,
        author=mail.from_name or found.sender,
        now=found.now,
    )
    given = (mail.ticket or "") if before is None else ""
    found.ticket = Ticket.objects.get(number=number)
    _attach(found, number, _proven(found))
    mark(found, "done")
    url = outbox.portal_url("/portal/")
    if found.people:
        answer(found, lambda language: letters.receipt(language, ticket=number, given=given, url=url), RECEIPT)
    else:
        answer(found, lambda _: letters.receipt_for_stranger(ticket=number, given=given, url=url), RECEIPT)


def _flooding(found: Incoming) -> bool:
    since = found.now - timedelta(hours=1)
    rows = MailIn.objects.filter(from_address=found.sender, received_at__gt=since).exclude(state="stored")
    return rows.count() >= STRANGERS_AN_HOUR
