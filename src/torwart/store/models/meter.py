"""Meters and the points they measure."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now


class Meter(models.Model):
    """One basic meter (mME or other sector), on at most one gateway at a time.

    ``key_label``: where the key store keeps its LMN secret (MK0 or its certificate's peer key); never the secret.
    ``melo``/``malos``: the metering and market locations it serves; ``lmn``: ``hdlc``, ``tls`` or ``wireless``.
    """

    device_id = models.CharField(max_length=14, unique=True)
    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="meters")
    gateway = models.ForeignKey("Gateway", on_delete=models.PROTECT, null=True, related_name="meters")
    state = models.TextField()
    lmn = models.TextField(default="hdlc", db_default="hdlc")
    melo = models.CharField(max_length=33, default="", db_default="")
    malos = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    key_label = models.TextField(default="", db_default="")
    details = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    first_value_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = (
            models.Index(fields=["client", "id"], name="meter_client"),
            GinIndex(
                fields=["client", "melo", "device_id"],
                opclasses=["int8_ops", "gin_trgm_ops", "gin_trgm_ops"],
                name="meter_search",
            ),
            GinIndex(fields=["malos"], opclasses=["jsonb_path_ops"], name="meter_malos"),
            models.Index(fields=["melo"], name="meter_melo", condition=~models.Q(melo="")),
        )

    def __str__(self) -> str:
        return self.device_id
