# The EMT–GWA interface: couplings, idempotency keys, events, log, webhooks.

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0008_portal_search"),
    ]

    operations = [
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.TextField()),
                ("state", models.TextField(db_default="pending", default="pending")),
                ("attempts", models.IntegerField(db_default=0, default=0)),
                ("first_attempt_at", models.DateTimeField(null=True)),
                ("next_attempt_at", models.DateTimeField()),
                ("delivered_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Coupling",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("common_name", models.TextField(unique=True)),
                ("software", models.TextField(db_default="", default="")),
                ("software_version", models.TextField(db_default="", default="")),
                ("version", models.TextField(db_default="", default="")),
                ("compatibility", models.TextField(db_default="unknown", default="unknown")),
                ("reason", models.TextField(db_default="", default="")),
                ("judged_by", models.TextField(db_default="", default="")),
                ("judged_at", models.DateTimeField(null=True)),
                ("active", models.BooleanField(db_default=True, default=True)),
                ("last_call_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="couplings", to="store.client"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("status", models.IntegerField(null=True)),
                ("why", models.TextField(db_default="", default="")),
                ("answer", models.TextField(db_default="", default="")),
                ("milliseconds", models.IntegerField()),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tries", to="store.delivery"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="InterfaceEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event_id", models.UUIDField(unique=True)),
                ("place", models.BigIntegerField(null=True)),
                ("type", models.TextField()),
                ("subject", models.TextField()),
                ("at", models.DateTimeField()),
                ("data", models.JSONField()),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="interface_events", to="store.client"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="delivery",
            name="event",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="store.interfaceevent"
            ),
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("webhook_id", models.UUIDField(unique=True)),
                ("url", models.TextField()),
                ("keys", models.JSONField()),
                ("active", models.BooleanField(db_default=True, default=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("disabled_at", models.DateTimeField(null=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="webhooks", to="store.client"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="delivery",
            name="webhook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="deliveries", to="store.webhook"
            ),
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.TextField()),
                ("digest", models.CharField(max_length=64)),
                ("status", models.IntegerField()),
                ("answer", models.TextField()),
                ("location", models.TextField(db_default="", default="")),
                ("created_at", models.DateTimeField()),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="idempotency_keys", to="store.client"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="idempotency_key_age")],
                "constraints": [models.UniqueConstraint(fields=("client", "key"), name="idempotency_key")],
            },
        ),
        migrations.CreateModel(
            name="InterfaceCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("request_id", models.UUIDField(unique=True)),
                ("at", models.DateTimeField()),
                ("method", models.TextField()),
                ("path", models.TextField()),
                ("key", models.TextField(db_default="", default="")),
                ("status", models.IntegerField()),
                ("code", models.TextField(db_default="", default="")),
                ("milliseconds", models.IntegerField()),
                ("asked", models.TextField(db_default="", default="")),
                ("answered", models.TextField(db_default="", default="")),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="interface_calls", to="store.client"
                    ),
                ),
                (
                    "coupling",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="calls", to="store.coupling"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["client", "-id"], name="interface_call_client"),
                    models.Index(fields=["at"], name="interface_call_age"),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="interfaceevent",
            index=models.Index(fields=["client", "place"], name="interface_event_client"),
        ),
        migrations.AddIndex(
            model_name="interfaceevent",
            index=models.Index(
                condition=models.Q(("place__isnull", True)), fields=["client", "id"], name="interface_event_new"
            ),
        ),
        migrations.AddIndex(
            model_name="interfaceevent",
            index=models.Index(fields=["at"], name="interface_event_age"),
        ),
        migrations.AddIndex(
            model_name="webhook",
            index=models.Index(fields=["client", "id"], name="webhook_client"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "pending")), fields=["next_attempt_at"], name="delivery_due"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "pending")), fields=["webhook", "subject", "event"], name="delivery_order"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["webhook", "-id"], name="delivery_webhook"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(fields=("webhook", "event"), name="delivery_once"),
        ),
    ]
