"""Addresses of the portal, below ``/portal/``."""

from django.urls import URLPattern, path

app_name = "portal"
urlpatterns: list[URLPattern] = []
__all__ = ["path"]
