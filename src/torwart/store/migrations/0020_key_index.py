import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0019_meter_malos"),
    ]

    operations = [
        migrations.AlterField(
            model_name="idempotencykey",
            name="client",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="idempotency_keys",
                to="store.client",
            ),
        ),
    ]
