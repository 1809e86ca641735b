"""What a client's own system is told (spec/07 point 5): one event for every step of an order's life.

An event is written in the transaction of what it tells, together with its deliveries to the client's webhooks, so
neither can be lost nor be untrue. Clients without a coupled system get none: nothing is counted that nobody reads.
"""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from torwart.kernel import outcome
from torwart.kernel.words import Words
from torwart.store.models import InterfaceEvent, Order
from torwart.wire.bdew import FINAL

KEPT = timedelta(days=90)
PREFIX = "de.torwart.operation."
"""Types are ``PREFIX`` + the order's state, e.g. ``de.torwart.operation.done``."""

_EMIT = """
WITH event AS (
    INSERT INTO store_interfaceevent (event_id, client_id, type, subject, at, data)
    SELECT %(id)s, %(client)s, %(type)s, %(subject)s, %(at)s, %(data)s
     WHERE EXISTS (SELECT 1 FROM store_coupling WHERE client_id = %(client)s AND active)
    RETURNING id
)
INSERT INTO store_delivery (webhook_id, event_id, transaction_id, subject, state, attempts, next_attempt_at)
SELECT w.id, event.id, NULL, %(subject)s, 'pending', 0, %(at)s
  FROM event, store_webhook AS w WHERE w.client_id = %(client)s AND w.active AND w.dialect = 'torwart'
UNION ALL
SELECT w.id, event.id, t.id, %(subject)s, 'pending', 0, %(at)s
  FROM event, store_webhook AS w JOIN store_bdewtransaction AS t ON t.coupling_id = w.coupling_id
       JOIN store_order AS o ON o.id = t.order_id
 WHERE %(final)s AND w.client_id = %(client)s AND w.dialect = 'bdew' AND o.number = %(subject)s
"""

_PLACE = """
WITH fresh AS (
    SELECT id, row_number() OVER (ORDER BY id) AS row FROM store_interfaceevent
     WHERE client_id = %(client)s AND place IS NULL
)
UPDATE store_interfaceevent AS e SET place = %(batch)s + fresh.row FROM fresh WHERE e.id = fresh.id
"""
_BATCH = 1_000_000
"""More events than ever come between two looks."""


def emit(order: Order, now: datetime, changed: Mapping[str, Any]) -> None:
    """Tell that ``order`` has come into its present state; ``changed``: columns just written beside it."""
    data = {
        "id": order.number,
        "process": order.process.replace("_", "-"),
        "state": str(order.state),
        "reference": order.reference,
        "planned": changed.get("planned", order.planned),
        "due_at": _instant(changed.get("due_at", order.due_at)),
        "requested_at": _instant(changed.get("requested_at", order.requested_at)),
        "subject": _subject(order.fields),
        **_outcome(changed.get("result") or {}),
    }
    tell(order.client_id, f"{PREFIX}{order.state}", order.number, data, now)


def tell(client: int, kind: str, subject: str, data: Mapping[str, Any], now: datetime) -> None:
    """Write an event of this type and its deliveries, if the client has a coupled system."""
    given: dict[str, Any] = {"id": uuid.uuid4(), "client": client, "type": kind, "subject": subject, "at": now}
    given["final"] = kind in FINAL
    with connection.cursor() as cursor:
        cursor.execute(_EMIT, {**given, "data": json.dumps(data)})


def arrange(client: int) -> None:
    """Give the client's new events their places in its feed, behind all that have one.

    Rows become visible in the order of their commits, not of their numbers; who reads on behind the last row seen
    would miss one that commits late. So places are given to what is visible, one reader of a client at a time.
    """
    if not InterfaceEvent.objects.filter(client=client, place__isnull=True).exists():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('interface feed', %s))", [client])
        cursor.execute("SELECT nextval(pg_get_serial_sequence('store_interfaceevent', 'id'))")
        (batch,) = cursor.fetchone()
        cursor.execute(_PLACE, {"client": client, "batch": batch * _BATCH})


def forget(now: datetime, limit: int = 10_000) -> int:
    """Delete events older than 90 days; how many there were (call again while it is ``limit``)."""
    old = InterfaceEvent.objects.filter(at__lt=now - KEPT).order_by("id").values("pk")[:limit]
    return InterfaceEvent.objects.filter(pk__in=old).delete()[1].get("store.InterfaceEvent", 0)


def _outcome(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result as rows in words, or a refusal with code and side."""
    if "refusal" in result:
        return {"refusal": dict(result["refusal"])}
    if "rows" in result:
        return {"result": {"rows": [_line(*row) for row in outcome.read(result["rows"])]}}
    return {}


def _line(label: Words, value: Words) -> dict[str, Any]:
    """``words`` is the value in both languages, ``value`` the German one: we do not know who reads an event."""
    return {
        "label": {"de": label.de, "en": label.en},
        "value": value.de,
        "words": {"de": value.de, "en": value.en},
    }


def _subject(fields: Mapping[str, Any]) -> str:
    return str(fields.get("gateway", ""))


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
