"""How the run of an order begins: after the time for withdrawing, at its time, when the gateway is free."""

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from torwart.processes.ordering import preconditions
from torwart.services import order as orders

if TYPE_CHECKING:
    from torwart.processes.telling import Telling


def begun(run: "Telling", first: datetime) -> bool:
    """Sleep until ``first``, then until the order may begin, following it if its time is moved; ``False`` if it was
    refused at the last moment.

    All this is waiting: it holds nothing but a row, whatever happens to the workers.
    """
    run.sleep_until("withdrawal", first)
    turn = 0
    while True:
        answer: dict[str, Any] = run.write(f"begin {turn}", partial(_ask, run, turn))
        if "until" not in answer:
            return bool(answer.get("begun"))
        run.wait_until(
            orders.topic(run.number),
            f"begin wait {turn}",
            partial(orders.changed, run.number, answer["seen"]),
            until=datetime.fromisoformat(answer["until"]) if answer["until"] else None,
        )
        turn += 1


def _ask(run: "Telling", turn: int) -> dict[str, Any]:
    waits = run.world.patience.busy
    now = run.now()
    return orders.begin(
        run.number,
        run.run_id,
        unmet=lambda: preconditions(run.process, run.gateway, run.order, now) if run.gateway else [],
        now=now,
        pause=timedelta(seconds=waits[min(turn, len(waits) - 1)]),
    )
