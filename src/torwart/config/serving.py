"""Serving a Django application by WSGI: the processes that do it, and what they are told of database and settings."""

import gc
import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
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


def settle() -> None:
    """In a process that serves, when everything is loaded: tune Python for many short requests in a few threads.

    What is loaded stays, so the collector need not look at it again; and a thread whose answer from the database has
    come gets the interpreter within half a millisecond, not five – an order asks the database some twenty times.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    sys.setswitchinterval(0.0005)


def end_with_server() -> None:
    """In a process that serves: end when the one that started it is gone, also by ``kill -9``.

    Otherwise it would go on with a socket nobody manages, beside the ones of a server started anew.
    """
    server = multiprocessing.parent_process()
    if server is not None:
        threading.Thread(target=_watch, args=(server.sentinel,), name="server-watch", daemon=True).start()


def _watch(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(70)  # whoever is being answered asks again with the same key


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
