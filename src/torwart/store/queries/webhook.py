"""Reading webhooks and what became of their deliveries; every reader takes the client first (P-1)."""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from torwart.store import statement
from torwart.store.models import Attempt, Delivery, Webhook


@dataclass(frozen=True, slots=True)
class WebhookLine:
    """An endpoint. ``keys``: ``[{"id", "public", "until"}]``, newest first."""

    webhook: str
    url: str
    dialect: str
    active: bool
    keys: list[dict[str, Any]]
    created_at: datetime
    pending: int
    dead: int


@dataclass(frozen=True, slots=True)
class AttemptLine:
    at: datetime
    status: int | None
    why: str
    answer: str
    milliseconds: int


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    pk: int
    event: str
    type: str
    subject: str
    state: str
    at: datetime
    next_attempt_at: datetime
    delivered_at: datetime | None
    attempts: tuple[AttemptLine, ...]


_WEBHOOKS = """
SELECT w.webhook_id, w.url, w.dialect, w.active, w.keys::text, w.created_at,
       (SELECT count(*) FROM (SELECT 1 FROM store_delivery AS d
                               WHERE d.webhook_id = w.id AND d.state = 'pending' LIMIT 1000) AS pending),
       (SELECT count(*) FROM (SELECT 1 FROM store_delivery AS d
                               WHERE d.webhook_id = w.id AND d.state = 'dead' LIMIT 1000) AS dead)
  FROM store_webhook AS w
 WHERE w.client_id = %(client)s AND (%(name)s::uuid IS NULL OR w.webhook_id = %(name)s::uuid)
 ORDER BY w.id
"""


def webhooks(client: int) -> list[WebhookLine]:
    """The client's endpoints, oldest first, with how much is pending and dead (counted up to 1,000); one query."""
    return _lines(client, None)


def webhook(client: int, name: str) -> WebhookLine | None:
    try:
        found = _lines(client, uuid.UUID(name))
    except ValueError:
        return None
    return found[0] if found else None


def delivery_rows(client: int, name: str, *, state: str = "") -> QuerySet[Delivery]:
    """Deliveries of one endpoint with events and attempts (``tries``, newest first), for keyset pages by ``-id``."""
    rows = Delivery.objects.filter(webhook__client=client, webhook__webhook_id=name).select_related("event")
    rows = rows.filter(state=state) if state else rows
    return rows.prefetch_related(Prefetch("tries", Attempt.objects.order_by("-id")))


def deliveries(client: int, name: str, *, before: int | None = None, limit: int = 50) -> list[DeliveryLine]:
    """Deliveries of one endpoint, newest first, each with its last ten attempts; two queries."""
    row = _row(client, name)
    if row is None:
        return []
    found = Delivery.objects.filter(webhook=row).select_related("event").order_by("-id")
    rows = list((found if before is None else found.filter(pk__lt=before))[:limit])
    tries: dict[int, list[AttemptLine]] = {}
    for each in Attempt.objects.filter(delivery__in=rows).order_by("-id"):
        line = AttemptLine(each.at, each.status, each.why, each.answer, each.milliseconds)
        tries.setdefault(each.delivery_id, []).append(line)
    return [
        DeliveryLine(
            row.pk,
            str(row.event.event_id),
            row.event.type,
            row.event.subject,
            row.state,
            row.event.at,
            row.next_attempt_at,
            row.delivered_at,
            tuple(tries.get(row.pk, [])[:10]),
        )
        for row in rows
    ]


def delivery_of(client: int, name: str, event: uuid.UUID) -> int | None:
    """The delivery of this event to this endpoint."""
    rows = Delivery.objects.filter(webhook__client=client, webhook__webhook_id=name, event__event_id=event)
    return rows.values_list("pk", flat=True).first()


def _row(client: int, name: str) -> Webhook | None:
    try:
        return Webhook.objects.filter(client=client, webhook_id=uuid.UUID(name)).first()
    except ValueError:
        return None


def _lines(client: int, name: uuid.UUID | None) -> list[WebhookLine]:
    rows = statement.rows(_WEBHOOKS, {"client": client, "name": name})
    return [
        WebhookLine(str(webhook_id), url, dialect, active, json.loads(keys), created_at, pending, dead)
        for webhook_id, url, dialect, active, keys, created_at, pending, dead in rows
    ]
