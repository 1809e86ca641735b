"""What we asked a Sub-CA for, kept before it is sent, so that asking again is the same asking (TR-03129-4 §2.2.1)."""

from django.db import models
from django.db.models.functions import Now


class CertificateRequest(models.Model):
    """One request package and the CA's answer. ``message_id`` names it to the CA and is unique for ever.

    ``state``: ``prepared`` (kept, perhaps sent), ``accepted`` (the CA calls back later), ``answered``.
    ``certificates``: the answer's certificates as DER, base64. ``return_code`` as the standard spells it.
    """

    message_id = models.TextField(unique=True)
    run = models.ForeignKey("Run", on_delete=models.PROTECT, null=True, related_name="certificate_requests")
    gateway = models.ForeignKey("Gateway", on_delete=models.PROTECT, null=True, related_name="certificate_requests")
    kind = models.TextField()
    package = models.BinaryField()
    state = models.TextField()
    return_code = models.TextField(default="", db_default="")
    message = models.TextField(default="", db_default="")
    certificates = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    prepared_at = models.DateTimeField(db_default=Now())
    answered_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.message_id


class RevocationList(models.Model):
    """The newest revocation list (CRL) of one issuer (RFC 4514 name) that we have verified."""

    issuer = models.TextField(unique=True)
    number = models.BigIntegerField()
    this_update = models.DateTimeField()
    next_update = models.DateTimeField()
    der = models.BinaryField()
    fetched_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.issuer} {self.number}"
