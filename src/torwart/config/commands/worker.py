"""``torwart worker``: tells the stories, takes the head-ends' facts, receives the Sub-CA's callbacks."""

import logging
import signal
import threading
from pathlib import Path

import click

from torwart.kernel.words import Words

_HELP = Words(
    de="Prozesse ausführen, Ereignisse der Head-Ends aufnehmen, Rückrufe der Sub-CA empfangen.",
    en="Tell processes, take facts of head-ends, receive callbacks of the Sub-CA.",
)
_CONFIG = Words(de="Konfiguration (TOML).", en="Configuration (TOML).")
_REFRESH_SECONDS = 6 * 3600.0
_ENDING_SECONDS = 10.0


@click.command(help=_HELP.text())
@click.option("--config", "path", type=click.Path(path_type=Path, exists=True), required=True, help=_CONFIG.text())
def command(path: Path) -> None:
    """Run one worker until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    from torwart.config.children import exit_with_parent, report_ready
    from torwart.config.installation import django_setup

    django_setup()
    from torwart.config.wiring import Worker, WorkerConfig
    from torwart.services import audit

    worker = Worker(WorkerConfig.load(path))
    ended = threading.Event()

    def stop(*_: object) -> None:
        ended.set()
        worker.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    exit_with_parent(stop)
    worker.start()
    threading.Thread(target=_keep_revocations, args=(worker, ended), daemon=True).start()
    threading.Thread(target=_keep_ending, args=(worker, ended), daemon=True).start()
    threading.Thread(target=audit.keep_linking, args=(ended,), daemon=True).start()
    report_ready(callbacks=worker.receiver.url if worker.receiver else "")
    worker.work()
    worker.close()


def _keep_ending(worker: "object", ended: threading.Event) -> None:
    """End the runs the engine has given up; a database that is away is asked again at the next turn."""
    from django.db import Error, connection

    from torwart.config.wiring import Worker
    from torwart.processes.ending import end_given_up

    assert isinstance(worker, Worker)
    while not ended.wait(_ENDING_SECONDS):
        try:
            end_given_up(worker.engine)
        except Error as error:
            logging.getLogger("torwart.worker").warning("given up runs: %s", error)
        finally:
            connection.close()


def _keep_revocations(worker: "object", ended: threading.Event) -> None:
    """Follow the revocation list; a CA that is away is asked again at the next turn, the list in force stays."""
    from django.db import Error, connection

    from torwart.config.wiring import Worker
    from torwart.kernel.refusals import Refusal

    assert isinstance(worker, Worker)
    while not ended.is_set():
        try:
            worker.refresh_revocations()
            pause = _REFRESH_SECONDS
        except (Refusal, Error) as refusal:
            logging.getLogger("torwart.worker").warning("revocation list: %s", refusal)
            pause = 60.0
        finally:
            connection.close()
        ended.wait(pause)
