"""Orders: what a client has ordered, in its own words, and what was promised (O-1 … O-10, T-3 … T-6)."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from torwart.kernel.order_state import OPEN, OrderState


class Order(models.Model):
    """One order of a process. ``number``: ``A-…``; its ticket has the same digits.

    ``process``: the definition's name (``commissioning``); ``fields``: canonical order fields; ``summary``: what the
    check page showed, ``[[label de, label en, value de, value en], …]``, and every mail about the order repeats;
    ``planned``/``due_at``: the commitment; ``starts_at``: when the run may begin (after the 60 s for withdrawing, at
    the requested time of a planned order); ``channel``: ``form``, ``upload`` or ``interface``. ``wording``: how the
    process called itself and its steps when it was ordered, ``{"process": [de, en], "steps": [[name, de, en], …],
    "attended": …, "leaves_nothing": [name, …]}``.
    """

    number = models.CharField(max_length=11, unique=True)
    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="orders")
    orderer = models.ForeignKey("User", on_delete=models.PROTECT, null=True, related_name="orders")
    orderer_name = models.TextField()
    channel = models.TextField()
    process = models.TextField()
    gateway = models.ForeignKey("Gateway", on_delete=models.PROTECT, null=True, related_name="orders")
    fields = models.JSONField()
    summary = models.JSONField()
    wording = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    participant = models.CharField(max_length=13, default="", db_default="")
    reference = models.TextField(default="", db_default="")
    remark = models.TextField(default="", db_default="")
    state = models.TextField(default=OrderState.SUBMITTED.value, db_default=OrderState.SUBMITTED.value)
    state_since = models.DateTimeField(db_default=Now())
    submitted_at = models.DateTimeField()
    requested_at = models.DateTimeField(null=True)
    planned = models.BooleanField()
    due_at = models.DateTimeField()
    starts_at = models.DateTimeField()
    withdrawable_until = models.DateTimeField()
    run = models.OneToOneField("Run", on_delete=models.PROTECT, null=True, related_name="order")
    result = models.JSONField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["gateway", "process"],
                name="order_one_open_per_process",
                condition=models.Q(state__in=[state.value for state in OPEN]),
            ),
        )
        indexes = (
            models.Index(fields=["client", "-id"], name="order_client"),
            models.Index(fields=["client", "state", "-id"], name="order_client_state"),
            models.Index(fields=["gateway", "-id"], name="order_gateway"),
            models.Index(fields=["client", "process", "-id"], name="order_client_process"),
            GinIndex(fields=["client", "reference"], opclasses=["int8_ops", "gin_trgm_ops"], name="order_search"),
            models.Index(fields=["planned", "requested_at"], name="order_requested"),
        )

    def __str__(self) -> str:
        return self.number


class Draft(models.Model):
    """A form that somebody has begun. ``values``: what was typed, as typed; ``done``: sections gone through;
    ``placed``: number of the order it has become, so that sending it again orders nothing.
    """

    user = models.ForeignKey("User", on_delete=models.CASCADE, related_name="drafts")
    process = models.TextField()
    values = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    done = ArrayField(models.TextField(), default=list, db_default=[])
    placed = models.CharField(max_length=11, default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["user", "-updated_at"], name="draft_user"),)

    def __str__(self) -> str:
        return f"{self.process} {self.pk}"


class Proposal(models.Model):
    """Alternative times an operator has proposed because the requested one cannot be kept (T-3, T-6).

    ``answer``: the client's words if it took none; ``chosen``: the time it took.
    """

    order = models.ForeignKey("Order", on_delete=models.PROTECT, related_name="proposals")
    times = ArrayField(models.DateTimeField())
    reason = models.TextField()
    proposed_by = models.TextField()
    proposed_at = models.DateTimeField()
    chosen = models.DateTimeField(null=True)
    answer = models.TextField(default="", db_default="")
    answered_by = models.TextField(default="", db_default="")
    answered_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.order_id}: {len(self.times)}"
