"""The access log as a client's own contacts see it: their users, nobody else's (P-4)."""

from django.db.models import QuerySet

from torwart.store.models import Access


def of_client(client: int, *, user: int | None = None, what: str = "") -> QuerySet[Access]:
    """The client's lines; those of one user or of one kind where asked. To be read newest first (``-id``)."""
    rows = Access.objects.filter(client=client).select_related("user")
    if user is not None:
        rows = rows.filter(user=user)
    return rows.filter(what=what) if what else rows
