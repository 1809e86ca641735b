# Lists and searches of the portal at 100,000 gateways a client, and drafts that are sent once.

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import BtreeGinExtension, TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0007_orders"),
    ]

    operations = [
        BtreeGinExtension(),
        TrigramExtension(),
        migrations.AddField("draft", "placed", models.CharField(db_default="", default="", max_length=11)),
        migrations.AddIndex("gateway", models.Index(fields=["client", "device_id"], name="gateway_client_device")),
        migrations.AddIndex(
            "gateway", models.Index(fields=["client", "state", "device_id"], name="gateway_client_state_device")
        ),
        migrations.AddIndex(
            "gateway",
            GinIndex(fields=["client", "device_id"], opclasses=["int8_ops", "gin_trgm_ops"], name="gateway_search"),
        ),
        migrations.AddIndex(
            "meter",
            GinIndex(
                fields=["client", "melo", "device_id"],
                opclasses=["int8_ops", "gin_trgm_ops", "gin_trgm_ops"],
                name="meter_search",
            ),
        ),
        migrations.AddIndex("order", models.Index(fields=["client", "process", "-id"], name="order_client_process")),
        migrations.AddIndex(
            "order",
            GinIndex(fields=["client", "reference"], opclasses=["int8_ops", "gin_trgm_ops"], name="order_search"),
        ),
    ]
