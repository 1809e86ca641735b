"""The life of a ticket (Vorgang): whose turn it is, and whether its clock runs (T-5).

While a ticket waits for the client its clock rests; waiting for a device or for the agreed time does not stop it.
"""

from enum import StrEnum

from torwart.kernel.state import StateTable
from torwart.kernel.words import Words


class TicketKind(StrEnum):
    ORDER = "order"
    QUESTION = "question"
    INCIDENT = "incident"


KINDS: dict[TicketKind, Words] = {
    TicketKind.ORDER: Words("Auftrag", "order"),
    TicketKind.QUESTION: Words("Frage", "question"),
    TicketKind.INCIDENT: Words("Störung", "incident"),
}


class TicketState(StrEnum):
    OPEN = "open"
    WAITING_CLIENT = "waiting_client"
    WAITING_DEVICE = "waiting_device"
    WAITING_TIME = "waiting_time"
    RESOLVED = "resolved"
    CLOSED = "closed"


class TicketVerb(StrEnum):
    ASK_CLIENT = "ask_client"
    AWAIT_DEVICE = "await_device"
    AWAIT_TIME = "await_time"
    RESUME = "resume"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CLOSE = "close"


_S, _V = TicketState, TicketVerb
_WAITING = (_S.WAITING_CLIENT, _S.WAITING_DEVICE, _S.WAITING_TIME)

TICKET: StateTable[TicketState, TicketVerb] = StateTable(
    subject=Words("Vorgang", "ticket"),
    initial=_S.OPEN,
    states={
        _S.OPEN: Words("offen", "open"),
        _S.WAITING_CLIENT: Words("wartet auf den Auftraggeber", "waiting for the client"),
        _S.WAITING_DEVICE: Words("wartet auf das Gerät", "waiting for the device"),
        _S.WAITING_TIME: Words("wartet auf den Termin", "waiting for the agreed time"),
        _S.RESOLVED: Words("gelöst", "resolved"),
        _S.CLOSED: Words("geschlossen", "closed"),
    },
    verbs={
        _V.ASK_CLIENT: Words("beim Auftraggeber nachfragen", "ask the client"),
        _V.AWAIT_DEVICE: Words("auf das Gerät warten", "wait for the device"),
        _V.AWAIT_TIME: Words("auf den Termin warten", "wait for the time"),
        _V.RESUME: Words("weiter bearbeiten", "resume"),
        _V.RESOLVE: Words("lösen", "resolve"),
        _V.REOPEN: Words("wieder öffnen", "reopen"),
        _V.CLOSE: Words("schließen", "close"),
    },
    moves=(
        (_V.ASK_CLIENT, (_S.OPEN, _S.WAITING_DEVICE, _S.WAITING_TIME), _S.WAITING_CLIENT),
        (_V.AWAIT_DEVICE, (_S.OPEN,), _S.WAITING_DEVICE),
        (_V.AWAIT_TIME, (_S.OPEN,), _S.WAITING_TIME),
        (_V.RESUME, _WAITING, _S.OPEN),
        (_V.RESOLVE, (_S.OPEN, *_WAITING), _S.RESOLVED),
        (_V.REOPEN, (_S.RESOLVED,), _S.OPEN),
        (_V.CLOSE, (_S.RESOLVED,), _S.CLOSED),
    ),
)
