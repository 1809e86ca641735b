# What the console asks at 100,000 gateways, 200,000 tickets and millions of audit entries.

from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations, models

OPEN = ("open", "waiting_client", "waiting_device", "waiting_time")


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0009_interface"),
    ]

    operations = [
        migrations.AddIndex("gateway", models.Index(fields=["firmware", "model"], name="gateway_firmware")),
        migrations.AddIndex("gateway", models.Index(fields=["state", "last_contact_at"], name="gateway_last_contact")),
        migrations.AddIndex(
            "ticket",
            models.Index(fields=["due_at", "id"], name="ticket_open", condition=models.Q(state__in=OPEN)),
        ),
        migrations.AddIndex(
            "certificate",
            models.Index(
                fields=["not_after"],
                include=["gateway", "emt"],
                name="certificate_sets",
                condition=models.Q(state="active", use="TLS"),
            ),
        ),
        migrations.AddIndex(
            "mailin",
            models.Index(
                fields=["-id"],
                name="mail_in_unsettled",
                condition=models.Q(state__in=("quarantined", "refused", "stored")),
            ),
        ),
        migrations.AddIndex(
            "mailout",
            models.Index(fields=["-id"], name="mail_out_unsent", condition=models.Q(state__in=("failed", "queued"))),
        ),
        migrations.AddIndex("auditentry", BrinIndex(fields=["at"], name="audit_entry_at")),
        migrations.AddIndex(
            "auditentry",
            models.Index(
                fields=["actor", "-id"],
                name="audit_entry_people",
                opclasses=["text_pattern_ops", "int8_ops"],
                condition=~models.Q(actor__startswith="run:") & ~models.Q(actor__startswith="headend:"),
            ),
        ),
    ]
