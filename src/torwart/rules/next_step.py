"""What happens next with an order, and whose turn it is (O-8): from the states of order, run and ticket alone."""

from dataclasses import dataclass
from datetime import datetime

from torwart.kernel.order_state import ORDER, OrderState
from torwart.kernel.run_state import RunState, WaitingFor
from torwart.kernel.ticket_state import TicketState
from torwart.kernel.words import Words


@dataclass(frozen=True, slots=True)
class Turn:
    """``who``: you, us, the device, nobody; ``yours``: the client must do something. ``what``: the sentence."""

    who: Words
    what: Words
    yours: bool = False


YOU = Words("Sie", "You")
US = Words("Wir", "We")
DEVICE = Words("Das Gerät", "The device")
TIME = Words("Der Termin", "The time")
NOBODY = Words("Niemand", "Nobody")
_ANSWER = Words(
    "Bitte beantworten Sie unsere Frage. Die Frist ruht so lange.",
    "Please answer our question. The clock rests until then.",
)


def turn(
    order: OrderState,
    *,
    now: datetime,
    starts_at: datetime,
    withdrawable_until: datetime,
    run: RunState | None = None,
    waiting_for: str = "",
    ticket: TicketState | None = None,
    proposal_open: bool = False,
    attended: bool = False,
) -> Turn:
    """Whose turn it is. ``proposal_open``: times were proposed and are not answered; ``attended``: people do it."""
    if ORDER.is_final(order):
        return Turn(NOBODY, Words("Der Auftrag ist beendet.", "The order has ended."))
    if order is OrderState.PROPOSED and proposal_open:
        return Turn(YOU, Words("Bitte wählen Sie einen der Termine.", "Please choose one of the times."), yours=True)
    if ticket is TicketState.WAITING_CLIENT and order is not OrderState.PROPOSED:
        return Turn(YOU, _ANSWER, yours=True)
    if order is OrderState.PROPOSED:
        return Turn(US, Words("Wir prüfen Ihre Antwort zum Termin.", "We look at your answer about the time."))
    if order in (OrderState.SUBMITTED, OrderState.ACCEPTED):
        return _before(now, starts_at, withdrawable_until)
    return _in_progress(run, waiting_for, attended)


def _before(now: datetime, starts_at: datetime, withdrawable_until: datetime) -> Turn:
    if now < withdrawable_until:
        return Turn(YOU, Words("Noch können Sie den Auftrag zurückziehen.", "You can still withdraw the order."))
    if now < starts_at:
        return Turn(TIME, Words("Wir beginnen zum vereinbarten Termin.", "We begin at the agreed time."))
    return Turn(US, Words("Wir beginnen gleich.", "We begin at once."))


def _in_progress(run: RunState | None, waiting_for: str, attended: bool) -> Turn:
    if run is RunState.WAITING and waiting_for == WaitingFor.DEVICE:
        return Turn(
            DEVICE,
            Words(
                "Wir warten, bis sich das Gerät meldet, und versuchen es von selbst wieder.",
                "We wait until the device calls, and try again by ourselves.",
            ),
        )
    if run is RunState.WAITING and waiting_for == WaitingFor.CLIENT:
        return Turn(YOU, Words("Wir warten auf Ihre Antwort.", "We wait for your answer."), yours=True)
    if run is RunState.WAITING and waiting_for == WaitingFor.APPROVAL:
        return Turn(US, Words("Eine zweite Person gibt den Schritt frei.", "A second person approves the step."))
    if run is RunState.WAITING:
        return Turn(
            US,
            Words(
                "Es geht von selbst weiter; wann, steht beim Schritt.",
                "It goes on by itself; the step says when.",
            ),
        )
    if attended:
        return Turn(US, Words("Ein Operator bearbeitet den Auftrag.", "An operator works on the order."))
    return Turn(US, Words("Der nächste Schritt läuft.", "The next step is running."))
