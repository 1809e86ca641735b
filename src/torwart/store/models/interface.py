"""The EMT–GWA interface as remembered: who is coupled, keys used, what was told, what was asked (spec/07)."""

from django.db import models
from django.db.models.functions import Now


class Coupling(models.Model):
    """A client's own system. ``common_name``: the CN of its EMT TLS certificates, which stays when they are renewed.

    ``version``: the interface version pinned at its first call; ``compatibility``: ``unknown``, ``compatible`` or
    ``incompatible`` with ``software`` (R-4), judged by ``judged_by`` at ``judged_at``; ``suspended_at``: since when it
    has been incompatible.
    """

    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="couplings")
    common_name = models.TextField(unique=True)
    software = models.TextField(default="", db_default="")
    software_version = models.TextField(default="", db_default="")
    version = models.TextField(default="", db_default="")
    compatibility = models.TextField(default="unknown", db_default="unknown")
    reason = models.TextField(default="", db_default="")
    judged_by = models.TextField(default="", db_default="")
    judged_at = models.DateTimeField(null=True)
    suspended_at = models.DateTimeField(null=True)
    active = models.BooleanField(default=True, db_default=True)
    last_call_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.common_name


class IdempotencyKey(models.Model):
    """A key a client has used, and what it was answered; written in the transaction of what it did.

    ``digest``: SHA-256 over method, path and canonical body (hex); ``answer``: the body as it was sent.
    """

    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="idempotency_keys", db_index=False)
    key = models.TextField()
    digest = models.CharField(max_length=64)
    status = models.IntegerField()
    answer = models.TextField()
    location = models.TextField(default="", db_default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["client", "key"], name="idempotency_key"),)
        indexes = (models.Index(fields=["created_at"], name="idempotency_key_age"),)

    def __str__(self) -> str:
        return self.key


class InterfaceEvent(models.Model):
    """Something a client's system is told: once written, in the transaction that caused it, kept for 90 days.

    ``event_id`` names it to the outside (CloudEvents ``id``); ``subject``: the order's number. ``place``: where it
    stands in its client's feed; given when it is first read, for what commits later must stand later.
    """

    event_id = models.UUIDField(unique=True)
    place = models.BigIntegerField(null=True)
    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="interface_events")
    type = models.TextField()
    subject = models.TextField()
    at = models.DateTimeField()
    data = models.JSONField()

    class Meta:
        indexes = (
            models.Index(fields=["client", "place"], name="interface_event_client"),
            models.Index(fields=["client", "id"], name="interface_event_new", condition=models.Q(place__isnull=True)),
            models.Index(fields=["at"], name="interface_event_age"),
            models.Index(fields=["subject", "-id"], name="interface_event_subject"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"


class InterfaceCall(models.Model):
    """One call of a client's system and our answer: the interface log its people see. ``subject``: the number of the
    order it placed or was about, or nothing; ``asked``, ``answered``: the bodies, without secrets.
    """

    request_id = models.UUIDField(unique=True)
    at = models.DateTimeField()
    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="interface_calls")
    coupling = models.ForeignKey("Coupling", on_delete=models.PROTECT, related_name="calls")
    method = models.TextField()
    path = models.TextField()
    subject = models.TextField(default="", db_default="")
    key = models.TextField(default="", db_default="")
    status = models.IntegerField()
    code = models.TextField(default="", db_default="")
    milliseconds = models.IntegerField()
    asked = models.TextField(default="", db_default="")
    answered = models.TextField(default="", db_default="")

    class Meta:
        indexes = (
            models.Index(fields=["client", "-id"], name="interface_call_client"),
            models.Index(fields=["subject", "-id"], name="interface_call_order", condition=~models.Q(subject="")),
            models.Index(fields=["at"], name="interface_call_age"),
        )

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"
