"""Running a process although one of its preconditions is not met, once two people have said so (four eyes)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from torwart.kernel.refusals.override import OVERRIDE_NEEDLESS
from torwart.ports.process_engine import ProcessEngine
from torwart.processes import ordering
from torwart.processes.definition import process
from torwart.services import override
from torwart.services import run as runs

ACTION = override.ACTION


def ask(name: str, values: Mapping[str, Any], reason: str, *, user: int, ticket: str = "", now: datetime) -> int:
    """Ask that ``name`` may run with these fields whatever its preconditions say; id of the approval to decide on.

    Refuses a wrong field by its name, and ``override.needless`` where nothing stands against it.
    """
    chosen = process(name)
    checked = chosen.located(None, chosen.check(values))
    gateway = chosen.subject(checked)
    unmet = ordering.preconditions(chosen, gateway, checked, now)
    if not unmet:
        raise OVERRIDE_NEEDLESS()
    return override.ask(name, gateway, checked, unmet, reason, user=user, ticket=ticket, now=now)


def decide(engine: ProcessEngine, approval: int, *, user: int, approve: bool, remark: str, now: datetime) -> str:
    """Decide on an override; a yes starts the run at once and answers its id."""

    def start(asked: Mapping[str, Any], actor: str) -> str:
        chosen = process(asked["process"])
        fields = chosen.check(asked["fields"])
        return runs.order(
            engine, code=chosen.code, story=chosen.name, gateway=asked["gateway"], fields=fields, actor=actor
        )

    return override.decide(approval, user=user, approve=approve, remark=remark, now=now, start=start)
