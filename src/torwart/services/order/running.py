"""What the run of an order asks and tells, in the run's own transaction (O-3)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from torwart.kernel.order_state import OrderState, OrderVerb
from torwart.kernel.outcome import Row, kept
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.process import GATEWAY_BUSY
from torwart.kernel.ticket_state import TicketState, TicketVerb
from torwart.kernel.words import Words
from torwart.services import outbox
from torwart.services import run as runs
from torwart.services import ticket as tickets
from torwart.services.letter import order as letters
from torwart.services.order.looking import number_of_run
from torwart.services.order.rows import about_of, audited, close, failed_as, locked, mail, move, step_words, steps_of
from torwart.store.models import Order, Run
from torwart.store.models.run import ACTIVE


def topic(number: str) -> str:
    """What the sleeping run of an order is woken by."""
    return f"order:{number}"


def begin(
    number: str, run_id: str, *, unmet: Callable[[], Sequence[Refusal]], now: datetime, pause: timedelta
) -> dict[str, Any]:
    """May the work begin? ``{"begun": True}``, or ``{"refused": code}`` for good, or until when and on what to wait.

    At its time the preconditions are asked again, then the gateway is taken; if another run has it, this one waits
    visibly and asks again after ``pause``.
    """
    order = locked(number, None)
    if order.state == OrderState.PROPOSED:
        return _waits(order, None)
    if order.state not in (OrderState.SUBMITTED, OrderState.ACCEPTED):
        return {"refused": f"order.{order.state}"}
    if order.starts_at > now:
        _accept(order, now)
        _ticket_waits(order, TicketVerb.AWAIT_TIME, _WAITS_FOR_TIME, now)
        return _waits(order, order.starts_at)
    for refusal in unmet():
        runs.refuse(run_id, refusal)
        failed_as(order, refusal, OrderVerb.REFUSE, now)
        return {"refused": refusal.code}
    if not runs.take(run_id):
        _accept(order, now)
        _busy(order, run_id, now + pause)
        _ticket_waits(order, TicketVerb.AWAIT_DEVICE, _WAITS_FOR_DEVICE, now)
        return _waits(order, now + pause)
    move(order, OrderVerb.BEGIN, now)
    if order.ticket.state in (TicketState.WAITING_TIME, TicketState.WAITING_DEVICE):
        tickets.go_on(tickets.locked_of_order(order.pk), actor=f"run:{run_id}", now=now)
    audited(order, "order.begun", f"run:{run_id}", now)
    return {"begun": True}


def changed(number: str, seen: Sequence[str]) -> list[str] | None:
    """What a sleeping run looks for: another state or another time than it has ``seen``."""
    rows = Order.objects.filter(number=number).values_list("state", "starts_at")
    state, starts_at = rows[0]
    present = [state, starts_at.isoformat()]
    return present if present != list(seen) else None


def _waits(order: Order, until: datetime | None) -> dict[str, Any]:
    return {"until": until.isoformat() if until else None, "seen": [order.state, order.starts_at.isoformat()]}


def _accept(order: Order, now: datetime) -> None:
    """The time for withdrawing is over: the order stands, and a planned one is confirmed."""
    if order.state != OrderState.SUBMITTED:
        return
    move(order, OrderVerb.ACCEPT, now)
    audited(order, "order.accepted", f"order:{order.number}", now)
    if order.planned:
        about = about_of(order)
        mail(order, order.ticket, "order.accepted", lambda language: letters.accepted(language, about), now)


def _busy(order: Order, run_id: str, until: datetime) -> None:
    device = order.gateway.device_id if order.gateway else ""
    other = Run.objects.filter(gateway=order.gateway, state__in=ACTIVE).values_list("run_id", flat=True).first()
    runs.expect(run_id, until, GATEWAY_BUSY(gateway=device, run=other))


_WAITS_FOR_TIME = Words("Wartet auf den Termin", "Waiting for the agreed time")


_WAITS_FOR_DEVICE = Words(
    "Ein anderer Prozess läuft noch am Gateway", "Another process is still running on the gateway"
)


def _ticket_waits(order: Order, verb: TicketVerb, why: Words, now: datetime) -> None:
    """What people see meanwhile; a ticket that waits for the client goes on doing so."""
    ticket = tickets.locked_of_order(order.pk)
    if ticket.state == TicketState.WAITING_TIME and verb is TicketVerb.AWAIT_DEVICE:
        tickets.go_on(ticket, actor=f"order:{order.number}", now=now)
    if ticket.state == TicketState.OPEN:
        tickets.wait_on(ticket, verb, why, actor=f"order:{order.number}", now=now)


def succeed(
    number: str,
    run_id: str,
    result: Mapping[str, Any],
    *,
    rows: Sequence[Row],
    files: outbox.Files,
    now: datetime,
) -> None:
    """The run has proven its effect: order done, ticket resolved, result mailed (O-3). ``rows``: the result's words."""
    order = locked(number, None)
    runs.succeed(run_id, result)
    move(order, OrderVerb.FINISH, now, ended_at=now, result={"rows": kept(rows), "result": dict(result)})
    steps = [step_words(order, name) for name, _ in steps_of(order)]
    close(
        order,
        Words("Auftrag erfolgreich abgeschlossen.", "Order completed successfully."),
        "order.done",
        lambda language, about: letters.done(language, about, rows=rows, steps=steps),
        actor=f"run:{run_id}",
        now=now,
        files=files,
    )


def fail(number: str, run_id: str, refusal: Refusal, *, rows: Sequence[Row] = (), now: datetime) -> None:
    """The run cannot reach its effect: order failed, ticket resolved, the reason and whose fault it is mailed (O-3).
    ``rows``: what stays on the gateway, in words.
    """
    order = locked(number, None)
    text = {"de": refusal.text("de"), "en": refusal.text("en")}
    runs.fail(run_id, refusal.code, refusal.side.value, text)
    failed_as(order, refusal, OrderVerb.FAIL, now, rows=rows)


def given_up(run_id: str, refusal: Refusal, *, free: runs.Free | None, now: datetime) -> bool:
    """The engine has given the run up: it ends as failed, and its order with it. ``False`` if it had ended before."""
    with transaction.atomic():
        number = number_of_run(run_id)
        order = locked(number, None) if number else None
        if not runs.end_failed(run_id, refusal, free=free):
            return False
        if order is not None:
            failed_as(order, refusal, OrderVerb.FAIL, now)
    return True


def silent(number: str, *, gateway: str, hours: int, now: datetime) -> None:
    """The client is told that the gateway has been silent for so long (P03)."""
    order = locked(number, None)
    about = about_of(order)
    ticket = tickets.locked_of_order(order.pk)
    tickets.tell(
        ticket,
        Words(f"{gateway} meldet sich seit {hours} h nicht.", f"{gateway} has not called for {hours} h."),
        author="Torwart",
        now=now,
    )
    mail(
        order,
        ticket,
        "order.silent",
        lambda language: letters.silent(language, about, gateway=gateway, hours=hours),
        now,
    )
