"""Another time than the requested one: operators propose, the client chooses or answers (T-3, T-6)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from torwart.kernel.order_state import OrderState, OrderVerb
from torwart.kernel.refusals.order import NO_TIMES, NOTHING_PROPOSED, TIME_NOT_PROPOSED
from torwart.kernel.ticket_state import TicketState
from torwart.kernel.words import Words
from torwart.ports.process_engine import ProcessEngine
from torwart.rules.lead_time import check_requested, spoken
from torwart.services import run as runs
from torwart.services import ticket as tickets
from torwart.services.letter import order as letters
from torwart.services.order.rows import about_of, audited, locked, mail, move, run_id_of
from torwart.services.order.running import topic
from torwart.store.models import Order, Proposal, User

MOST_TIMES = 5


def propose(
    engine: ProcessEngine, number: str, times: Sequence[datetime], reason: str, *, user: int, now: datetime
) -> None:
    """Offer other times because the requested one cannot be kept (T-3); the clock rests until the client chooses."""
    with transaction.atomic():
        order = locked(number, None)
        if not 0 < len(times) <= MOST_TIMES or not reason.strip() or min(times) <= now:
            raise NO_TIMES()
        for time in times:
            check_requested(now, time, unattended=not order.wording.get("attended"))
        actor = f"user:{User.objects.get(pk=user).email}"
        move(order, OrderVerb.PROPOSE, now)
        Proposal.objects.create(
            order=order, times=sorted(times), reason=reason.strip(), proposed_by=actor, proposed_at=now
        )
        ticket = tickets.locked_of_order(order.pk)
        if ticket.state != TicketState.WAITING_CLIENT:
            why = Words("Andere Termine vorgeschlagen", "Other times proposed")
            tickets.rest(ticket, why, actor=actor, now=now)
        listed = [time.isoformat() for time in sorted(times)]
        audited(order, "order.times_proposed", actor, now, {"times": listed, "reason": reason})
        about = about_of(order)
        mail(
            order,
            ticket,
            "order.proposed",
            lambda language: letters.proposed(language, about, times=sorted(times), reason=reason.strip()),
            now,
        )
        engine.nudge(topic(number))


def choose(engine: ProcessEngine, number: str, time: datetime, *, client: int, actor: str, now: datetime) -> None:
    """Take one of the proposed times: it is confirmed, and the sleeping run follows."""
    with transaction.atomic():
        order = locked(number, client)
        proposal = _open_proposal(order)
        if time not in proposal.times:
            raise TIME_NOT_PROPOSED(time=spoken(time), times=", ".join(map(spoken, proposal.times)))
        check_requested(now, time, unattended=True)
        move(order, OrderVerb.CHOOSE, now, requested_at=time, planned=True, due_at=time, starts_at=time)
        order.requested_at, order.planned, order.due_at, order.starts_at = time, True, time, time
        _answer(proposal, now, actor, chosen=time)
        ticket = tickets.locked_of_order(order.pk)
        tickets.reschedule(ticket, time, actor=actor, now=now)
        runs.expect(run_id_of(order), time)
        audited(order, "order.time_chosen", actor, now, {"time": time.isoformat()})
        about = about_of(order)
        mail(order, ticket, "order.accepted", lambda language: letters.accepted(language, about), now)
        engine.nudge(topic(number))


def decline(number: str, answer: str, *, client: int, author: str, actor: str, now: datetime) -> None:
    """None of the times suits: the client says so in its words, and it is the operators' turn again."""
    with transaction.atomic():
        order = locked(number, client)
        _answer(_open_proposal(order), now, actor, answer=answer.strip())
        audited(order, "order.times_declined", actor, now)
        tickets.add_message(order.number, answer, client=client, author=author, actor=actor, now=now)


def _open_proposal(order: Order) -> Proposal:
    proposal = order.proposals.order_by("id").last()
    if order.state != OrderState.PROPOSED or proposal is None or proposal.answered_at is not None:
        raise NOTHING_PROPOSED(number=order.number)
    return proposal


def _answer(proposal: Proposal, now: datetime, actor: str, **columns: Any) -> None:
    Proposal.objects.filter(pk=proposal.pk).update(answered_at=now, answered_by=actor, **columns)
