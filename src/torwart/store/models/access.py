"""The access log: who was in the protected area, when, from where, for what (P-4)."""

from django.db import models


class Access(models.Model):
    """One access. ``what``: ``sign_in``, ``sign_in_failed``, ``sign_out``, ``page``, ``download``, ``refused`` ….

    ``user`` is ``None`` where nobody was signed in; ``client`` is whose contacts may see the line.
    """

    at = models.DateTimeField()
    user = models.ForeignKey("User", on_delete=models.PROTECT, null=True, related_name="accesses")
    client = models.ForeignKey("Client", on_delete=models.PROTECT, null=True, related_name="accesses")
    email = models.TextField(default="", db_default="")
    address = models.TextField()
    what = models.TextField()
    path = models.TextField()
    status = models.IntegerField(default=200, db_default=200)
    agent = models.TextField(default="", db_default="")

    class Meta:
        indexes = (
            models.Index(fields=["client", "-id"], name="access_client"),
            models.Index(fields=["user", "-id"], name="access_user"),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.email} {self.path}"
