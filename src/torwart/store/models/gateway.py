"""Gateways (SMGW) as we administer them."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now


class Gateway(models.Model):
    """One SMGW. ``state`` is a word of ``kernel.gateway_state`` and changes only by its table.

    ``wan``: how it is reached (wake-up address and port, WAN type); ``details``: what the delivery note told and no
    query asks for. ``blocked_at`` is set while it stands on our blocklist (P19).
    """

    device_id = models.CharField(max_length=14, unique=True)
    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="gateways")
    state = models.TextField()
    state_since = models.DateTimeField(db_default=Now())
    maker = models.TextField(default="", db_default="")
    model = models.TextField(default="", db_default="")
    firmware = models.TextField(default="", db_default="")
    cc_certificate = models.TextField(default="", db_default="")
    delivery_note = models.ForeignKey("DeliveryNote", on_delete=models.PROTECT, null=True, related_name="gateways")
    wan = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    details = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    first_contact_at = models.DateTimeField(null=True)
    last_contact_at = models.DateTimeField(null=True)
    commissioned_at = models.DateTimeField(null=True)
    blocked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = (
            models.Index(fields=["client", "state", "id"], name="gateway_client_state"),
            models.Index(fields=["client", "device_id"], name="gateway_client_device"),
            models.Index(fields=["client", "state", "device_id"], name="gateway_client_state_device"),
            GinIndex(fields=["client", "device_id"], opclasses=["int8_ops", "gin_trgm_ops"], name="gateway_search"),
            models.Index(fields=["state", "id"], name="gateway_state"),
            models.Index(fields=["state", "last_contact_at"], name="gateway_last_contact"),
            models.Index(fields=["firmware", "model"], name="gateway_firmware"),
            models.Index(fields=["blocked_at"], name="gateway_blocked", condition=models.Q(blocked_at__isnull=False)),
        )

    def __str__(self) -> str:
        return self.device_id
