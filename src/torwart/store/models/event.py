"""What gateways tell unasked: events and alarms, opened and believed (A2 Tabelle 5, Notify)."""

from django.db import models
from django.db.models.functions import Now


class Event(models.Model):
    """One event of a gateway, once: ``number`` grows by one on the device, so gaps and repeats show.

    ``level``: INFO, WARNING, ERROR or FATAL; ``vendor`` and ``event`` as in the device's log entry ``record_number``
    of its log ``log``; ``fact``: the head-end's fact that brought it.
    """

    gateway = models.ForeignKey("Gateway", on_delete=models.PROTECT, related_name="events")
    number = models.BigIntegerField()
    at = models.DateTimeField()
    level = models.TextField()
    vendor = models.TextField()
    event = models.BigIntegerField()
    text = models.TextField()
    log = models.TextField()
    record_number = models.BigIntegerField()
    success = models.BooleanField()
    subject = models.TextField(default="", db_default="")
    parameters = models.JSONField(default=list)
    fact = models.UUIDField()
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=["gateway", "number"], name="event_number"),)
        indexes = (models.Index(fields=["level", "received_at"], name="event_level"),)

    def __str__(self) -> str:
        return f"{self.level} {self.event} {self.text}"
