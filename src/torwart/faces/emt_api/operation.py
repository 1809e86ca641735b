"""Orders over the interface: place, look, wait, take back; one address for each process of the catalogue."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from torwart.faces.emt_api import cursor, problem, schema
from torwart.faces.emt_api.key import HEADER as KEY_HEADER
from torwart.faces.emt_api.key import key_of
from torwart.faces.emt_api.placing import ENGINE, place_order
from torwart.faces.emt_api.problem import language_of
from torwart.faces.emt_api.waiting import BENCH
from torwart.kernel import outcome
from torwart.kernel.order_state import OrderState
from torwart.kernel.refusals.order import NOT_OVER_INTERFACE, ORDER_UNKNOWN
from torwart.processes import ordering
from torwart.processes.api_call import slug
from torwart.processes.definition import NOTHING, Process, catalogue
from torwart.rules.lead_time import commit
from torwart.services import interface, present
from torwart.services import order as orders
from torwart.services.interface import Answer, Peer
from torwart.store.queries import operation as queries
from torwart.store.queries.operation import Operation

placing = Router(tags=["operations"])
"""One address a process; it comes before ``router``, whose ``/{number}`` would take them all."""
router = Router(tags=["operations"])


class Wait(Schema):
    """How long to wait for a change before answering."""

    wait: str = Field("0s", pattern=r"^([0-9]|[12][0-9]|30)s$", description="0s to 30s.")

    @property
    def seconds(self) -> int:
        return int(self.wait[:-1])


class Which(Schema):
    """Narrows a list."""

    state: OrderState | None = None
    process: str = Field("", max_length=60)
    subject: str = Field("", max_length=14, description="Device id of the gateway.")
    reference: str = Field("", max_length=200)
    since: schema.Instant | None = Field(None, description="Submitted at or after.")
    cursor: str = Field("", max_length=200)
    limit: int = Field(50, ge=1, le=200)


# --- placing ----------------------------------------------------------------------------------------------------------


def add_processes() -> None:
    """One operation for each process offered; for the others an answer that says why not, and where instead."""
    for process in catalogue().values():
        if process.over_interface:
            placing.post(
                f"/{slug(process.name)}",
                response={202: schema.Operation},
                operation_id=f"order_{process.name}",
                summary=f"{process.code} {process.words.en}",
                description=process.about.en,
                openapi_extra=KEY_HEADER,
            )(_placing(process))
        else:
            placing.post(f"/{slug(process.name)}", include_in_schema=False)(_refusing(process))


def _refusing(process: Process) -> Callable[..., HttpResponse]:
    def refuse(request: HttpRequest) -> HttpResponse:
        why = process.not_over_interface or NOTHING
        raise NOT_OVER_INTERFACE(
            process_de=process.words.de,
            process_en=process.words.en,
            why_de=why.de,
            why_en=why.en,
            form=orders.form_url(process.name),
        )

    return refuse


def _placing(process: Process) -> Callable[..., HttpResponse]:
    body_type = schema.order_body(process)

    def place(request: HttpRequest, body: Any) -> HttpResponse:
        caller: Peer = request.peer  # type: ignore[attr-defined]
        key = key_of(request)
        interface.require_compatible(caller, orders.form_url(process.name))
        sent = body.model_dump(mode="json", exclude_none=True)
        same = interface.digest("POST", request.path, sent)
        answer = interface.once(caller.client, key, same, lambda: _place(request, process, sent), now=request.now)  # type: ignore[attr-defined]
        response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
        response["Location"] = answer.location
        response["Retry-After"] = "1"
        if answer.repeated:
            response["Idempotency-Replayed"] = "true"
        return response

    place.__name__ = f"order_{process.name}"
    place.__annotations__ = {"request": HttpRequest, "body": body_type, "return": HttpResponse}
    return place


def _place(request: Any, process: Process, sent: dict[str, Any]) -> Answer:
    number = place_order(request, process, sent)
    found = queries.find(request.peer.client, number, request.now)
    assert found is not None
    shown = shape(found, language_of(request))
    return Answer(202, shown.model_dump_json(), shown.links.self)


# --- looking ----------------------------------------------------------------------------------------------------------


@router.get("", response=schema.Page, operation_id="list_operations", summary="List operations")
def listed(request: HttpRequest, which: Query[Which]) -> schema.Page:
    """The client's orders, newest first, those from the portal too."""
    rows = queries.page(
        request.peer.client,  # type: ignore[attr-defined]
        request.now,  # type: ignore[attr-defined]
        before=(cursor.read(which.cursor) or (None,))[0],
        limit=which.limit + 1,
        state=which.state.value if which.state else "",
        process=which.process.replace("-", "_").replace("\x00", "�"),
        subject=which.subject.replace("\x00", "�"),
        reference=which.reference.replace("\x00", "�"),
        since=which.since,
    )
    more, rows = len(rows) > which.limit, rows[: which.limit]
    language = language_of(request)
    return schema.Page(
        items=[shape(row, language) for row in rows], next=cursor.write((rows[-1].pk, 0)) if more and rows else None
    )


