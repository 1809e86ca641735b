"""Contacts (Ansprechpartner) of a client and their mail certificates (P-3, S-MAIL-1 … S-MAIL-4)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from torwart.kernel.contact_state import MailState


class Contact(models.Model):
    """A person the client has named. ``mail_state``: the best of its certificates' states (``contact_state.best``).

    ``legacy``: an operator allows AES-256-CBC for this contact (spec: mail, outgoing). ``user``: the account, if any.
    """

    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="contacts")
    user = models.OneToOneField("User", on_delete=models.PROTECT, null=True, related_name="contact")
    name = models.TextField()
    first_name = models.TextField()
    phone = models.TextField()
    email = models.EmailField()
    language = models.CharField(max_length=2, default="de", db_default="de")
    active = models.BooleanField(default=True, db_default=True)
    legacy = models.BooleanField(default=False, db_default=False)
    mail_state = models.TextField(default=MailState.UNKNOWN.value, db_default=MailState.UNKNOWN.value)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "client", models.functions.Lower("email"), name="contact_email", condition=models.Q(active=True)
            ),
        )
        indexes = (models.Index(models.functions.Lower("email"), name="contact_by_email"),)

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.name}".strip()

    def __str__(self) -> str:
        return self.email


class ContactCertificate(models.Model):
    """One mail certificate of a contact. ``state``: a word of ``kernel.contact_state``, on its own way.

    ``uses``: ``sign`` and/or ``encrypt``; ``source``: ``mail`` or ``upload``; ``word``: what the test mail of
    ``test_sent_at`` asks back; ``reminded``: at how many days before the end reminders have gone out.
    """

    contact = models.ForeignKey("Contact", on_delete=models.PROTECT, related_name="certificates")
    fingerprint = models.CharField(max_length=64)
    der = models.BinaryField()
    uses = ArrayField(models.TextField())
    subject = models.TextField()
    issuer = models.TextField()
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    source = models.TextField()
    state = models.TextField(default=MailState.STORED.value, db_default=MailState.STORED.value)
    failure = models.TextField(default="", db_default="")
    word = models.TextField(default="", db_default="")
    test_sent_at = models.DateTimeField(null=True)
    tested_at = models.DateTimeField(null=True)
    reminded = ArrayField(models.IntegerField(), default=list, db_default=[])
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["contact", "fingerprint"], name="contact_certificate_fingerprint"),
        )
        indexes = (models.Index(fields=["state", "not_after"], name="contact_certificate_end"),)

    def __str__(self) -> str:
        return self.fingerprint
