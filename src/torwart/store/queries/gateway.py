"""A client's gateways: to look through, to search, and one of them with all that belongs to it.

Every reader takes the client first; another's gateway is not found (P-1).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Min, OuterRef, Prefetch, Q, QuerySet, Subquery

from torwart.kernel.gateway_state import ADMINISTERED, GatewayState
from torwart.store.models import (
    AuditEntry,
    Certificate,
    Custody,
    Event,
    Gateway,
    Meter,
    Order,
    Profile,
    ProfileReading,
)

EVENTS = 20
ORDERS = 10


def fleet(client: int) -> QuerySet[Gateway]:
    """The client's gateways, each with ``certificates_until``: the earliest end of its active certificates."""
    ends = (
        Certificate.objects.filter(gateway=OuterRef("pk"), state="active")
        .order_by()
        .values("gateway")
        .annotate(until=Min("not_after"))
        .values("until")
    )
    return Gateway.objects.filter(client=client).annotate(certificates_until=Subquery(ends))


def filtered(
    client: int,
    *,
    text: str = "",
    state: GatewayState | None = None,
    silent_before: datetime | None = None,
    expiring_before: datetime | None = None,
) -> QuerySet[Gateway]:
    """The fleet narrowed: part of a device id or of a metering location, a state, silence, certificates that end."""
    rows = fleet(client)
    if text:
        rows = rows.filter(pk__in=_found(client, text))
    if state is not None:
        rows = rows.filter(state=state.value)
    if silent_before is not None:
        rows = rows.filter(state__in=_administered()).filter(
            Q(last_contact_at__isnull=True) | Q(last_contact_at__lt=silent_before)
        )
    if expiring_before is not None:
        ending = Certificate.objects.filter(client=client, state="active", not_after__lt=expiring_before)
        rows = rows.filter(pk__in=ending.filter(gateway__isnull=False).values("gateway"))
    return rows


def _found(client: int, text: str) -> QuerySet[Gateway, Any]:
    plain = "".join(text.upper().split())
    own = Gateway.objects.filter(client=client, device_id__contains=plain).order_by().values("pk")
    meters = Meter.objects.filter(client=client, gateway__isnull=False).order_by()
    through = meters.filter(Q(melo__contains=plain) | Q(device_id__contains=plain)).values("gateway")
    return own.union(through)


def _administered() -> list[str]:
    return [state.value for state in ADMINISTERED]


def states(client: int, devices: Iterable[str]) -> dict[str, Gateway]:
    """Those of ``devices`` that are the client's gateways, each with its delivery note."""
    rows = Gateway.objects.filter(client=client, device_id__in=list(devices)).select_related("delivery_note")
    return {row.device_id: row for row in rows}


def meters(client: int, devices: Iterable[str]) -> dict[str, Meter]:
    """Those of ``devices`` that are the client's meters, each with its gateway."""
    rows = Meter.objects.filter(client=client, device_id__in=list(devices)).select_related("gateway")
    return {row.device_id: row for row in rows}


def suggestions(client: int, text: str, limit: int = 8) -> list[Gateway]:
    """Some gateways whose id or metering location contains ``text``."""
    return list(filtered(client, text=text).select_related("delivery_note").order_by("device_id")[:limit])


@dataclass(frozen=True, slots=True)
class Device:
    """One gateway and what belongs to it, newest first where time orders it.

    ``profiles``: the newest version of each name; ``readings``: what was last read back, by name; ``moves``: when it
    changed its state, oldest first: (at, verb, from, to).
    """

    gateway: Gateway
    certificates: list[Certificate]
    meters: list[Meter]
    profiles: list[Profile]
    readings: dict[str, ProfileReading]
    events: list[Event]
    orders: list[Order]
    moves: list[tuple[datetime, str, str, str]]
    custody: Custody | None


def device(client: int, device_id: str) -> Device | None:
    """The gateway if it is the client's, with everything its page shows; nine queries, whatever there is."""
    gateway = fleet(client).select_related("delivery_note").filter(device_id=device_id).first()
    if gateway is None:
        return None
    return Device(
        gateway=gateway,
        certificates=list(gateway.certificates.defer("der").order_by("-not_before", "use")),
        meters=list(gateway.meters.order_by("device_id")),
        profiles=_newest(gateway),
        readings={row.name: row for row in gateway.profile_readings.defer("content")},
        events=list(gateway.events.order_by("-number")[:EVENTS]),
        orders=list(gateway.orders.filter(client=client).order_by("-id")[:ORDERS]),
        moves=_moves(client, device_id),
        custody=_custody(client, device_id),
    )


def _newest(gateway: Gateway) -> list[Profile]:
    rows = gateway.profiles.exclude(state="removed").defer("content").order_by("kind", "name", "-version")
    newest: dict[str, Profile] = {}
    for row in rows:
        newest.setdefault(row.name, row)
    return list(newest.values())


def _moves(client: int, device_id: str) -> list[tuple[datetime, str, str, str]]:
    rows = AuditEntry.objects.filter(
        subject=f"gateway:{device_id}", client=client, action__startswith="gateway.", payload__has_keys=["from", "to"]
    )
    found = rows.order_by("id").values_list("at", "action", "payload")
    return [(at, action.partition(".")[2], said["from"], said["to"]) for at, action, said in found]


def _custody(client: int, device_id: str) -> Custody | None:
    hand_overs = Prefetch("hand_overs", to_attr="history")
    rows = Custody.objects.filter(client=client, device_id=device_id).select_related("carrier")
    return rows.prefetch_related(hand_overs).first()


def known_values(client: int, device_id: str) -> dict[str, Any]:
    """What is known of a gateway, under the names of the shared order fields; empty if it is not the client's."""
    row = Gateway.objects.filter(client=client, device_id=device_id).first()
    if row is None:
        return {}
    found = list(row.meters.order_by("device_id"))
    return {
        "meters": [meter.device_id for meter in found],
        "melo": next((meter.melo for meter in found if meter.melo), ""),
        "malos": [malo for meter in found for malo in meter.malos],
        "address": row.details.get("address", ""),
        "wan_type": row.wan.get("type", ""),
        "wan_address": row.wan.get("wake_up", ""),
    }
