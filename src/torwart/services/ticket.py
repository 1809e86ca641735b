"""Tickets (Vorgänge): opened, answered, asked back, assigned, resolved; their clocks rest while the client is asked.

Every verb is one transaction that holds the ticket's row, writes one entry of the audit trail and one line of the
ticket's history. A number of another client is refused like one that does not exist (P-1).
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from torwart.kernel.identifiers import CaseNumber
from torwart.kernel.order_state import OPEN
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.ticket import TICKET_ASSIGNEE, TICKET_EFFORT, TICKET_OF_ORDER, TICKET_TEXT, TICKET_UNKNOWN
from torwart.kernel.role import Role
from torwart.kernel.ticket_state import TICKET, TicketKind, TicketState, TicketVerb
from torwart.kernel.words import Words
from torwart.ports.process_engine import ProcessEngine
from torwart.rules.service_clock import ServiceClock
from torwart.services import audit, outbox, ticket_clock
from torwart.services.letter import ticket as letters
from torwart.services.ticket_clock import Timing
from torwart.store.models import Attachment, MailIn, Ticket, TicketEntry, User
from torwart.wire.mail import Letter

LONGEST_TEXT = 20_000
LONGEST_EFFORT = 10_000
MESSAGE_IN, MESSAGE_OUT, NOTE, CALL, EVENT, VERDICT = "message_in", "message_out", "note", "call", "event", "verdict"


# --- opening ----------------------------------------------------------------------------------------------------------


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
            ticket = _locked(number)
            about = _about(ticket)
            _mail(ticket, "ticket.incident", lambda language: letters.incident(language, about, rows=rows), now)
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
        _line(ticket, MESSAGE_IN if author or mail_in else EVENT, author or actor, text, now, mail_in=mail_in)
        _audit(ticket, ticket_clock.OPENED, actor, now, {"kind": kind.value, "requested_at": None})
    return number


def opened_for_order(ticket: Ticket, actor: str, now: datetime, requested_at: datetime | None) -> None:
    """What the audit trail says of a ticket that came with its order."""
    requested = requested_at.isoformat() if requested_at else None
    _audit(ticket, ticket_clock.OPENED, actor, now, {"kind": TicketKind.ORDER.value, "requested_at": requested})


# --- saying something -------------------------------------------------------------------------------------------------


def answer(number: str, text: str, *, user: int, now: datetime) -> None:
    """Answer the client: into the history and by mail."""
    with transaction.atomic():
        ticket, person = _locked(number), _person(user)
        _line(ticket, MESSAGE_OUT, person.full_name, _checked(text), now)
        _answered(ticket, now)
        _audit(ticket, "ticket.answered", _actor(person), now)
        about = _about(ticket)
        _mail(
            ticket,
            "ticket.answer",
            lambda language: letters.answer(language, about, text=text, author=person.full_name),
            now,
        )


def add_message(number: str, text: str, *, client: int, author: str, actor: str, now: datetime) -> None:
    """The client writes in the portal; a ticket that waits for it goes on, a resolved one opens again."""
    with transaction.atomic():
        ticket = _locked(number, client)
        _line(ticket, MESSAGE_IN, author, _checked(text), now)
        _audit(ticket, "ticket.message", actor, now)
        _client_spoke(ticket, actor, now)


def joined_by_mail(number: str, mail_in_id: int, text: str, *, contact: int | None, now: datetime) -> None:
    """A reply by mail joins its ticket; a ticket that waits for the client goes on, a resolved one opens again."""
    with transaction.atomic():
        ticket = _locked(number)
        mail = MailIn.objects.only("id", "from_address").get(pk=mail_in_id)
        _line(ticket, MESSAGE_IN, mail.from_address, text, now, mail_in=mail_in_id)
        _audit(ticket, "ticket.mail_joined", "mailroom", now, {"mail": mail_in_id, "contact": contact})
        _client_spoke(ticket, "mailroom", now)


def note(number: str, text: str, *, user: int, now: datetime, internal: bool = True) -> None:
    """A note of the provider's; ``internal``: the client does not see it."""
    with transaction.atomic():
        ticket, person = _locked(number), _person(user)
        _line(ticket, NOTE, person.full_name, _checked(text), now, internal=internal)
        _audit(ticket, "ticket.noted", _actor(person), now, {"internal": internal})


