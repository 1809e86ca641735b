"""``torwart mailroom``: takes mail, reads it, sends what waits, watches certificates, until SIGTERM or SIGINT."""

import logging
import signal
import threading
from pathlib import Path

import click

from torwart.kernel.words import Words

_HELP = Words(
    de="Mail annehmen, lesen und zuordnen, Ausgang zustellen, Zertifikate überwachen.",
    en="Take mail, read and route it, deliver the outbox, watch certificates.",
)
_CONFIG = Words(de="Konfiguration (TOML).", en="Configuration (TOML).")


@click.command(help=_HELP.text())
@click.option("--config", "path", type=click.Path(path_type=Path, exists=True), required=True, help=_CONFIG.text())
def command(path: Path) -> None:
    """Run one mail room until SIGTERM or SIGINT, or until the parent process is gone."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("torwart.mailroom").setLevel(logging.INFO)
    from torwart.config.installation import installed

    ended = threading.Event()
    with installed():
        from torwart.config.children import exit_with_parent, report_ready
        from torwart.config.mailroom import MailRoom, MailRoomConfig

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        exit_with_parent(ended.set)
        with MailRoom(MailRoomConfig.load(path)) as room:
            report_ready(smtp=room.port)
            ended.wait()
