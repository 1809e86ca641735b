"""The design as a Django app: templates, components, static files."""

from django.apps import AppConfig


class Design(AppConfig):
    name = "torwart.faces._design"
    label = "design"
