"""Clients (Auftraggeber): whose gateways, meters, orders and keys these are."""

from django.db import models
from django.db.models.functions import Now

from torwart.kernel.client_state import ClientState


class Client(models.Model):
    """A customer of the provider; what belongs to one is never visible to another (spec P-1).

    ``state``: a word of ``kernel.client_state``; orders are placed in ``active`` only (P-3).
    """

    name = models.TextField(unique=True)
    state = models.TextField(default=ClientState.ONBOARDING.value, db_default=ClientState.ONBOARDING.value)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class MarketParticipant(models.Model):
    """A code number (BDEW) under which a client acts as metering point operator; one client may have several."""

    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="participants")
    code = models.CharField(max_length=13, unique=True)
    name = models.TextField()

    def __str__(self) -> str:
        return self.code
