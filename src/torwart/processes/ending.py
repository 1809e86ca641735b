"""How a run ends: as its story says, cancelled by people, or given up by the engine; and its order with it."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.process import GIVEN_UP
from torwart.ports.process_engine import ProcessEngine
from torwart.processes.definition import Process, catalogue
from torwart.services import order as orders
from torwart.services import present
from torwart.services import run as runs

if TYPE_CHECKING:
    from torwart.processes.telling import Telling


def succeed(run: "Telling", result: Mapping[str, Any]) -> None:
    """The story has been told to its end; run, order, ticket and mail in one transaction, the caller's."""
    if not run.number:
        runs.succeed(run.run_id, dict(result))
        return
    process = run.process
    orders.succeed(
        run.number,
        run.run_id,
        dict(result),
        rows=process.result(result) if process.result is not None else [],
        files=cache(partial(process.enclosed, result)) if process.enclosed is not None else (),
        now=run.now(),
    )


def fail(run: "Telling", refusal: Refusal) -> None:
    """The story cannot reach its effect: what it had reserved is free again, what it leaves on the gateway is said; in
    the caller's transaction.
    """
    if run.number:
        left = run.process.remains(run.run_id, run.gateway) if run.process.remains is not None else []
        orders.fail(run.number, run.run_id, refusal, rows=left, now=run.now())
    else:
        text = {"de": refusal.text("de"), "en": refusal.text("en")}
        runs.fail(run.run_id, refusal.code, refusal.side.value, text)
    if run.process.failed is not None:
        run.process.failed(run.run_id, run.gateway)


def cancel(engine: ProcessEngine, run_id: str, *, actor: str, reason: str, now: datetime | None = None) -> bool:
    """Cancel a run at its next step boundary: what was done stays done, what was only reserved is free again. The run
    of an order is cancelled with its order.

    ``False`` if it had already ended.
    """
    process = _process(run_id)
    if process is None:
        return False
    number = orders.number_of_run(run_id)
    if not number:
        return runs.cancel(engine, run_id, actor=actor, reason=reason, free=process.failed)
    orders.cancel(
        engine,
        number,
        client=None,
        actor=actor,
        reason=reason,
        now=now or present.now(),
        free=process.failed,
        not_from=process.not_cancellable_from,
    )
    return True


def end_given_up(engine: ProcessEngine, now: datetime | None = None) -> int:
    """Runs whose task the engine has given up (a fault of ours that no repetition mended) end as failed, side ours:
    nothing shows as running that nobody tells any more, and the gateway takes orders again. How many there were.
    """
    ended = 0
    for view in engine.list(state="failed"):
        process = _process(view.run_id)
        if process is not None:
            refusal = GIVEN_UP(why=view.failure)
            ended += orders.given_up(view.run_id, refusal, free=process.failed, now=now or present.now())
    return ended


def _process(run_id: str) -> Process | None:
    """The process of a run that has not ended."""
    code = runs.process_of(run_id)
    return next((process for process in catalogue().values() if process.code == code), None)
