"""Placing an order: order, ticket, mail and sleeping run in one transaction (O-2)."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from torwart.kernel.identifiers import CaseNumber
from torwart.kernel.refusals.order import NUMBERS_TAKEN, ORDER_OPEN
from torwart.kernel.ticket_state import TicketKind
from torwart.kernel.words import Words
from torwart.ports.process_engine import ProcessEngine
from torwart.services import interface_event
from torwart.services import ticket as tickets
from torwart.services.letter import order as letters
from torwart.services.order.rows import about_of, audited, mail
from torwart.store import statement
from torwart.store.models import Order, Ticket
from torwart.store.queries import order as queries


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


def grace() -> timedelta:
    """How long a sent order can be withdrawn before anything starts (O-10), as configured."""
    return timedelta(seconds=settings.TORWART_WITHDRAWAL_SECONDS)


_PLACE = """
WITH placed AS (
  INSERT INTO store_order (number, client_id, orderer_id, orderer_name, channel, process, gateway_id, fields, summary,
                           wording, participant, reference, remark, state, state_since, submitted_at, requested_at,
                           planned, due_at, starts_at, withdrawable_until, run_id)
  VALUES (%(number)s, %(client)s, %(user)s, %(orderer)s, %(channel)s, %(process)s, %(gateway)s, %(fields)s,
          %(summary)s, %(wording)s, %(participant)s, %(reference)s, %(remark)s, 'submitted', %(now)s, %(now)s,
          %(requested_at)s, %(planned)s, %(due_at)s, %(starts_at)s, %(withdrawable_until)s,
          nextval(pg_get_serial_sequence('store_run', 'id')))
  ON CONFLICT DO NOTHING RETURNING id, run_id
),
run AS (
  INSERT INTO store_run (id, run_id, process, client_id, gateway_id, state, state_since, parameters, waiting_for,
                         next_attempt_at, received_at, side, code, failure)
  SELECT placed.run_id, %(run)s, %(code)s, %(client)s, %(gateway)s, 'received', %(now)s, %(fields)s, 'time',
         %(starts_at)s, %(now)s, '', '', '' FROM placed
),
ticket AS (
  INSERT INTO store_ticket (number, client_id, kind, subject, order_id, gateway_id, state, state_since, waiting_reason,
                            opened_at, due_at, billable_minutes, billable_reason)
  SELECT %(ticket)s, %(client)s, %(kind)s, %(title)s, placed.id, %(gateway)s, 'open', %(now)s, '', %(now)s, %(due_at)s,
         0, '' FROM placed
  RETURNING id
),
entry AS (
  INSERT INTO store_ticketentry (ticket_id, at, kind, author, de, en, internal)
  SELECT ticket.id, %(now)s, %(event)s, %(orderer)s, %(de)s, %(en)s, false FROM ticket
)
SELECT placed.id, ticket.id FROM placed, ticket
"""
"""No row where the number is taken or the gateway's process has an open order, also one that commits meanwhile."""
_TRIES = 3


def place(engine: ProcessEngine, order: Placement, *, now: datetime) -> str:
    """Order, ticket, audit entries, confirmation mail and sleeping run, in one transaction (O-2); the number."""
    for _ in range(_TRIES):
        number = CaseNumber.new("A")
        with transaction.atomic(savepoint=False):
            if _place(engine, number, order, now):
                return number
        # Two at once and the other one was first; or the number is taken, and another one is free.
        standing = queries.subject(order.subject, order.client, order.process) if order.subject else None
        if standing is not None and standing.open:
            raise ORDER_OPEN(gateway=order.subject, number=standing.open)
    raise NUMBERS_TAKEN()


def _place(engine: ProcessEngine, number: CaseNumber, order: Placement, now: datetime) -> bool:
    """Whether it could be placed; else nothing has been written."""
    run_id = uuid.uuid4()
    inserted = _insert(number, order, run_id, now)
    if inserted is None:
        return False
    row, ticket = inserted
    interface_event.emit(row, now, {})
    audited(row, "order.placed", order.actor, now, {"process": order.code, "order": dict(order.fields)})
    tickets.opened_for_order(ticket, order.actor, now, order.requested_at if order.planned else None)
    about = about_of(row)
    mail(row, ticket, "order.placed", lambda language: letters.placed(language, about), now)
    first = order.withdrawable_until.isoformat()
    params = {"gateway": order.subject, "order": dict(order.fields), "number": number, "from": first}
    engine.spawn(order.process, str(run_id), params)
    return True


def _insert(number: CaseNumber, order: Placement, run_id: uuid.UUID, now: datetime) -> tuple[Order, Ticket] | None:
    """Order, run, ticket and its first line in one round trip; order and ticket as the verbs take them, ``None``
    where something stands in their place.
    """
    words = Words(*order.wording["process"])
    columns = {
        "client_id": order.client,
        "process": order.process,
        "participant": order.participant,
        "reference": order.reference,
        "requested_at": order.requested_at,
        "planned": order.planned,
        "due_at": order.due_at,
        "withdrawable_until": order.withdrawable_until,
    }
    parameters = {
        **columns,
        "run": run_id,
        "code": order.code,
        "client": order.client,
        "gateway": order.gateway,
        "now": now,
        "fields": json.dumps(order.fields),
        "starts_at": order.starts_at,
        "number": number,
        "user": order.user,
        "orderer": order.orderer,
        "channel": order.channel,
        "summary": json.dumps(order.summary),
        "wording": json.dumps(order.wording),
        "remark": order.remark,
        "ticket": number.ticket,
        "kind": TicketKind.ORDER.value,
        "title": f"{number} {words.de}",
        "event": tickets.EVENT,
        "de": f"Auftrag {number} eingegangen: {words.de}",
        "en": f"Order {number} received: {words.en}",
    }
    inserted = statement.rows(_PLACE, parameters)
    if not inserted:
        return None
    ((placed, ticket),) = inserted
    row = Order(
        pk=placed,
        number=number,
        fields=dict(order.fields),
        summary=order.summary,
        wording=dict(order.wording),
        submitted_at=now,
        **columns,
    )
    return row, Ticket(pk=ticket, number=number.ticket, client_id=order.client)
