# Approved combinations of gateway and meter, and CC certificates (O-6).

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0002_engine_and_audit"),
    ]

    operations = [
        migrations.CreateModel(
            name="CcCertificate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.TextField(unique=True)),
                ("gateway_type", models.TextField()),
                ("firmware", models.TextField()),
                ("valid_from", models.DateTimeField(null=True)),
                ("valid_until", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ApprovedConfiguration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gateway_type", models.TextField()),
                ("firmware", models.TextField()),
                ("meter_type", models.TextField()),
                ("valid_from", models.DateTimeField(null=True)),
                ("valid_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("gateway_type", "firmware", "meter_type"), name="approved_configuration"
                    )
                ],
            },
        ),
    ]
