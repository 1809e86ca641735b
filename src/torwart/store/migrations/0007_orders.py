# One open order of a process on a gateway, the words it was ordered in, and four eyes by the database's own word.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0006_delivery_note"),
    ]

    operations = [
        migrations.AddField(
            "order", "wording", models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)
        ),
        migrations.AddConstraint(
            "order",
            models.UniqueConstraint(
                condition=models.Q(("state__in", ["submitted", "accepted", "proposed", "in_progress"])),
                fields=("gateway", "process"),
                name="order_one_open_per_process",
            ),
        ),
        migrations.AddConstraint(
            "approval",
            models.CheckConstraint(
                condition=models.Q(("decided_by", models.F("requested_by")), _negated=True), name="approval_four_eyes"
            ),
        ),
    ]
