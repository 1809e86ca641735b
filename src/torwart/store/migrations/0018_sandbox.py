import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0017_inbox_order"),
    ]

    operations = [
        migrations.CreateModel(
            name="Installation",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("environment", models.TextField()),
                ("since", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="installation_one"),
                    models.CheckConstraint(
                        condition=models.Q(("environment__in", ["test", "live"])), name="installation_environment"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SandboxTime",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("ahead", models.DurationField()),
                ("moved_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="sandbox_time_one")],
            },
        ),
        migrations.CreateModel(
            name="SandboxGateway",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("behaviour", models.TextField()),
                ("power", models.TextField(db_default="auto", default="auto")),
                ("meter_count", models.SmallIntegerField()),
                ("state", models.TextField(db_default="wanted", default="wanted")),
                ("why", models.TextField(db_default="", default="")),
                ("device_id", models.TextField(db_default="", default="")),
                ("meters", models.JSONField(default=list)),
                ("fields", models.JSONField(default=dict)),
                ("powered", models.BooleanField(db_default=False, default=False)),
                ("connected", models.BooleanField(db_default=False, default=False)),
                ("revision", models.IntegerField(db_default=1, default=1)),
                ("applied", models.IntegerField(db_default=0, default=0)),
                ("wanted_at", models.DateTimeField()),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sandbox_gateways", to="store.client"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["client", "id"], name="sandbox_gateway_client")],
            },
        ),
    ]
