"""Contract documents in the client's area: every version kept, none ever changed (C-4)."""

from django.db import models
from django.db.models.functions import Now


class ContractDocument(models.Model):
    """One version of one document. ``client`` is ``None`` where it holds for all clients. ``kind``: see
    ``kernel.contract_document``; ``title`` tells two of a kind apart. In force from the day ``valid_from`` on until a
    later version of the same title is.
    """

    document_id = models.UUIDField(unique=True)
    client = models.ForeignKey("Client", on_delete=models.PROTECT, null=True, related_name="documents")
    kind = models.TextField()
    title = models.TextField()
    version = models.TextField()
    valid_from = models.DateField()
    name = models.TextField()
    size = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    content = models.BinaryField()
    published_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["client", "kind", "title", "version"],
                name="contract_document_version",
                nulls_distinct=False,
            ),
        )

    def __str__(self) -> str:
        return f"{self.title} {self.version}"
