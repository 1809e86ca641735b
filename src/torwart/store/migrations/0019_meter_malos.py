import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0018_sandbox"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="meter",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["malos"], name="meter_malos", opclasses=["jsonb_path_ops"]
            ),
        ),
    ]
