"""``torwart worker``: tells the stories, takes the head-ends' facts, receives the Sub-CA's callbacks."""

import logging
import signal
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torwart.kernel.words import Words

if TYPE_CHECKING:
    from torwart.config.wiring import Worker

_HELP = Words(
    de="Prozesse ausführen, Ereignisse der Head-Ends aufnehmen, Rückrufe der Sub-CA empfangen.",
    en="Tell processes, take facts of head-ends, receive callbacks of the Sub-CA.",
)
_CONFIG = Words(de="Konfiguration (TOML).", en="Configuration (TOML).")
_REFRESH_SECONDS = 6 * 3600.0
_ENDING_SECONDS = 10.0
_TIDY_SECONDS = 3600.0
_FOLD_SECONDS = 60.0


@click.command(help=_HELP.text())
@click.option("--config", "path", type=click.Path(path_type=Path, exists=True), required=True, help=_CONFIG.text())
def command(path: Path) -> None:
    """Run one worker until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    from torwart.config.installation import django_setup

    django_setup()
    from torwart.config.wiring import Worker, WorkerConfig

    serve(Worker(WorkerConfig.load(path)))


def serve(worker: "Worker") -> None:
    """Let a worker work until SIGTERM or SIGINT, or until the parent process is gone; its main thread calls."""
    from torwart.config.children import exit_with_parent, report_ready
    from torwart.services import audit

    ended = threading.Event()

    def stop(*_: object) -> None:
        ended.set()
        worker.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    exit_with_parent(stop)
    worker.start()
    ours = (partial(_keep_revocations, worker), partial(_keep_ending, worker), partial(_keep_tidy, worker))
    for keep in (*ours, _keep_folding, audit.keep_linking):
        threading.Thread(target=keep, args=(ended,), daemon=True).start()
    report_ready(callbacks=worker.receiver.url if worker.receiver else "")
    worker.work()
    worker.close()


def _keep_ending(worker: "Worker", ended: threading.Event) -> None:
    """End the runs the engine has given up; a database that is away is asked again at the next turn."""
    from django.db import Error, connection

    from torwart.processes.ending import end_given_up

    while not ended.wait(_ENDING_SECONDS):
        try:
            end_given_up(worker.engine)
        except Error as error:
            logging.getLogger("torwart.worker").warning("given up runs: %s", error)
        finally:
            connection.close()


def _keep_tidy(worker: "Worker", ended: threading.Event) -> None:
    """Forget what is kept for a time only: ended tasks of the engine, keys, calls and events of the interface."""
    from django.db import Error, connection

    from torwart.services import bdew, interface, interface_event, present

    while not ended.wait(_TIDY_SECONDS):
        now = present.now()
        try:
            for forget in (
                worker.engine.clean,
                partial(interface.forget, now),
                partial(interface_event.forget, now),
                partial(bdew.forget, now),
            ):
                while forget() and not ended.is_set():
                    pass
        except Error as error:
            logging.getLogger("torwart.worker").warning("tidying: %s", error)
        finally:
            connection.close()


def _keep_folding(ended: threading.Event) -> None:
    """Keep the numbers of ending certificates few; they are exact without it, only slower to add up."""
    from django.db import Error, connection

    from torwart.services import certificate_end

    while not ended.wait(_FOLD_SECONDS):
        try:
            certificate_end.fold()
        except Error as error:
            logging.getLogger("torwart.worker").warning("folding counts: %s", error)
        finally:
            connection.close()


def _keep_revocations(worker: "Worker", ended: threading.Event) -> None:
    """Follow the revocation list; a CA that is away is asked again at the next turn, the list in force stays."""
    from django.db import Error, connection

    from torwart.kernel.refusals import Refusal

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
