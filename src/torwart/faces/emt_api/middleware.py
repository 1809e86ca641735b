"""Around every call: who calls, how often, in which version, what went wrong, and the line in the log."""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error
from django.http import HttpRequest, HttpResponse, RawPostDataException
from django.utils.http import http_date

from torwart.faces.emt_api import problem
from torwart.faces.emt_api import token as tokens
from torwart.faces.emt_api.problem import Invalid
from torwart.faces.emt_api.rate import RateLimit, Standing
from torwart.faces.emt_api.reading import MEDIA_TYPE, readable
from torwart.kernel.refusals import Refusal
from torwart.services import interface, present
from torwart.wire.peer_proof import PEER, peer_of

_log = logging.getLogger("torwart.interface")
_OPEN = ("/v1/openapi.json", "/bdew/v1/openapi.json")
"""What anybody who reached this process may read: the description, no data."""
_ORDER = re.compile(r"/v1/operations/(A-[0-9]{9})(?:/|$)")
Respond = Callable[[HttpRequest], HttpResponse]


class Interface:
    """Django middleware. Sets ``request.request_id``, ``request.peer`` and ``request.version``.

    ``request.about``, set by a view, is the address of what came of a call where no header says it.
    """

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        limit, seconds = settings.TORWART_API_RATE
        self._rate = RateLimit(limit, seconds)

    def __call__(self, request: Any) -> HttpResponse:
        request.request_id = uuid.uuid4()
        began, request.now = time.monotonic(), present.now()
        standing: Standing | None = None
        try:
            if request.path == tokens.PATH:
                self._rate.take(tokens.PATH)
            elif request.path not in _OPEN:
                self._identify(request)
                standing = self._rate.take(request.peer.client)
                request.version = interface.pin(request.peer, request.headers.get("Torwart-Version"))
            fits = request.path == tokens.PATH or readable(request)
            response = self._respond(request) if fits else problem.plain(request, 415, MEDIA_TYPE)
            if response.status_code >= 400 and "json" not in response.get("Content-Type", ""):
                response = _as_problem(request, response)
        except (Refusal, Invalid) as refused:
            response = problem.respond(request, refused)
        self._finish(request, response, standing)
        self._keep(request, response, began)
        return response

    def process_exception(self, request: Any, error: Exception) -> HttpResponse | None:
        """Views raise refusals; anything else is a fault of ours, told without detail and logged with it."""
        if isinstance(error, Refusal | Invalid):
            return problem.respond(request, error)
        if isinstance(error, RequestDataTooBig):
            return problem.plain(request, 413, "1 MiB")
        _log.exception("call %s failed", request.request_id)
        return problem.plain(request, 503 if isinstance(error, Error) else 500, str(request.request_id))

    def _identify(self, request: Any) -> None:
        headers, real = {name.lower(): value for name, value in request.headers.items()}, present.real()
        if PEER not in headers and (name := tokens.bearer(request)) is not None:  # no front that knows certificates
            self._rate.take(name)
            request.peer = interface.named(name)
            return
        der = peer_of(
            settings.TORWART_API_SECRET,  # type: ignore[misc]  # of the interface's own settings
            method=request.method,
            path=request.path_info,
            query=request.META.get("QUERY_STRING", ""),
            headers=headers,
            now=real.timestamp(),
        )
        self._rate.take(der)  # whoever it is: a certificate coupled with nobody is not asked about for ever either
        request.peer = interface.peer(der, real)

    def _finish(self, request: Any, response: HttpResponse, standing: Standing | None) -> None:
        response["X-Request-Id"] = str(request.request_id)
        response["Cache-Control"] = response.get("Cache-Control", "no-store")
        response["X-Content-Type-Options"] = "nosniff"
        if hasattr(request, "version"):
            response["Torwart-Version"] = request.version
            if (retired := interface.retired(request.version)) is not None:
                response["Deprecation"] = f"@{int(retired[0].timestamp())}"  # RFC 9745
                response["Sunset"] = http_date(retired[1].timestamp())  # RFC 8594
        if standing is not None:
            response["RateLimit-Limit"] = str(standing.limit)
            response["RateLimit-Remaining"] = str(standing.remaining)
            response["RateLimit-Reset"] = str(standing.reset)

    def _keep(self, request: Any, response: HttpResponse, began: float) -> None:
        """The log of what was done; polling that found nothing to complain about is not worth a row."""
        caller = getattr(request, "peer", None)
        if caller is None or (request.method == "GET" and response.status_code < 400):
            return
        answered = response.content.decode("utf-8", "replace") if not response.streaming else ""
        try:
            interface.log(
                caller,
                request_id=request.request_id,
                at=request.now,
                method=request.method,
                path=request.get_full_path(),
                key=_key(request.headers),
                status=response.status_code,
                code=_code(response, answered),
                milliseconds=round((time.monotonic() - began) * 1000),
                asked=_asked(request),
                answered=answered,
                subject=_order(response.get("Location", "") or getattr(request, "about", "")) or _order(request.path),
            )
        except Error:
            _log.exception("call %s is not in the interface log", request.request_id)


def _as_problem(request: Any, response: HttpResponse) -> HttpResponse:
    """What Django answers by itself: an unknown address, a wrong method."""
    made = problem.plain(request, response.status_code, f"{request.method} {request.path[:100]}")
    if "Allow" in response:
        made["Allow"] = response["Allow"]
    return made


def _key(headers: Mapping[str, str]) -> str:
    """What a repeat goes by, in either dialect."""
    names = ("Idempotency-Key", "initialTransactionId", "transactionId")
    return next((headers[name] for name in names if headers.get(name)), "")


def _asked(request: Any) -> str:
    """The body as the log keeps it; empty where it was too large or broke off."""
    try:
        return str(request.body.decode("utf-8", "replace"))
    except (RequestDataTooBig, RawPostDataException, OSError):
        return ""


def _order(path: str) -> str:
    """The number of the order an address is about."""
    found = _ORDER.match(path)
    return found[1] if found else ""


def _code(response: HttpResponse, answered: str) -> str:
    if response.get("Content-Type") != problem.MEDIA_TYPE:
        return ""
    return str(json.loads(answered).get("code", ""))
