"""Delivery notes (eLS), what their import said device by device, and where each device is (SiLKe)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class DeliveryNote(models.Model):
    """One delivery note of one maker; the same number again is the same note.

    ``maker``: the name in the note; ``signer``: whose signature it bears, e.g. ``PPC.GWH``, which is what makes the
    number unique. ``message_type`` in the words of the format; ``digest``: SHA-256 of the signed content, hex.
    ``imported``, ``known``, ``refused``: how many devices; the devices themselves are ``DeliveryNoteItem``.
    """

    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="delivery_notes")
    maker = models.TextField()
    signer = models.TextField()
    number = models.TextField()
    message_type = models.TextField(default="ERSTLIEFERUNG", db_default="ERSTLIEFERUNG")
    replaces = models.TextField(default="", db_default="")
    order_number = models.TextField(default="", db_default="")
    operator_code = models.CharField(max_length=13, default="", db_default="")
    delivered_on = models.DateField(null=True)
    state = models.TextField()
    digest = models.CharField(max_length=64)
    imported = models.IntegerField(default=0, db_default=0)
    known = models.IntegerField(default=0, db_default=0)
    refused = models.IntegerField(default=0, db_default=0)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=["signer", "number"], name="delivery_note_signer_number"),)
        indexes = (models.Index(fields=["client", "-id"], name="delivery_note_client"),)

    def __str__(self) -> str:
        return f"{self.maker} {self.number}"


class DeliveryNoteItem(models.Model):
    """What became of one device of a note, in the order of the note: ``imported``, ``known`` or ``refused``.

    ``device_id``: as written, which need not be a device id; ``code``, ``de``, ``en``: the refusal.
    """

    note = models.ForeignKey("DeliveryNote", on_delete=models.PROTECT, related_name="items", db_index=False)
    position = models.IntegerField()
    device_id = models.TextField()
    kind = models.TextField()
    result = models.TextField()
    code = models.TextField(default="", db_default="")
    de = models.TextField(default="", db_default="")
    en = models.TextField(default="", db_default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["note", "position"], name="delivery_note_item_position"),)
        indexes = (
            models.Index(fields=["device_id", "note"], name="delivery_note_item_device"),
            models.Index(
                fields=["note", "position"], name="delivery_note_item_refused", condition=models.Q(result="refused")
            ),
        )

    def __str__(self) -> str:
        return f"{self.device_id} {self.result}"


class Carrier(models.Model):
    """A box or bag of the secure supply chain, with the numbers of its seals; ``kind`` in the words of the format."""

    note = models.ForeignKey("DeliveryNote", on_delete=models.PROTECT, related_name="carriers", db_index=False)
    number = models.TextField()
    kind = models.TextField()
    seals = ArrayField(models.TextField(), default=list, db_default=[])

    class Meta:
        constraints = (models.UniqueConstraint(fields=["note", "number"], name="carrier_number"),)

    def __str__(self) -> str:
        return self.number


class Custody(models.Model):
    """Where one delivered device is in the secure supply chain (SiLKe): in which carrier, and who holds it.

    ``holder``: the company or place that has it, ``person`` who took it, ``since`` when; the maker at first.
    """

    device_id = models.CharField(max_length=14)
    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="custodies", db_index=False)
    note = models.ForeignKey("DeliveryNote", on_delete=models.PROTECT, related_name="custodies", db_index=False)
    carrier = models.ForeignKey("Carrier", on_delete=models.PROTECT, null=True, related_name="custodies")
    kind = models.TextField()
    details = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    holder = models.TextField()
    person = models.TextField(default="", db_default="")
    since = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["device_id"], name="custody_device"),)
        indexes = (models.Index(fields=["client", "id"], name="custody_client"),)

    def __str__(self) -> str:
        return f"{self.device_id} {self.holder}"


class HandOver(models.Model):
    """One hand-over of a device: from whom to whom, who took it and when, and who told us."""

    custody = models.ForeignKey("Custody", on_delete=models.PROTECT, related_name="hand_overs")
    giver = models.TextField()
    holder = models.TextField()
    person = models.TextField()
    at = models.DateTimeField()
    actor = models.TextField()
    told_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.giver} → {self.holder}"
