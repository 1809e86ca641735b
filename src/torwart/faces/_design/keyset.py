"""Lists of any length page by page, without counting and without OFFSET: the next page begins after the last row seen.

``page(rows, order=("-created_at", "-id"), at=request.GET.get("seite"))`` needs an index on the columns of ``order``;
the last of them must be unique. What stands in the address is sealed: whoever could read row numbers in it would learn
from two of them how much happened in between for others (P-1).
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

SIZE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page; ``next`` and ``previous`` are the ``?seite=`` of the neighbours, empty where there is none."""

    rows: list[Any]
    next: str
    previous: str


def page(rows: QuerySet[Any], *, order: Sequence[str], at: str | None = None, size: int = SIZE) -> Page:
    """One page of ``rows``: one query, whatever the depth. A page token that is not ours shows the first page."""
    place = _read(at, len(order))
    back = place is not None and place[0] == "<"
    columns = [_flipped(column) for column in order] if back else list(order)
    if place is not None:
        rows = rows.filter(_after(columns, place[1]))
    found = list(rows.order_by(*columns)[: size + 1])
    more, found = len(found) > size, found[:size]
    if back:
        found.reverse()
    ahead, behind = (bool(found), more) if back else (more, place is not None)
    return Page(
        found,
        next=_write(">", found[-1], order) if ahead and found else "",
        previous=_write("<", found[0], order) if behind and found else "",
    )


def _flipped(column: str) -> str:
    return column[1:] if column.startswith("-") else f"-{column}"


def _after(columns: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows behind ``values``: beyond in the first column, or equal there and beyond in the next, and so on."""
    beyond, equal = Q(), Q()
    for column, value in zip(columns, values, strict=True):
        name = column.lstrip("-")
        beyond |= equal & Q(**{f"{name}__{'lt' if column.startswith('-') else 'gt'}": value})
        equal &= Q(**{name: value})
    first = columns[0].lstrip("-")  # said again so that the index of the first column is used
    return Q(**{f"{first}__{'lte' if columns[0].startswith('-') else 'gte'}": values[0]}) & beyond


def _write(direction: str, row: Any, order: Sequence[str]) -> str:
    values = [_plain(_value(row, column.lstrip("-"))) for column in order]
    text = json.dumps([direction, values], separators=(",", ":"))
    return base64.urlsafe_b64encode(_cipher().encrypt(text.encode(), None)).decode().rstrip("=")


@cache
def _cipher() -> AESSIV:
    """The same place gives the same mark (RFC 5297)."""
    return AESSIV(hashlib.sha256(b"torwart.keyset " + str(settings.SECRET_KEY).encode()).digest())


def _value(row: Any, name: str) -> Any:
    for part in name.split("__"):
        row = row[part] if isinstance(row, dict) else getattr(row, part)
    return row


def _plain(value: Any) -> Any:
    return {"at": value.isoformat()} if isinstance(value, datetime) else value


def _read(token: str | None, width: int) -> tuple[str, list[Any]] | None:
    try:
        padded = (token or "").encode() + b"=" * (-len(token or "") % 4)
        direction, values = json.loads(_cipher().decrypt(base64.urlsafe_b64decode(padded), None))
        plain = [_valued(value) for value in values]
    except (InvalidTag, ValueError, TypeError, AttributeError, KeyError):
        return None
    return (direction, plain) if direction in ("<", ">") and len(plain) == width else None


def _valued(value: Any) -> Any:
    if isinstance(value, dict):
        at = parse_datetime(value["at"])
        if at is None or at.tzinfo is None:
            raise ValueError("no instant")
        return at
    if isinstance(value, int | str) and "\0" not in str(value):
        return value
    raise ValueError("no key")
