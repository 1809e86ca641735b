"""Delivery notes (eLS) and what their import said, device by device."""

from django.db import models
from django.db.models.functions import Now


class DeliveryNote(models.Model):
    """One delivery note of one maker; the same number again is the same note. ``digest``: SHA-256 of the file, hex."""

    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="delivery_notes")
    maker = models.TextField()
    number = models.TextField()
    state = models.TextField()
    digest = models.CharField(max_length=64)
    report = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=["maker", "number"], name="delivery_note_number"),)

    def __str__(self) -> str:
        return f"{self.maker} {self.number}"
