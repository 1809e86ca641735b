"""Many rows at once: PostgreSQL's ``COPY`` for models, some ten times faster than inserting row by row."""

from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.models import Model


def copy(model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows in the current transaction; columns that are not named take their default of the database.

    ``columns``: names of the table (``client_id``, not ``client``); JSON comes as text. What a constraint forbids
    raises ``IntegrityError`` and writes nothing of these rows.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    statement = f'COPY "{model._meta.db_table}" ({names}) FROM STDIN'
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copying:
        for row in rows:
            copying.write_row(row)


def next_ids(model: type[Model], count: int) -> list[int]:
    """``count`` fresh primary keys, for rows that other rows of the same copy refer to."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [pk for (pk,) in cursor.fetchall()]
