"""A mail on its way through the room: who sent it, which ticket it means, and how it ends."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models.functions import Lower

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.mailroom import MAIL_FLOOD
from torwart.kernel.ticket_state import TicketState
from torwart.kernel.words import Words
from torwart.services import audit, outbox
from torwart.services import ticket as tickets
from torwart.services.contact_certificate import fingerprint
from torwart.services.letter import mail as letters
from torwart.store.models import Contact, MailIn, MailOut, Ticket
from torwart.wire.mail import ReadMail
from torwart.wire.smime import Opened

_log = logging.getLogger("torwart.mailroom")
ANSWERS_AN_HOUR = 10
RECEIPT, REFUSED = "mail.receipt", "mail.refused"
TEST_REFUSED, ENCRYPTION_MISSING = "contact.test_refused", "contact.encryption_missing"
_KINDS = (RECEIPT, REFUSED, TEST_REFUSED, ENCRYPTION_MISSING)
_FOUND = [field.name for field in MailIn._meta.concrete_fields if field.name not in ("id", "raw", "attempts")]
_NOT_TAKEN = Words("Mail von {address} nicht angenommen: {why_de}", "Mail from {address} not accepted: {why_en}")


@dataclass(slots=True)
class Incoming:
    """A mail on its way through the room. ``people``: active contacts with the sender's address, of whatever client;
    ``mail`` is ``None`` where not even the header could be read.
    """

    row: MailIn
    mail: ReadMail | None
    opened: Opened | None
    people: list[Contact]
    now: datetime
    contact: Contact | None = None
    ticket: Ticket | None = None

    @property
    def read(self) -> ReadMail:
        """The mail, which could be read; with S/MIME taken off once it is."""
        assert self.mail is not None
        return self.mail

    @property
    def sender(self) -> str:
        return self.mail.from_address if self.mail else ""

    @property
    def thread(self) -> list[str]:
        """The message ids an answer hangs on."""
        return [*self.mail.references, self.mail.message_id] if self.mail else []

    @property
    def signer(self) -> str:
        """Fingerprint of the certificate that signed validly, or nothing."""
        return fingerprint(self.opened.signer) if self.opened and self.opened.signed and self.opened.signer else ""


def incoming(row: MailIn, mail: ReadMail | None, now: datetime) -> Incoming:
    """The mail with whom it may be from, and its row filled with what its header says."""
    sender = mail.from_address if mail else ""
    # By the expression of the index; "iexact" would compare in upper case and read all contacts.
    named = Contact.objects.annotate(address=Lower("email")).filter(address=sender, active=True)
    people: list[Contact] = [*named.order_by("id")] if sender else []
    if mail is not None:
        row.message_id, row.from_address, row.subject = mail.message_id, sender, mail.subject
    found = Incoming(row, mail, None, people, now)
    found.ticket = _ticket(found)
    found.contact = _contact(found)
    return found


def _ticket(found: Incoming) -> Ticket | None:
    """The ticket the mail answers, if its sender may: a contact of its client, or the stranger who opened it."""
    number = found.mail.ticket if found.mail else None
    if not number:
        return None
    rows = Ticket.objects.select_related("order__run").filter(number=number)
    ticket = rows.filter(client__in=[person.client_id for person in found.people]).first()
    if ticket is None:
        ticket = rows.filter(client=None, mails_in__from_address=found.sender).first()
    return ticket


def _contact(found: Incoming) -> Contact | None:
    """Who wrote it: of the ticket's client, else the only one there is with this address."""
    if found.ticket is not None:
        return next((person for person in found.people if person.client_id == found.ticket.client_id), None)
    return found.people[0] if len(found.people) == 1 else None


def over(ticket: Ticket) -> bool:
    """A reply to what has ended is a new question, so that somebody sees it."""
    ended = ticket.state == TicketState.RESOLVED and ticket.order_id is not None
    return ended or ticket.state == TicketState.CLOSED


def refuse(found: Incoming, reasons: Sequence[Refusal]) -> None:
    """Not taken: its sender learns why, the ticket meant keeps waiting and shows it."""
    first = reasons[0]
    mark(found, "refused", code=first.code, why="\n".join(reason.text("de") for reason in reasons))
    ticket = found.ticket
    if ticket is not None:
        values = {"address": found.sender, "why_de": first.text("de"), "why_en": first.text("en")}
        words = Words(_NOT_TAKEN.text("de", **values), _NOT_TAKEN.text("en", **values))
        tickets.tell(ticket, words, author="mailroom", now=found.now)
    number = ticket.number if ticket is not None and not over(ticket) else ""
    at = found.row.received_at
    answer(found, lambda language: letters.refused(language, reasons=reasons, at=at, ticket=number), REFUSED)


def quarantine(found: Incoming, reason: Refusal) -> None:
    """Put aside for an operator; a contact whose mail could not be read is told."""
    mark(found, "quarantined", code=reason.code, why=reason.text("de"))
    if found.people and reason.kind is not MAIL_FLOOD:
        at = found.row.received_at
        answer(found, lambda language: letters.refused(language, reasons=[reason], at=at, ticket=""), REFUSED)


def answer(found: Incoming, make: outbox.MakeLetter, kind: str) -> None:
    """Answer the sender, unless it is a program or has had its share (C-2: the rate is the last resort)."""
    mail = found.mail
    if mail is None or not mail.wants_answer:
        return
    since = found.now - timedelta(hours=1)
    sent = MailOut.objects.filter(address=found.sender, kind__in=_KINDS, created_at__gt=since).count()
    if sent >= ANSWERS_AN_HOUR:
        found.row.why = f"{found.row.why}\nnicht beantwortet: mehr als {ANSWERS_AN_HOUR} Antworten in einer Stunde"
        found.row.save(update_fields=["why"])
        return
    outbox.enqueue(
        make,
        kind=kind,
        secure=False,
        now=found.now,
        contact=pk_of(found.contact),
        address=found.sender,
        language=found.people[0].language if found.people else "de",
        ticket=found.ticket.number if found.ticket else "",
        references=found.thread,
    )


def mark(found: Incoming, state: str, *, code: str = "", why: str = "") -> None:
    row = found.row
    row.state, row.code, row.why, row.processed_at = state, code, why, found.now
    row.contact, row.ticket = found.contact, found.ticket
    row.save(update_fields=_FOUND)
    number = found.ticket.number if found.ticket else ""
    _log.info(
        "mail %s from <%s>: %s", row.pk, row.from_address, " ".join(each for each in (state, code, number) if each)
    )
    audit.append(
        actor="mailroom",
        action=f"mail.{state}",
        subject=f"mail_in:{row.pk}",
        payload={"from": row.from_address, "digest": row.digest, "code": code},
        client=found.contact.client_id if found.contact else None,
        at=found.now,
    )


def pk_of(contact: Contact | None) -> int | None:
    return contact.pk if contact is not None else None
