"""What people read about the interface: its description, its pages in the portal's dress, one page for each refusal.

The pages belong to the web, where no certificate is asked for; they show nothing of any client.
"""

import json
import re
from itertools import groupby
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from torwart.faces.emt_api import problem
from torwart.faces.emt_api.api import api
from torwart.faces.emt_api.bdew.api import api as bdew
from torwart.faces.emt_api.bdew.order import offered
from torwart.faces.emt_api.reference import reference
from torwart.faces.emt_api.schema import order_body
from torwart.kernel.refusals import KINDS, Kind, Retry, Side
from torwart.kernel.refusals.interface import NOT_FOUND
from torwart.kernel.words import Words
from torwart.processes import api_call
from torwart.processes.api_call import slug
from torwart.processes.definition import Process, catalogue
from torwart.rules.sandbox import ABOUT
from torwart.services import order as orders
from torwart.services.interface import KEYS_KEPT, VERSIONS
from torwart.services.interface_event import KEPT

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


@require_safe
def description(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1."""
    return HttpResponse(json.dumps(api.get_openapi_schema(), default=str), content_type="application/json")


@require_safe
def bdew_description(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1 of the BDEW dialect."""
    return HttpResponse(json.dumps(bdew.get_openapi_schema(), default=str), content_type="application/json")


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The manual: how to call, every operation with its fields, what does not come this way and why."""
    found, url = catalogue().values(), settings.TORWART_API_URL
    context = {
        "version": VERSIONS[-1],
        "url": url,
        "hello": api_call.hello(url),
        "verify": api_call.verifying(["whpk_…"]),
        "curl_events": f'curl "{url}/v1/events?wait=30s" {api_call.CURL}',
        "calls": settings.TORWART_API_RATE[0],
        "seconds": round(settings.TORWART_API_RATE[1]),
        "key_days": KEYS_KEPT.days,
        "event_days": KEPT.days,
        "sandbox": list(ABOUT.items()) if settings.TORWART_SANDBOX else (),
        "operations": [_operation(process) for process in found if process.over_interface],
        "bdew": [(process.code, process.words, f"/bdew/v1/{slug(process.name)}") for process in offered()],
        "refused": [
            (process.code, process.words, process.not_over_interface, orders.form_url(process.name))
            for process in found
            if not process.over_interface and process.over_form
        ],
    }
    return render(request, "emt_api/documentation.html", context)


@require_safe
def reference_page(request: HttpRequest) -> HttpResponse:
    """The description as a page: every operation, every type."""
    calls, kinds = reference()
    return render(request, "emt_api/reference.html", {"version": VERSIONS[-1], "calls": calls, "kinds": kinds})


@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """The closed list of refusals, by subject."""
    listed = sorted(KINDS.values(), key=lambda kind: kind.code)
    rows = [(kind.code, _status(kind.code), SIDES[kind.side], _said(kind)) for kind in listed]
    subjects = [(name, list(group)) for name, group in groupby(rows, lambda row: row[0].partition(".")[0])]
    return render(request, "emt_api/problems.html", {"subjects": subjects})


@require_safe
def problem_page(request: HttpRequest, code: str) -> HttpResponse:
    """Meaning, cure, whose fault and contact for one kind of refusal."""
    kind = KINDS.get(code)
    if kind is None:
        raise Http404
    context = {
        "code": code,
        "words": _said(kind),
        "side": SIDES[kind.side],
        "cure": RETRIES[kind.retry],
        "source": kind.source,
        "status": _status(code),
    }
    return render(request, "emt_api/problem.html", context)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem.respond(request, NOT_FOUND(what=request.path[:100]))


def failed(request: HttpRequest) -> HttpResponse:
    return problem.plain(request, 500, str(getattr(request, "request_id", "")))


def _said(kind: Kind) -> Words:
    """What a refusal of this kind says; what is different each time is left open."""
    return Words(*(re.sub(r"\{\w+\}", "…", text) for text in (kind.words.de, kind.words.en)))


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
        "calls": [("JSON", call.json), ("curl", call.curl(url, str(uuid4()))), ("Python", call.python(url))],
    }
