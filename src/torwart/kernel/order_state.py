"""The life of an order (O-2, O-3, O-10, T-3): from the form to the mail that tells the result.

A sent order can be withdrawn while nothing has begun (60 s), then it stands; operators who cannot keep the requested
time propose others and the client chooses. How the work itself goes is the run's state (``kernel.run_state``).
"""

from enum import StrEnum

from torwart.kernel.state import StateTable
from torwart.kernel.words import Words


class OrderState(StrEnum):
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    PROPOSED = "proposed"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


class OrderVerb(StrEnum):
    WITHDRAW = "withdraw"
    ACCEPT = "accept"
    PROPOSE = "propose"
    CHOOSE = "choose"
    BEGIN = "begin"
    FINISH = "finish"
    FAIL = "fail"
    CANCEL = "cancel"
    REFUSE = "refuse"


_S, _V = OrderState, OrderVerb

ORDER: StateTable[OrderState, OrderVerb] = StateTable(
    subject=Words("Auftrag", "order"),
    initial=_S.SUBMITTED,
    states={
        _S.SUBMITTED: Words("gesendet", "sent"),
        _S.ACCEPTED: Words("angenommen", "accepted"),
        _S.PROPOSED: Words("andere Termine vorgeschlagen", "other times proposed"),
        _S.IN_PROGRESS: Words("in Bearbeitung", "in progress"),
        _S.DONE: Words("erledigt", "done"),
        _S.FAILED: Words("fehlgeschlagen", "failed"),
        _S.CANCELLED: Words("storniert", "cancelled"),
        _S.WITHDRAWN: Words("zurückgezogen", "withdrawn"),
        _S.REFUSED: Words("abgelehnt", "refused"),
    },
    verbs={
        _V.WITHDRAW: Words("zurückziehen", "withdraw"),
        _V.ACCEPT: Words("annehmen", "accept"),
        _V.PROPOSE: Words("andere Termine vorschlagen", "propose other times"),
        _V.CHOOSE: Words("Termin wählen", "choose a time"),
        _V.BEGIN: Words("beginnen", "begin"),
        _V.FINISH: Words("erledigen", "finish"),
        _V.FAIL: Words("als fehlgeschlagen beenden", "end as failed"),
        _V.CANCEL: Words("stornieren", "cancel"),
        _V.REFUSE: Words("ablehnen", "refuse"),
    },
    moves=(
        (_V.WITHDRAW, (_S.SUBMITTED,), _S.WITHDRAWN),
        (_V.ACCEPT, (_S.SUBMITTED,), _S.ACCEPTED),
        (_V.PROPOSE, (_S.SUBMITTED, _S.ACCEPTED, _S.PROPOSED), _S.PROPOSED),
        (_V.CHOOSE, (_S.PROPOSED,), _S.ACCEPTED),
        (_V.BEGIN, (_S.SUBMITTED, _S.ACCEPTED), _S.IN_PROGRESS),
        (_V.FINISH, (_S.IN_PROGRESS,), _S.DONE),
        (_V.FAIL, (_S.SUBMITTED, _S.ACCEPTED, _S.PROPOSED, _S.IN_PROGRESS), _S.FAILED),
        (_V.CANCEL, (_S.SUBMITTED, _S.ACCEPTED, _S.PROPOSED, _S.IN_PROGRESS), _S.CANCELLED),
        (_V.REFUSE, (_S.SUBMITTED, _S.ACCEPTED, _S.PROPOSED), _S.REFUSED),
    ),
)

OPEN = (_S.SUBMITTED, _S.ACCEPTED, _S.PROPOSED, _S.IN_PROGRESS)
"""States in which an order has not ended: a gateway has at most one such order of each process."""
