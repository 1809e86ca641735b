"""Orders: placed with ticket, mail and durable run in one transaction; taken back, moved to another time, ended.

Theory of operation. The order's row is locked first by whoever changes it, then its run, then the engine's rows, so
that a client who cancels and a run that just ends never wait for each other in a circle. The run of an order sleeps
until the order may begin and asks ``begin``; from then on what the run says about its end is the order's end too, in
one transaction with the ticket and the mail (O-3).
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from torwart.kernel.contact_state import SECURE
from torwart.kernel.identifiers import CaseNumber
from torwart.kernel.order_state import ORDER, OrderState, OrderVerb
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.order import (
    GRACE_OVER,
    MAIL_UNTESTED,
    NO_TIMES,
    NOT_CANCELLABLE,
    NOT_FAILED,
    NOTHING_PROPOSED,
    ORDER_OPEN,
    ORDER_UNKNOWN,
    REASON_MISSING,
    REFUSED_BY_US,
    TIME_NOT_PROPOSED,
)
from torwart.kernel.refusals.process import GATEWAY_BUSY, GATEWAY_UNKNOWN, METER_UNKNOWN
from torwart.kernel.run_state import WaitingFor
from torwart.kernel.ticket_state import TicketKind, TicketState, TicketVerb
from torwart.kernel.words import Words
from torwart.ports.process_engine import ProcessEngine
from torwart.rules.lead_time import check_requested, spoken
from torwart.services import audit, interface_event, outbox
from torwart.services import run as runs
from torwart.services import ticket as tickets
from torwart.services.letter import order as letters
from torwart.store.models import Contact, Gateway, Meter, Order, Proposal, Run, Step, Ticket, TicketEntry, User
from torwart.store.models.run import ACTIVE
from torwart.store.queries import order as queries
from torwart.store.queries.order import Standing, Subject
from torwart.wire.mail import Attachment, Letter, Track

__all__ = ["Placement", "Standing", "Subject", "place", "standing", "subject"]

MOST_TIMES = 5
Row = tuple[Words, str]
"""Label and value of a result."""


@dataclass(frozen=True, slots=True)
class Placement:
    """An order that has been checked. ``gateway``: its row's id; ``subject``: its device id; ``wording``: see Order."""

    client: int
    user: int | None
    orderer: str
    actor: str
    channel: str
    code: str
    process: str
    subject: str
    gateway: int | None
    fields: Mapping[str, Any]
    summary: Sequence[Sequence[str]]
    wording: Mapping[str, Any]
    requested_at: datetime | None
    participant: str
    reference: str
    remark: str
    planned: bool
    due_at: datetime
    starts_at: datetime
    withdrawable_until: datetime


standing, subject = queries.standing, queries.subject


def process_of(number: str, client: int | None) -> str:
    """The name of the process an order is of; another client's order is refused as unknown (P-1)."""
    found = Order.objects.filter(number=number[:20])
    name = (found if client is None else found.filter(client=client)).values_list("process", flat=True).first()
    if name is None:
        raise ORDER_UNKNOWN(number=number[:20])
    return name


@dataclass(frozen=True, slots=True)
class Failed:
    """A failed order as far as trying again needs it."""

    client: int
    process: str
    fields: Mapping[str, Any]
    orderer: str
    participant: str
    reference: str
    remark: str


def failed(number: str, user: int) -> Failed:
    """A failed order, to be tried again by an operator (``user``); refused for one that has not failed."""
    order = Order.objects.filter(number=number[:20]).first()
    if order is None:
        raise ORDER_UNKNOWN(number=number[:20])
    if order.state != OrderState.FAILED:
        raise NOT_FAILED(number=order.number)
    name = User.objects.get(pk=user).full_name
    again = f"Neuer Versuch von {order.number} durch {name} / {order.number} tried again by {name}"
    remark = f"{order.remark}\n{again}".strip()[-4000:]
    return Failed(
        order.client_id,
        order.process,
        order.fields,
        order.orderer_name,
        order.participant,
        order.reference,
        remark,
    )


def ticket_of(number: str) -> str:
    """The ticket of an order: the same digits."""
    return CaseNumber(number).ticket


def client_of(number: str) -> int:
    return Order.objects.values_list("client_id", flat=True).get(number=number)


def mail_untested(client: int, user: int | None, fields: Mapping[str, Any], now: datetime) -> list[Refusal]:
    """What stands against a process whose data comes by mail: the orderer's secure mail must be tested (P01)."""
    secure = [state.value for state in SECURE]
    people = Contact.objects.filter(client=client, active=True, mail_state__in=secure)
    if (people if user is None else people.filter(user=user)).exists():
        return []
    return [MAIL_UNTESTED(url=outbox.portal_url("/portal/ansprechpartner"))]


