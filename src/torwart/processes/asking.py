"""A run that needs something of its client: the ticket waits, its clock rests, the run looks whenever mail has come."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from torwart.kernel.run_state import WaitingFor
from torwart.kernel.words import Words
from torwart.ports.process_engine import Json
from torwart.services import order as orders
from torwart.services import run as runs
from torwart.services import ticket as tickets

if TYPE_CHECKING:
    from torwart.processes.telling import Telling


def from_client(
    run: "Telling",
    name: str,
    look: Callable[[], Json | None],
    *,
    step: str,
    ask: Callable[[str], None],
    why: Words,
    seconds: float,
) -> Json | None:
    """What ``look`` finds on the ticket's topic, or ``None`` when ``seconds`` have passed without it.

    If it is there already nobody is asked. ``ask`` (ticket number) writes the question once, ``why`` is shown at the
    step and on the ticket.
    """
    there = run.write(f"{name} there", look)
    if there is not None:
        return there
    ticket = orders.ticket_of(run.number)

    def shown() -> None:
        runs.waits_for(run.run_id, step, WaitingFor.CLIENT, {"de": why.de, "en": why.en})
        tickets.wait_for_client(ticket, why, actor=f"run:{run.run_id}", now=run.now())
        ask(ticket)

    def go_on() -> None:
        runs.resumes(run.run_id, step)
        tickets.stop_waiting(ticket, actor=f"run:{run.run_id}", now=run.now())

    found = run.wait_for(f"ticket:{ticket}", name, look, seconds=seconds, shown=shown)
    run.write(f"{name} over", go_on)
    return found
