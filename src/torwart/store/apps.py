"""The one Django app that remembers."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created

_PREPARED = 1000
"""Statements a connection keeps prepared; the driver's own hundred are fewer than a worker has."""


class StoreConfig(AppConfig):
    name = "torwart.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        connection_created.connect(_keep_prepared, dispatch_uid="torwart.store.prepared")
        if getattr(settings, "TORWART_PLAN_AFRESH", False):
            connection_created.connect(_plan_afresh, dispatch_uid="torwart.store.plans")


def _keep_prepared(connection: Any, **_: Any) -> None:
    connection.connection.prepared_max = _PREPARED


def _plan_afresh(connection: Any, **_: Any) -> None:
    """Every statement is planned for the values it is asked with, not once for all of them."""
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_custom_plan")
