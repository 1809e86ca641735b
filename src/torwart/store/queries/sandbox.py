"""Reading the sandbox: a client's own gateways in it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from torwart.store.models import SandboxGateway


@dataclass(frozen=True, slots=True)
class SandboxLine:
    """A gateway of the sandbox; ``fields``: what an order to commission it can say."""

    name: str
    state: str
    why: str
    behaviour: str
    device: str
    meters: tuple[str, ...]
    power: str
    powered: bool
    connected: bool
    wanted_at: datetime
    fields: Mapping[str, Any]


def gateways(client: int) -> list[SandboxLine]:
    """Those that are there or coming, oldest first; never more than the sandbox allows."""
    rows = SandboxGateway.objects.filter(client=client).exclude(state="retired").order_by("id")
    return [_line(row) for row in rows]


def gateway(client: int, name: str) -> SandboxLine | None:
    """One of them."""
    try:
        wanted = uuid.UUID(name)
    except ValueError:
        return None
    row = SandboxGateway.objects.filter(client=client, name=wanted).exclude(state="retired").first()
    return _line(row) if row is not None else None


def _line(row: SandboxGateway) -> SandboxLine:
    return SandboxLine(
        str(row.name),
        row.state,
        row.why,
        row.behaviour,
        row.device_id,
        tuple(row.meters),
        row.power,
        row.powered,
        row.connected,
        row.wanted_at,
        row.fields,
    )
