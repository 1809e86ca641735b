"""SQL that models cannot say, as operations for migrations; the texts lie in ``store/sql``."""

from pathlib import Path

import absurdctl
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.special import RunPython, RunSQL

ABSURD_VERSION = "0.5.1"
"""The release of absurd whose tables ``sql/engine.sql`` and ``adapters.engine`` are written for."""

QUEUES = ("interactive", "scheduled", "wave")
"""Classes of work of the durable engine, each with workers of its own, so that a wave never delays an order."""


def from_file(name: str) -> RunSQL:
    """The statements of ``sql/<name>``, sent as they are."""
    text = (Path(__file__).parent / "sql" / name).read_text(encoding="utf-8")
    return RunSQL([text], reverse_sql=RunSQL.noop)


def install_absurd() -> RunPython:
    """absurd's own schema as its tool of the pinned release brings it, and our queues."""
    return RunPython(_install_absurd, _drop_absurd)


def _install_absurd(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    found = absurdctl.ABSURD_SCHEMA_TARGET_VERSION
    if found != ABSURD_VERSION:
        raise RuntimeError(f"absurdctl brings schema {found}, this migration is written for {ABSURD_VERSION}")
    with editor.connection.cursor() as cursor:
        cursor.execute(absurdctl.BUNDLED_SCHEMA_SQL)
        for queue in QUEUES:
            cursor.execute("SELECT absurd.create_queue(%s)", [queue])


def _drop_absurd(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    editor.execute("DROP SCHEMA absurd CASCADE")
