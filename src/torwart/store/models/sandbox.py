"""The sandbox of the test system: how far its time has been moved, and gateways made on demand (spec/07 point 8)."""

import uuid

from django.db import models


class SandboxTime(models.Model):
    """One row, or none while nobody has moved the time. ``ahead``: service time minus the machine's; it only grows."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    ahead = models.DurationField()
    moved_at = models.DateTimeField()

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="sandbox_time_one"),)

    def __str__(self) -> str:
        return str(self.ahead)


class SandboxGateway(models.Model):
    """A simulated gateway a client has asked for. ``state``: wanted, ready, failed or retired; ``power``: ``auto``
    (from its commissioning on), ``on`` or ``off``, as asked for; ``powered``, ``connected``: as it is.

    ``revision`` grows with every wish, ``applied`` is the last one the host has followed; ``why``: why it failed.
    ``fields``: what an order to commission it can say.
    """

    name = models.UUIDField(unique=True, default=uuid.uuid4)
    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="sandbox_gateways")
    behaviour = models.TextField()
    power = models.TextField(default="auto", db_default="auto")
    meter_count = models.SmallIntegerField()
    state = models.TextField(default="wanted", db_default="wanted")
    why = models.TextField(default="", db_default="")
    device_id = models.TextField(default="", db_default="")
    meters = models.JSONField(default=list)
    fields = models.JSONField(default=dict)
    powered = models.BooleanField(default=False, db_default=False)
    connected = models.BooleanField(default=False, db_default=False)
    revision = models.IntegerField(default=1, db_default=1)
    applied = models.IntegerField(default=0, db_default=0)
    wanted_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["client", "id"], name="sandbox_gateway_client"),)

    def __str__(self) -> str:
        return f"{self.device_id or self.name} {self.behaviour}"
