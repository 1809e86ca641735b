"""What may be operated: approved combinations of gateway and meter, and the gateways' CC certificates (O-6, KL 4.3)."""

from django.db import models
from django.db.models.functions import Now


class ApprovedConfiguration(models.Model):
    """A gateway type with firmware × a basic meter type, approved from ``valid_from`` to ``valid_until`` (or open)."""

    gateway_type = models.TextField()
    firmware = models.TextField()
    meter_type = models.TextField()
    valid_from = models.DateTimeField(null=True)
    valid_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["gateway_type", "firmware", "meter_type"], name="approved_configuration"),
        )

    def __str__(self) -> str:
        return f"{self.gateway_type} {self.firmware} × {self.meter_type}"


class CcCertificate(models.Model):
    """A certificate of the BSI for a gateway type with firmware (MsbG § 24(1)), as proven to us."""

    number = models.TextField(unique=True)
    gateway_type = models.TextField()
    firmware = models.TextField()
    valid_from = models.DateTimeField(null=True)
    valid_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.number
