"""The row of an order and what every verb about it does: hold it, move it by its table, audit, tell the client."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from torwart.kernel.order_state import ORDER, OrderState, OrderVerb
from torwart.kernel.outcome import Row, kept
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.order import ORDER_UNKNOWN
from torwart.kernel.words import Words
from torwart.services import audit, interface_event, outbox
from torwart.services import ticket as tickets
from torwart.services.letter import order as letters
from torwart.store.models import Order, Step, Ticket, User
from torwart.wire.mail import Letter, Track


def locked(number: str, client: int | None) -> Order:
    """The order, held until the transaction ends; another client's is refused like one that does not exist (P-1)."""
    found = Order.objects.select_for_update(of=("self",)).select_related("run", "ticket").filter(number=number[:20])
    order = (found if client is None else found.filter(client=client)).first()
    if order is None:
        raise ORDER_UNKNOWN(number=number[:20])
    return order


def move(order: Order, verb: OrderVerb, now: datetime, **columns: Any) -> None:
    order.state = ORDER.next(OrderState(order.state), verb).value
    Order.objects.filter(pk=order.pk).update(state=order.state, state_since=now, **columns)
    interface_event.emit(order, now, columns)


def close(
    order: Order,
    words: Words,
    kind: str,
    letter: Callable[[str, letters.About], Letter],
    *,
    actor: str,
    now: datetime,
    files: outbox.Files = (),
    payload: Mapping[str, Any] | None = None,
) -> None:
    """The end of an order: audit, ticket and mail."""
    audited(order, kind, actor, now, payload)
    ticket = tickets.locked_of_order(order.pk)
    tickets.end_with_order(ticket, words, author=acting(actor), actor=actor, now=now)
    about = about_of(order)
    mail(order, ticket, kind, lambda language: letter(language, about), now, files)


def run_id_of(order: Order) -> str:
    return str(order.run.run_id) if order.run else ""


def steps_of(order: Order) -> list[tuple[str, str]]:
    """Name and state of the steps entered so far, in order."""
    return list(Step.objects.filter(run=order.run_id).order_by("position").values_list("name", "state"))


def step_words(order: Order, name: str) -> Words:
    return next((Words(de, en) for step, de, en in order.wording["steps"] if step == name), Words(name, name))


def process_words(order: Order) -> Words:
    return Words(*order.wording["process"])


def acting(actor: str) -> str:
    """Who acted, as people read it: a person by name, anything else is us."""
    email = actor.removeprefix("user:")
    person = User.objects.filter(email=email).first() if email != actor else None
    return person.full_name if person else "Torwart"


def about_of(order: Order) -> letters.About:
    return letters.About(
        number=order.number,
        process=process_words(order),
        summary=tuple(tuple(row) for row in order.summary),
        submitted_at=order.submitted_at,
        requested_at=order.requested_at,
        planned=order.planned,
        due_at=order.due_at,
        withdrawable_until=order.withdrawable_until,
        url=outbox.portal_url(f"/portal/auftraege/{order.number}/"),
        next=Words(*order.wording.get("next", ("", ""))),
    )


def mail(
    order: Order,
    ticket: Ticket,
    kind: str,
    make: outbox.MakeLetter,
    now: datetime,
    files: outbox.Files = (),
) -> None:
    outbox.to_contacts(order.client_id, make, kind=kind, now=now, ticket=ticket.number, files=files)


def audited(order: Order, action: str, actor: str, now: datetime, payload: Mapping[str, Any] | None = None) -> None:
    subject = f"order:{order.number}"
    audit.append(actor=actor, action=action, subject=subject, payload=payload, client=order.client_id, at=now)


def failed_as(
    order: Order,
    refusal: Refusal,
    verb: OrderVerb,
    now: datetime,
    actor: str = "",
    rows: Sequence[Row] = (),
) -> None:
    """The order ends without its effect; ``rows``: what stays on the gateway all the same."""
    why = Words(refusal.text("de"), refusal.text("en"))
    told = {"code": refusal.code, "side": refusal.side.value, "retry": refusal.kind.retry.value}
    left = {"rows": kept(rows)} if rows else {}
    move(order, verb, now, ended_at=now, result={"refusal": {**told, "de": why.de, "en": why.en}, **left})
    track = {"done": Track.DONE, "failed": Track.FAILED}
    steps = [(track.get(state, Track.NOW), step_words(order, name)) for name, state in steps_of(order)]
    refused = verb is OrderVerb.REFUSE
    close(
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
            rows=rows,
            refused=refused,
        ),
        actor=actor or f"run:{run_id_of(order)}",
        now=now,
        payload={"code": refusal.code, "side": refusal.side.value},
    )
