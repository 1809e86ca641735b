"""Single prepared statements, for what every run does many times: there the ORM costs several times the statement."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models

Row = tuple[Any, ...]
M = TypeVar("M", bound=models.Model)


def rows(sql: str, parameters: Mapping[str, Any]) -> list[Row]:
    """Run one statement in the calling thread's transaction; its rows if it answers any. JSON comes as text."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def changed(sql: str, parameters: Mapping[str, Any]) -> int:
    """Run one statement; how many rows it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def insert(made: Sequence[models.Model]) -> list[int]:
    """Write rows of one model, at least one, as they stand; their ids in the same order. No signals, no defaults of
    the database.
    """
    model = type(made[0])
    fields, jsons = _written(model)
    values = [[getattr(row, name) for name in fields] for row in made]
    for line in values:
        for index in jsons:
            line[index] = json.dumps(line[index])
    with connection.cursor() as cursor:
        cursor.execute(_insertion(model, len(values)), [value for line in values for value in line])
        return [int(pk) for (pk,) in cursor.fetchall()]


@cache
def _insertion(model: type[models.Model], count: int) -> str:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    names = ", ".join(f'"{field.column}"' for field in fields)
    line = f"({', '.join(['%s'] * len(fields))})"
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES {", ".join([line] * count)} RETURNING id'  # noqa: S608


@cache
def _written(model: type[models.Model]) -> tuple[list[str], list[int]]:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    return [field.attname for field in fields], [i for i, f in enumerate(fields) if isinstance(f, models.JSONField)]


@cache
def columns(model: type[models.Model]) -> str:
    """The columns of a model, in the order ``made`` takes them."""
    return ", ".join(f'{model._meta.db_table}."{field.column}"' for field in model._meta.concrete_fields)


def made(model: type[M], row: Sequence[Any]) -> M:
    """The model's row as the ORM would have made it, from values in the order of ``columns``."""
    names, jsons = _names(model)
    values = list(row)
    for index in jsons:
        values[index] = json.loads(values[index])
    return model.from_db(connection.alias, names, values)


@cache
def _names(model: type[models.Model]) -> tuple[list[str], list[int]]:
    fields = model._meta.concrete_fields
    jsons = [index for index, field in enumerate(fields) if isinstance(field, models.JSONField)]
    return [field.attname for field in fields], jsons
