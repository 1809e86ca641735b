"""Pages of no face: a no in each form, accessibility, and the catalogue of components."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from torwart.faces._design.catalogue import specimens


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The one answer to what does not exist, what is another's, and what a role may not see (P-1)."""
    return render(request, "design/not_found.html", status=404)


def refused(request: HttpRequest, exception: Exception | None = None, *, outside: bool = False) -> HttpResponse:
    """403: not from here (``outside`` the provider's site), or not at all."""
    return render(request, "design/refused.html", {"outside": outside}, status=403)


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """429: a limit of attempts is reached."""
    return render(request, "design/too_many.html", status=429)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was not ours, or lay open too long."""
    return render(request, "design/stale.html", status=403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: not even the request can be read; nothing of it is used."""
    return HttpResponse(render_to_string("design/failed.html", {"status": 400}), status=400)


def failed(request: HttpRequest) -> HttpResponse:
    """500: our fault. Needs neither database nor session, for they may be what is broken."""
    return HttpResponse(render_to_string("design/failed.html", {"status": 500}), status=500)


def accessibility(request: HttpRequest) -> HttpResponse:
    """What we promise about accessibility and where to report a barrier."""
    return render(request, "design/accessibility.html")


def catalogue(request: HttpRequest) -> HttpResponse:
    """Every component, in the test environment only."""
    if settings.TORWART_ENVIRONMENT != "test":
        raise Http404
    context: dict[str, Any] = specimens(request)
    return render(request, "design/catalogue.html", context)
