import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0013_certificate_end"),
    ]

    operations = [
        migrations.CreateModel(
            name="ContractDocument",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("document_id", models.UUIDField(unique=True)),
                ("kind", models.TextField()),
                ("title", models.TextField()),
                ("version", models.TextField()),
                ("valid_from", models.DateField()),
                ("name", models.TextField()),
                ("size", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("content", models.BinaryField()),
                ("published_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "client",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="documents",
                        to="store.client",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("client", "kind", "title", "version"),
                        name="contract_document_version",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
    ]
