"""Reading clients: lists and one client at a glance for the provider, the client's own page for itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from torwart.kernel.contact_state import SECURE
from torwart.store.models import Client

PAGE = 50
_TESTED = Count(
    "contacts", distinct=True, filter=Q(contacts__active=True, contacts__mail_state__in=[s.value for s in SECURE])
)
_ACTIVE = Count("contacts", distinct=True, filter=Q(contacts__active=True))


@dataclass(frozen=True, slots=True)
class ClientLine:
    """``contacts``: active ones, ``tested``: those of them with tested secure mail; ``participants``: (code, name)."""

    id: int
    name: str
    state: str
    created_at: datetime
    contacts: int
    tested: int
    participants: tuple[tuple[str, str], ...]


def page(*, after: str = "", size: int = PAGE) -> list[ClientLine]:
    """The clients in the order of their names, those after the name ``after``; two queries whatever their number."""
    return _lines(Client.objects.filter(name__gt=after).order_by("name")[:size])


def one(client: int) -> ClientLine | None:
    return next(iter(_lines(Client.objects.filter(pk=client))), None)


def _lines(rows) -> list[ClientLine]:  # type: ignore[no-untyped-def]  # a QuerySet with annotations has no name
    found: Sequence = rows.annotate(active_contacts=_ACTIVE, tested_contacts=_TESTED).prefetch_related("participants")
    return [
        ClientLine(
            row.pk,
            row.name,
            row.state,
            row.created_at,
            row.active_contacts,
            row.tested_contacts,
            tuple(sorted((each.code, each.name) for each in row.participants.all())),
        )
        for row in found
    ]
