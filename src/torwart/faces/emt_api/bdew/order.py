"""Orders in the BDEW dialect: always taken, answered by calls of ours; one address a process offered."""

import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from torwart.faces.emt_api import schema
from torwart.faces.emt_api.placing import place_order
from torwart.faces.emt_api.problem import Invalid, status_of
from torwart.kernel.refusals import Refusal
from torwart.processes.api_call import slug
from torwart.processes.definition import Process, catalogue
from torwart.rules.bdew import check_created
from torwart.services import bdew, interface, present
from torwart.services import order as orders
from torwart.services.interface import Answer, Peer
from torwart.wire import bdew as wire

router = Router(tags=["orders"])
_NAMES = ("commissioning", "profile_change", "wake_up")
"""„for commissioning, profile change and wake-up“; a process that is not in the catalogue is not offered."""


def offered() -> list[Process]:
    known = catalogue()
    return [known[name] for name in _NAMES if name in known and known[name].over_interface]


def add_processes() -> None:
    """One operation for each process offered, its body that of ``/v1``."""
    for process in offered():
        router.post(
            f"/{slug(process.name)}",
            response={202: None},
            operation_id=f"order_{process.name}",
            summary=f"{process.code} {process.words.en}",
            description=process.about.en,
        )(_taking(process))


def _taking(process: Process) -> Callable[..., HttpResponse]:
    body_type = schema.order_body(process)

    def take(request: Any, body: Any) -> HttpResponse:
        caller: Peer = request.peer
        heads = wire.read(request.headers)
        check_created(heads.created, present.real())
        interface.require_compatible(caller, orders.form_url(process.name))
        bdew.require_address(caller)
        sent = body.model_dump(mode="json", exclude_none=True)
        same = interface.digest("POST", request.path, sent)
        answer = interface.once(
            caller.client, str(heads.key), same, lambda: _take(request, process, sent, heads.key), now=request.now
        )
        request.about = answer.location
        response = HttpResponse(status=answer.status)
        del response["Content-Type"]  # there is no content
        return response

    take.__name__ = f"order_{process.name}"
    take.__annotations__ = {"request": HttpRequest, "body": body_type, "return": HttpResponse}
    return take


def _take(request: Any, process: Process, sent: dict[str, Any], initial: uuid.UUID) -> Answer:
    """Place the order, or keep why not; either way the partner is told by a call of ours, in this transaction."""
    try:
        number = place_order(request, process, sent)
    except (Refusal, Invalid) as refused:
        errors = refused.errors if isinstance(refused, Invalid) else [("", refused)]
        if any(status_of(refusal) >= 500 for _, refusal in errors):
            raise  # ours, and not an answer: the partner repeats
        bdew.refused(request.peer, initial, process.name, errors, now=request.now)
        return Answer(202, "")
    bdew.accepted(request.peer, initial, number, now=request.now)
    return Answer(202, "", f"/v1/operations/{number}")
