"""The audit trail: entries written with their cause, and the chain that makes later changes visible (spec M-4).

Rows are only ever inserted; triggers of ``sql/audit.sql`` refuse everything else. How entries get their place in
the chain is told in ``services.audit``.
"""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models


class AuditEntry(models.Model):
    """One thing that matters. ``actor`` and ``subject`` are plain names (``operator:anna``, ``gateway:E…``);
    ``payload`` is JSON without floating-point numbers.
    """

    at = models.DateTimeField()
    actor = models.TextField()
    action = models.TextField()
    subject = models.TextField()
    payload = models.JSONField()
    client = models.ForeignKey("Client", on_delete=models.PROTECT, null=True, related_name="audit_entries")

    class Meta:
        indexes = (
            models.Index(fields=["subject", "id"], name="audit_entry_subject"),
            models.Index(fields=["client", "id"], name="audit_entry_client"),
            BrinIndex(fields=["at"], name="audit_entry_at"),
            # Runs and head-ends write most entries and are looked for by subject; people are looked for by name.
            models.Index(
                fields=["actor", "-id"],
                name="audit_entry_people",
                opclasses=["text_pattern_ops", "int8_ops"],
                condition=~models.Q(actor__startswith="run:") & ~models.Q(actor__startswith="headend:"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.action} {self.subject}"


class AuditLink(models.Model):
    """An entry's place in the chain: ``hash`` covers the entry, ``seq`` and ``previous`` (both hashes 32 bytes)."""

    seq = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField("AuditEntry", on_delete=models.PROTECT, related_name="link")
    previous = models.BinaryField()
    hash = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.seq}"


class AuditPending(models.Model):
    """Entries that have no link yet; a trigger writes the row with the entry, linking removes it."""

    entry_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"{self.entry_id}"
