"""Statements of the engine on the calling thread's Django connection, so that they join its transaction."""

from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from django.db import OperationalError, connection, transaction

from torwart.ports.clock import Clock

Row = tuple[Any, ...]
T = TypeVar("T")

_CLASH = ("40001", "40P01")  # serialization failure, deadlock: the server undid everything, so once more is safe
_CLASH_TRIES = 5


def fetch(sql: str, parameters: dict[str, Any], clock: Clock | None = None) -> list[Row]:
    """Run one prepared statement and return its rows.

    With a ``clock`` the statement runs at its instant: absurd reads its session setting instead of the time.
    Raises the driver's errors (``psycopg.Error``).
    """
    if clock is None:
        return _fetch(sql, parameters)
    with transaction.atomic():
        _fetch("SELECT set_config('absurd.fake_now', %(now)s, true)", {"now": clock.now().isoformat()})
        return _fetch(sql, parameters)


def _fetch(sql: str, parameters: dict[str, Any]) -> list[Row]:
    connection.ensure_connection()
    driver: psycopg.Connection[Any] = connection.connection
    cursor = psycopg.Cursor(driver)
    cursor.execute(sql, parameters, prepare=True)
    return cursor.fetchall() if cursor.description else []


def untouched() -> bool:
    """Whether the open ``atomic`` block has sent nothing yet and nothing waits for its commit."""
    driver = connection.connection
    idle = driver is None or driver.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    return idle and not connection.run_on_commit


def without_clash(do: Callable[[], T]) -> T:
    """``do``, a whole transaction, repeated if the server had to choose it as the victim of a deadlock."""
    for _ in range(_CLASH_TRIES - 1):
        try:
            return do()
        except (OperationalError, psycopg.OperationalError) as error:
            if sqlstate(error) not in _CLASH:
                raise
    return do()


def sqlstate(error: BaseException) -> str | None:
    """The server's code for an error, whether Django has wrapped it or not."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


def is_lost() -> bool:
    """Whether this thread's connection is gone; if so it is closed, and the next statement opens another."""
    driver = connection.connection
    if driver is not None and (driver.closed or driver.broken):
        connection.close()
        return True
    return driver is None