@router.get("/{number}", response=schema.Operation, operation_id="get_operation", summary="Look at an operation")
def one(request: HttpRequest, number: str, wait: Query[Wait]) -> schema.Operation:
    """The order as it stands; with ``wait`` as soon as something of it changes, or when the time is over."""
    client = request.peer.client  # type: ignore[attr-defined]
    seen = queries.version(client, number) if wait.seconds else None
    if seen is not None and OrderState(seen[0]) not in ENDED:
        BENCH.wait(client, wait.seconds, lambda: queries.version(client, number) != seen)
    return shape(_find(client, number), language_of(request))


@router.get("/{number}/history", response=schema.History, operation_id="get_history", summary="Steps and transcript")
def history(request: HttpRequest, number: str) -> schema.History:
    """Steps with attempts and times, and what was said with the gateway, without secrets."""
    client = request.peer.client  # type: ignore[attr-defined]
    _find(client, number)
    steps = [
        schema.Step(
            name=step.name,
            words=schema.Words(de=step.de, en=step.en),
            state=step.state,
            attempts=step.attempts,
            started_at=step.started_at,
            ended_at=step.ended_at,
            code=step.code,
        )
        for step in queries.steps(client, number)
    ]
    said = [
        schema.Exchange(
            at=each.at,
            peer=each.peer,
            purpose=each.purpose,
            request=each.request_line,
            status=each.status or None,
            code=each.code,
            milliseconds=each.milliseconds,
        )
        for each in queries.transcript(client, number)
    ]
    return schema.History(steps=steps, transcript=said)


ENDED = (
    OrderState.DONE,
    OrderState.FAILED,
    OrderState.CANCELLED,
    OrderState.WITHDRAWN,
    OrderState.REFUSED,
)


def _find(client: int, number: str) -> Operation:
    found = queries.find(client, number, present.now())
    if found is None:
        raise ORDER_UNKNOWN(number=number[:20])
    return found


# --- taking back ------------------------------------------------------------------------------------------------------


@router.post("/{number}/withdraw", response=schema.Operation, operation_id="withdraw_operation", summary="Withdraw")
def withdraw(request: HttpRequest, number: str) -> schema.Operation:
    """Take an order back while nothing has begun."""
    caller, found = _changing(request, number)
    now = request.now  # type: ignore[attr-defined]
    orders.withdraw(ENGINE, found.number, client=caller.client, actor=f"interface:{caller.name}", now=now)
    return shape(_find(caller.client, number), language_of(request))


@router.post("/{number}/cancel", response=schema.Cancelled, operation_id="cancel_operation", summary="Cancel")
def cancel(request: HttpRequest, number: str, body: schema.Reason) -> schema.Cancelled:
    """Cancel an order as far as its process allows; the answer says what stays done."""
    caller, found = _changing(request, number)
    actor = f"interface:{caller.name}"
    reason = body.reason or "EMT-System"
    stays = ordering.cancel(
        ENGINE,
        found.number,
        client=caller.client,
        actor=actor,
        reason=reason,
        now=request.now,  # type: ignore[attr-defined]
    )
    shown = shape(_find(caller.client, number), language_of(request))
    return schema.Cancelled(operation=shown, stays=[schema.Words(de=words.de, en=words.en) for words in stays])


@router.post("/{number}/choose", response=schema.Operation, operation_id="choose_time", summary="Take a proposed time")
def choose(request: HttpRequest, number: str, body: schema.Chosen) -> schema.Operation:
    """Take one of the times the operators have proposed."""
    caller, found = _changing(request, number)
    orders.choose(
        ENGINE,
        found.number,
        body.time,
        client=caller.client,
        actor=f"interface:{caller.name}",
        now=request.now,  # type: ignore[attr-defined]
    )
    return shape(_find(caller.client, number), language_of(request))


def _changing(request: Any, number: str) -> tuple[Peer, Operation]:
    """Who changes which order; over a suspended coupling nothing is changed (R-4), the portal does it."""
    caller: Peer = request.peer
    found = _find(caller.client, number)
    interface.require_compatible(caller, f"{settings.TORWART_PORTAL_URL}/portal/auftraege/{found.number}")
    return caller, found


# --- how it looks -----------------------------------------------------------------------------------------------------


def shape(row: Operation, language: str) -> schema.Operation:
    """An order as JSON."""
    refusal = row.result.get("refusal")
    rows = row.result.get("rows")
    why = commit(row.submitted_at, row.requested_at).why
    return schema.Operation(
        id=row.number,
        process=slug(row.process),
        state=row.state,
        state_since=row.state_since,
        submitted_at=row.submitted_at,
        planned=row.planned,
        requested_at=row.requested_at,
        due=schema.Due(at=row.due_at, why=why.text(language)),
        subject=row.subject,
        reference=row.reference,
        ticket=row.ticket,
        waiting_for=row.waiting_for,
        step=row.step,
        allowed_actions=list(row.actions),
        proposed_times=list(row.times),
        result=None
        if rows is None
        else [
            schema.Row(label=schema.Words(de=label.de, en=label.en), value=value.text(language))
            for label, value in outcome.read(rows)
        ],
        refusal=schema.Refused(**refusal, type=problem.page(refusal["code"])) if refusal else None,
        links=schema.Links(
            self=f"/v1/operations/{row.number}",
            history=f"/v1/operations/{row.number}/history",
            ticket=f"{settings.TORWART_PORTAL_URL}/portal/auftraege/{row.number}",
        ),
    )
