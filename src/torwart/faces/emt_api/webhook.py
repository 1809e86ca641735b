"""Webhooks over the interface: set up, rotate keys, see what was delivered, send again."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import BaseModel, Field

from torwart.faces.emt_api import cursor
from torwart.faces.emt_api.key import HEADER as KEY_HEADER
from torwart.faces.emt_api.key import key_of
from torwart.faces.emt_api.schema import Body
from torwart.kernel.refusals.webhook import WEBHOOK_UNKNOWN
from torwart.services import interface
from torwart.services import webhook as webhooks
from torwart.services.interface import Answer, Peer
from torwart.store.queries import webhook as queries

router = Router(tags=["webhooks"])


class Key(BaseModel):
    """A public key to verify deliveries with (Standard Webhooks, v1a)."""

    id: str
    public: str = Field(examples=["whpk_…"])
    until: str = Field(description="Empty while it is the newest; else when it stops to sign.")


class Webhook(BaseModel):
    id: str
    url: str
    dialect: str
    active: bool
    keys: list[Key]
    created_at: datetime
    pending: int
    dead: int


class Webhooks(BaseModel):
    items: list[Webhook]


class NewWebhook(Body):
    url: str = Field(max_length=2000, examples=["https://emt.example/torwart"])
    dialect: Literal["torwart", "bdew"] = Field(
        "torwart", description="torwart: all events; bdew: answers to this system's calls under /bdew/v1."
    )


class Changes(Body):
    url: str | None = Field(None, max_length=2000)
    active: bool | None = None


class Attempt(BaseModel):
    at: datetime
    status: int | None
    why: str
    answer: str
    milliseconds: int


class Delivery(BaseModel):
    id: str
    event: str
    type: str
    subject: str
    state: str
    at: datetime
    next_attempt_at: datetime
    delivered_at: datetime | None
    attempts: list[Attempt]


class Deliveries(BaseModel):
    items: list[Delivery]
    next: str | None


class Count(BaseModel):
    count: int


class TestEvent(BaseModel):
    event: str


class Which(Schema):
    cursor: str = Field("", max_length=200)
    limit: int = Field(50, ge=1, le=200)


@router.get("", response=Webhooks, operation_id="list_webhooks", summary="List webhooks")
def listed(request: HttpRequest) -> dict[str, Any]:
    return {"items": [_shape(row) for row in queries.webhooks(_peer(request).client)]}


@router.post(
    "",
    response={201: Webhook},
    operation_id="add_webhook",
    summary="Add a webhook",
    openapi_extra=KEY_HEADER,
)
def add(request: Any, body: NewWebhook) -> HttpResponse:
    """Needs an Idempotency-Key like an order, so that a repeat adds none."""
    caller = _peer(request)
    same = interface.digest("POST", request.path, body.model_dump())

    def do() -> Answer:
        partner = caller if body.dialect == "bdew" else None
        row = webhooks.add(caller.client, body.url, bdew=partner, actor=_actor(caller), now=request.now)
        found = _shape(_find(caller.client, str(row.webhook_id)))
        return Answer(201, Webhook(**found).model_dump_json(), f"/v1/webhooks/{row.webhook_id}")

    answer = interface.once(caller.client, key_of(request), same, do, now=request.now)
    response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
    response["Location"] = answer.location
    if answer.repeated:
        response["Idempotency-Replayed"] = "true"
    return response


@router.get("/{webhook}", response=Webhook, operation_id="get_webhook", summary="Look at a webhook")
def one(request: HttpRequest, webhook: str) -> dict[str, Any]:
    return _shape(_find(_peer(request).client, webhook))


@router.patch("/{webhook}", response=Webhook, operation_id="change_webhook", summary="Change a webhook")
def change(request: Any, webhook: str, body: Changes) -> dict[str, Any]:
    """Another address, rest or go on; what is pending goes where it points now."""
    caller = _peer(request)
    webhooks.change(caller.client, webhook, url=body.url, active=body.active, actor=_actor(caller), now=request.now)
    return _shape(_find(caller.client, webhook))


@router.delete("/{webhook}", response={204: None}, operation_id="remove_webhook", summary="Remove a webhook")
def remove(request: Any, webhook: str) -> tuple[int, None]:
    """Forget the endpoint and its deliveries; the feed keeps the events."""
    caller = _peer(request)
    webhooks.remove(caller.client, webhook, actor=_actor(caller), now=request.now)
    return 204, None


@router.post("/{webhook}/rotate", response=Webhook, operation_id="rotate_webhook_key", summary="Rotate the key")
def rotate(request: Any, webhook: str) -> dict[str, Any]:
    """A new key signs from now on; the one before signs beside it for a week."""
    caller = _peer(request)
    webhooks.rotate(caller.client, webhook, actor=_actor(caller), now=request.now)
    return _shape(_find(caller.client, webhook))


@router.post("/{webhook}/test", response={202: TestEvent}, operation_id="test_webhook", summary="Send a test event")
def test(request: Any, webhook: str) -> tuple[int, dict[str, str]]:
    caller = _peer(request)
    return 202, {"event": webhooks.test(caller.client, webhook, actor=_actor(caller), now=request.now)}


@router.get("/{webhook}/deliveries", response=Deliveries, operation_id="list_deliveries", summary="List deliveries")
def deliveries(request: HttpRequest, webhook: str, which: Query[Which]) -> dict[str, Any]:
    """What was delivered and what was not, newest first, with each attempt."""
    client = _peer(request).client
    _find(client, webhook)
    before = (cursor.read(which.cursor) or (None,))[0]
    rows = queries.deliveries(client, webhook, before=before, limit=which.limit + 1)
    more, rows = len(rows) > which.limit, rows[: which.limit]
    return {
        "items": [_delivery(row) for row in rows],
        "next": cursor.write((rows[-1].pk, 0)) if more and rows else None,
    }


@router.post("/{webhook}/resend", response={202: Count}, operation_id="resend_dead", summary="Send the dead again")
def resend_dead(request: Any, webhook: str) -> tuple[int, dict[str, int]]:
    """All deliveries that were given up are tried again, in their order."""
    return 202, {"count": _resend(request, webhook, None)}


@router.post(
    "/{webhook}/deliveries/{delivery}/resend",
    response={202: Count},
    operation_id="resend_delivery",
    summary="Send one again",
)
def resend(request: Any, webhook: str, delivery: str) -> tuple[int, dict[str, int]]:
    place = cursor.read(delivery)
    return 202, {"count": _resend(request, webhook, place[0] if place else 0)}


def _resend(request: Any, webhook: str, delivery: int | None) -> int:
    caller = _peer(request)
    return webhooks.resend(caller.client, webhook, delivery, actor=_actor(caller), now=request.now)


def _find(client: int, webhook: str) -> queries.WebhookLine:
    found = queries.webhook(client, webhook)
    if found is None:
        raise WEBHOOK_UNKNOWN()
    return found


def _peer(request: Any) -> Peer:
    peer: Peer = request.peer
    return peer


def _actor(caller: Peer) -> str:
    return f"interface:{caller.name}"


def _shape(row: queries.WebhookLine) -> dict[str, Any]:
    return {
        "id": row.webhook,
        "url": row.url,
        "dialect": row.dialect,
        "active": row.active,
        "keys": row.keys,
        "created_at": row.created_at,
        "pending": row.pending,
        "dead": row.dead,
    }


def _delivery(row: queries.DeliveryLine) -> dict[str, Any]:
    return {
        "id": cursor.write((row.pk, 0)),
        "event": row.event,
        "type": row.type,
        "subject": row.subject,
        "state": row.state,
        "at": row.at,
        "next_attempt_at": row.next_attempt_at,
        "delivered_at": row.delivered_at,
        "attempts": [
            {"at": a.at, "status": a.status, "why": a.why, "answer": a.answer, "milliseconds": a.milliseconds}
            for a in row.attempts
        ],
    }
