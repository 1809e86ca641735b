"""Addresses of the interface; nothing of accounts and pages is reachable beside them."""

from django.urls import path

from torwart.faces.emt_api import documentation
from torwart.faces.emt_api.api import api

urlpatterns = [
    path("v1/openapi.json", documentation.description),
    path("v1/", api.urls),
]

handler404 = "torwart.faces.emt_api.documentation.not_found"
handler500 = "torwart.faces.emt_api.documentation.failed"
