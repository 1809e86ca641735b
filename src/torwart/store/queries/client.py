"""Reading clients: lists and one client at a glance for the provider, the client's own page for itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Prefetch, Q

from torwart.kernel.contact_state import SECURE
from torwart.store.models import Certificate, Client, Contact, ContactCertificate, User

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


def names() -> list[tuple[int, str]]:
    """Id and name of every client, by name: to choose from."""
    return list(Client.objects.order_by("name").values_list("id", "name"))


def found(text: str, *, after: str = "", size: int = PAGE) -> list[ClientLine]:
    """The clients whose name or code number contains ``text``, in the order of their names."""
    rows = Client.objects.filter(Q(name__icontains=text) | Q(participants__code__startswith=text), name__gt=after)
    return _lines(Client.objects.filter(pk__in=rows.values("pk")).order_by("name")[:size])


def contacts(client: int) -> list[Contact]:
    """The client's contacts with their certificates, active ones first."""
    rows = Contact.objects.filter(client=client).prefetch_related(
        Prefetch("certificates", ContactCertificate.objects.defer("der").order_by("-not_after"))
    )
    return list(rows.order_by("-active", "name", "first_name"))


def users(client: int | None) -> list[User]:
    """The accounts of a client's people, or of the provider's (``None``)."""
    return list(User.objects.filter(client=client).order_by("-is_active", "name", "first_name"))


def user(pk: int) -> User | None:
    return User.objects.select_related("client").filter(pk=pk).first()


def key_set(client: int) -> list[Certificate]:
    """The certificates of the key set with which we act for a client (MsbG § 52(4))."""
    rows = Certificate.objects.filter(client=client, role="GWA", state="active").defer("der")
    return list(rows.order_by("use", "-sequence"))
