"""The database: embedded by default, or any PostgreSQL from version 15 by ``TORWART_DATABASE_URL`` (design D1)."""

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from torwart.adapters.database.embedded import binary, embedded, stop
from torwart.kernel.refusals.database import DATABASE_TOO_OLD, DATABASE_UNREACHABLE, DATABASE_URL_MALFORMED

LEAST_VERSION = 15

__all__ = ["LEAST_VERSION", "binary", "check", "embedded", "parameters", "stop"]


def parameters(url: str) -> dict[str, Any]:
    """The parts of a PostgreSQL URL by libpq's names; raises ``Refusal`` ``database.url_malformed``."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise DATABASE_URL_MALFORMED(why=_one_line(error)) from error
    if not url.startswith(("postgresql://", "postgres://")) or not parts.get("dbname"):
        raise DATABASE_URL_MALFORMED(why="postgresql://user@host/name")
    return parts


def check(url: str) -> int:
    """Connect once and return the server's major version.

    Raises ``Refusal`` ``database.url_malformed``, ``database.unreachable`` or ``database.too_old``; none of them
    repeats the password of the URL.
    """
    parameters(url)
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            major = connection.info.server_version // 10_000
    except psycopg.OperationalError as error:
        raise DATABASE_UNREACHABLE(why=_one_line(error)) from error
    if major < LEAST_VERSION:
        raise DATABASE_TOO_OLD(version=major, least=LEAST_VERSION)
    return major


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
