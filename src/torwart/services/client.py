"""Clients (Auftraggeber) as far as gateways need them: to whom everything belongs."""

from torwart.services import audit
from torwart.store.models import Client


def create(name: str, *, actor: str) -> int:
    """Take a client in; its id. The same name again is the same client."""
    row, new = Client.objects.get_or_create(name=name)
    if new:
        audit.append(actor=actor, action="client.created", subject=f"client:{row.pk}", client=row.pk)
    return row.pk
