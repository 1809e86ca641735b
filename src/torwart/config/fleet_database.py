"""A named database beside the installation's own, on the same server: made, migrated, filled in bulk, dropped."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.apps import apps
from django.db import connection
from psycopg import sql

from torwart.config.installation import database_url, django_setup, release_database
from torwart.kernel.refusals.sim import FLEET_DATABASE


@contextmanager
def opened(name: str) -> Iterator[str]:
    """Django on the database ``name``, which is made and migrated if need be and stays; yields its URL."""
    from django.db import connections

    url = beside(database_url(), name)
    try:
        with psycopg.connect(beside(url, "postgres"), autocommit=True) as server:
            known = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not known:
            create(url)
        migrate(url)
        yield url
        connections.close_all()
    finally:
        release_database()


def create(url: str) -> None:
    """Make the database of ``url`` anew, empty; what a killed process has left under this name is dropped."""
    drop(url)
    with psycopg.connect(beside(url, "postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_name(url))))


def migrate(url: str) -> None:
    """Bring Django up on ``url``, with all migrations of the web applied."""
    from django.core.management import call_command

    django_setup(url, migrated=False, web=True)
    call_command("migrate", interactive=False, verbosity=0)


def drop(url: str) -> None:
    """Drop the database of ``url``, whoever is still connected."""
    with psycopg.connect(beside(url, "postgres"), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_name(url))))


def _name(url: str) -> str:
    return urlsplit(url).path.lstrip("/")


def beside(url: str, name: str) -> str:
    """The same server's database of another name."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


# --- filling ----------------------------------------------------------------------------------------------------------


def require_empty() -> None:
    """Refuses (``sim.fleet_database``) a database in which anything has been stored."""
    for model in apps.get_app_config("store").get_models():
        if model.objects.exists():  # type: ignore[attr-defined]
            raise FLEET_DATABASE(name=connection.settings_dict["NAME"], what=model._meta.verbose_name_plural)


_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
  FROM pg_index AS i JOIN pg_class AS t ON t.oid = i.indrelid
 WHERE t.relname LIKE 'store\\_%' AND NOT i.indisunique
"""


@contextmanager
def in_bulk() -> Iterator[None]:
    """For this transaction: nobody looks up what rows refer to, no audit entry waits for the link it gets here, and
    indexes are made and certificates counted at the end in one go.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica; SET LOCAL maintenance_work_mem = '256MB'")
        cursor.execute(_INDEXES)
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        for _, statement in indexes:
            cursor.execute(statement)
        cursor.execute("SELECT store_recount_certificates()")
        cursor.execute("SET LOCAL session_replication_role = origin")


def set_sequences() -> None:
    """Ids were given by us; the next row of anybody else comes behind them."""
    with connection.cursor() as cursor:
        for model in apps.get_app_config("store").get_models():
            if model._meta.pk.name == "id" and model._meta.auto_field is not None:
                table = model._meta.db_table
                sql = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"  # noqa: S608
                cursor.execute(sql)
