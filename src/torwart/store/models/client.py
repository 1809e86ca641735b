"""Clients (Auftraggeber): whose gateways, meters, orders and keys these are."""

from django.db import models
from django.db.models.functions import Now


class Client(models.Model):
    """A customer of the provider; what belongs to one is never visible to another (spec P-1)."""

    name = models.TextField(unique=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name
