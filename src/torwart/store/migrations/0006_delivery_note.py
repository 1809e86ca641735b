# Delivery notes with 100,000 devices: what became of each is a row of its own; and where each device is (SiLKe).

from typing import Any

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

# What a note said of its devices stood in one JSON value; the counts follow from the rows.
_REPORTS = """
INSERT INTO store_deliverynoteitem (note_id, position, device_id, kind, result, code, de, en)
SELECT note.id, said.position, said.device ->> 'device', '', said.device ->> 'result',
       coalesce(said.device ->> 'code', ''), coalesce(said.device ->> 'de', ''), coalesce(said.device ->> 'en', '')
  FROM store_deliverynote AS note,
       jsonb_array_elements(note.report -> 'devices') WITH ORDINALITY AS said (device, position);
UPDATE store_deliverynote AS note
   SET signer = note.maker,
       imported = (SELECT count(*) FROM store_deliverynoteitem WHERE note_id = note.id AND result = 'imported'),
       known = (SELECT count(*) FROM store_deliverynoteitem WHERE note_id = note.id AND result = 'known'),
       refused = (SELECT count(*) FROM store_deliverynoteitem WHERE note_id = note.id AND result = 'refused');
"""


def _id() -> tuple[str, models.Field]:
    return ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


def _to(model: str, name: str, **options: Any) -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name=name, to=f"store.{model}", **options
    )


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0005_service_side"),
    ]

    operations = [
        migrations.CreateModel(
            name="Carrier",
            fields=[
                _id(),
                ("number", models.TextField()),
                ("kind", models.TextField()),
                (
                    "seals",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), db_default=[], default=list, size=None
                    ),
                ),
                ("note", _to("deliverynote", "carriers", db_index=False)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("note", "number"), name="carrier_number")],
            },
        ),
        migrations.CreateModel(
            name="Custody",
            fields=[
                _id(),
                ("device_id", models.CharField(max_length=14)),
                ("kind", models.TextField()),
                ("details", models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ("holder", models.TextField()),
                ("person", models.TextField(db_default="", default="")),
                ("since", models.DateTimeField()),
                ("client", _to("client", "custodies", db_index=False)),
                ("note", _to("deliverynote", "custodies", db_index=False)),
                ("carrier", _to("carrier", "custodies", null=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("device_id",), name="custody_device")],
                "indexes": [models.Index(fields=["client", "id"], name="custody_client")],
            },
        ),
        migrations.CreateModel(
            name="HandOver",
            fields=[
                _id(),
                ("giver", models.TextField()),
                ("holder", models.TextField()),
                ("person", models.TextField()),
                ("at", models.DateTimeField()),
                ("actor", models.TextField()),
                ("told_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("custody", _to("custody", "hand_overs")),
            ],
        ),
        migrations.CreateModel(
            name="DeliveryNoteItem",
            fields=[
                _id(),
                ("position", models.IntegerField()),
                ("device_id", models.TextField()),
                ("kind", models.TextField()),
                ("result", models.TextField()),
                ("code", models.TextField(db_default="", default="")),
                ("de", models.TextField(db_default="", default="")),
                ("en", models.TextField(db_default="", default="")),
                ("note", _to("deliverynote", "items", db_index=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("note", "position"), name="delivery_note_item_position")
                ],
                "indexes": [
                    models.Index(fields=["device_id", "note"], name="delivery_note_item_device"),
                    models.Index(
                        fields=["note", "position"],
                        name="delivery_note_item_refused",
                        condition=models.Q(("result", "refused")),
                    ),
                ],
            },
        ),
        migrations.AddField("deliverynote", "signer", models.TextField(default=""), preserve_default=False),
        migrations.AddField(
            "deliverynote", "message_type", models.TextField(default="ERSTLIEFERUNG", db_default="ERSTLIEFERUNG")
        ),
        migrations.AddField("deliverynote", "replaces", models.TextField(default="", db_default="")),
        migrations.AddField("deliverynote", "order_number", models.TextField(default="", db_default="")),
        migrations.AddField(
            "deliverynote", "operator_code", models.CharField(max_length=13, default="", db_default="")
        ),
        migrations.AddField("deliverynote", "delivered_on", models.DateField(null=True)),
        migrations.AddField("deliverynote", "imported", models.IntegerField(default=0, db_default=0)),
        migrations.AddField("deliverynote", "known", models.IntegerField(default=0, db_default=0)),
        migrations.AddField("deliverynote", "refused", models.IntegerField(default=0, db_default=0)),
        migrations.RunSQL(_REPORTS, migrations.RunSQL.noop),
        migrations.RemoveConstraint("deliverynote", "delivery_note_number"),
        migrations.RemoveField("deliverynote", "report"),
        migrations.AddConstraint(
            "deliverynote",
            models.UniqueConstraint(fields=("signer", "number"), name="delivery_note_signer_number"),
        ),
        migrations.AddIndex("deliverynote", models.Index(fields=["client", "-id"], name="delivery_note_client")),
    ]
