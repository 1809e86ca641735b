"""Fixtures shared by all tests."""

import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connections, transaction
from hypothesis import settings

import torwart.store
from torwart.adapters.database import embedded, stop
from torwart.config.installation import django_setup
from torwart.sim.pki import TestPki

# How long an example takes is the machine's affair; what is measured is measured by benchmarks.
settings.register_profile("truth", deadline=None)
settings.load_profile("truth")

_SERVER = Path(f"/var/tmp/torwart-tests-{os.geteuid()}")
_numbers = count()

# Models can be imported from here on; where the data is, the fixtures below decide.
os.environ.setdefault("TORWART_SECRET_KEY", "only for tests")
django_setup("postgresql:///unused", migrated=False, web=True)


@pytest.fixture(scope="session")
def pki() -> TestPki:
    """One test PKI for the whole session, made at the real present so that foreign tools accept it.

    Tests that revoke or suspend make their own (``TestPki.create``), so that no test sees another's revocations.
    """
    return TestPki.create(datetime.now(UTC))


OpenSsl = Callable[..., bytes]


@pytest.fixture(scope="session")
def openssl() -> OpenSsl:
    """The system's ``openssl`` command as foreign judge: arguments and stdin in, stdout out; failure fails the test."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> bytes:
        command = ["openssl", *map(str, arguments)]
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.decode(errors='replace')}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    """One embedded PostgreSQL for all test processes, kept between runs; answers a URL to put a name into."""
    url = embedded(_SERVER, durable=False).replace("@/torwart", "@/{}")
    with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(1)")
        _drop_leftovers(connection)
        _make_template(connection, url)
    yield url
    connections.close_all()
    stop(_SERVER)


@cache
def _template() -> str:
    root = Path(torwart.store.__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*root.glob("migrations/*.py"), *root.glob("sql/*.sql"), root / "schema.py"]):
        digest.update(path.read_bytes())
    for app in apps.get_app_configs():  # of others' apps the names of the migrations say what is new
        digest.update(app.name.encode())
        for path in sorted(Path(app.path).glob("migrations/*.py")):
            digest.update(path.name.encode())
    return f"template_{digest.hexdigest()[:16]}"


def _make_template(connection: psycopg.Connection[tuple[object, ...]], url: str) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_template()]).fetchone():
        return
    connection.execute("DROP DATABASE IF EXISTS template_fresh WITH (FORCE)")
    connection.execute("CREATE DATABASE template_fresh")
    django_setup(url.format("template_fresh"), migrated=False)
    call_command("migrate", verbosity=0)
    connections.close_all()
    connection.execute(f"ALTER DATABASE template_fresh RENAME TO {_template()}")


def _drop_leftovers(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Databases of killed test processes, and templates of schemas long changed."""
    old = "SELECT datname FROM pg_database WHERE datname LIKE 'template!_%' ESCAPE '!' ORDER BY oid DESC OFFSET 4"
    for (name,) in connection.execute(old).fetchall():
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall():
        match = re.fullmatch(r"test_([0-9]+)_[0-9]+", str(name))
        if match and not _runs(int(match[1])):
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _cloned(server: str) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {_template()}")
        yield server.format(name)
        connections.close_all()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def _session_database(database_server: str) -> Iterator[str]:
    yield from _cloned(database_server)


@pytest.fixture(scope="session")
def _committed_database(database_server: str) -> Iterator[str]:
    yield from _cloned(database_server)


@pytest.fixture(scope="session")
def stage_database(database_server: str) -> Iterator[str]:
    """A migrated, empty database for one whole installation of real processes; answers its URL."""
    yield from _cloned(database_server)


@pytest.fixture(scope="module")
def stage_database_apart(database_server: str) -> Iterator[str]:
    """The same for a module that wants an installation of its own."""
    yield from _cloned(database_server)


@pytest.fixture
def db(_session_database: str) -> Iterator[None]:
    """Django on a migrated database; what the test writes is rolled back."""
    django_setup(_session_database, migrated=False)
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def own_database(_committed_database: str) -> Iterator[str]:
    """Django on a migrated, empty database for what needs commits, threads or processes; answers its URL."""
    django_setup(_committed_database, migrated=False)
    with psycopg.connect(_committed_database, autocommit=True) as connection:
        before = _tables(connection)
        yield _committed_database
        connections.close_all()
        _restore(connection, before)


def _tables(connection: psycopg.Connection[tuple[object, ...]]) -> dict[str, bool]:
    """Every table and whether it has rows."""
    sql = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'absurd')"
    names = [str(name) for (name,) in connection.execute(sql)]
    return {name: connection.execute(f"SELECT 1 FROM {name} LIMIT 1").rowcount == 1 for name in names}


def _restore(connection: psycopg.Connection[tuple[object, ...]], before: dict[str, bool]) -> None:
    """Leave no session and no new row or table; deleting is much cheaper than making files for a new clone."""
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    connection.execute("SET session_replication_role = replica")  # no foreign keys, no append-only
    for table, filled in _tables(connection).items():
        if table not in before:
            connection.execute(f"DROP TABLE {table}")
        elif filled and not before[table]:
            connection.execute(f"DELETE FROM {table}")
