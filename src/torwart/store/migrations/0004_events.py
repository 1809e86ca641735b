# Events that gateways tell unasked.

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0003_approved_configurations"),
    ]

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("level", models.TextField()),
                ("vendor", models.TextField()),
                ("event", models.BigIntegerField()),
                ("text", models.TextField()),
                ("log", models.TextField()),
                ("record_number", models.BigIntegerField()),
                ("success", models.BooleanField()),
                ("subject", models.TextField(db_default="", default="")),
                ("parameters", models.JSONField(default=list)),
                ("fact", models.UUIDField()),
                ("received_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "gateway",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="events", to="store.gateway"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["level", "received_at"], name="event_level")],
                "constraints": [models.UniqueConstraint(fields=("gateway", "number"), name="event_number")],
            },
        ),
    ]
