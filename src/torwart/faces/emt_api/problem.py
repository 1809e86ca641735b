"""Refusals as problem documents (RFC 9457): one translation for the whole interface.

``type`` is the address of a page about that kind of refusal (meaning, cure, whose fault, contact); ``errors`` lists
what is wrong field by field with JSON pointers (RFC 6901) into the request's body.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from torwart.kernel.refusals import Kind, Refusal, Retry, Side
from torwart.kernel.refusals.interface import BODY_INVALID

MEDIA_TYPE = "application/problem+json"
_MOST_ERRORS = 100
_STATUS: Mapping[str, int] = {
    "interface.peer_unproven": 401,
    "interface.peer_not_coupled": 403,
    "interface.suspended": 403,
    "order.not_over_interface": 403,
    "interface.key_missing": 400,
    "interface.version_unknown": 400,
    "bdew.header": 400,
    "bdew.creation_time": 400,
    "bdew.no_address": 403,
    "bdew.address_taken": 409,
    "interface.cursor_invalid": 400,
    "interface.not_found": 404,
    "order.unknown": 404,
    "sandbox.gateway_unknown": 404,
    "interface.key_reused": 409,
    "interface.key_in_progress": 409,
    "order.open": 409,
    "order.grace_over": 409,
    "order.not_cancellable": 409,
    "order.nothing_proposed": 409,
    "state.not_allowed": 409,
    "contact.client_not_active": 403,
    "interface.too_many_calls": 429,
}
_TITLES: Mapping[int, tuple[str, str]] = {
    400: ("Unbrauchbare Anfrage", "Unusable request"),
    401: ("Nicht ausgewiesen", "Not identified"),
    403: ("Nicht erlaubt", "Not allowed"),
    404: ("Nicht gefunden", "Not found"),
    405: ("Methode nicht erlaubt", "Method not allowed"),
    409: ("Geht im jetzigen Zustand nicht", "Not possible in the present state"),
    413: ("Anfrage zu groß", "Request too large"),
    415: ("Medientyp nicht unterstützt", "Media type not supported"),
    422: ("Angaben abgelehnt", "Request refused"),
    429: ("Zu viele Anfragen", "Too many requests"),
    500: ("Fehler bei uns", "Fault on our side"),
    503: ("Zurzeit nicht verfügbar", "Not available at present"),
}


class Invalid(Exception):
    """Several refusals of one request, by JSON pointer (``""``: the request as a whole)."""

    def __init__(self, errors: list[tuple[str, Refusal]]) -> None:
        super().__init__(errors)
        self.errors = errors


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal: 422 where the request is at fault, 503 where we are."""
    if refusal.code in _STATUS:
        return _STATUS[refusal.code]
    if refusal.side is Side.OURS:
        return 503 if refusal.kind.retry is Retry.LATER else 500
    return 422


def language_of(request: HttpRequest) -> str:
    """``en`` where Accept-Language prefers it, else ``de``."""
    return "en" if request.headers.get("Accept-Language", "").strip().lower().startswith("en") else "de"


def respond(request: HttpRequest, found: Refusal | Invalid, *, status: int = 0) -> HttpResponse:
    """The problem document for a refusal, or for several at once (the first decides). ``status``: not the usual one."""
    errors = found.errors if isinstance(found, Invalid) else [("", found)]
    first = next((refusal for pointer, refusal in errors if not pointer), errors[0][1])
    status, language = status or status_of(first), language_of(request)
    document = {
        **_head(request, status, first.kind, language),
        "detail": first.text(language),
        "code": first.code,
        "side": first.side.value,
        "retry": first.kind.retry.value,
    }
    if isinstance(found, Invalid):
        document["errors"] = [
            {
                "pointer": f"#{pointer}",
                "code": refusal.code,
                "detail": refusal.text(language),
                "type": page(refusal.code),
            }
            for pointer, refusal in errors
        ]
    response = _response(document, status)
    if "wait" in first.details:
        response["Retry-After"] = str(first.details["wait"])
    elif first.kind.retry is Retry.LATER:
        response["Retry-After"] = "1"
    return response


def unfit(errors: Sequence[Mapping[str, Any]]) -> Invalid:
    """What does not fit the description, each by its JSON pointer; ``errors`` as pydantic lists them, the first of them
    where somebody sends ten thousand.
    """
    found = []
    for each in errors[:_MOST_ERRORS]:
        source, *place = each["loc"]
        if source == "body" and place and place[0] == "body":  # ninja names the argument
            place = place[1:]
        where = pointer(*place) if source == "body" else f"?{'/'.join(str(part) for part in place)}"
        found.append((where, BODY_INVALID(why=f"{each['msg']}"[:200])))
    return Invalid(found or [("", BODY_INVALID(why="?"))])


def plain(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    """A problem no refusal stands for: an unknown address, a wrong method, a fault of ours."""
    return _response({**_head(request, status, None, language_of(request)), "detail": detail}, status)


def page(code: str) -> str:
    """Where a person reads what a kind of refusal means; on the portal, where no certificate is asked for."""
    return f"{settings.TORWART_PORTAL_URL}/schnittstelle/probleme/{code}"


def pointer(*parts: Any) -> str:
    """A JSON pointer; ``~`` and ``/`` within a part are escaped (RFC 6901 §3)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def _head(request: HttpRequest, status: int, kind: Kind | None, language: str) -> dict[str, Any]:
    german, english = _TITLES.get(status, _TITLES[500])
    return {
        "type": page(kind.code) if kind else "about:blank",
        "title": english if language == "en" else german,
        "status": status,
        "instance": f"urn:uuid:{getattr(request, 'request_id', '')}",
    }


def _response(document: Mapping[str, Any], status: int) -> HttpResponse:
    return HttpResponse(json.dumps(document, ensure_ascii=False), status=status, content_type=MEDIA_TYPE)
