# The queue in the order it is shown in: by deadline, and behind every deadline what rests.

from datetime import UTC, datetime

from django.db import migrations, models
from django.db.models.functions import Coalesce

OPEN = ("open", "waiting_client", "waiting_device", "waiting_time")
FAR = models.Value(datetime(9999, 1, 1, tzinfo=UTC), output_field=models.DateTimeField())


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0011_mail_room"),
    ]

    operations = [
        migrations.AddIndex(
            "ticket",
            models.Index(Coalesce("due_at", FAR), "id", name="ticket_open_order", condition=models.Q(state__in=OPEN)),
        ),
    ]
