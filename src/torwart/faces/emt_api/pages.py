"""Addresses of the interface's pages in the web."""

from django.urls import path

from torwart.faces.emt_api import documentation

urlpatterns = [
    path("", documentation.page, name="interface"),
    path("openapi.json", documentation.description, name="interface_description"),
    path("openapi-bdew.json", documentation.bdew_description, name="interface_bdew"),
    path("aufrufe/", documentation.reference_page, name="interface_reference"),
    path("probleme/", documentation.problems, name="interface_problems"),
    path("probleme/<str:code>", documentation.problem_page, name="interface_problem"),
]