def device_unknown(client: int, kind: str, name: str) -> list[Refusal]:
    """What stands against an incident about this object: a device that is not the client's is unknown (P-1)."""
    if kind == "gateway" and not Gateway.objects.filter(device_id=name, client=client).exists():
        return [GATEWAY_UNKNOWN(gateway=name)]
    if kind == "meter" and not Meter.objects.filter(device_id=name, client=client).exists():
        return [METER_UNKNOWN(meter=name)]
    return []


def about_device(number: str, kind: str, name: str) -> None:
    """The ticket of an order without a gateway of its own is about this one: an incident, say."""
    client = client_of(number)
    found = Gateway.objects.filter(client=client)
    match = {"gateway": {"device_id": name}, "meter": {"meters__device_id": name}, "melo": {"meters__melo": name}}
    gateway = found.filter(**match[kind]).first() if kind in match and name else None
    if gateway is not None:
        Ticket.objects.filter(number=ticket_of(number)).update(gateway=gateway)


def form_url(process: str) -> str:
    """Where a process is ordered in the portal."""
    return outbox.portal_url(f"/portal/bestellen/{process}")


def grace() -> timedelta:
    """How long a sent order can be withdrawn before anything starts (O-10), as configured."""
    return timedelta(seconds=settings.TORWART_WITHDRAWAL_SECONDS)


def place(engine: ProcessEngine, order: Placement, *, now: datetime) -> str:
    """Order, ticket, audit entries, confirmation mail and sleeping run, in one transaction (O-2); the number."""
    number = CaseNumber.new("A")
    try:
        with transaction.atomic():
            row, ticket = _insert(number, order, now)
            interface_event.emit(row, now, {})
            _audit(row, "order.placed", order.actor, now, {"process": order.code, "order": dict(order.fields)})
            tickets.opened_for_order(ticket, order.actor, now, order.requested_at if order.planned else None)
            about = _about(row)
            _mail(row, ticket, "order.placed", lambda language: letters.placed(language, about), now)
            first = order.withdrawable_until.isoformat()
            params = {"gateway": order.subject, "order": dict(order.fields), "number": number, "from": first}
            engine.spawn(order.process, str(row.run.run_id), params)  # type: ignore[union-attr]  # just made
    except IntegrityError:
        # Two at once: the other one was first. Anything else that is not unique would come up again here.
        standing = queries.subject(order.subject, order.client, order.process) if order.subject else None
        if standing is None or not standing.open:
            raise
        raise ORDER_OPEN(gateway=order.subject, number=standing.open) from None
    return number


def _insert(number: CaseNumber, order: Placement, now: datetime) -> tuple[Order, Ticket]:
    run = Run.objects.create(
        run_id=uuid.uuid4(),
        process=order.code,
        client_id=order.client,
        gateway_id=order.gateway,
        state="received",
        parameters=dict(order.fields),
        waiting_for=WaitingFor.TIME.value,
        next_attempt_at=order.starts_at,
        received_at=now,
    )
    row = Order.objects.create(
        number=number,
        client_id=order.client,
        orderer_id=order.user,
        orderer_name=order.orderer,
        channel=order.channel,
        process=order.process,
        gateway_id=order.gateway,
        fields=dict(order.fields),
        summary=order.summary,
        wording=dict(order.wording),
        participant=order.participant,
        reference=order.reference,
        remark=order.remark,
        state_since=now,
        submitted_at=now,
        requested_at=order.requested_at,
        planned=order.planned,
        due_at=order.due_at,
        starts_at=order.starts_at,
        withdrawable_until=order.withdrawable_until,
        run=run,
    )
    words = _process(row)
    ticket = Ticket.objects.create(
        number=number.ticket,
        client_id=order.client,
        kind=TicketKind.ORDER.value,
        subject=f"{number} {words.de}",
        order=row,
        gateway_id=order.gateway,
        state_since=now,
        opened_at=now,
        due_at=order.due_at,
    )
    TicketEntry.objects.create(
        ticket=ticket,
        at=now,
        kind=tickets.EVENT,
        author=order.orderer,
        de=f"Auftrag {number} eingegangen: {words.de}",
        en=f"Order {number} received: {words.en}",
    )
    return row, ticket


# --- taking back ------------------------------------------------------------------------------------------------------


