"""The sandbox of the test system: time that can be moved on, gateways on demand, and starting over (spec/07 point 8).

Theory of operation. What a client wishes is a row with a ``revision``; the host of the simulated gateways
(``config.sandbox``) works off rows whose ``applied`` is behind and says what became of them. So nothing here reaches
a simulator, and no simulator reaches here but by the database. Time is one row for the whole installation: it is
shared by all who test on it, and like the audit trail it only goes forward.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q

from torwart.kernel.gateway_state import GatewayState
from torwart.kernel.refusals.sandbox import SANDBOX_GATEWAY_UNKNOWN, SANDBOX_TOO_MANY
from torwart.rules import sandbox as rules
from torwart.rules.sandbox import Behaviour
from torwart.services import audit, present
from torwart.store.models import Delivery, Gateway, Order, SandboxGateway, SandboxTime

_AT_ONCE = 20

# --- time -------------------------------------------------------------------------------------------------------------


def advance(by: timedelta, *, actor: str, client: int) -> timedelta:
    """Move the installation's service time on; how far it is ahead now. Everybody learns of it within a second."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE store_sandboxtime IN SHARE ROW EXCLUSIVE MODE")
        before = SandboxTime.objects.values_list("ahead", flat=True).first() or timedelta()
        ahead, real = rules.further(before, by), present.real()
        SandboxTime.objects.update_or_create(pk=1, defaults={"ahead": ahead, "moved_at": real})
        audit.append(
            actor=actor,
            action="sandbox.time_moved",
            subject="installation:time",
            payload={
                "by_seconds": round((ahead - before).total_seconds()),
                "ahead_seconds": round(ahead.total_seconds()),
            },
            client=client,
            at=real + ahead,
        )
    present.forget()
    return ahead


# --- a client's wishes ------------------------------------------------------------------------------------------------


def make(client: int, behaviour: Behaviour, *, meters: int, count: int, actor: str, now: datetime) -> list[str]:
    """Wish for gateways; their names. The host makes them, and they come by a signed delivery note."""
    with transaction.atomic():
        _one_at_a_time(client)
        left = rules.MOST_GATEWAYS - _there(client).count()
        if count > left:
            raise SANDBOX_TOO_MANY(limit=rules.MOST_GATEWAYS, left=left)
        made = SandboxGateway.objects.bulk_create(
            SandboxGateway(client_id=client, behaviour=behaviour.value, meter_count=meters, wanted_at=now)
            for _ in range(count)
        )
        _audit("sandbox.gateways_wanted", client, actor, now, {"behaviour": behaviour.value, "count": count})
    return [str(row.name) for row in made]


def behave(client: int, name: str, behaviour: Behaviour, *, actor: str, now: datetime) -> None:
    """Let a gateway behave otherwise from now on."""
    _wish(client, name, actor, now, {"behaviour": behaviour.value})


def power(client: int, name: str, on: bool, *, actor: str, now: datetime) -> None:
    """Switch a gateway on or off, as somebody on site would."""
    _wish(client, name, actor, now, {"power": "on" if on else "off"})


def _wish(client: int, name: str, actor: str, now: datetime, changes: Mapping[str, Any]) -> None:
    with transaction.atomic():
        if not _there(client).filter(name=_uuid(name)).update(**changes, revision=F("revision") + 1):
            raise SANDBOX_GATEWAY_UNKNOWN()
        _audit("sandbox.gateway_changed", client, actor, now, {"gateway": name, **changes})


def clear(client: int, *, actor: str, now: datetime) -> dict[str, int]:
    """Take out the client's gateways and what its webhooks still owe; how many. The rows stay as history.

    Behaviours go with the gateways; the feed keeps the events. Doing it again finds nothing left.
    """
    with transaction.atomic():
        _one_at_a_time(client)
        gateways = _there(client).update(
            state="retired", power="off", behaviour=Behaviour.GOOD.value, revision=F("revision") + 1
        )
        owed = Delivery.objects.filter(webhook__client=client, state__in=["pending", "dead"])
        deliveries = owed.delete()[1].get("store.Delivery", 0)
        _audit("sandbox.reset", client, actor, now, {"gateways": gateways, "deliveries": deliveries})
    return {"gateways": gateways, "deliveries": deliveries}


def open_orders(client: int) -> list[str]:
    """Numbers of the client's orders that have not ended, oldest first."""
    rows = Order.objects.filter(client=client, ended_at__isnull=True).order_by("id")
    return list(rows.values_list("number", flat=True))


def _there(client: int) -> Any:
    return SandboxGateway.objects.filter(client=client).exclude(state="retired")


def _uuid(name: str) -> uuid.UUID:
    try:
        return uuid.UUID(name)
    except ValueError:
        raise SANDBOX_GATEWAY_UNKNOWN() from None


def _one_at_a_time(client: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM store_client WHERE id = %s FOR NO KEY UPDATE", [client])


def _audit(action: str, client: int, actor: str, now: datetime, payload: Mapping[str, Any]) -> None:
    audit.append(actor=actor, action=action, subject=f"client:{client}", payload=payload, client=client, at=now)


# --- the host's side --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wish:
    """What the host has to see to. ``device``: empty until it is made; ``on``: whether it is to have power."""

    pk: int
    client: int
    state: str
    behaviour: Behaviour
    meters: int
    device: str
    on: bool
    revision: int


_EXPECTED = Exists(Gateway.objects.filter(device_id=OuterRef("device_id")).exclude(state=GatewayState.DELIVERED))
"""Its commissioning has begun: head-ends let it in."""


def wishes() -> list[Wish]:
    """What has not been followed yet, oldest first; with it gateways whose commissioning has begun meanwhile."""
    rows = (
        SandboxGateway.objects.exclude(state="failed")
        .annotate(expected=_EXPECTED)
        .filter(Q(applied__lt=F("revision")) | Q(power="auto", powered=False, state="ready", expected=True))
        .order_by("id")[:_AT_ONCE]
    )
    return [_wish_of(row) for row in rows]


def standing() -> list[Wish]:
    """All gateways that are there: what a host that starts again has to set up."""
    rows = SandboxGateway.objects.filter(state="ready").annotate(expected=_EXPECTED).order_by("id")
    return [_wish_of(row) for row in rows]


def _wish_of(row: Any) -> Wish:
    on = row.state == "ready" and (row.power == "on" or (row.power == "auto" and (row.expected or row.powered)))
    behaviour = Behaviour(row.behaviour)
    return Wish(row.pk, row.client_id, row.state, behaviour, row.meter_count, row.device_id, on, row.revision)


def made(pk: int, device: str, meters: Sequence[str], fields: Mapping[str, Any], revision: int) -> None:
    """The gateway of a wish is there, unless it has been taken back meanwhile."""
    SandboxGateway.objects.filter(pk=pk, state="wanted").update(
        state="ready", device_id=device, meters=list(meters), fields=dict(fields), applied=revision
    )


def failed(pk: int, why: str, revision: int) -> None:
    """The gateway of a wish could not be made."""
    SandboxGateway.objects.filter(pk=pk, state="wanted").update(state="failed", why=why[:1000], applied=revision)


def applied(pk: int, revision: int, *, powered: bool) -> None:
    """A wish has been followed."""
    SandboxGateway.objects.filter(pk=pk).update(applied=revision, powered=powered)


def seen(connected: Mapping[str, bool]) -> None:
    """Which devices are connected, as the simulator sees them; writes what has changed."""
    for on in (True, False):
        names = [device for device, there in connected.items() if there is on]
        SandboxGateway.objects.filter(device_id__in=names).exclude(connected=on).update(connected=on)