def call(number: str, caller: str, at: datetime, text: str, *, user: int, now: datetime) -> None:
    """Note a phone call (C-3): who called, when, what was said."""
    with transaction.atomic():
        ticket, person = _locked(number), _person(user)
        _line(ticket, CALL, " ".join(caller.split())[:200] or person.full_name, _checked(text), at)
        _audit(ticket, "ticket.called", _actor(person), now, {"caller": caller[:200], "at": at.isoformat()})


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
        ticket = _locked(number)
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
        _audit(ticket, "ticket.attached", "mailroom", now, {"digest": digest, "size": len(content), "secure": secure})
    return row.pk


# --- whose turn it is -------------------------------------------------------------------------------------------------


def ask_client(number: str, question: str, *, user: int, now: datetime) -> None:
    """Ask the client by mail; the clock rests until it answers."""
    with transaction.atomic():
        ticket, person = _locked(number), _person(user)
        text = Words(_checked(question), question)
        _line(ticket, MESSAGE_OUT, person.full_name, question, now)
        _answered(ticket, now)
        rest(ticket, text, actor=_actor(person), now=now)
        about = _about(ticket)
        _mail(ticket, "ticket.question", lambda language: letters.question(language, about, text=text), now)


def rest(ticket: Ticket, reason: Words, *, actor: str, now: datetime) -> None:
    """The ticket waits for the client and its clock rests; in the caller's transaction, which holds the ticket."""
    TICKET.next(TicketState(ticket.state), TicketVerb.ASK_CLIENT)
    timing = ticket_clock.timing(ticket.number).pause(now, reason.de)
    _move(ticket, TicketVerb.ASK_CLIENT, now, waiting_reason=reason.de, due_at=timing.due)
    _audit(ticket, ticket_clock.PAUSED, actor, now, {"reason": reason.de, "reason_en": reason.en})


def resume(number: str, *, actor: str, now: datetime) -> None:
    """The ticket is ours again: the clock goes on if it rested."""
    with transaction.atomic():
        go_on(_locked(number), actor=actor, now=now)


def go_on(ticket: Ticket, *, actor: str, now: datetime) -> None:
    """``resume`` in the caller's transaction, which holds the ticket."""
    rested = ticket.state == TicketState.WAITING_CLIENT
    changes: dict[str, Any] = {"waiting_reason": ""}
    if rested:
        changes["due_at"] = ticket_clock.timing(ticket.number).resume(now).due
    _move(ticket, TicketVerb.RESUME, now, **changes)
    _audit(ticket, ticket_clock.RESUMED if rested else "ticket.goes_on", actor, now)


def wait_on(ticket: Ticket, verb: TicketVerb, reason: Words, *, actor: str, now: datetime) -> None:
    """The ticket waits for the device or for its time; its clock runs on. In the caller's transaction."""
    _move(ticket, verb, now, waiting_reason=reason.de)
    _audit(ticket, "ticket.waits", actor, now, {"for": ticket.state, "reason": reason.de})


def reschedule(ticket: Ticket, requested_at: datetime, *, actor: str, now: datetime) -> None:
    """The client has chosen another time: that is what counts from now on."""
    if ticket.state == TicketState.WAITING_CLIENT:
        go_on(ticket, actor=actor, now=now)
    Ticket.objects.filter(pk=ticket.pk).update(due_at=Timing.begin(now, requested_at).due)
    _audit(ticket, ticket_clock.RESCHEDULED, actor, now, {"requested_at": requested_at.isoformat()})


def _client_spoke(ticket: Ticket, actor: str, now: datetime) -> None:
    if ticket.state == TicketState.WAITING_CLIENT:
        go_on(ticket, actor=actor, now=now)
    elif ticket.state == TicketState.RESOLVED and ticket.order_id is None:
        _reopen(ticket, actor, now)


