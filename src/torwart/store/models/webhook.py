"""Webhooks: where a client's system wants to be told, and what became of each telling (spec/07 point 5)."""

from django.db import models
from django.db.models.functions import Now


class Webhook(models.Model):
    """An endpoint of a client. ``keys``: our signing keys for it, ``[{"id", "public", "until"}]``, newest first; while
    they are rotated two are valid. The private keys are derived from the installation's secret (``wire.webhook``).

    ``dialect``: ``torwart`` is told all events; ``bdew`` the answers to what ``coupling`` has called (``wire.bdew``).
    """

    webhook_id = models.UUIDField(unique=True)
    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="webhooks")
    url = models.TextField()
    keys = models.JSONField()
    active = models.BooleanField(default=True, db_default=True)
    dialect = models.TextField(default="torwart", db_default="torwart")
    coupling = models.OneToOneField("Coupling", on_delete=models.PROTECT, null=True, related_name="bdew_address")
    created_at = models.DateTimeField(db_default=Now())
    disabled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["client", "id"], name="webhook_client"),)

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """One event on its way to one endpoint. ``state``: ``pending``, ``delivered`` or ``dead`` (three days in vain).

    Deliveries of one subject go in the order of their events: a later one waits while an earlier one is pending.
    ``transaction``: what it answers, in the BDEW dialect.
    """

    webhook = models.ForeignKey("Webhook", on_delete=models.PROTECT, related_name="deliveries")
    event = models.ForeignKey("InterfaceEvent", on_delete=models.CASCADE, related_name="deliveries")
    transaction = models.ForeignKey("BdewTransaction", on_delete=models.CASCADE, null=True, related_name="answers")
    subject = models.TextField()
    state = models.TextField(default="pending", db_default="pending")
    attempts = models.IntegerField(default=0, db_default=0)
    first_attempt_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["webhook", "event"], name="delivery_once"),)
        indexes = (
            models.Index(fields=["next_attempt_at"], name="delivery_due", condition=models.Q(state="pending")),
            models.Index(
                fields=["webhook", "subject", "event"], name="delivery_order", condition=models.Q(state="pending")
            ),
            models.Index(fields=["webhook", "-id"], name="delivery_webhook"),
            models.Index(fields=["webhook", "-id"], name="delivery_dead", condition=models.Q(state="dead")),
        )

    def __str__(self) -> str:
        return f"{self.event_id} {self.state}"


class Attempt(models.Model):
    """One try at a delivery: what the endpoint answered, or why there was no answer."""

    delivery = models.ForeignKey("Delivery", on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    status = models.IntegerField(null=True)
    why = models.TextField(default="", db_default="")
    answer = models.TextField(default="", db_default="")
    milliseconds = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.status or self.why}"
