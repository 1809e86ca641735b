"""Addresses of the interface; nothing of accounts and pages is reachable beside them."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from torwart.faces.emt_api import documentation
from torwart.faces.emt_api import token as tokens
from torwart.faces.emt_api.api import api
from torwart.faces.emt_api.bdew.api import api as bdew


def _nothing(request: HttpRequest) -> HttpResponse:
    """ninja would lead from here to documentation pages that are switched off, and fail."""
    return HttpResponse(status=404)


urlpatterns = [
    path("v1/openapi.json", documentation.description),
    path("v1/oauth/token", tokens.token),
    path("v1/", _nothing),
    path("v1/", api.urls),
    path("bdew/v1/openapi.json", documentation.bdew_description),
    path("bdew/v1/", _nothing),
    path("bdew/v1/", bdew.urls),
]

handler404 = "torwart.faces.emt_api.documentation.not_found"
handler500 = "torwart.faces.emt_api.documentation.failed"