# --- who works on it, how it ends -------------------------------------------------------------------------------------


def assign(number: str, user: int | None, *, actor: str, now: datetime) -> None:
    """Give the ticket to an operator, or back to the queue (``None``)."""
    with transaction.atomic():
        ticket = _locked(number)
        person = User.objects.filter(pk=user, client__isnull=True, is_active=True).first() if user else None
        if user is not None and (person is None or not person.has_role(Role.OPERATOR)):
            raise TICKET_ASSIGNEE()
        Ticket.objects.filter(pk=ticket.pk).update(assignee=person)
        _audit(ticket, "ticket.assigned", actor, now, {"to": _actor(person) if person else ""})


def resolve(engine: ProcessEngine, number: str, text: str, *, user: int, now: datetime) -> None:
    """The matter is settled; ``text`` tells the client how.

    The ticket of an order that an operator works on (P41) ends with its run, which hears of the verdict at once; of
    any other order in progress it is refused, its run decides.
    """
    with transaction.atomic():
        ticket, person = _locked(number), _person(user)
        if ticket.order is not None and ticket.order.state in {state.value for state in OPEN}:
            if not ticket.order.wording.get("attended"):
                raise TICKET_OF_ORDER(number=number)
            TICKET.next(TicketState(ticket.state), TicketVerb.RESOLVE)
            _line(ticket, VERDICT, person.full_name, _checked(text), now)
            _audit(ticket, "ticket.verdict", _actor(person), now)
            engine.nudge(f"ticket:{number}")
            return
        _line(ticket, MESSAGE_OUT, person.full_name, _checked(text), now)
        _answered(ticket, now)
        _move(ticket, TicketVerb.RESOLVE, now, resolved_at=now, waiting_reason="")
        _audit(ticket, "ticket.resolved", _actor(person), now)
        about = _about(ticket)
        _mail(ticket, "ticket.resolved", lambda language: letters.resolved(language, about, text=text), now)


def verdict(number: str) -> dict[str, str] | None:
    """What an operator has decided on an attended order, once one has: text and author."""
    row = TicketEntry.objects.filter(ticket__number=number, kind=VERDICT).order_by("id").last()
    return {"text": row.de, "by": row.author} if row else None


def end_with_order(ticket: Ticket, words: Words, *, author: str, actor: str, now: datetime) -> None:
    """The order has ended, and its ticket with it; in the caller's transaction."""
    _line(ticket, EVENT, author, words, now)
    _move(ticket, TicketVerb.RESOLVE, now, resolved_at=now, waiting_reason="")
    _audit(ticket, "ticket.resolved", actor, now)


def reopen(number: str, *, actor: str, now: datetime) -> None:
    """Not settled after all: 24 hours of service time from now."""
    with transaction.atomic():
        _reopen(_locked(number), actor, now)


def _reopen(ticket: Ticket, actor: str, now: datetime) -> None:
    _move(ticket, TicketVerb.REOPEN, now, resolved_at=None, due_at=Timing.begin(now, None).due)
    _audit(ticket, ticket_clock.REOPENED, actor, now)


def close(number: str, *, actor: str, now: datetime) -> None:
    """Nothing more can be said here; a later question is a new ticket."""
    with transaction.atomic():
        ticket = _locked(number)
        _move(ticket, TicketVerb.CLOSE, now)
        _audit(ticket, "ticket.closed", actor, now)


def bill(number: str, minutes: int, reason: str, *, user: int, now: datetime) -> None:
    """Record effort that a client's wrong entry has caused (O-5, M-2); the client sees it on the ticket."""
    if not 0 < minutes <= LONGEST_EFFORT or not reason.strip():
        raise TICKET_EFFORT(limit=LONGEST_EFFORT)
    with transaction.atomic():
        ticket, person = _locked(number), _person(user)
        words = Words(
            f"Abrechenbarer Aufwand: {minutes} Minuten. {reason}", f"Billable effort: {minutes} minutes. {reason}"
        )
        Ticket.objects.filter(pk=ticket.pk).update(
            billable_minutes=ticket.billable_minutes + minutes, billable_reason=_checked(reason)
        )
        _line(ticket, EVENT, person.full_name, words, now)
        _audit(ticket, "ticket.billed", _actor(person), now, {"minutes": minutes, "reason": reason})


