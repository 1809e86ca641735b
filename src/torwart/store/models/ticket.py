"""Tickets (Vorgänge): the running file of an order, a question or an incident (C-2, C-3, T-5, M-2)."""

from datetime import UTC, datetime

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Coalesce, Now

from torwart.kernel.ticket_state import TICKET, TicketState

OPEN = tuple(s.value for s in TICKET.states if s not in (TicketState.RESOLVED, TicketState.CLOSED))
"""States in which a ticket still has to be settled."""
FAR = models.Value(datetime(9999, 1, 1, tzinfo=UTC), output_field=models.DateTimeField())
"""Stands for the deadline of a ticket whose clock rests: behind every other."""


_SHOWN = Coalesce("due_at", FAR)
_IS_OPEN = models.Q(state__in=OPEN)


class Ticket(models.Model):
    """``number``: ``T-…``. ``client`` is ``None`` while a mail's sender is nobody we know.

    ``due_at`` is what ``services.ticket`` computed last from the audit trail, ``None`` while the clock rests;
    ``waiting_reason`` is shown to the client; ``billable_minutes``: effort caused by a client's wrong entry (O-5).
    """

    number = models.CharField(max_length=11, unique=True)
    client = models.ForeignKey("Client", on_delete=models.PROTECT, null=True, related_name="tickets")
    kind = models.TextField()
    subject = models.TextField()
    order = models.OneToOneField("Order", on_delete=models.PROTECT, null=True, related_name="ticket")
    contact = models.ForeignKey("Contact", on_delete=models.PROTECT, null=True, related_name="tickets")
    gateway = models.ForeignKey("Gateway", on_delete=models.PROTECT, null=True, related_name="tickets")
    state = models.TextField(default=TicketState.OPEN.value, db_default=TicketState.OPEN.value)
    state_since = models.DateTimeField(db_default=Now())
    waiting_reason = models.TextField(default="", db_default="")
    assignee = models.ForeignKey("User", on_delete=models.PROTECT, null=True, related_name="assigned")
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    first_answer_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    billable_minutes = models.IntegerField(default=0, db_default=0)
    billable_reason = models.TextField(default="", db_default="")

    class Meta:
        indexes = (
            models.Index(fields=["client", "-id"], name="ticket_client"),
            models.Index(fields=["client", "state", "-id"], name="ticket_client_open", condition=_IS_OPEN),
            # Each inbox is read in the order it is shown in, and no further than it is shown.
            models.Index(_SHOWN, "id", name="ticket_open_order", condition=_IS_OPEN),
            models.Index("state", _SHOWN, "id", name="ticket_state_order", condition=_IS_OPEN),
            models.Index("assignee", _SHOWN, "id", name="ticket_assignee_order", condition=_IS_OPEN),
            GinIndex(
                fields=["number", "subject"],
                opclasses=["gin_trgm_ops", "gin_trgm_ops"],
                name="ticket_search",
                condition=_IS_OPEN,
            ),
        )

    def __str__(self) -> str:
        return self.number


class TicketEntry(models.Model):
    """One line of a ticket's history. ``kind``: ``message_in``, ``message_out``, ``note``, ``call``, ``event``.

    ``internal`` entries are the provider's own; ``de``/``en``: the text (both alike where a person wrote it).
    """

    ticket = models.ForeignKey("Ticket", on_delete=models.PROTECT, related_name="entries")
    at = models.DateTimeField()
    kind = models.TextField()
    author = models.TextField()
    de = models.TextField()
    en = models.TextField()
    internal = models.BooleanField(default=False, db_default=False)
    mail_in = models.ForeignKey("MailIn", on_delete=models.PROTECT, null=True, related_name="entries")
    mail_out = models.ForeignKey("MailOut", on_delete=models.PROTECT, null=True, related_name="entries")

    class Meta:
        indexes = (models.Index(fields=["ticket", "id"], name="ticket_entry_ticket"),)

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind}"


class Attachment(models.Model):
    """A file that came with a mail or an upload, kept with its SHA-256 (hex). ``secure``: it came encrypted and signed
    by a contact of the ticket's client.
    """

    ticket = models.ForeignKey("Ticket", on_delete=models.PROTECT, related_name="attachments")
    mail_in = models.ForeignKey("MailIn", on_delete=models.PROTECT, null=True, related_name="attachments")
    name = models.TextField()
    media_type = models.TextField()
    size = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    content = models.BinaryField()
    secure = models.BooleanField(default=False, db_default=False)
    added_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name
