"""The one Django app that remembers."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created

_PREPARED = 1000
"""Statements a connection keeps prepared; the driver's own hundred are fewer than a worker has."""


class StoreConfig(AppConfig):
    name = "torwart.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        connection_created.connect(_keep_prepared, dispatch_uid="torwart.store.prepared")


def _keep_prepared(connection: Any, **_: Any) -> None:
    connection.connection.prepared_max = _PREPARED
