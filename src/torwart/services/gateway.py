"""Gateways as we administer them: life cycle by its table, blocklist, what the head-ends must know of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from torwart.kernel.gateway_state import GATEWAY, GatewayState, GatewayVerb
from torwart.kernel.refusals.process import GATEWAY_UNKNOWN, METER_UNKNOWN
from torwart.services import audit
from torwart.store import statement
from torwart.store.models import Gateway, Meter

HALF_WAY = (GatewayState.PERSONALISED, GatewayState.CONNECTED)
"""Where an earlier commissioning may have left a gateway: the next one goes on from what it has."""

_GET = f"SELECT {statement.columns(Gateway)} FROM store_gateway WHERE device_id = %(device)s"  # noqa: S608
_HELD = "SELECT id, state, client_id FROM store_gateway WHERE device_id = %(device)s FOR UPDATE"
_MOVE = "UPDATE store_gateway SET state = %(state)s, state_since = now() WHERE id = %(gateway)s"
_CONTACTED = """
UPDATE store_gateway SET last_contact_at = %(at)s, first_contact_at = coalesce(first_contact_at, %(at)s)
 WHERE device_id = %(device)s
"""

Device = Gateway
"""The row of a gateway, for the floors above that may not name the store."""


def get(device_id: str) -> Gateway:
    """The gateway, or the refusal that names the missing delivery note."""
    found = statement.rows(_GET, {"device": device_id})
    if not found:
        raise GATEWAY_UNKNOWN(gateway=device_id)
    return statement.made(Gateway, found[0])


def meters(device_ids: Iterable[str], *, client: int | None = None) -> list[Meter]:
    """These meters in the order given, or the refusal that names the first unknown one; with ``client`` those of
    another one are unknown too (P-1).
    """
    wanted = list(device_ids)
    rows = Meter.objects.filter(device_id__in=wanted)
    found = {meter.device_id: meter for meter in (rows if client is None else rows.filter(client=client))}
    for device_id in wanted:
        if device_id not in found:
            raise METER_UNKNOWN(meter=device_id)
    return [found[device_id] for device_id in wanted]


def move(device_id: str, verb: GatewayVerb, *, actor: str, reason: str = "", **fields: Any) -> str:
    """Move a gateway by its state table, audited; returns the new state. What the table forbids raises ValueError
    there. ``fields`` are columns set with the move, e.g. ``commissioned_at``.
    """
    with transaction.atomic(savepoint=False):  # most callers have a transaction already
        ((pk, state, client),) = statement.rows(_HELD, {"device": device_id})
        before = GatewayState(state)
        after = GATEWAY.next(before, verb)
        statement.changed(_MOVE, {"gateway": pk, "state": after.value})
        if fields:
            Gateway.objects.filter(pk=pk).update(**fields)
        audit.append(
            actor=actor,
            action=f"gateway.{verb}",
            subject=f"gateway:{device_id}",
            payload={"from": before.value, "to": after.value, **({"reason": reason} if reason else {})},
            client=client,
        )
    return str(after.value)


def contacted(device_id: str, at: datetime) -> None:
    """A head-end has seen the gateway: first and last contact."""
    statement.changed(_CONTACTED, {"device": device_id, "at": at})


def block(device_id: str, *, actor: str, reason: str) -> None:
    """Put a gateway on the blocklist (P19): no head-end lets it in whatever it shows."""
    move(device_id, GatewayVerb.BLOCK, actor=actor, reason=reason, blocked_at=Now())
