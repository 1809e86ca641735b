"""Profiles of a gateway: what we want there, in versions, and what was last read back."""

from django.db import models
from django.db.models.functions import Now


class Profile(models.Model):
    """One version of what we want under one name on one gateway; never changed once written, only superseded.

    ``kind``: meter, wan, han, evaluation, communication …; ``name``: its container on the gateway; ``content``: the
    bytes as sent (XML of the container), ``digest`` their SHA-256 in hex. ``state``: ``wanted``, ``active``,
    ``superseded`` or ``removed``; ``parameters``: the values it was made of.
    """

    gateway = models.ForeignKey("Gateway", on_delete=models.PROTECT, related_name="profiles")
    kind = models.TextField()
    name = models.TextField()
    version = models.IntegerField()
    state = models.TextField()
    parameters = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    content = models.BinaryField()
    digest = models.CharField(max_length=64)
    wanted_at = models.DateTimeField(db_default=Now())
    active_at = models.DateTimeField(null=True)
    run = models.ForeignKey("Run", on_delete=models.PROTECT, null=True, related_name="profiles")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["gateway", "name", "version"], name="profile_version"),
            models.UniqueConstraint(
                fields=["gateway", "name"], name="profile_one_active", condition=models.Q(state="active")
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class ProfileReading(models.Model):
    """What stood under one name on one gateway when we last looked; ``content`` empty if nothing stood there."""

    gateway = models.ForeignKey("Gateway", on_delete=models.PROTECT, related_name="profile_readings")
    name = models.TextField()
    content = models.BinaryField()
    digest = models.CharField(max_length=64)
    read_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=["gateway", "name"], name="profile_reading"),)

    def __str__(self) -> str:
        return f"{self.name} at {self.read_at}"
