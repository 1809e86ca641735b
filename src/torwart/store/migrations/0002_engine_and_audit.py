"""The durable engine's tables and functions, and the triggers that keep the audit trail append-only."""

from django.db import migrations

from torwart.store import schema


class Migration(migrations.Migration):
    dependencies = [("store", "0001_initial")]

    operations = [
        schema.install_absurd(),
        schema.from_file("engine.sql"),
        schema.from_file("audit.sql"),
    ]
