# Open tickets by whose turn it is, in the order each inbox is shown in, and by part of number or subject.

from datetime import UTC, datetime

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models.functions import Coalesce

FAR = models.Value(datetime(9999, 1, 1, tzinfo=UTC), output_field=models.DateTimeField())
SHOWN = Coalesce("due_at", FAR)
IS_OPEN = models.Q(state__in=("open", "waiting_client", "waiting_device", "waiting_time"))
TRIGRAMS = ["gin_trgm_ops", "gin_trgm_ops"]


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0016_bdew"),
    ]

    operations = [
        migrations.RemoveIndex("ticket", "ticket_queue"),
        migrations.RemoveIndex("ticket", "ticket_assignee"),
        migrations.RemoveIndex("ticket", "ticket_open"),
        migrations.AddIndex(
            "ticket", models.Index(fields=["client", "state", "-id"], name="ticket_client_open", condition=IS_OPEN)
        ),
        migrations.AddIndex("ticket", models.Index("state", SHOWN, "id", name="ticket_state_order", condition=IS_OPEN)),
        migrations.AddIndex(
            "ticket", models.Index("assignee", SHOWN, "id", name="ticket_assignee_order", condition=IS_OPEN)
        ),
        migrations.AddIndex(
            "ticket",
            GinIndex(fields=["number", "subject"], opclasses=TRIGRAMS, name="ticket_search", condition=IS_OPEN),
        ),
    ]
