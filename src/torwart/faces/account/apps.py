"""Accounts as a Django app: templates, the table of the shared cache, and what is written down at a signal."""

from django.apps import AppConfig


class Account(AppConfig):
    name = "torwart.faces.account"
    label = "torwart_account"

    def ready(self) -> None:
        from torwart.faces.account import recording  # noqa: PLC0415, F401  connects signals; models are ready only now
