"""All gateways of all clients, for the provider: to look through, to search, and one with its whole file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Min, Q, QuerySet, Sum

from torwart.kernel.gateway_state import ADMINISTERED, GatewayState
from torwart.rules.validity import Validity
from torwart.store.models import (
    AuditEntry,
    CcCertificate,
    Certificate,
    CertificateEnd,
    Event,
    Gateway,
    Meter,
    Order,
    Profile,
    ProfileReading,
    Run,
    Step,
)

RUNS = 12
EVENTS = 20
_TRIGRAM = 3
"""Shorter fragments no index knows."""
_ADMINISTERED = [state.value for state in ADMINISTERED]


class Concern(StrEnum):
    """What may be wrong with a gateway, as far as we know without asking it."""

    SILENT = "schweigt"
    EXPIRING = "laeuft-ab"
    BLOCKED = "gesperrt"


def gateways(
    *,
    client: int | None = None,
    state: GatewayState | None = None,
    firmware: str = "",
    text: str = "",
    concern: Concern | None = None,
    silent_before: datetime,
    expiring_before: datetime,
) -> QuerySet[Gateway]:
    """Gateways with their clients, narrowed. ``text``: part of a device id, or of a meter's or location's id."""
    rows = Gateway.objects.select_related("client")
    if client is not None:
        rows = rows.filter(client=client)
    if state is not None:
        rows = rows.filter(state=state.value)
    if firmware:
        rows = rows.filter(firmware=firmware)
    plain = "".join(text.upper().split())
    if len(plain) >= _TRIGRAM:
        rows = rows.filter(pk__in=_found(plain))
    elif plain:  # so much fits that the newest of it are found by looking
        rows = rows.filter(device_id__contains=plain)
    if concern is Concern.BLOCKED:
        rows = rows.filter(blocked_at__isnull=False)
    if concern is Concern.SILENT:
        never_or_long_ago = Q(last_contact_at__isnull=True) | Q(last_contact_at__lt=silent_before)
        rows = rows.filter(never_or_long_ago, state__in=_ADMINISTERED)
    if concern is Concern.EXPIRING:
        ending = Certificate.objects.filter(state="active", not_after__lt=expiring_before, gateway__isnull=False)
        rows = rows.filter(pk__in=ending.values("gateway"), state__in=_ADMINISTERED)
    return rows


def _found(plain: str) -> QuerySet[Gateway, Any]:
    own = Gateway.objects.filter(device_id__contains=plain).order_by().values("pk")
    meters = Meter.objects.filter(gateway__isnull=False).order_by()
    return own.union(
        meters.filter(device_id__contains=plain).values("gateway"),
        meters.filter(melo__contains=plain).values("gateway"),
    )


def ends(gateways: Iterable[int]) -> dict[int, datetime]:
    """The earliest end among the active certificates of each of these gateways; one query."""
    rows = Certificate.objects.filter(gateway__in=list(gateways), state="active").order_by()
    return dict(rows.values("gateway").annotate(until=Min("not_after")).values_list("gateway", "until"))


def firmwares() -> list[str]:
    """Every firmware there is, by walking the index from one to the next instead of reading all gateways."""
    sql = """
    WITH RECURSIVE known AS (
      (SELECT firmware FROM store_gateway ORDER BY firmware LIMIT 1)
      UNION ALL
      SELECT (SELECT firmware FROM store_gateway WHERE firmware > known.firmware ORDER BY firmware LIMIT 1)
        FROM known WHERE known.firmware IS NOT NULL
    ) SELECT firmware FROM known WHERE firmware <> ''
    """
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [firmware for (firmware,) in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class File:
    """One gateway and what belongs to it, newest first where time orders it.

    ``profiles``: every name's version that counts (wanted before active); ``readings``: what was last read back, by
    name; ``moves``: when it changed its state, oldest first: (at, from, to).
    """

    gateway: Gateway
    certificates: list[Certificate]
    meters: list[Meter]
    profiles: list[Profile]
    readings: dict[str, ProfileReading]
    events: list[Event]
    runs: list[Run]
    orders: list[Order]
    moves: list[tuple[datetime, str, str]]


def gateway(device_id: str) -> Gateway | None:
    return Gateway.objects.select_related("client", "delivery_note").filter(device_id=device_id).first()


def file(gateway: Gateway) -> File:
    """Everything its page shows; eight queries, whatever there is."""
    return File(
        gateway=gateway,
        certificates=list(gateway.certificates.defer("der").order_by("-not_before", "use")),
        meters=list(gateway.meters.order_by("device_id")),
        profiles=_counting(gateway),
        readings={row.name: row for row in gateway.profile_readings.defer("content")},
        events=list(gateway.events.order_by("-number")[:EVENTS]),
        runs=list(gateway.runs.select_related("order").order_by("-id")[:RUNS]),
        orders=list(gateway.orders.select_related("ticket").order_by("-id")[:RUNS]),
        moves=_moves(gateway.device_id),
    )


def _counting(gateway: Gateway) -> list[Profile]:
    rows = gateway.profiles.filter(state__in=("wanted", "active")).defer("content").order_by("kind", "name", "version")
    return list({row.name: row for row in rows}.values())


def _moves(device_id: str) -> list[tuple[datetime, str, str]]:
    rows = AuditEntry.objects.filter(
        subject=f"gateway:{device_id}", action__startswith="gateway.", payload__has_keys=["from", "to"]
    )
    return [(at, said["from"], said["to"]) for at, said in rows.order_by("id").values_list("at", "payload")]


def profile(gateway: int, name: str) -> tuple[Profile | None, ProfileReading | None]:
    """What we want under a name on a gateway and what was read back there, both with their content."""
    wanted = Profile.objects.filter(gateway=gateway, name=name, state__in=("wanted", "active")).order_by("-version")
    return wanted.first(), ProfileReading.objects.filter(gateway=gateway, name=name).first()


def run(run_id: str) -> tuple[Run, list[Step]] | None:
    """A run with its gateway, client and order, and its steps."""
    row = Run.objects.select_related("gateway", "client", "order__ticket").filter(run_id=run_id).first()
    return (row, list(row.steps.order_by("position"))) if row else None


def blocklist() -> QuerySet[Gateway]:
    return Gateway.objects.filter(blocked_at__isnull=False).select_related("client")


def horizon(today: date, weeks: int) -> list[tuple[str, date, int]]:
    """How many sets of certificates in use (TLS, SIG and ENC of one owner, told by TLS) and tested mail certificates
    end in which week (its Monday), by kind of owner: gateway, emt, contact, own.
    """
    monday = today - timedelta(days=today.weekday())
    rows = CertificateEnd.objects.filter(week__gte=monday, week__lt=monday + timedelta(weeks=weeks))
    return list(rows.values_list("kind", "week").annotate(total=Sum("number")).filter(total__gt=0))


def ended(now: datetime) -> int:
    """Certificates of gateways in our care that have ended and not been replaced; counting stops at 1,000."""
    rows = Certificate.objects.filter(state="active", not_after__lt=now, gateway__state__in=_ADMINISTERED)
    return rows.order_by()[:1000].count()


def affected(gateway_type: str, firmware: str) -> tuple[int, int]:
    """How many gateways are of this type and firmware, and how many of them are in operation."""
    rows = Gateway.objects.filter(model=gateway_type, firmware=firmware)
    return rows.count(), rows.filter(state__in=_ADMINISTERED).count()


@dataclass(frozen=True, slots=True)
class Cc:
    """A CC certificate of the BSI."""

    number: str
    gateway_type: str
    firmware: str
    validity: Validity


def cc_certificates() -> list[Cc]:
    rows = CcCertificate.objects.order_by("number")
    return [Cc(r.number, r.gateway_type, r.firmware, Validity(r.valid_from, r.valid_until)) for r in rows]
