"""Couplings, calls and events as people look at them; what belongs to a client takes the client first (P-1)."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from torwart.store.models import Coupling, InterfaceCall, InterfaceEvent


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
    active: bool
    last_call_at: datetime | None


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
            row.active,
            row.last_call_at,
        )
        for row in rows
    ]


def coupling(client: int, pk: int) -> CouplingLine | None:
    return next((line for line in couplings(client) if line.pk == pk), None)


def calls(client: int, *, failed: bool = False) -> QuerySet[InterfaceCall]:
    """The interface log, for keyset pages by ``-id``."""
    rows = InterfaceCall.objects.filter(client=client).select_related("coupling")
    return rows.filter(status__gte=400) if failed else rows


def events(client: int) -> QuerySet[InterfaceEvent]:
    """What the client's system has been told, for keyset pages by ``-id``."""
    return InterfaceEvent.objects.filter(client=client)
