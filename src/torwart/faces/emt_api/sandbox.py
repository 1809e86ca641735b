"""The sandbox over the interface (spec/07 point 8): its time, its gateways, and starting over.

These addresses exist only in a sandbox (``sandbox_urls``); they are no part of the promise of ``openapi.json``.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel, Field

from torwart.adapters.engine import AbsurdEngine
from torwart.faces.emt_api.schema import Body, Instant
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.sandbox import SANDBOX_GATEWAY_UNKNOWN, SANDBOX_ONE_OF
from torwart.processes import ordering
from torwart.rules import sandbox as rules
from torwart.rules.sandbox import Behaviour
from torwart.services import present
from torwart.services import sandbox as verbs
from torwart.services.interface import Peer
from torwart.store.queries import sandbox as queries

router = Router(tags=["sandbox"])
ENGINE = AbsurdEngine()
Word = Annotated[Behaviour, Field(strict=False)]


class Clock(BaseModel):
    """``now``: the time orders live by; ``real``: that of certificates and gateways; ``ahead``: seconds between."""

    now: datetime
    real: datetime
    ahead: int
    farthest: int = Field(description="Seconds it can be ahead at most.")


class Move(Body):
    advance: str | None = Field(None, max_length=40, examples=["PT72H"], description="A duration by ISO 8601.")
    until: Instant | None = Field(None, description="Or an instant still to come.")


class NewGateways(Body):
    behaviour: Word = Behaviour.GOOD
    meters: int = Field(1, ge=1, le=4, description="Meters behind each.")
    count: int = Field(1, ge=1, le=rules.MOST_GATEWAYS)


class Behave(Body):
    behaviour: Word


class Power(Body):
    on: bool


class Gateway(BaseModel):
    """``fields``: the body of an order to commission it, as soon as it is ``ready``."""

    id: str
    state: str = Field(description="wanted, ready or failed")
    why: str
    behaviour: str
    device: str
    meters: list[str]
    power: str = Field(description="auto: on from its commissioning; on; off")
    powered: bool
    connected: bool
    wanted_at: datetime
    fields: dict[str, Any]


class Gateways(BaseModel):
    items: list[Gateway]


class Reset(BaseModel):
    """``kept``: orders that cannot be cancelled any more and end by themselves."""

    cancelled: list[str]
    kept: list[str]
    gateways: int
    deliveries: int


@router.get("/clock", response=Clock, operation_id="sandbox_clock", summary="What time it is")
def clock(request: HttpRequest) -> dict[str, Any]:
    return _times(present.ahead())


@router.post("/clock", response=Clock, operation_id="move_sandbox_clock", summary="Move time on")
def move(request: Any, body: Move) -> dict[str, Any]:
    """Service time goes on for all who test on this installation; it never goes back."""
    if (body.advance is None) == (body.until is None):
        raise SANDBOX_ONE_OF()
    by = rules.duration(body.advance) if body.advance is not None else _until(body.until)
    caller: Peer = request.peer
    return _times(verbs.advance(by, actor=f"interface:{caller.name}", client=caller.client))


def _until(instant: datetime | None) -> timedelta:
    assert instant is not None
    return instant - present.now()


def _times(ahead: timedelta) -> dict[str, Any]:
    real = present.real()
    seconds = round(ahead.total_seconds())
    return {"now": real + ahead, "real": real, "ahead": seconds, "farthest": round(rules.FARTHEST.total_seconds())}


@router.get("/gateways", response=Gateways, operation_id="sandbox_gateways", summary="List gateways")
def listed(request: Any) -> dict[str, Any]:
    return {"items": [_shape(row) for row in queries.gateways(request.peer.client)]}


@router.post("/gateways", response={202: Gateways}, operation_id="make_sandbox_gateways", summary="Make gateways")
def make(request: Any, body: NewGateways) -> tuple[int, dict[str, Any]]:
    """Simulated gateways of this behaviour; they are ``ready`` when their delivery note has been imported."""
    caller: Peer = request.peer
    names = verbs.make(
        caller.client,
        body.behaviour,
        meters=body.meters,
        count=body.count,
        actor=f"interface:{caller.name}",
        now=request.now,
    )
    made = [row for row in queries.gateways(caller.client) if row.name in set(names)]
    return 202, {"items": [_shape(row) for row in made]}


@router.get("/gateways/{gateway}", response=Gateway, operation_id="sandbox_gateway", summary="Look at a gateway")
def one(request: Any, gateway: str) -> dict[str, Any]:
    return _found(request.peer, gateway)


@router.put("/gateways/{gateway}", response=Gateway, operation_id="change_sandbox_gateway", summary="Let it behave")
def behave(request: Any, gateway: str, body: Behave) -> dict[str, Any]:
    """Another behaviour, within a second."""
    caller: Peer = request.peer
    actor = f"interface:{caller.name}"
    verbs.behave(caller.client, gateway, body.behaviour, actor=actor, now=request.now)
    return _found(caller, gateway)


@router.post("/gateways/{gateway}/power", response=Gateway, operation_id="power_sandbox_gateway", summary="Power")
def power(request: Any, gateway: str, body: Power) -> dict[str, Any]:
    """Switch it on or off, as somebody on site would."""
    caller: Peer = request.peer
    verbs.power(caller.client, gateway, body.on, actor=f"interface:{caller.name}", now=request.now)
    return _found(caller, gateway)


@router.post("/reset", response=Reset, operation_id="reset_sandbox", summary="Start over")
def reset(request: Any) -> dict[str, Any]:
    """Cancel what is open, take out the gateways, forget what webhooks still owe; the caller's alone. Time stays."""
    caller: Peer = request.peer
    actor, cancelled, kept = f"interface:{caller.name}", [], []
    for number in verbs.open_orders(caller.client):
        try:
            ordering.cancel(ENGINE, number, client=caller.client, actor=actor, reason="Sandbox: reset", now=request.now)
            cancelled.append(number)
        except Refusal:
            kept.append(number)  # too far to be cancelled, or just ended
    return {"cancelled": cancelled, "kept": kept, **verbs.clear(caller.client, actor=actor, now=request.now)}


def _found(caller: Peer, gateway: str) -> dict[str, Any]:
    row = queries.gateway(caller.client, gateway)
    if row is None:
        raise SANDBOX_GATEWAY_UNKNOWN()
    return _shape(row)


def _shape(row: queries.SandboxLine) -> dict[str, Any]:
    return {
        "id": row.name,
        "state": row.state,
        "why": row.why,
        "behaviour": row.behaviour,
        "device": row.device,
        "meters": list(row.meters),
        "power": row.power,
        "powered": row.powered,
        "connected": row.connected,
        "wanted_at": row.wanted_at,
        "fields": dict(row.fields),
    }
