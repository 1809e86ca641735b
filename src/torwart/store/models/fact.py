"""Facts head-ends tell (ports.gateway_link.Fact), stored once by their UUID before the gateway gets its 200."""

from django.db import models
from django.db.models.functions import Now


class Fact(models.Model):
    """One fact. ``handled_at`` is empty until a rule or run has taken note of it; ``refusal`` says why it could not."""

    id = models.UUIDField(primary_key=True)
    kind = models.TextField()
    device = models.CharField(max_length=64)
    at = models.DateTimeField()
    details = models.JSONField()
    body = models.BinaryField()
    stored_at = models.DateTimeField(db_default=Now())
    handled_at = models.DateTimeField(null=True)
    refusal = models.TextField(default="", db_default="")

    class Meta:
        indexes = (
            models.Index(fields=["device", "kind", "at"], name="fact_device"),
            models.Index(fields=["stored_at"], name="fact_open", condition=models.Q(handled_at__isnull=True)),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.device}"
