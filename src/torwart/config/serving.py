"""Serving a Django application by WSGI: the processes that do it, and what they are told of database and settings."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

APPLICATION = "torwart.config.wsgi:application"


def serve(*, workers: int, threads: int, **where: Any) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished. ``where``: ``address`` and ``port``,
    or ``uds``, the path of a unix socket.
    """
    from django.db import connections
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    connections.close_all()  # the processes that serve make their own
    Granian(
        APPLICATION,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        websockets=False,
        respawn_failed_workers=True,
        log_level=LogLevels.warning,
        **where,
    ).serve()


@contextmanager
def told(url: str, settings: str) -> Iterator[None]:
    """Processes that start now use this database and these settings (a module of ``torwart.config``)."""
    before = os.environ.get("TORWART_DATABASE_URL")
    os.environ["TORWART_DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = f"torwart.config.{settings}"
    try:
        yield
    finally:
        if before is None:
            del os.environ["TORWART_DATABASE_URL"]
