# The BDEW dialect: calls taken from partners, and the addresses they are answered at.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0015_interface_pages"),
    ]

    operations = [
        migrations.AddField(
            model_name="webhook",
            name="coupling",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="bdew_address", to="store.coupling"
            ),
        ),
        migrations.AddField(
            model_name="webhook",
            name="dialect",
            field=models.TextField(db_default="torwart", default="torwart"),
        ),
        migrations.CreateModel(
            name="BdewTransaction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("initial", models.UUIDField()),
                ("process", models.TextField()),
                ("created_at", models.DateTimeField()),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="bdew_transactions", to="store.client"
                    ),
                ),
                (
                    "coupling",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bdew_transactions",
                        to="store.coupling",
                    ),
                ),
                (
                    "order",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bdew_transaction",
                        to="store.order",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="delivery",
            name="transaction",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="answers",
                to="store.bdewtransaction",
            ),
        ),
        migrations.AddIndex(
            model_name="bdewtransaction",
            index=models.Index(
                condition=models.Q(("order__isnull", True)), fields=["created_at"], name="bdew_transaction_age"
            ),
        ),
    ]