def withdraw(engine: ProcessEngine, number: str, *, client: int, actor: str, now: datetime) -> None:
    """Take an order back while nothing has begun (O-10); after that ``order.grace_over`` points to cancelling."""
    with transaction.atomic():
        order = _locked(number, client)
        if now >= order.withdrawable_until and ORDER.can(OrderState(order.state), OrderVerb.CANCEL):
            raise GRACE_OVER(number=order.number, until=spoken(order.withdrawable_until))
        _move(order, OrderVerb.WITHDRAW, now, ended_at=now)
        runs.cancel(engine, _run_id(order), actor=actor, reason="zurückgezogen")
        _close(
            order,
            Words("Auftrag zurückgezogen, es hatte nichts begonnen.", "Order withdrawn, nothing had begun."),
            "order.withdrawn",
            lambda language, about: letters.withdrawn(language, about, actor=_name(actor)),
            actor=actor,
            now=now,
        )


def cancel(
    engine: ProcessEngine,
    number: str,
    *,
    client: int | None,
    actor: str,
    reason: str,
    now: datetime,
    free: runs.Free | None,
    not_from: str,
) -> list[Words]:
    """Cancel an order as far as its process allows (O-10); what has been done and stays, step by step.

    ``not_from``: the step from which on it must be finished; ``free`` gives back what was reserved. Faces call
    ``processes.ordering.cancel``, which knows both.
    """
    with transaction.atomic():
        order = _locked(number, client)
        _move(order, OrderVerb.CANCEL, now, ended_at=now)
        runs.cancel(engine, _run_id(order), actor=actor, reason=reason, free=free)
        # Asked only now, when no step can begin any more: the engine's row of the run is ours until the commit.
        steps = _steps(order)
        if not_from and not_from in {name for name, _ in steps}:
            words = _step_words(order, not_from)
            raise NOT_CANCELLABLE(number=order.number, step_de=words.de, step_en=words.en)
        stays = [_step_words(order, name) for name, state in steps if state == "done"]
        _close(
            order,
            Words(f"Auftrag storniert: {reason}", f"Order cancelled: {reason}"),
            "order.cancelled",
            lambda language, about: letters.cancelled(language, about, reason=reason, stays=stays),
            actor=actor,
            now=now,
        )
    return stays


def refuse(engine: ProcessEngine, number: str, reason: str, *, user: int, now: datetime) -> None:
    """An operator refuses an order that has not begun; the client is told the reason."""
    if not reason.strip():
        raise REASON_MISSING()
    with transaction.atomic():
        order = _locked(number, None)
        engine.cancel(_run_id(order))
        refusal = REFUSED_BY_US(reason=reason.strip())
        runs.refuse(_run_id(order), refusal)
        _fail(order, refusal, OrderVerb.REFUSE, now, actor=f"user:{User.objects.get(pk=user).email}")


def number_of_run(run_id: str) -> str:
    """The order a run belongs to, or ``""``."""
    return Order.objects.filter(run__run_id=run_id).values_list("number", flat=True).first() or ""


# --- another time -----------------------------------------------------------------------------------------------------


