"""Tickets are opened: a question, an incident, or with an order."""

from datetime import datetime

from django.db import transaction

from torwart.kernel.identifiers import CaseNumber
from torwart.kernel.ticket_state import TicketKind
from torwart.kernel.words import Words
from torwart.services import ticket_clock
from torwart.services.letter import ticket as letters
from torwart.services.ticket.rows import EVENT, MESSAGE_IN, about_of, audited, line, locked, mail
from torwart.services.ticket_clock import Timing
from torwart.store.models import Ticket


def open_question(
    *,
    client: int | None,
    contact: int | None,
    subject: str,
    text: str,
    now: datetime,
    mail_in: int | None = None,
    author: str = "",
    actor: str = "mailroom",
) -> str:
    """A question, from a mail (``mail_in``) or the portal; its number. It is to be answered within 24 service hours."""
    return _open(TicketKind.QUESTION, client, contact, None, subject, text, now, mail_in, author, actor)


def open_incident(
    *,
    client: int | None,
    subject: str,
    text: str,
    now: datetime,
    actor: str,
    contact: int | None = None,
    gateway: int | None = None,
    author: str = "",
    rows: tuple[tuple[Words, Words], ...] = (),
) -> str:
    """An incident outside an order, e.g. from supervision or a reported account (P-4, M-1); its number.

    With ``rows``, what is known of it, the client is told at once.
    """
    with transaction.atomic():
        number = _open(TicketKind.INCIDENT, client, contact, gateway, subject, text, now, None, author, actor)
        if rows:
            ticket = locked(number)
            about = about_of(ticket)
            mail(ticket, "ticket.incident", lambda language: letters.incident(language, about, rows=rows), now)
    return number


def _open(
    kind: TicketKind,
    client: int | None,
    contact: int | None,
    gateway: int | None,
    subject: str,
    text: str,
    now: datetime,
    mail_in: int | None,
    author: str,
    actor: str,
) -> str:
    number = CaseNumber.new("T")
    with transaction.atomic():
        ticket = Ticket.objects.create(
            number=number,
            client_id=client,
            contact_id=contact,
            gateway_id=gateway,
            kind=kind.value,
            subject=" ".join(subject.split())[:200],
            state_since=now,
            opened_at=now,
            due_at=Timing.begin(now, None).due,
        )
        line(ticket, MESSAGE_IN if author or mail_in else EVENT, author or actor, text, now, mail_in=mail_in)
        audited(ticket, ticket_clock.OPENED, actor, now, {"kind": kind.value, "requested_at": None})
    return number


def opened_for_order(ticket: Ticket, actor: str, now: datetime, requested_at: datetime | None) -> None:
    """What the audit trail says of a ticket that came with its order."""
    requested = requested_at.isoformat() if requested_at else None
    audited(ticket, ticket_clock.OPENED, actor, now, {"kind": TicketKind.ORDER.value, "requested_at": requested})
