# Since when a coupling is suspended, and which order a call was about: what the interface's pages show.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0014_contract_document"),
    ]

    operations = [
        migrations.AddField("coupling", "suspended_at", models.DateTimeField(null=True)),
        migrations.RunSQL(
            "UPDATE store_coupling SET suspended_at = judged_at WHERE compatibility = 'incompatible'",
            migrations.RunSQL.noop,
        ),
        migrations.AddField("interfacecall", "subject", models.TextField(db_default="", default="")),
        migrations.AddIndex(
            "interfacecall",
            models.Index(fields=["subject", "-id"], name="interface_call_order", condition=~models.Q(subject="")),
        ),
        migrations.AddIndex("interfaceevent", models.Index(fields=["subject", "-id"], name="interface_event_subject")),
        migrations.AddIndex(
            "delivery",
            models.Index(fields=["webhook", "-id"], name="delivery_dead", condition=models.Q(state="dead")),
        ),
    ]