def propose(
    engine: ProcessEngine, number: str, times: Sequence[datetime], reason: str, *, user: int, now: datetime
) -> None:
    """Offer other times because the requested one cannot be kept (T-3); the clock rests until the client chooses."""
    with transaction.atomic():
        order = _locked(number, None)
        if not 0 < len(times) <= MOST_TIMES or not reason.strip() or min(times) <= now:
            raise NO_TIMES()
        for time in times:
            check_requested(now, time, unattended=not order.wording.get("attended"))
        actor = f"user:{User.objects.get(pk=user).email}"
        _move(order, OrderVerb.PROPOSE, now)
        Proposal.objects.create(
            order=order, times=sorted(times), reason=reason.strip(), proposed_by=actor, proposed_at=now
        )
        ticket = tickets.locked_of_order(order.pk)
        if ticket.state != TicketState.WAITING_CLIENT:
            why = Words("Andere Termine vorgeschlagen", "Other times proposed")
            tickets.rest(ticket, why, actor=actor, now=now)
        listed = [time.isoformat() for time in sorted(times)]
        _audit(order, "order.times_proposed", actor, now, {"times": listed, "reason": reason})
        about = _about(order)
        _mail(
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
        order = _locked(number, client)
        proposal = _open_proposal(order)
        if time not in proposal.times:
            raise TIME_NOT_PROPOSED(time=spoken(time), times=", ".join(map(spoken, proposal.times)))
        check_requested(now, time, unattended=True)
        _move(order, OrderVerb.CHOOSE, now, requested_at=time, planned=True, due_at=time, starts_at=time)
        order.requested_at, order.planned, order.due_at, order.starts_at = time, True, time, time
        _answer(proposal, now, actor, chosen=time)
        ticket = tickets.locked_of_order(order.pk)
        tickets.reschedule(ticket, time, actor=actor, now=now)
        runs.expect(_run_id(order), time)
        _audit(order, "order.time_chosen", actor, now, {"time": time.isoformat()})
        about = _about(order)
        _mail(order, ticket, "order.accepted", lambda language: letters.accepted(language, about), now)
        engine.nudge(topic(number))


def decline(number: str, answer: str, *, client: int, author: str, actor: str, now: datetime) -> None:
    """None of the times suits: the client says so in its words, and it is the operators' turn again."""
    with transaction.atomic():
        order = _locked(number, client)
        _answer(_open_proposal(order), now, actor, answer=answer.strip())
        _audit(order, "order.times_declined", actor, now)
        tickets.add_message(order.number, answer, client=client, author=author, actor=actor, now=now)


def _open_proposal(order: Order) -> Proposal:
    proposal = order.proposals.order_by("id").last()
    if order.state != OrderState.PROPOSED or proposal is None or proposal.answered_at is not None:
        raise NOTHING_PROPOSED(number=order.number)
    return proposal


def _answer(proposal: Proposal, now: datetime, actor: str, **columns: Any) -> None:
    Proposal.objects.filter(pk=proposal.pk).update(answered_at=now, answered_by=actor, **columns)


# --- what the run of an order tells (in the run's own transaction) ----------------------------------------------------


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
    order = _locked(number, None)
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
        _fail(order, refusal, OrderVerb.REFUSE, now)
        return {"refused": refusal.code}
    if not runs.take(run_id):
        _accept(order, now)
        _busy(order, run_id, now + pause)
        _ticket_waits(order, TicketVerb.AWAIT_DEVICE, _WAITS_FOR_DEVICE, now)
        return _waits(order, now + pause)
    _move(order, OrderVerb.BEGIN, now)
    if order.ticket.state in (TicketState.WAITING_TIME, TicketState.WAITING_DEVICE):
        tickets.go_on(tickets.locked_of_order(order.pk), actor=f"run:{run_id}", now=now)
    _audit(order, "order.begun", f"run:{run_id}", now)
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
    _move(order, OrderVerb.ACCEPT, now)
    _audit(order, "order.accepted", f"order:{order.number}", now)
    if order.planned:
        about = _about(order)
        _mail(order, order.ticket, "order.accepted", lambda language: letters.accepted(language, about), now)


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
    files: Sequence[Attachment],
    now: datetime,
) -> None:
    """The run has proven its effect: order done, ticket resolved, result mailed (O-3). ``rows``: the result's words."""
    order = _locked(number, None)
    runs.succeed(run_id, result)
    shown = [[label.de, label.en, value] for label, value in rows]
    _move(order, OrderVerb.FINISH, now, ended_at=now, result={"rows": shown, "result": dict(result)})
    steps = [_step_words(order, name) for name, _ in _steps(order)]
    _close(
        order,
        Words("Auftrag erfolgreich abgeschlossen.", "Order completed successfully."),
        "order.done",
        lambda language, about: letters.done(language, about, rows=rows, steps=steps),
        actor=f"run:{run_id}",
        now=now,
        files=files,
    )


def fail(number: str, run_id: str, refusal: Refusal, *, now: datetime) -> None:
    """The run cannot reach its effect: order failed, ticket resolved, the reason and whose fault it is mailed (O-3)."""
    order = _locked(number, None)
    text = {"de": refusal.text("de"), "en": refusal.text("en")}
    runs.fail(run_id, refusal.code, refusal.side.value, text)
    _fail(order, refusal, OrderVerb.FAIL, now)


def given_up(run_id: str, refusal: Refusal, *, free: runs.Free | None, now: datetime) -> bool:
    """The engine has given the run up: it ends as failed, and its order with it. ``False`` if it had ended before."""
    with transaction.atomic():
        number = number_of_run(run_id)
        order = _locked(number, None) if number else None
        if not runs.end_failed(run_id, refusal, free=free):
            return False
        if order is not None:
            _fail(order, refusal, OrderVerb.FAIL, now)
    return True


def silent(number: str, *, gateway: str, hours: int, now: datetime) -> None:
    """The client is told that the gateway has been silent for so long (P03)."""
    order = _locked(number, None)
    about = _about(order)
    ticket = tickets.locked_of_order(order.pk)
    tickets.tell(
        ticket,
        Words(f"{gateway} meldet sich seit {hours} h nicht.", f"{gateway} has not called for {hours} h."),
        author="Torwart",
        now=now,
    )
    _mail(
        order,
        ticket,
        "order.silent",
        lambda language: letters.silent(language, about, gateway=gateway, hours=hours),
        now,
    )


