"""``torwart migrate``: bring the database's schema to this program version."""

import click

from torwart.config import apart
from torwart.config.installation import installed, missing_migrations
from torwart.kernel.words import Words

_TEXT = {
    "help": Words(
        "Das Schema der Datenbank auf den Stand dieser Programmversion bringen.\n\nRückgabewerte: 0 auf dem Stand, "
        "1 (nur mit --check) es fehlt etwas.",
        "Bring the database's schema to this program version.\n\nExit codes: 0 up to date, 1 (only with --check) "
        "something is missing.",
    ),
    "check": Words("nur zeigen, was fehlt", "only show what is missing"),
    "missing": Words("fehlt: {name}", "missing: {name}"),
    "done": Words("Die Datenbank ist auf dem Stand dieser Programmversion.", "The database is up to date."),
}
_LOCK = 0x6D696772617465  # "migrate": one at a time, whoever comes second finds nothing left to do


@click.command(name="migrate", help=_TEXT["help"].text())
@click.option("--check", is_flag=True, help=_TEXT["check"].text())
def command(check: bool) -> None:
    """Apply or list missing migrations."""
    with installed(migrated=False, web=True):
        missing = missing_migrations() if check else _migrate()
    for name in missing:
        click.echo(_TEXT["missing"].text(name=name))
    if missing:
        click.get_current_context().exit(1)
    click.echo(_TEXT["done"].text())


def _migrate() -> list[str]:
    from django.core.management import call_command
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        if "store_installation" in connection.introspection.table_names(cursor):
            apart.require_database()
        call_command("migrate", interactive=False, verbosity=1)
        apart.require_database()
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    return []
