"""Reading webhooks and what became of their deliveries; every reader takes the client first (P-1)."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from torwart.store.models import Attempt, Delivery, InterfaceCall, Webhook


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


def webhooks(client: int) -> list[WebhookLine]:
    """The client's endpoints, oldest first, with how much is pending and dead (counted up to 1,000)."""
    return [_line(row) for row in Webhook.objects.filter(client=client).order_by("id")]


def webhook(client: int, name: str) -> WebhookLine | None:
    row = _row(client, name)
    return _line(row) if row else None


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


def calls(client: int, *, before: int | None = None, limit: int = 50) -> list[InterfaceCall]:
    """The interface log of a client, newest first."""
    rows = InterfaceCall.objects.filter(client=client).select_related("coupling").order_by("-id")
    return list((rows if before is None else rows.filter(pk__lt=before))[:limit])


def _row(client: int, name: str) -> Webhook | None:
    try:
        return Webhook.objects.filter(client=client, webhook_id=uuid.UUID(name)).first()
    except ValueError:
        return None


def _line(row: Webhook) -> WebhookLine:
    rows = Delivery.objects.filter(webhook=row)
    pending, dead = (len(rows.filter(state=state).values_list("pk")[:1000]) for state in ("pending", "dead"))
    return WebhookLine(str(row.webhook_id), row.url, row.dialect, row.active, row.keys, row.created_at, pending, dead)
