"""Who works on a ticket, and how it ends (M-2, O-5)."""

from datetime import datetime

from django.db import transaction

from torwart.kernel.order_state import OPEN
from torwart.kernel.refusals.ticket import TICKET_ASSIGNEE, TICKET_EFFORT, TICKET_OF_ORDER
from torwart.kernel.role import Role
from torwart.kernel.ticket_state import TICKET, TicketState, TicketVerb
from torwart.kernel.words import Words
from torwart.ports.process_engine import ProcessEngine
from torwart.services.letter import ticket as letters
from torwart.services.ticket.rows import (
    EVENT,
    MESSAGE_OUT,
    VERDICT,
    about_of,
    actor_of,
    answered,
    audited,
    checked,
    line,
    locked,
    mail,
    move,
    person_of,
)
from torwart.services.ticket.turn import open_again
from torwart.store.models import Ticket, TicketEntry, User

LONGEST_EFFORT = 10_000


def assign(number: str, user: int | None, *, actor: str, now: datetime) -> None:
    """Give the ticket to an operator, or back to the queue (``None``)."""
    with transaction.atomic():
        ticket = locked(number)
        person = User.objects.filter(pk=user, client__isnull=True, is_active=True).first() if user else None
        if user is not None and (person is None or not person.has_role(Role.OPERATOR)):
            raise TICKET_ASSIGNEE()
        Ticket.objects.filter(pk=ticket.pk).update(assignee=person)
        audited(ticket, "ticket.assigned", actor, now, {"to": actor_of(person) if person else ""})


def resolve(engine: ProcessEngine, number: str, text: str, *, user: int, now: datetime) -> None:
    """The matter is settled; ``text`` tells the client how.

    The ticket of an order that an operator works on (P41) ends with its run, which hears of the verdict at once; of
    any other order in progress it is refused, its run decides.
    """
    with transaction.atomic():
        ticket, person = locked(number), person_of(user)
        if ticket.order is not None and ticket.order.state in {state.value for state in OPEN}:
            if not ticket.order.wording.get("attended"):
                raise TICKET_OF_ORDER(number=number)
            TICKET.next(TicketState(ticket.state), TicketVerb.RESOLVE)
            line(ticket, VERDICT, person.full_name, checked(text), now)
            audited(ticket, "ticket.verdict", actor_of(person), now)
            engine.nudge(f"ticket:{number}")
            return
        line(ticket, MESSAGE_OUT, person.full_name, checked(text), now)
        answered(ticket, now)
        move(ticket, TicketVerb.RESOLVE, now, resolved_at=now, waiting_reason="")
        audited(ticket, "ticket.resolved", actor_of(person), now)
        about = about_of(ticket)
        mail(ticket, "ticket.resolved", lambda language: letters.resolved(language, about, text=text), now)


def verdict(number: str) -> dict[str, str] | None:
    """What an operator has decided on an attended order, once one has: text and author."""
    row = TicketEntry.objects.filter(ticket__number=number, kind=VERDICT).order_by("id").last()
    return {"text": row.de, "by": row.author} if row else None


def end_with_order(ticket: Ticket, words: Words, *, author: str, actor: str, now: datetime) -> None:
    """The order has ended, and its ticket with it; in the caller's transaction."""
    line(ticket, EVENT, author, words, now)
    move(ticket, TicketVerb.RESOLVE, now, resolved_at=now, waiting_reason="")
    audited(ticket, "ticket.resolved", actor, now)


def reopen(number: str, *, actor: str, now: datetime) -> None:
    """Not settled after all: 24 hours of service time from now."""
    with transaction.atomic():
        open_again(locked(number), actor, now)


def close(number: str, *, actor: str, now: datetime) -> None:
    """Nothing more can be said here; a later question is a new ticket."""
    with transaction.atomic():
        ticket = locked(number)
        move(ticket, TicketVerb.CLOSE, now)
        audited(ticket, "ticket.closed", actor, now)


def bill(number: str, minutes: int, reason: str, *, user: int, now: datetime) -> None:
    """Record effort that a client's wrong entry has caused (O-5, M-2); the client sees it on the ticket."""
    if not 0 < minutes <= LONGEST_EFFORT or not reason.strip():
        raise TICKET_EFFORT(limit=LONGEST_EFFORT)
    with transaction.atomic():
        ticket, person = locked(number), person_of(user)
        words = Words(
            f"Abrechenbarer Aufwand: {minutes} Minuten. {reason}", f"Billable effort: {minutes} minutes. {reason}"
        )
        Ticket.objects.filter(pk=ticket.pk).update(
            billable_minutes=ticket.billable_minutes + minutes, billable_reason=checked(reason)
        )
        line(ticket, EVENT, person.full_name, words, now)
        audited(ticket, "ticket.billed", actor_of(person), now, {"minutes": minutes, "reason": reason})