def _fail(order: Order, refusal: Refusal, verb: OrderVerb, now: datetime, actor: str = "") -> None:
    why = Words(refusal.text("de"), refusal.text("en"))
    told = {"code": refusal.code, "side": refusal.side.value, "retry": refusal.kind.retry.value}
    _move(order, verb, now, ended_at=now, result={"refusal": {**told, "de": why.de, "en": why.en}})
    track = {"done": Track.DONE, "failed": Track.FAILED}
    steps = [(track.get(state, Track.NOW), _step_words(order, name)) for name, state in _steps(order)]
    refused = verb is OrderVerb.REFUSE
    _close(
        order,
        Words(f"Auftrag fehlgeschlagen: {why.de}", f"Order failed: {why.en}")
        if not refused
        else Words(f"Auftrag abgelehnt: {why.de}", f"Order refused: {why.en}"),
        "order.refused" if refused else "order.failed",
        lambda language, about: letters.failed(
            language,
            about,
            why=why,
            side=refusal.side,
            retry=refusal.kind.retry,
            steps=steps,
            refused=refused,
        ),
        actor=actor or f"run:{_run_id(order)}",
        now=now,
        payload={"code": refusal.code, "side": refusal.side.value},
    )


# --- inside -----------------------------------------------------------------------------------------------------------


def _close(
    order: Order,
    words: Words,
    kind: str,
    letter: Callable[[str, letters.About], Letter],
    *,
    actor: str,
    now: datetime,
    files: Sequence[Attachment] = (),
    payload: Mapping[str, Any] | None = None,
) -> None:
    """The end of an order: audit, ticket and mail."""
    _audit(order, kind, actor, now, payload)
    ticket = tickets.locked_of_order(order.pk)
    tickets.end_with_order(ticket, words, author=_name(actor), actor=actor, now=now)
    about = _about(order)
    _mail(order, ticket, kind, lambda language: letter(language, about), now, files)


def _locked(number: str, client: int | None) -> Order:
    """The order, held until the transaction ends; another client's is refused like one that does not exist (P-1)."""
    found = Order.objects.select_for_update(of=("self",)).select_related("run", "ticket").filter(number=number[:20])
    order = (found if client is None else found.filter(client=client)).first()
    if order is None:
        raise ORDER_UNKNOWN(number=number[:20])
    return order


def _move(order: Order, verb: OrderVerb, now: datetime, **columns: Any) -> None:
    order.state = ORDER.next(OrderState(order.state), verb).value
    Order.objects.filter(pk=order.pk).update(state=order.state, state_since=now, **columns)
    interface_event.emit(order, now, columns)


def _run_id(order: Order) -> str:
    return str(order.run.run_id) if order.run else ""


def _steps(order: Order) -> list[tuple[str, str]]:
    """Name and state of the steps entered so far, in order."""
    return list(Step.objects.filter(run=order.run_id).order_by("position").values_list("name", "state"))


def _step_words(order: Order, name: str) -> Words:
    return next((Words(de, en) for step, de, en in order.wording["steps"] if step == name), Words(name, name))


def _process(order: Order) -> Words:
    return Words(*order.wording["process"])


def _name(actor: str) -> str:
    """Who acted, as people read it: a person by name, anything else is us."""
    email = actor.removeprefix("user:")
    person = User.objects.filter(email=email).first() if email != actor else None
    return person.full_name if person else "Torwart"


def _about(order: Order) -> letters.About:
    return letters.About(
        number=order.number,
        process=_process(order),
        summary=tuple(tuple(row) for row in order.summary),
        submitted_at=order.submitted_at,
        requested_at=order.requested_at,
        planned=order.planned,
        due_at=order.due_at,
        withdrawable_until=order.withdrawable_until,
        url=outbox.portal_url(f"/portal/auftraege/{order.number}"),
        next=Words(*order.wording.get("next", ("", ""))),
    )


def _mail(
    order: Order,
    ticket: Ticket,
    kind: str,
    make: outbox.MakeLetter,
    now: datetime,
    files: Sequence[Attachment] = (),
) -> None:
    outbox.to_contacts(order.client_id, make, kind=kind, now=now, ticket=ticket.number, files=files)


def _audit(order: Order, action: str, actor: str, now: datetime, payload: Mapping[str, Any] | None = None) -> None:
    subject = f"order:{order.number}"
    audit.append(actor=actor, action=action, subject=subject, payload=payload, client=order.client_id, at=now)
