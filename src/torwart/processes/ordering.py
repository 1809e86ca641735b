"""Ordering a process: fields checked, preconditions met, run started. Every face orders through here."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from torwart.ports.process_engine import ProcessEngine
from torwart.processes.definition import process
from torwart.rules import precondition
from torwart.services import run as runs


def order(
    engine: ProcessEngine, name: str, fields: Mapping[str, Any], *, client: int | None, actor: str, now: datetime
) -> str:
    """Start the process ``name`` with these order fields; the run id.

    The first field that is wrong or precondition that is not met is refused, with the reason and the remedy; nothing
    is started then. ``client``: the ordering client, whose devices alone exist for it (P-1).
    """
    chosen = process(name)
    checked = chosen.check(fields)
    gateway = str(checked[chosen.subject_field])
    if client is not None:
        runs.require_owned(gateway, client)
    if chosen.unmet is not None:
        precondition.require(*chosen.unmet(gateway, checked, now))
    return runs.order(
        engine, code=chosen.code, story=chosen.name, gateway=gateway, fields=checked, actor=actor, client=client
    )