def clock(number: str) -> ServiceClock:
    """The ticket's clock, recomputed from the audit trail alone (T-5)."""
    return ticket_clock.timing(number).clock


# --- for the verbs about orders, which hold the ticket ----------------------------------------------------------------


def locked_of_order(order: int) -> Ticket:
    """The ticket of an order, held until the transaction ends."""
    return Ticket.objects.select_for_update(of=("self",)).get(order=order)


def tell(ticket: Ticket, words: Words, *, author: str, now: datetime) -> None:
    """A line in the history for everybody to see."""
    _line(ticket, EVENT, author, words, now)


def wait_for_client(number: str, reason: Words, *, actor: str, now: datetime) -> None:
    """A run needs something of the client: its ticket waits, unless it does already; in the run's transaction."""
    ticket = _locked(number)
    if TICKET.can(TicketState(ticket.state), TicketVerb.ASK_CLIENT):
        rest(ticket, reason, actor=actor, now=now)


def stop_waiting(number: str, *, actor: str, now: datetime) -> None:
    """The run has what it waited for, or waits no longer; in its transaction."""
    ticket = _locked(number)
    if ticket.state == TicketState.WAITING_CLIENT:
        go_on(ticket, actor=actor, now=now)


def write_to_client(
    number: str, kind: str, words: Words, make: Callable[[str, letters.About], Letter], now: datetime
) -> None:
    """A run writes to the client: a line everybody sees, and the mail; in its transaction."""
    ticket = _locked(number)
    _line(ticket, MESSAGE_OUT, "Torwart", words, now)
    about = _about(ticket)
    _mail(ticket, kind, lambda language: make(language, about), now)


# --- inside -----------------------------------------------------------------------------------------------------------


def _locked(number: str, client: int | None = None) -> Ticket:
    found = Ticket.objects.select_for_update(of=("self",)).select_related("order").filter(number=_number(number))
    ticket = (found if client is None else found.filter(client=client)).first()
    if ticket is None:
        raise TICKET_UNKNOWN(number=number[:20])
    return ticket


def _number(text: str) -> str:
    try:
        return CaseNumber.parse(text).ticket
    except Refusal:
        return ""


def _person(user: int) -> User:
    return User.objects.get(pk=user)


def _actor(person: User) -> str:
    return f"user:{person.email}"


def _checked(text: str) -> str:
    plain = text.strip()
    if not plain or len(plain) > LONGEST_TEXT or "\x00" in plain:
        raise TICKET_TEXT(limit=LONGEST_TEXT)
    return plain


def _line(
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


def _move(ticket: Ticket, verb: TicketVerb, now: datetime, **columns: Any) -> None:
    ticket.state = TICKET.next(TicketState(ticket.state), verb).value
    Ticket.objects.filter(pk=ticket.pk).update(state=ticket.state, state_since=now, **columns)


def _answered(ticket: Ticket, now: datetime) -> None:
    if ticket.first_answer_at is None:
        Ticket.objects.filter(pk=ticket.pk).update(first_answer_at=now)


def _audit(ticket: Ticket, action: str, actor: str, now: datetime, payload: dict[str, Any] | None = None) -> None:
    subject = f"ticket:{ticket.number}"
    audit.append(actor=actor, action=action, subject=subject, payload=payload, client=ticket.client_id, at=now)


def _about(ticket: Ticket) -> letters.About:
    named = Words(ticket.subject, ticket.subject)
    if ticket.order is not None:
        de, en = ticket.order.wording["process"]
        named = Words(f"{ticket.order.number}, {de}", f"{ticket.order.number}, {en}")
    return letters.About(ticket.number, named, outbox.portal_url(f"/portal/vorgaenge/{ticket.number}/"))


def _mail(ticket: Ticket, kind: str, make: outbox.MakeLetter, now: datetime) -> None:
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
