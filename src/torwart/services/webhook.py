"""Webhooks: a client's endpoints, their signing keys, and deliveries in order, with patience, visibly (spec/07).

Theory of operation. ``interface_event.emit`` writes a delivery for each endpoint with the event. ``due`` claims what
may go now: the oldest pending delivery of each endpoint and order number, so that an order's events arrive in their
order and one that fails holds back only its own order. A claim is a later ``next_attempt_at``; whoever dies with one
gives it back by that. ``told`` writes what came of it.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from torwart.kernel.refusals.bdew import BDEW_ADDRESS_TAKEN
from torwart.kernel.refusals.webhook import WEBHOOK_TOO_MANY, WEBHOOK_UNKNOWN
from torwart.rules import webhook as rules
from torwart.services import audit
from torwart.services.interface import Peer
from torwart.store.models import Attempt, Delivery, InterfaceEvent, Webhook
from torwart.wire import webhook as signing

MOST = 10
OVERLAP = timedelta(days=7)
"""How long the key before still signs beside a new one."""
CLAIM = timedelta(seconds=60)
_SHOWN = 1000

_DUE = """
WITH ready AS (
    SELECT d.id, w.webhook_id AS name, d.next_attempt_at,
           row_number() OVER (PARTITION BY d.webhook_id ORDER BY d.next_attempt_at, d.id) AS turn
      FROM store_delivery AS d JOIN store_webhook AS w ON w.id = d.webhook_id
     WHERE d.state = 'pending' AND w.active AND d.next_attempt_at <= %(now)s
       AND NOT EXISTS (SELECT 1 FROM store_coupling AS c WHERE c.id = w.coupling_id AND NOT c.active)
       AND NOT EXISTS (SELECT 1 FROM store_delivery AS before
                        WHERE before.webhook_id = d.webhook_id AND before.subject = d.subject
                          AND before.state = 'pending' AND before.event_id < d.event_id)
), claimed AS (
    SELECT d.id FROM store_delivery AS d JOIN ready ON ready.id = d.id
     WHERE ready.turn <= %(each)s - (SELECT count(*) FROM unnest(%(under_way)s::uuid[]) AS u WHERE u = ready.name)
       AND d.state = 'pending' AND d.next_attempt_at <= %(now)s
     ORDER BY d.next_attempt_at LIMIT %(limit)s FOR UPDATE OF d SKIP LOCKED
)
UPDATE store_delivery AS d SET next_attempt_at = %(until)s, first_attempt_at = coalesce(d.first_attempt_at, %(now)s)
  FROM claimed JOIN store_delivery AS was ON was.id = claimed.id JOIN store_webhook AS w ON w.id = was.webhook_id
       JOIN store_interfaceevent AS e ON e.id = was.event_id
       LEFT JOIN store_bdewtransaction AS t ON t.id = was.transaction_id
       LEFT JOIN store_coupling AS c ON c.id = w.coupling_id
 WHERE d.id = claimed.id
