"""Couplings, calls and events as people look at them; what belongs to a client takes the client first (P-1)."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, Q, QuerySet

from torwart.store.models import Coupling, Delivery, InterfaceCall, InterfaceEvent


@dataclass(frozen=True, slots=True)
class CouplingLine:
    """A client's own system: ``name`` is the CN of its certificate, ``version`` the interface version pinned."""

    pk: int
    name: str
    software: str
    software_version: str
    version: str
    compatibility: str
    reason: str
    judged_by: str
    judged_at: datetime | None
    suspended_at: datetime | None
    active: bool
    last_call_at: datetime | None


OUTCOMES = {
    "gelungen": Q(status__lt=400),
    "abgelehnt": Q(status__gte=400, status__lt=500),
    "fehler": Q(status__gte=500),
}
"""What can have become of a call, by the name pages give it."""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to list: ``outcome`` of ``OUTCOMES``; ``path`` and what is below it, or all that begins so
    where it ends with ``-``; about this ``order``; from
    ``since``, before ``until``.
    """

    outcome: str = ""
    path: str = ""
    order: str = ""
    since: datetime | None = None
    until: datetime | None = None


def couplings(client: int) -> list[CouplingLine]:
    """All of the client's, by name; one query."""
    rows = Coupling.objects.filter(client=client).order_by("common_name")
    return [
        CouplingLine(
            row.pk,
            row.common_name,
            row.software,
            row.software_version,
            row.version,
            row.compatibility,
            row.reason,
            row.judged_by,
            row.judged_at,
            row.suspended_at,
            row.active,
            row.last_call_at,
        )
        for row in rows
    ]


def coupling(client: int, pk: int) -> CouplingLine | None:
    return next((line for line in couplings(client) if line.pk == pk), None)


def suspended(client: int) -> list[CouplingLine]:
    """The couplings that rest because of the client's software (R-4); one query."""
    return [line for line in couplings(client) if line.active and line.suspended_at is not None]


def calls(client: int, which: CallFilter = CallFilter()) -> QuerySet[InterfaceCall]:
    """The interface log, for keyset pages by ``-id``, without the bodies."""
    rows = InterfaceCall.objects.filter(client=client).select_related("coupling").defer("asked", "answered")
    rows = rows.filter(OUTCOMES.get(which.outcome, Q()))
    if which.path.endswith("-"):
        rows = rows.filter(path__startswith=which.path)
    elif which.path:
        below = Q(path__startswith=f"{which.path}/") | Q(path__startswith=f"{which.path}?")
        rows = rows.filter(Q(path=which.path) | below)
    if which.order:
        rows = rows.filter(subject=which.order)
    if which.since is not None:
        rows = rows.filter(at__gte=which.since)
    return rows if which.until is None else rows.filter(at__lt=which.until)


def call(client: int, request_id: uuid.UUID) -> InterfaceCall | None:
    """One call with its bodies, by what ``X-Request-Id`` named it."""
    return InterfaceCall.objects.filter(client=client, request_id=request_id).select_related("coupling").first()


def events(client: int, *, subject: str = "") -> QuerySet[InterfaceEvent]:
    """What the client's system has been told, perhaps about one order only, with what became of it at each webhook; for
    keyset pages by ``-id``.
    """
    rows = InterfaceEvent.objects.filter(client=client)
    rows = rows.filter(subject=subject) if subject else rows
    return rows.prefetch_related(Prefetch("deliveries", Delivery.objects.select_related("webhook").order_by("id")))
