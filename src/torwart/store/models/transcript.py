"""The message transcript: what was said between us and gateways, CAs and EMTs."""

from django.db import models


class Exchange(models.Model):
    """One request and its answer. Bodies are not kept, only their size and SHA-256 (hex); heads are redacted first.

    ``peer``: ``gateway``, ``ca`` or ``emt``; ``outgoing``: we asked; ``status`` 0 if there was no answer, ``code``
    then says why. ``purpose``: the step's name.
    """

    at = models.DateTimeField()
    client = models.ForeignKey("Client", on_delete=models.PROTECT, null=True, related_name="exchanges")
    gateway = models.ForeignKey("Gateway", on_delete=models.PROTECT, null=True, related_name="exchanges")
    run = models.ForeignKey("Run", on_delete=models.PROTECT, null=True, related_name="exchanges")
    peer = models.TextField()
    outgoing = models.BooleanField()
    purpose = models.TextField(default="", db_default="")
    request_line = models.TextField()
    request_head = models.TextField(default="", db_default="")
    request_size = models.BigIntegerField()
    request_digest = models.CharField(max_length=64)
    status = models.IntegerField()
    code = models.TextField(default="", db_default="")
    answer_head = models.TextField(default="", db_default="")
    answer_size = models.BigIntegerField()
    answer_digest = models.CharField(max_length=64)
    milliseconds = models.IntegerField()

    class Meta:
        indexes = (
            models.Index(fields=["gateway", "id"], name="exchange_gateway"),
            models.Index(fields=["run", "id"], name="exchange_run"),
        )

    def __str__(self) -> str:
        return f"{self.request_line} {self.status}"
