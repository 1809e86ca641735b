"""Calls in the BDEW dialect (spec/07 point 11): what was taken from a partner, and the preliminary answer to it.

A call is always taken; whether its order is accepted or refused is told by a call of ours to the partner's address, a
webhook of dialect ``bdew``. The preliminary answer is written with what it tells; the final one is the order's end
(``interface_event``). Both go out as webhooks do: in order, for three days, visibly.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.bdew import BDEW_NO_ADDRESS
from torwart.services.interface import Peer, plain
from torwart.services.interface_event import KEPT
from torwart.store.models import BdewTransaction, Delivery, InterfaceEvent, Order, Webhook
from torwart.wire import bdew as wire


def require_address(caller: Peer) -> None:
    """``bdew.no_address`` for a partner we could not answer."""
    if not Webhook.objects.filter(coupling=caller.coupling).exists():
        raise BDEW_NO_ADDRESS(name=caller.name)


def accepted(caller: Peer, initial: uuid.UUID, number: str, *, now: datetime) -> None:
    """The call has become this order: tell number, planned or not, and until when. In the order's transaction."""
    order = Order.objects.get(client=caller.client, number=number)
    data = {
        "id": order.number,
        "reference": order.reference,
        "planned": order.planned,
        "due_at": order.due_at.isoformat(),
        "requested_at": order.requested_at.isoformat() if order.requested_at else None,
    }
    _answer(caller, initial, order.process, order, wire.ACCEPTED, order.number, data, now)


def refused(
    caller: Peer, initial: uuid.UUID, process: str, errors: Sequence[tuple[str, Refusal]], *, now: datetime
) -> None:
    """The call has become nothing: tell why, the first of ``errors`` (JSON pointer, refusal) as the reason."""
    first = next((refusal for pointer, refusal in errors if not pointer), errors[0][1])
    told = [{"pointer": f"#{pointer}", **_said(refusal)} for pointer, refusal in errors]
    data = {"refusal": _said(first), "errors": told}
    _answer(caller, initial, process, None, wire.REFUSED, str(initial), data, now)


def forget(now: datetime) -> int:
    """Delete refused calls older than 90 days, like their events; how many."""
    return BdewTransaction.objects.filter(order=None, created_at__lt=now - KEPT).delete()[0]


def _answer(
    caller: Peer,
    initial: uuid.UUID,
    process: str,
    order: Order | None,
    kind: str,
    subject: str,
    data: Mapping[str, Any],
    now: datetime,
) -> None:
    known = BdewTransaction.objects.create(
        client_id=caller.client,
        coupling_id=caller.coupling,
        initial=initial,
        process=process,
        order=order,
        created_at=now,
    )
    event = InterfaceEvent.objects.create(
        event_id=uuid.uuid4(),
        client_id=caller.client,
        type=kind,
        subject=subject,
        at=now,
        data={"transaction": str(initial), "process": process.replace("_", "-"), **data},
    )
    for address in Webhook.objects.filter(coupling=caller.coupling):  # one, unless just removed
        Delivery.objects.create(webhook=address, event=event, transaction=known, subject=subject, next_attempt_at=now)


def _said(refusal: Refusal) -> dict[str, str]:
    return {
        "code": refusal.code,
        "side": refusal.side.value,
        "retry": refusal.kind.retry.value,
        "de": plain(refusal.text("de")),  # it may repeat what was sent
        "en": plain(refusal.text("en")),
    }
