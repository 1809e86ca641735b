"""Reading runs: what people watch, and what reports tell."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from torwart.store.models import Run, Step


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run at a glance. ``steps``: names done or running in order; ``seconds``: from order to end or now."""

    run_id: str
    process: str
    gateway: str
    state: str
    step: str
    steps: tuple[str, ...]
    attempts: int
    side: str
    code: str
    failure: str
    result: dict[str, Any]
    seconds: float


def lines(run_ids: Iterable[str], now: datetime) -> list[RunLine]:
    """These runs, in the order they were received; two queries whatever their number."""
    runs = list(Run.objects.filter(run_id__in=list(run_ids)).select_related("gateway").order_by("id"))
    steps: dict[int, list[Step]] = {}
    for step in Step.objects.filter(run__in=runs).order_by("position"):
        steps.setdefault(step.run_id, []).append(step)
    return [_line(run, steps.get(run.pk, []), now) for run in runs]


def _line(run: Run, steps: list[Step], now: datetime) -> RunLine:
    return RunLine(
        run_id=str(run.run_id),
        process=run.process,
        gateway=run.gateway.device_id if run.gateway else "",
        state=run.state,
        step=steps[-1].name if steps else "",
        steps=tuple(step.name for step in steps),
        attempts=sum(step.attempts for step in steps),
        side=run.side,
        code=run.code,
        failure=run.failure,
        result=run.result or {},
        seconds=((run.ended_at or now) - run.received_at).total_seconds(),
    )
