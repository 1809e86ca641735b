"""Gateways as we administer them: life cycle by its table, blocklist, what the head-ends must know of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce, Now

from torwart.kernel.gateway_state import GATEWAY, GatewayState, GatewayVerb
from torwart.kernel.refusals.process import GATEWAY_UNKNOWN, METER_UNKNOWN
from torwart.services import audit
from torwart.store.models import Gateway, Meter

HALF_WAY = (GatewayState.PERSONALISED, GatewayState.CONNECTED)
"""Where an earlier commissioning may have left a gateway: the next one goes on from what it has."""

Device = Gateway
"""The row of a gateway, for the floors above that may not name the store."""


def get(device_id: str) -> Gateway:
    """The gateway, or the refusal that names the missing delivery note."""
    try:
        return Gateway.objects.select_related("client").get(device_id=device_id)
    except Gateway.DoesNotExist:
        raise GATEWAY_UNKNOWN(gateway=device_id) from None


def meters(device_ids: Iterable[str]) -> list[Meter]:
    """These meters in the order given, or the refusal that names the first unknown one."""
    wanted = list(device_ids)
    found = {meter.device_id: meter for meter in Meter.objects.filter(device_id__in=wanted)}
    for device_id in wanted:
        if device_id not in found:
            raise METER_UNKNOWN(meter=device_id)
    return [found[device_id] for device_id in wanted]


def move(device_id: str, verb: GatewayVerb, *, actor: str, reason: str = "", **fields: Any) -> str:
    """Move a gateway by its state table, audited; returns the new state. What the table forbids raises ValueError
    there. ``fields`` are columns set with the move, e.g. ``commissioned_at``.
    """
    with transaction.atomic():
        gateway = Gateway.objects.select_for_update().get(device_id=device_id)
        before = GatewayState(gateway.state)
        after = GATEWAY.next(before, verb)
        Gateway.objects.filter(pk=gateway.pk).update(state=after, state_since=Now(), **fields)
        audit.append(
            actor=actor,
            action=f"gateway.{verb}",
            subject=f"gateway:{device_id}",
            payload={"from": before.value, "to": after.value, **({"reason": reason} if reason else {})},
            client=gateway.client_id,
        )
    return str(after.value)


def contacted(device_id: str, at: datetime) -> None:
    """A head-end has seen the gateway: first and last contact."""
    Gateway.objects.filter(device_id=device_id).update(
        last_contact_at=at, first_contact_at=Coalesce("first_contact_at", Value(at))
    )


def block(device_id: str, *, actor: str, reason: str) -> None:
    """Put a gateway on the blocklist (P19): no head-end lets it in whatever it shows."""
    move(device_id, GatewayVerb.BLOCK, actor=actor, reason=reason, blocked_at=Now())
