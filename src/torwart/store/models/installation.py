"""The installation a database belongs to, and the time it lives in if it is a sandbox."""

from django.db import models
from django.db.models.functions import Now


class Installation(models.Model):
    """One row. ``environment``: ``test`` or ``live``, decided by the first process that used this database."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    environment = models.TextField()
    since = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(id=1), name="installation_one"),
            models.CheckConstraint(
                condition=models.Q(environment__in=["test", "live"]), name="installation_environment"
            ),
        )

    def __str__(self) -> str:
        return self.environment
