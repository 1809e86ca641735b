"""Every certificate we know, whoever owns it."""

from django.db import models
from django.db.models.functions import Now


class Certificate(models.Model):
    """One X.509 certificate. ``role`` and ``use`` in the words of ``wire.certificate``; ``serial``, ``ski`` and
    ``fingerprint`` (SHA-256 of the DER) in lower-case hex; ``issuer`` as RFC 4514.

    ``state``: ``issued`` (we have it), ``installed`` (on its device, not yet used), ``active``, ``retired``,
    ``revoked``, ``suspended``. ``client`` is empty for certificates of the PKI itself and of the provider.
    """

    client = models.ForeignKey("Client", on_delete=models.PROTECT, null=True, related_name="certificates")
    gateway = models.ForeignKey("Gateway", on_delete=models.PROTECT, null=True, related_name="certificates")
    emt = models.ForeignKey("Emt", on_delete=models.PROTECT, null=True, related_name="certificates")
    owner = models.TextField()
    role = models.TextField()
    use = models.TextField()
    sequence = models.IntegerField(default=0, db_default=0)
    seal = models.BooleanField(default=False, db_default=False)
    issuer = models.TextField()
    serial = models.TextField()
    ski = models.TextField(db_index=True)
    fingerprint = models.CharField(max_length=64, unique=True)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    state = models.TextField()
    state_since = models.DateTimeField(db_default=Now())
    der = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["issuer", "serial"], name="certificate_issuer_serial"),)
        indexes = (
            models.Index(fields=["state", "not_after", "id"], name="certificate_horizon"),
            models.Index(fields=["gateway", "use", "state"], name="certificate_gateway"),
        )

    def __str__(self) -> str:
        return f"{self.owner} {self.use} {self.serial}"


class CertificateEnd(models.Model):
    """How many certificates end in a week, as the sum of ``number`` over the rows of one ``kind`` and ``week``.

    ``kind``: whose: ``gateway``, ``emt``, ``contact``, ``own``; ``week``: its Monday, German time; ``number``: by how
    many a statement changed it. Triggers of ``sql/certificate_end.sql`` write the rows in the transaction of the
    change, so that the sum is always exact; ``services.certificate_end`` folds them into one.
    """

    kind = models.TextField()
    week = models.DateField()
    number = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.kind} {self.week} {self.number:+}"
