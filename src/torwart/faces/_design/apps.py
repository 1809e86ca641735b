"""The design as a Django app: templates, components, static files."""

from django.apps import AppConfig

from torwart.faces._design import sealed


class Design(AppConfig):
    name = "torwart.faces._design"
    label = "design"

    def ready(self) -> None:
        sealed.register()
