"""How a run ends when its story does not tell the end: cancelled by people, or given up by the engine."""

from torwart.kernel.refusals.process import GIVEN_UP
from torwart.ports.process_engine import ProcessEngine
from torwart.processes.definition import Process, catalogue
from torwart.services import run as runs


def cancel(engine: ProcessEngine, run_id: str, *, actor: str, reason: str) -> bool:
    """Cancel a run at its next step boundary: what was done stays done, what was only reserved is free again.

    ``False`` if it had already ended.
    """
    process = _process(run_id)
    return runs.cancel(engine, run_id, actor=actor, reason=reason, free=process.failed if process else None)


def end_given_up(engine: ProcessEngine) -> int:
    """Runs whose task the engine has given up (a fault of ours that no repetition mended) end as failed, side ours:
    nothing shows as running that nobody tells any more, and the gateway takes orders again. How many there were.
    """
    ended = 0
    for view in engine.list(state="failed"):
        process = _process(view.run_id)
        if process is not None:
            ended += runs.end_failed(view.run_id, GIVEN_UP(why=view.failure), free=process.failed)
    return ended


def _process(run_id: str) -> Process | None:
    """The process of a run that has not ended."""
    code = runs.process_of(run_id)
    return next((process for process in catalogue().values() if process.code == code), None)
