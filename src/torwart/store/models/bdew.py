"""The BDEW dialect as remembered: which call of a partner an order, or a refusal, goes back to (spec/07 point 11)."""

from django.db import models


class BdewTransaction(models.Model):
    """A call taken from a partner. ``initial``: its id over all attempts, and the ``referenceId`` of our answers;
    ``process``: the name in its address; ``order``: what it became, none if it was refused.
    """

    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="bdew_transactions")
    coupling = models.ForeignKey("Coupling", on_delete=models.PROTECT, related_name="bdew_transactions")
    initial = models.UUIDField()
    process = models.TextField()
    order = models.OneToOneField("Order", on_delete=models.PROTECT, null=True, related_name="bdew_transaction")
    created_at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=["created_at"], name="bdew_transaction_age", condition=models.Q(order__isnull=True)),
        )

    def __str__(self) -> str:
        return str(self.initial)
