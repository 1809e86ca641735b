"""The life of a client (Auftraggeber; P-3): it orders nothing before two contacts with tested mail stand ready."""

from enum import StrEnum

from torwart.kernel.state import StateTable
from torwart.kernel.words import Words


class ClientState(StrEnum):
    ONBOARDING = "onboarding"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


class ClientVerb(StrEnum):
    ACTIVATE = "activate"
    SUSPEND = "suspend"
    RESUME = "resume"
    END = "end"


_S, _V = ClientState, ClientVerb

CLIENT: StateTable[ClientState, ClientVerb] = StateTable(
    subject=Words("Auftraggeber", "client"),
    initial=_S.ONBOARDING,
    states={
        _S.ONBOARDING: Words("wird eingerichtet", "onboarding"),
        _S.ACTIVE: Words("aktiv", "active"),
        _S.SUSPENDED: Words("ausgesetzt", "suspended"),
        _S.ENDED: Words("beendet", "ended"),
    },
    verbs={
        _V.ACTIVATE: Words("freischalten", "activate"),
        _V.SUSPEND: Words("aussetzen", "suspend"),
        _V.RESUME: Words("wieder aufnehmen", "resume"),
        _V.END: Words("beenden", "end"),
    },
    moves=(
        (_V.ACTIVATE, (_S.ONBOARDING,), _S.ACTIVE),
        (_V.SUSPEND, (_S.ACTIVE,), _S.SUSPENDED),
        (_V.RESUME, (_S.SUSPENDED,), _S.ACTIVE),
        (_V.END, (_S.ONBOARDING, _S.ACTIVE, _S.SUSPENDED), _S.ENDED),
    ),
)
