"""Four-eyes approvals: what one person asks for, another decides (P-2; spec: process catalogue)."""

from django.db import models


class Approval(models.Model):
    """``action``: what would be done (``precondition.override``, ``certificate.revoke`` …) with ``payload``.

    ``state``: ``pending``, ``approved``, ``rejected``, ``withdrawn``. The decider is never the one who asked.
    """

    action = models.TextField()
    subject = models.TextField()
    payload = models.JSONField()
    reason = models.TextField()
    client = models.ForeignKey("Client", on_delete=models.PROTECT, null=True, related_name="approvals")
    ticket = models.ForeignKey("Ticket", on_delete=models.PROTECT, null=True, related_name="approvals")
    requested_by = models.ForeignKey("User", on_delete=models.PROTECT, related_name="requested_approvals")
    requested_at = models.DateTimeField()
    state = models.TextField(default="pending", db_default="pending")
    decided_by = models.ForeignKey("User", on_delete=models.PROTECT, null=True, related_name="decided_approvals")
    decided_at = models.DateTimeField(null=True)
    remark = models.TextField(default="", db_default="")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~models.Q(decided_by=models.F("requested_by")), name="approval_four_eyes"),
        )
        indexes = (models.Index(fields=["state", "id"], name="approval_state"),)

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
