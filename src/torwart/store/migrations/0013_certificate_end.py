# How many certificates end in which week, kept by triggers; what was there before is counted here.

from django.db import migrations, models

from torwart.store import schema


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0012_queue_order"),
    ]

    operations = [
        migrations.CreateModel(
            name="CertificateEnd",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.TextField()),
                ("week", models.DateField()),
                ("number", models.BigIntegerField()),
            ],
        ),
        schema.from_file("certificate_end.sql"),
        migrations.RemoveIndex("certificate", "certificate_sets"),
    ]
