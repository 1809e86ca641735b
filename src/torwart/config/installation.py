"""Where this installation keeps its things, and bringing Django up on its database.

Environment: ``TORWART_DATABASE_URL`` names an external PostgreSQL, without it the embedded one is started;
``TORWART_STATE`` names the directory of everything kept on disk (database, keys, certificates);
``TORWART_SECRET_KEY`` is the secret that signs sessions and links, without it a file in that directory; the same for
``TORWART_API_SECRET`` and ``TORWART_WEBHOOK_SECRET`` (64 hex digits each).
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.apps import apps
from django.db import connections

from torwart.adapters import database
from torwart.config import apart
from torwart.kernel.refusals.database import DATABASE_NOT_MIGRATED

_ENVIRONMENT = "TORWART_DATABASE_URL"


def state_dir() -> Path:
    """The directory of this installation's state, made if need be.

    ``TORWART_STATE``; else /var/lib/torwart for root, ``$XDG_STATE_HOME/torwart`` or ~/.local/state/torwart for
    others, and /var/tmp/torwart-<uid> where that cannot be written.
    """
    named = os.environ.get("TORWART_STATE")
    if named:
        path = Path(named).expanduser().absolute()
        path.mkdir(parents=True, exist_ok=True, mode=0o711)
        return path
    for path in _usual_state_dirs():
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o711)
        except OSError:
            continue
        if os.access(path, os.W_OK | os.X_OK) and path.stat().st_uid == os.geteuid():
            return path
    raise PermissionError("no directory for state can be written; name one in TORWART_STATE")


def _usual_state_dirs() -> tuple[Path, ...]:
    last = Path(f"/var/tmp/torwart-{os.geteuid()}")  # noqa: S108
    if os.geteuid() == 0:
        return Path("/var/lib/torwart"), last
    base = os.environ.get("XDG_STATE_HOME")
    home = Path(base) if base else Path("~/.local/state").expanduser()
    return home / "torwart", last


def database_url() -> str:
    """The database of this installation, answering: the external one, checked, or the embedded one, started."""
    url = os.environ.get(_ENVIRONMENT)
    if url:
        database.check(url)
        return url
    return database.embedded(apart.require_directory(state_dir()) / "postgresql")


def release_database() -> None:
    """Stop the embedded database if we are its last user; an external one is left alone."""
    if not os.environ.get(_ENVIRONMENT):
        database.stop(state_dir() / "postgresql")


def secret_key() -> str:
    """What signs sessions and links: ``TORWART_SECRET_KEY``, or a file in the state directory, made once."""
    named = os.environ.get("TORWART_SECRET_KEY")
    return named or _kept("web.key", secrets.token_urlsafe(48))


def partner_files() -> tuple[Path, Path, Path] | None:
    """What partners of the BDEW dialect are called with over mutual TLS, as PEM: our certificate and its Sub-CA, its
    key, and whom we trust; all of them, or none.
    """
    names = ("TORWART_BDEW_CHAIN", "TORWART_BDEW_KEY", "TORWART_BDEW_TRUST")
    named = [os.environ.get(name, "") for name in names]
    if any(named) and not all(named):
        raise ValueError(f"{', '.join(names)} belong together")
    chain, key, trust = map(Path, named)
    return (chain, key, trust) if all(named) else None


def secret(name: str) -> bytes:
    """32 octets known to several of our processes: ``TORWART_<NAME>_SECRET`` as hex, or a file made once."""
    named = os.environ.get(f"TORWART_{name.upper()}_SECRET")
    return bytes.fromhex(named or _kept(f"{name}.secret", secrets.token_hex(32)))


def _kept(name: str, fresh: str) -> str:
    """The content of a file in the state directory; ``fresh`` if there is none yet."""
    path = apart.require_directory(state_dir()) / name
    if not path.exists():
        made = path.with_name(f"{name}.{os.getpid()}")
        made.touch(mode=0o600)
        made.write_text(fresh, encoding="ascii")
        try:
            os.link(made, path)  # whoever comes second keeps the first one's
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_text(encoding="ascii").strip()


@contextmanager
def installed(*, migrated: bool = True, web: bool = False, api: bool = False) -> Iterator[str]:
    """Django on this installation's database for one command, which is released afterwards; yields its URL."""
    try:
        yield django_setup(migrated=migrated, web=web, api=api)
    finally:
        connections.close_all()
        release_database()


def django_setup(url: str | None = None, *, migrated: bool = True, web: bool = False, api: bool = False) -> str:
    """Bring Django up on ``url`` (by default ``database_url()``), or turn it there if it is up, and return it.

    With ``migrated`` a database that lacks a migration of this program is refused (``database.not_migrated``), and one
    of the other environment (``environment.database``).
    ``web``: with accounts and pages (``config.web_settings``), ``api``: with the EMT–GWA interface
    (``config.api_settings``); workers do without both. Decided by the first call.
    Children started later with ``TORWART_DATABASE_URL`` set to the answer use the same database.
    """
    url = url or database_url()
    if apps.ready:
        _turn_to(url)
    else:
        before = os.environ.get(_ENVIRONMENT)
        os.environ[_ENVIRONMENT] = url
        chosen = "web_settings" if web else "api_settings" if api else "settings"
        if web or api:  # what serves takes nobody else's settings, also not a parent's
            os.environ["DJANGO_SETTINGS_MODULE"] = f"torwart.config.{chosen}"
        else:
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"torwart.config.{chosen}")
        django.setup()
        if before is None:
            del os.environ[_ENVIRONMENT]
        else:
            os.environ[_ENVIRONMENT] = before
    if migrated:
        require_migrated()
        apart.require_database()
    return url


def _turn_to(url: str) -> None:
    from torwart.config.settings import database as entry

    connections.close_all()
    connections.databases["default"].update(entry(url))


def require_migrated() -> None:
    """Refuse (``database.not_migrated``) if a migration of this program is not applied.

    Migrations it does not know are no reason: while a new version is rolled out, the old one still runs.
    """
    missing = missing_migrations()
    if missing:
        raise DATABASE_NOT_MIGRATED(missing=", ".join(missing[:3]) + (" …" if len(missing) > 3 else ""))


def missing_migrations() -> list[str]:
    """Migrations of this program the database lacks, as ``app.name``, in the order to apply them."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connections["default"])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
