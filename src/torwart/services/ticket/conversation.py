"""What is said on a ticket: answers and questions by mail, replies, notes, calls, files (C-2, C-3)."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from torwart.kernel.words import Words
from torwart.services.letter import ticket as letters
from torwart.services.ticket.rows import (
    CALL,
    EVENT,
    MESSAGE_IN,
    MESSAGE_OUT,
    NOTE,
    about_of,
    actor_of,
    answered,
    audited,
    checked,
    line,
    locked,
    mail,
    person_of,
    require_open_ear,
)
from torwart.services.ticket.turn import client_spoke, rest
from torwart.store.models import Attachment, MailIn, Ticket
from torwart.wire.mail import Letter


def answer(number: str, text: str, *, user: int, now: datetime) -> None:
    """Answer the client: into the history and by mail."""
    with transaction.atomic():
        ticket, person = locked(number), person_of(user)
        line(ticket, MESSAGE_OUT, person.full_name, checked(text), now)
        answered(ticket, now)
        audited(ticket, "ticket.answered", actor_of(person), now)
        about = about_of(ticket)
        mail(
            ticket,
            "ticket.answer",
            lambda language: letters.answer(language, about, text=text, author=person.full_name),
            now,
        )


def add_message(number: str, text: str, *, client: int, author: str, actor: str, now: datetime) -> None:
    """The client writes in the portal; a ticket that waits for it goes on, a resolved one opens again."""
    with transaction.atomic():
        ticket = locked(number, client)
        require_open_ear(ticket)
        line(ticket, MESSAGE_IN, author, checked(text), now)
        audited(ticket, "ticket.message", actor, now)
        client_spoke(ticket, actor, now)


def joined_by_mail(number: str, mail_in_id: int, text: str, *, contact: int | None, now: datetime) -> None:
    """A reply by mail joins its ticket; a ticket that waits for the client goes on, a resolved one opens again."""
    with transaction.atomic():
        ticket = locked(number)
        mail = MailIn.objects.only("id", "from_address").get(pk=mail_in_id)
        line(ticket, MESSAGE_IN, mail.from_address, text, now, mail_in=mail_in_id)
        audited(ticket, "ticket.mail_joined", "mailroom", now, {"mail": mail_in_id, "contact": contact})
        client_spoke(ticket, "mailroom", now)


def note(number: str, text: str, *, user: int, now: datetime, internal: bool = True) -> None:
    """A note of the provider's; ``internal``: the client does not see it."""
    with transaction.atomic():
        ticket, person = locked(number), person_of(user)
        line(ticket, NOTE, person.full_name, checked(text), now, internal=internal)
        audited(ticket, "ticket.noted", actor_of(person), now, {"internal": internal})


def call(number: str, caller: str, at: datetime, text: str, *, user: int, now: datetime) -> None:
    """Note a phone call (C-3): who called, when, what was said."""
    with transaction.atomic():
        ticket, person = locked(number), person_of(user)
        line(ticket, CALL, " ".join(caller.split())[:200] or person.full_name, checked(text), at)
        audited(ticket, "ticket.called", actor_of(person), now, {"caller": caller[:200], "at": at.isoformat()})


def attach(
    number: str,
    *,
    name: str,
    media_type: str,
    content: bytes,
    digest: str,
    now: datetime,
    mail_in: int | None = None,
    secure: bool = False,
) -> int:
    """Keep a file with the ticket; its id. ``digest``: SHA-256, hex. ``secure``: encrypted and signed by a contact."""
    with transaction.atomic():
        ticket = locked(number)
        row = Attachment.objects.create(
            ticket=ticket,
            mail_in_id=mail_in,
            name=name[:200],
            media_type=media_type[:120],
            size=len(content),
            digest=digest,
            content=content,
            secure=secure,
            added_at=now,
        )
        audited(ticket, "ticket.attached", "mailroom", now, {"digest": digest, "size": len(content), "secure": secure})
    return row.pk


def ask_client(number: str, question: str, *, user: int, now: datetime) -> None:
    """Ask the client by mail; the clock rests until it answers."""
    with transaction.atomic():
        ticket, person = locked(number), person_of(user)
        text = Words(checked(question), question)
        line(ticket, MESSAGE_OUT, person.full_name, question, now)
        answered(ticket, now)
        rest(ticket, text, actor=actor_of(person), now=now)
        about = about_of(ticket)
        mail(ticket, "ticket.question", lambda language: letters.question(language, about, text=text), now)


def tell(ticket: Ticket, words: Words, *, author: str, now: datetime) -> None:
    """A line in the history for everybody to see."""
    line(ticket, EVENT, author, words, now)


def write_to_client(
    number: str, kind: str, words: Words, make: Callable[[str, letters.About], Letter], now: datetime
) -> None:
    """A run writes to the client: a line everybody sees, and the mail; in its transaction."""
    ticket = locked(number)
    line(ticket, MESSAGE_OUT, "Torwart", words, now)
    about = about_of(ticket)
    mail(ticket, kind, lambda language: make(language, about), now)
