"""The life of a run: one execution of a process of the catalogue (spec/02, "State of a run").

``received → accepted | refused → waiting (for device / client / time / approval) → running → succeeded | failed |
cancelled``. A run that waits says for what (``WaitingFor``). A failed run stays failed: trying again is a new run of
the same order, so that history never changes.
"""

from enum import StrEnum

from torwart.kernel.state import StateTable
from torwart.kernel.words import Words


class RunState(StrEnum):
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunVerb(StrEnum):
    ACCEPT = "accept"
    REFUSE = "refuse"
    START = "start"
    WAIT = "wait"
    RESUME = "resume"
    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"


class WaitingFor(StrEnum):
    """Who or what a waiting run waits for."""

    DEVICE = "device"
    CLIENT = "client"
    TIME = "time"
    APPROVAL = "approval"


WAITING_FOR: dict[WaitingFor, Words] = {
    WaitingFor.DEVICE: Words("wartet auf das Gerät", "waiting for the device"),
    WaitingFor.CLIENT: Words("wartet auf den Auftraggeber", "waiting for the client"),
    WaitingFor.TIME: Words("wartet auf den Zeitpunkt", "waiting for its time"),
    WaitingFor.APPROVAL: Words(
        "wartet auf die Freigabe durch eine zweite Person", "waiting for a second person's approval"
    ),
}

RUN: StateTable[RunState, RunVerb] = StateTable(
    subject=Words("Prozessausführung", "run"),
    initial=RunState.RECEIVED,
    states={
        RunState.RECEIVED: Words("eingegangen", "received"),
        RunState.ACCEPTED: Words("angenommen", "accepted"),
        RunState.REFUSED: Words("abgelehnt", "refused"),
        RunState.WAITING: Words("wartet", "waiting"),
        RunState.RUNNING: Words("läuft", "running"),
        RunState.SUCCEEDED: Words("erfolgreich", "succeeded"),
        RunState.FAILED: Words("fehlgeschlagen", "failed"),
        RunState.CANCELLED: Words("abgebrochen", "cancelled"),
    },
    verbs={
        RunVerb.ACCEPT: Words("annehmen", "accept"),
        RunVerb.REFUSE: Words("ablehnen", "refuse"),
        RunVerb.START: Words("beginnen", "start"),
        RunVerb.WAIT: Words("warten", "wait"),
        RunVerb.RESUME: Words("fortsetzen", "resume"),
        RunVerb.SUCCEED: Words("abschließen", "complete"),
        RunVerb.FAIL: Words("als fehlgeschlagen beenden", "end as failed"),
        RunVerb.CANCEL: Words("abbrechen", "cancel"),
    },
    moves=(
        (RunVerb.ACCEPT, (RunState.RECEIVED,), RunState.ACCEPTED),
        (RunVerb.REFUSE, (RunState.RECEIVED,), RunState.REFUSED),
        (RunVerb.START, (RunState.ACCEPTED,), RunState.RUNNING),
        (RunVerb.WAIT, (RunState.ACCEPTED, RunState.RUNNING), RunState.WAITING),
        (RunVerb.RESUME, (RunState.WAITING,), RunState.RUNNING),
        (RunVerb.SUCCEED, (RunState.RUNNING,), RunState.SUCCEEDED),
        (RunVerb.FAIL, (RunState.WAITING, RunState.RUNNING), RunState.FAILED),
        (
            RunVerb.CANCEL,
            (RunState.RECEIVED, RunState.ACCEPTED, RunState.WAITING, RunState.RUNNING),
            RunState.CANCELLED,
        ),
    ),
)
