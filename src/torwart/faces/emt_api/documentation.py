"""What people read about the interface: its description, its pages in the portal's dress, one page for each refusal.

The pages belong to the web, where no certificate is asked for; they show nothing of any client.
"""

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from torwart.faces.emt_api import problem
from torwart.faces.emt_api.api import api
from torwart.faces.emt_api.bdew.api import api as bdew
from torwart.faces.emt_api.bdew.order import offered
from torwart.faces.emt_api.schema import order_body
from torwart.kernel.refusals import KINDS, Retry, Side
from torwart.kernel.refusals.interface import NOT_FOUND
from torwart.kernel.words import Words
from torwart.processes import api_call
from torwart.processes.api_call import slug
from torwart.processes.definition import Process, catalogue
from torwart.services import order as orders
from torwart.services.interface import VERSIONS

SIDES = {
    Side.OURS: Words("Unsere", "Ours"),
    Side.GATEWAY: Words("Beim Gateway", "The gateway's"),
    Side.CLIENT: Words("Bei der Anfrage", "The request's"),
    Side.CA: Words("Bei der Zertifizierungsstelle", "The certification authority's"),
    Side.NETWORK: Words("Im Netz", "The network's"),
    Side.EMT: Words("Beim Marktteilnehmer", "The market participant's"),
}
RETRIES = {
    Retry.NEVER: Words(
        "Wiederholen hilft nicht.",
        "Repeating does not help.",
    ),
    Retry.LATER: Words(
        "Dieselbe Anfrage kann später gelingen. Wiederholen Sie sie mit demselben Schlüssel.",
        "The same request can succeed later. Repeat it with the same key.",
    ),
    Retry.AFTER_CHANGE: Words(
        "Ändern Sie die Anfrage oder was ihr entgegensteht, dann kann sie gelingen.",
        "Change the request, or what stands against it; then it can succeed.",
    ),
}


def description(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1."""
    return HttpResponse(json.dumps(api.get_openapi_schema(), default=str), content_type="application/json")


def bdew_description(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1 of the BDEW dialect."""
    return HttpResponse(json.dumps(bdew.get_openapi_schema(), default=str), content_type="application/json")


def page(request: HttpRequest) -> HttpResponse:
    """The manual: how to call, every operation with its fields, what does not come this way and why."""
    found = catalogue().values()
    context = {
        "version": VERSIONS[-1],
        "operations": [_operation(process) for process in found if process.over_interface],
        "bdew": [(process.code, process.words, f"/bdew/v1/{slug(process.name)}") for process in offered()],
        "refused": [
            (process.code, process.words, process.not_over_interface, orders.form_url(process.name))
            for process in found
            if not process.over_interface and process.over_form
        ],
    }
    return render(request, "emt_api/documentation.html", context)


def problem_page(request: HttpRequest, code: str) -> HttpResponse:
    """Meaning, cure, whose fault and contact for one kind of refusal."""
    kind = KINDS.get(code)
    if kind is None:
        raise Http404
    context = {"kind": kind, "side": SIDES[kind.side], "cure": RETRIES[kind.retry], "status": _status(code)}
    return render(request, "emt_api/problem.html", context)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem.respond(request, NOT_FOUND(what=request.path[:100]))


def failed(request: HttpRequest) -> HttpResponse:
    return problem.plain(request, 500, str(getattr(request, "request_id", "")))


def _status(code: str) -> int:
    return problem.status_of(KINDS[code]())


def _operation(process: Process) -> dict[str, Any]:
    body = order_body(process).model_json_schema()
    required = set(body.get("required", ()))
    call, url = api_call.example(process), settings.TORWART_API_URL
    return {
        "process": process,
        "path": call.path,
        "rows": [(field, field.name in required) for field in process.fields],
        "calls": [("JSON", call.json), ("curl", call.curl(url)), ("Python", call.python(url))],
    }
