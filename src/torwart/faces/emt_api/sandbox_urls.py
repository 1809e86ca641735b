"""Addresses of the interface in a sandbox: those there are everywhere, and the sandbox's own."""

from django.urls import path

from torwart.faces.emt_api import sandbox, urls
from torwart.faces.emt_api.api import answering
from torwart.faces.emt_api.urls import handler404, handler500

__all__ = ["handler404", "handler500", "urlpatterns"]

api = answering("Torwart EMT–GWA interface: sandbox", "Only in the test system.", "emt_api_sandbox")
api.add_router("", sandbox.router)

urlpatterns = [path("v1/sandbox/", api.urls), *urls.urlpatterns]
