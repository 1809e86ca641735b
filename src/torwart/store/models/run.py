"""Runs of processes as people see them, and the waits of the durable engine."""

from django.db import models
from django.db.models.functions import Now

from torwart.kernel.run_state import RunState

ACTIVE = (RunState.ACCEPTED.value, RunState.WAITING.value, RunState.RUNNING.value)
"""States of ``kernel.run_state`` in which a run has its gateway for itself."""


class Run(models.Model):
    """One execution of a process of the catalogue. ``run_id`` names it to the engine and to the outside (UUID text).

    ``process``: e.g. ``P03``; ``parameters``: the order's fields; ``waiting_for`` and ``next_attempt_at`` say what
    holds it; ``side`` and ``code`` (of a refusal) say whose fault a failure is; ``result``: what was done.
    """

    run_id = models.UUIDField(unique=True)
    process = models.TextField()
    client = models.ForeignKey("Client", on_delete=models.PROTECT, related_name="runs")
    gateway = models.ForeignKey("Gateway", on_delete=models.PROTECT, null=True, related_name="runs")
    state = models.TextField()
    state_since = models.DateTimeField(db_default=Now())
    parameters = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    result = models.JSONField(null=True)
    waiting_for = models.TextField(default="", db_default="")
    next_attempt_at = models.DateTimeField(null=True)
    side = models.TextField(default="", db_default="")
    code = models.TextField(default="", db_default="")
    failure = models.TextField(default="", db_default="")
    received_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["gateway"], name="run_one_active_per_gateway", condition=models.Q(state__in=ACTIVE)
            ),
        )
        indexes = (
            models.Index(fields=["client", "state", "id"], name="run_client_state"),
            models.Index(fields=["gateway", "id"], name="run_gateway"),
            models.Index(fields=["state", "process", "id"], name="run_state"),
        )

    def __str__(self) -> str:
        return f"{self.process} {self.run_id}"


class Step(models.Model):
    """One step of a run as it is shown. ``state``: ``running``, ``waiting``, ``done``, ``failed`` or ``skipped``."""

    run = models.ForeignKey("Run", on_delete=models.CASCADE, related_name="steps")
    name = models.TextField()
    position = models.IntegerField()
    state = models.TextField()
    attempts = models.IntegerField(default=0, db_default=0)
    detail = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    side = models.TextField(default="", db_default="")
    code = models.TextField(default="", db_default="")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["run", "name"], name="step_name"),)

    def __str__(self) -> str:
        return self.name


class Wait(models.Model):
    """The engine's memory of what a run waits for; written by the functions of ``sql/engine.sql`` only.

    One row a task at most: a story waits for one thing at a time. ``nudged`` is set by ``nudge`` and makes the run
    look again, also when the nudge comes between its look and its falling asleep.
    """

    task = models.UUIDField(primary_key=True)
    queue = models.TextField()
    attempt = models.UUIDField()
    topic = models.TextField(db_index=True)
    name = models.TextField()
    until = models.DateTimeField(null=True)
    nudged = models.BooleanField(db_default=False)
    since = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.task} waits for {self.topic}"
