"""Whose turn it is: told from the states alone, for every state there is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from torwart.kernel.order_state import ORDER, OrderState
from torwart.kernel.run_state import RunState, WaitingFor
from torwart.kernel.ticket_state import TicketState
from torwart.rules.next_step import DEVICE, NOBODY, TIME, US, YOU, Turn, turn

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def _turn(order: OrderState, **more: Any) -> Turn:
    given = {"now": NOW, "starts_at": NOW - MINUTE, "withdrawable_until": NOW - MINUTE} | more
    return turn(order, **given)


_WAITING = {"run": RunState.WAITING}


@pytest.mark.requirement("O-8")
@pytest.mark.parametrize(
    ("told", "who", "yours"),
    [
        (_turn(OrderState.SUBMITTED, withdrawable_until=NOW + MINUTE), YOU, False),
        (_turn(OrderState.ACCEPTED, starts_at=NOW + MINUTE), TIME, False),
        (_turn(OrderState.ACCEPTED), US, False),
        (_turn(OrderState.PROPOSED, proposal_open=True), YOU, True),
        (_turn(OrderState.PROPOSED, ticket=TicketState.OPEN), US, False),
        (_turn(OrderState.IN_PROGRESS, run=RunState.RUNNING), US, False),
        (_turn(OrderState.IN_PROGRESS, run=RunState.RUNNING, attended=True), US, False),
        (_turn(OrderState.IN_PROGRESS, waiting_for=WaitingFor.DEVICE, **_WAITING), DEVICE, False),
        (_turn(OrderState.IN_PROGRESS, waiting_for=WaitingFor.TIME, **_WAITING), US, False),
        (_turn(OrderState.IN_PROGRESS, waiting_for=WaitingFor.APPROVAL, **_WAITING), US, False),
        (_turn(OrderState.IN_PROGRESS, waiting_for=WaitingFor.CLIENT, **_WAITING), YOU, True),
        (_turn(OrderState.IN_PROGRESS, run=RunState.RUNNING, ticket=TicketState.WAITING_CLIENT), YOU, True),
    ],
)
def test_whose_turn_it_is(told: Turn, who: object, yours: bool) -> None:
    """Who has the next step, and whether the client must act."""
    assert (told.who, told.yours) == (who, yours)
    assert told.what.de
    assert told.what.en


def test_an_ended_order_is_nobodys_turn() -> None:
    """Each final state says so."""
    assert {state: _turn(state).who for state in ORDER.final} == dict.fromkeys(ORDER.final, NOBODY)
