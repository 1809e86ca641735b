"""External market participants (EMT) and what they confirm to have received."""

from django.db import models
from django.db.models.functions import Now


class Emt(models.Model):
    """One EMT as one client uses it. ``endpoint``: where gateways send to, ``host:port`` and path."""

    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="emts")
    name = models.TextField()
    code = models.TextField()
    endpoint = models.TextField()
    state = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=["client", "name"], name="emt_name"),)

    def __str__(self) -> str:
        return self.name


class ReadingConfirmation(models.Model):
    """An EMT's signed word that readings of a gateway arrived. ``fact``: the head-end's fact that brought it."""

    emt = models.ForeignKey("Emt", on_delete=models.PROTECT, related_name="confirmations")
    gateway = models.ForeignKey("Gateway", on_delete=models.PROTECT, related_name="confirmations")
    fact = models.UUIDField(unique=True)
    meter = models.CharField(max_length=14, default="", db_default="")
    content = models.JSONField()
    confirmed_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["gateway", "confirmed_at"], name="confirmation_gateway"),)

    def __str__(self) -> str:
        return f"{self.emt_id} confirms {self.gateway_id}"