RETURNING d.id, w.webhook_id, w.url, w.keys::text, e.event_id, e.type, e.subject, e.at, e.data::text, w.dialect,
          was.first_attempt_at IS NOT NULL OR EXISTS (SELECT 1 FROM store_attempt WHERE delivery_id = d.id),
          coalesce(c.common_name, ''), t.initial::text, coalesce(t.process, '')
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery to make now. ``keys``: ids of the signing keys, newest first; ``data``: the event's, as JSON text.

    ``repeat``: it may have been tried before. In the BDEW dialect ``partner`` is the CN of who is called, ``initial``
    and ``process`` are of the call this answers (none of a test).
    """

    delivery: int
    webhook: str
    url: str
    keys: tuple[str, ...]
    event: str
    type: str
    subject: str
    at: datetime
    data: str
    dialect: str = "torwart"
    repeat: bool = False
    partner: str = ""
    initial: str | None = None
    process: str = ""


def add(client: int, url: str, *, bdew: Peer | None = None, actor: str, now: datetime) -> Webhook:
    """A new endpoint with its first key. ``bdew``: the partner whose calls in the BDEW dialect are answered there.

    Refused: ``webhook.url``, ``webhook.too_many``, ``bdew.address_taken``.
    """
    rules.check_url(url, hosts=settings.TORWART_WEBHOOK_HOSTS)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM store_client WHERE id = %s FOR UPDATE", [client])
        if Webhook.objects.filter(client=client).count() >= MOST:
            raise WEBHOOK_TOO_MANY(limit=MOST)
        if bdew is not None and Webhook.objects.filter(coupling=bdew.coupling).exists():
            raise BDEW_ADDRESS_TAKEN(name=bdew.name)
        name = uuid.uuid4()
        row = Webhook.objects.create(
            webhook_id=name,
            client_id=client,
            url=url,
            keys=[_key(str(name))],
            dialect="bdew" if bdew else "torwart",
            coupling_id=bdew.coupling if bdew else None,
        )
        _audit(row, "webhook.added", actor, now)
    return row


def change(client: int, webhook: str, *, url: str | None, active: bool | None, actor: str, now: datetime) -> Webhook:
    """Another address, or rest and go on; what is pending goes where it points now."""
    if url is not None:
        rules.check_url(url, hosts=settings.TORWART_WEBHOOK_HOSTS)
    with transaction.atomic():
        row = _locked(client, webhook)
        row.url = row.url if url is None else url
        if active is not None and active != row.active:
            row.active, row.disabled_at = active, None if active else now
        row.save(update_fields=["url", "active", "disabled_at"])
        _audit(row, "webhook.changed", actor, now)
    return row


def remove(client: int, webhook: str, *, actor: str, now: datetime) -> None:
    """Forget an endpoint and its deliveries; the feed keeps the events."""
    with transaction.atomic():
        row = _locked(client, webhook)
        _audit(row, "webhook.removed", actor, now)
        Delivery.objects.filter(webhook=row).delete()
        row.delete()


def rotate(client: int, webhook: str, *, actor: str, now: datetime) -> Webhook:
    """A new signing key; the one before signs beside it for a week, older ones no more."""
    with transaction.atomic():
        row = _locked(client, webhook)
        before = {**row.keys[0], "until": (now + OVERLAP).isoformat()}
        row.keys = [_key(str(row.webhook_id)), before]
        row.save(update_fields=["keys"])
        _audit(row, "webhook.key_rotated", actor, now)
    return row


def resend(client: int, webhook: str, delivery: int | None, *, actor: str, now: datetime) -> int:
    """Try again now: one delivery, delivered or dead, or all the dead ones of an endpoint; how many."""
    with transaction.atomic():
        row = _locked(client, webhook)
        rows = Delivery.objects.filter(webhook=row)
        rows = rows.filter(state="dead") if delivery is None else rows.filter(pk=delivery)
        count = rows.update(state="pending", attempts=0, first_attempt_at=None, next_attempt_at=now)
        if delivery is not None and not count:
            raise WEBHOOK_UNKNOWN()
        _audit(row, "webhook.resent", actor, now, {"count": count})
    return count


def test(client: int, webhook: str, *, actor: str, now: datetime) -> str:
    """Send an event ``de.torwart.test``; its id. It goes through everything a real one goes through."""
    with transaction.atomic():
        row = _locked(client, webhook)
        event = InterfaceEvent.objects.create(
            event_id=uuid.uuid4(),
            client_id=client,
            type="de.torwart.test",
            subject=str(row.webhook_id),
            at=now,
            data={},
        )
        Delivery.objects.create(webhook=row, event=event, subject=event.subject, next_attempt_at=now)
        _audit(row, "webhook.tested", actor, now)
    return str(event.event_id)


# --- delivering -------------------------------------------------------------------------------------------------------


def due(now: datetime, limit: int = 50, *, each: int = 50, under_way: Sequence[str] = ()) -> list[Due]:
    """Claim what may go now: ``limit`` at most, and for an endpoint ``each`` less its own of ``under_way``."""
    given: dict[str, Any] = {
        "now": now,
        "until": now + CLAIM,
        "limit": limit,
        "each": each,
        "under_way": list(under_way),
    }
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {**given, "under_way": list(under_way)})
        rows = cursor.fetchall()
    return [Due(row[0], str(row[1]), row[2], _valid(json.loads(row[3]), now), str(row[4]), *row[5:]) for row in rows]


def told(delivery: int, *, status: int | None, why: str, answer: str, milliseconds: int, now: datetime) -> str:
    """What came of an attempt: 2xx is delivered; else later again, or dead after three days. The new state.

    410 is dead at once: the receiver says that nobody is there any more.
    """
    with transaction.atomic():
        row = Delivery.objects.select_for_update().filter(pk=delivery).first()
        if row is None:  # its endpoint has been removed meanwhile
            return "gone"
        Attempt.objects.create(
            delivery=row, at=now, status=status, why=why[:_SHOWN], answer=answer[:_SHOWN], milliseconds=milliseconds
        )
        row.attempts += 1
        if status is not None and 200 <= status < 300:
            row.state, row.delivered_at = "delivered", now
        else:
            following = None if status == 410 else rules.next_attempt(row.first_attempt_at or now, row.attempts, now)
            row.state = "pending" if following else "dead"
            row.next_attempt_at = following or row.next_attempt_at
        row.save(update_fields=["attempts", "state", "delivered_at", "next_attempt_at"])
    return row.state


def _valid(keys: Sequence[dict[str, Any]], now: datetime) -> tuple[str, ...]:
    return tuple(key["id"] for key in keys if not key.get("until") or datetime.fromisoformat(key["until"]) > now)


def _key(webhook: str) -> dict[str, Any]:
    name = uuid.uuid4().hex[:12]
    key = signing.private_key(settings.TORWART_WEBHOOK_SECRET, webhook, name)  # type: ignore[misc]  # of web and interface
    return {"id": name, "public": signing.public_text(key), "until": ""}


def _locked(client: int, webhook: str) -> Webhook:
    try:
        name = uuid.UUID(webhook)
    except ValueError:
        raise WEBHOOK_UNKNOWN() from None
    row = Webhook.objects.select_for_update().filter(client=client, webhook_id=name).first()
    if row is None:
        raise WEBHOOK_UNKNOWN()
    return row


def _audit(row: Webhook, action: str, actor: str, now: datetime, payload: dict[str, Any] | None = None) -> None:
    about = {"url": row.url, **(payload or {})}
    subject = f"webhook:{row.webhook_id}"
    audit.append(actor=actor, action=action, subject=subject, payload=about, client=row.client_id, at=now)
