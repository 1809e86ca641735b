"""The row of a ticket and what every verb about it does: hold it, move it by its table, write a line, audit, mail."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from torwart.kernel.identifiers import CaseNumber
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.ticket import TICKET_OVER, TICKET_TEXT, TICKET_UNKNOWN
from torwart.kernel.ticket_state import TICKET, TicketState, TicketVerb
from torwart.kernel.words import Words
from torwart.services import audit, outbox
from torwart.services.letter import ticket as letters
from torwart.store.models import MailIn, Ticket, TicketEntry, User

MESSAGE_IN, MESSAGE_OUT, NOTE, CALL, EVENT, VERDICT = "message_in", "message_out", "note", "call", "event", "verdict"


LONGEST_TEXT = 20_000


def locked(number: str, client: int | None = None) -> Ticket:
    found = Ticket.objects.select_for_update(of=("self",)).select_related("order").filter(number=_number(number))
    ticket = (found if client is None else found.filter(client=client)).first()
    if ticket is None:
        raise TICKET_UNKNOWN(number=number[:20])
    return ticket


def require_open_ear(ticket: Ticket) -> None:
    """Refuse to talk where nobody listens: a closed ticket, or that of an order that has ended."""
    ended = ticket.state == TicketState.RESOLVED and ticket.order_id is not None
    if ended or ticket.state == TicketState.CLOSED:
        raise TICKET_OVER(number=ticket.number)


def _number(text: str) -> str:
    try:
        return CaseNumber.parse(text).ticket
    except Refusal:
        return ""


def person_of(user: int) -> User:
    return User.objects.get(pk=user)


def actor_of(person: User) -> str:
    return f"user:{person.email}"


def checked(text: str) -> str:
    plain = text.strip()
    if not plain or len(plain) > LONGEST_TEXT or "\x00" in plain:
        raise TICKET_TEXT(limit=LONGEST_TEXT)
    return plain


def line(
    ticket: Ticket,
    kind: str,
    author: str,
    text: str | Words,
    at: datetime,
    *,
    internal: bool = False,
    mail_in: int | None = None,
) -> None:
    words = text if isinstance(text, Words) else Words(text, text)
    TicketEntry.objects.create(
        ticket=ticket,
        at=at,
        kind=kind,
        author=author,
        de=words.de,
        en=words.en,
        internal=internal,
        mail_in_id=mail_in,
    )


def move(ticket: Ticket, verb: TicketVerb, now: datetime, **columns: Any) -> None:
    ticket.state = TICKET.next(TicketState(ticket.state), verb).value
    Ticket.objects.filter(pk=ticket.pk).update(state=ticket.state, state_since=now, **columns)


def answered(ticket: Ticket, now: datetime) -> None:
    if ticket.first_answer_at is None:
        Ticket.objects.filter(pk=ticket.pk).update(first_answer_at=now)


def audited(ticket: Ticket, action: str, actor: str, now: datetime, payload: dict[str, Any] | None = None) -> None:
    subject = f"ticket:{ticket.number}"
    audit.append(actor=actor, action=action, subject=subject, payload=payload, client=ticket.client_id, at=now)


def about_of(ticket: Ticket) -> letters.About:
    named = Words(ticket.subject, ticket.subject)
    if ticket.order is not None:
        de, en = ticket.order.wording["process"]
        named = Words(f"{ticket.order.number}, {de}", f"{ticket.order.number}, {en}")
    return letters.About(ticket.number, named, outbox.portal_url(f"/portal/vorgaenge/{ticket.number}/"))


def mail(ticket: Ticket, kind: str, make: outbox.MakeLetter, now: datetime) -> None:
    """To whom asked; of an order to all contacts; to a sender nobody knows without secrets."""
    about: dict[str, Any] = {"kind": kind, "now": now, "ticket": ticket.number, "references": _thread(ticket)}
    if ticket.contact_id is not None:
        outbox.enqueue(make, secure=True, contact=ticket.contact_id, **about)
    elif ticket.client_id is not None:
        outbox.to_contacts(ticket.client_id, make, **about)
    elif address := _sender(ticket):
        outbox.enqueue(make, secure=False, address=address, **about)


def _thread(ticket: Ticket) -> Sequence[str]:
    rows: Iterable[str] = MailIn.objects.filter(ticket=ticket).order_by("id").values_list("message_id", flat=True)
    return [message_id for message_id in rows if message_id]


def _sender(ticket: Ticket) -> str:
    row = MailIn.objects.filter(ticket=ticket).order_by("id").values_list("from_address", flat=True).last()
    return row or ""
