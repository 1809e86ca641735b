"""Mail as it came and mail as it goes: raw bytes first, an outbox that is part of the cause's transaction (C-2)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class MailIn(models.Model):
    """A received mail. ``raw`` is stored before anything is interpreted; ``digest`` is its SHA-256 (hex), so the same
    bytes twice are one row.

    ``state``: ``stored`` (not read yet), ``done``, ``ignored`` (loop, bounce, repeat), ``refused`` (answered with the
    reason) or ``quarantined`` (unreadable, an operator looks). ``security``: what S/MIME said, warnings included.
    """

    digest = models.CharField(max_length=64, unique=True)
    raw = models.BinaryField()
    size = models.BigIntegerField()
    via = models.TextField()
    envelope_from = models.TextField(default="", db_default="")
    envelope_to = ArrayField(models.TextField(), default=list, db_default=[])
    received_at = models.DateTimeField()
    state = models.TextField(default="stored", db_default="stored")
    attempts = models.IntegerField(default=0, db_default=0)
    message_id = models.TextField(default="", db_default="")
    from_address = models.TextField(default="", db_default="")
    subject = models.TextField(default="", db_default="")
    contact = models.ForeignKey("Contact", on_delete=models.PROTECT, null=True, related_name="mails_in")
    ticket = models.ForeignKey("Ticket", on_delete=models.PROTECT, null=True, related_name="mails_in")
    security = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    code = models.TextField(default="", db_default="")
    why = models.TextField(default="", db_default="")
    processed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["id"], name="mail_in_stored", condition=models.Q(state="stored")),
            models.Index(fields=["message_id"], name="mail_in_message_id"),
            models.Index(fields=["ticket", "id"], name="mail_in_ticket"),
            models.Index(fields=["from_address", "received_at"], name="mail_in_sender"),
            models.Index(
                fields=["-id"],
                name="mail_in_unsettled",
                condition=models.Q(state__in=("quarantined", "refused", "stored")),
            ),
        )

    def __str__(self) -> str:
        return self.message_id or self.digest[:12]


class MailOut(models.Model):
    """A mail to one person, written in the transaction that caused it and delivered afterwards, at least once.

    ``message_id`` is stable, so a receiver can drop a repeat. ``secure``: only signed and encrypted. ``state``:
    ``queued``, ``sent``, ``failed`` (permanently; shown on the ticket). ``certificate``: the one a test mail is for.
    ``references``: message ids the thread hangs on; ``files``: what to enclose, ``[name, media type, base64]`` each.
    """

    message_id = models.TextField(unique=True)
    kind = models.TextField()
    client = models.ForeignKey("Client", on_delete=models.PROTECT, null=True, related_name="mails_out")
    contact = models.ForeignKey("Contact", on_delete=models.PROTECT, null=True, related_name="mails_out")
    address = models.TextField()
    language = models.CharField(max_length=2)
    subject = models.TextField()
    text = models.TextField()
    html = models.TextField()
    secure = models.BooleanField()
    certificate = models.ForeignKey("ContactCertificate", on_delete=models.PROTECT, null=True, related_name="tests")
    ticket = models.ForeignKey("Ticket", on_delete=models.PROTECT, null=True, related_name="mails_out")
    references = ArrayField(models.TextField(), default=list, db_default=[])
    files = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    state = models.TextField(default="queued", db_default="queued")
    attempts = models.IntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField()
    failure = models.TextField(default="", db_default="")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["next_attempt_at"], name="mail_out_queue", condition=models.Q(state="queued")),
            models.Index(fields=["ticket", "id"], name="mail_out_ticket"),
            models.Index(fields=["address", "created_at"], name="mail_out_address"),
            models.Index(fields=["-id"], name="mail_out_unsent", condition=models.Q(state__in=("failed", "queued"))),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.address}"
