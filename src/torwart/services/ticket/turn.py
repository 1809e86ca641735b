"""Whose turn it is: the clock rests while the client is asked (T-5), and runs while device or time are waited for."""

from datetime import datetime
from typing import Any

from django.db import transaction

from torwart.kernel.ticket_state import TICKET, TicketState, TicketVerb
from torwart.kernel.words import Words
from torwart.rules.service_clock import ServiceClock
from torwart.services import ticket_clock
from torwart.services.ticket.rows import audited, locked, move
from torwart.services.ticket_clock import Timing
from torwart.store.models import Ticket


def rest(ticket: Ticket, reason: Words, *, actor: str, now: datetime) -> None:
    """The ticket waits for the client and its clock rests; in the caller's transaction, which holds the ticket."""
    TICKET.next(TicketState(ticket.state), TicketVerb.ASK_CLIENT)
    timing = ticket_clock.timing(ticket.number).pause(now, reason.de)
    move(ticket, TicketVerb.ASK_CLIENT, now, waiting_reason=reason.de, due_at=timing.due)
    audited(ticket, ticket_clock.PAUSED, actor, now, {"reason": reason.de, "reason_en": reason.en})


def resume(number: str, *, actor: str, now: datetime) -> None:
    """The ticket is ours again: the clock goes on if it rested."""
    with transaction.atomic():
        go_on(locked(number), actor=actor, now=now)


def go_on(ticket: Ticket, *, actor: str, now: datetime) -> None:
    """``resume`` in the caller's transaction, which holds the ticket."""
    rested = ticket.state == TicketState.WAITING_CLIENT
    changes: dict[str, Any] = {"waiting_reason": ""}
    if rested:
        changes["due_at"] = ticket_clock.timing(ticket.number).resume(now).due
    move(ticket, TicketVerb.RESUME, now, **changes)
    audited(ticket, ticket_clock.RESUMED if rested else "ticket.goes_on", actor, now)


def wait_on(ticket: Ticket, verb: TicketVerb, reason: Words, *, actor: str, now: datetime) -> None:
    """The ticket waits for the device or for its time; its clock runs on. In the caller's transaction."""
    move(ticket, verb, now, waiting_reason=reason.de)
    audited(ticket, "ticket.waits", actor, now, {"for": ticket.state, "reason": reason.de})


def reschedule(ticket: Ticket, requested_at: datetime, *, actor: str, now: datetime) -> None:
    """The client has chosen another time: that is what counts from now on."""
    if ticket.state == TicketState.WAITING_CLIENT:
        go_on(ticket, actor=actor, now=now)
    Ticket.objects.filter(pk=ticket.pk).update(due_at=Timing.begin(now, requested_at).due)
    audited(ticket, ticket_clock.RESCHEDULED, actor, now, {"requested_at": requested_at.isoformat()})


def client_spoke(ticket: Ticket, actor: str, now: datetime) -> None:
    if ticket.state == TicketState.WAITING_CLIENT:
        go_on(ticket, actor=actor, now=now)
    elif ticket.state == TicketState.RESOLVED and ticket.order_id is None:
        open_again(ticket, actor, now)


def open_again(ticket: Ticket, actor: str, now: datetime) -> None:
    move(ticket, TicketVerb.REOPEN, now, resolved_at=None, due_at=Timing.begin(now, None).due)
    audited(ticket, ticket_clock.REOPENED, actor, now)


def wait_for_client(number: str, reason: Words, *, actor: str, now: datetime) -> None:
    """A run needs something of the client: its ticket waits, unless it does already; in the run's transaction."""
    ticket = locked(number)
    if TICKET.can(TicketState(ticket.state), TicketVerb.ASK_CLIENT):
        rest(ticket, reason, actor=actor, now=now)


def stop_waiting(number: str, *, actor: str, now: datetime) -> None:
    """The run has what it waited for, or waits no longer; in its transaction."""
    ticket = locked(number)
    if ticket.state == TicketState.WAITING_CLIENT:
        go_on(ticket, actor=actor, now=now)


def clock(number: str) -> ServiceClock:
    """The ticket's clock, recomputed from the audit trail alone (T-5)."""
    return ticket_clock.timing(number).clock


def locked_of_order(order: int) -> Ticket:
    """The ticket of an order, held until the transaction ends."""
    return Ticket.objects.select_for_update(of=("self",)).get(order=order)
