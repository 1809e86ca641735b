"""``torwart demo``: gateways are commissioned before your eyes, over the real protocols, faults included."""

import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console

from torwart.kernel.words import Words

_HELP = Words(
    de="Eine ganze Installation mit Außenwelt: vom Lieferschein bis zum ersten Messwert beim EMT.\n\n"
    "Rückgabewerte: 0 alles wie erwartet, 1 nicht alles wie erwartet.",
    en="A whole installation with its outside world: from delivery note to the first readings at the EMT.\n\n"
    "Exit codes: 0 everything as expected, 1 not everything as expected.",
)
_EXIT = Words("Am Ende nicht stehen bleiben.", "Do not stay up in the end.")
_COUNT = Words("Wie viele Gateways.", "How many gateways.")
_REPORT = Words("Bericht als JSON in diese Datei.", "Report as JSON into this file.")
_KEPT = Words("Protokolle und Konfiguration: {path}", "Logs and configuration: {path}")
_SECONDS = 30.0


@click.command(help=_HELP.text())
@click.option("--exit", "leave", is_flag=True, help=_EXIT.text())
@click.option("--gateways", type=click.IntRange(1, 1000), default=25, show_default=True, help=_COUNT.text())
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help=_REPORT.text())
def command(leave: bool, gateways: int, report: Path | None) -> None:
    """Play, tell the truth about it, and stay up until Ctrl-C unless told to exit."""
    logging.basicConfig(level=logging.ERROR)
    for ending in (signal.SIGINT, signal.SIGTERM):  # also where it was started in the background
        signal.signal(ending, signal.default_int_handler)
    from torwart.config.demo.environment import environment, free_port

    port = free_port()
    os.environ.update(environment(port))
    from torwart.config.installation import django_setup, release_database

    django_setup("postgresql:///unused", migrated=False, web=True)
    from torwart.config.client_needed import client_needed

    with client_needed():
        from torwart.config.demo.office import Office
        from torwart.config.demo.own_system import published
        from torwart.config.demo.play import Play
        from torwart.config.demo.scenario import EXTRAS, cast
        from torwart.config.demo.service import Service
        from torwart.config.demo.show import Show
        from torwart.config.demo.stage import Stage

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=132)  # a log has no width of its own
    parts = list(cast(gateways))
    show = Show(console, parts)
    directory = Path(tempfile.mkdtemp(prefix="torwart-demo-"))
    stage = Stage(directory, [*parts, *EXTRAS], api=True, sandbox=True)
    office = Office(stage, port)
    service = Service(office, show.deed)
    began = time.monotonic()
    allowed = _SECONDS + gateways
    try:
        show.headline(Words("Torwart baut eine Installation auf", "Torwart builds an installation"))
        stage.start(show.setting_up)
        office.start(show.setting_up)
        play = Play(stage, parts, show.watch, service, began)
        show.headline(Words("Auftraggeber und Ansprechpartner", "Clients and contacts"))
        office.onboard()
        service.couple()
        show.onboarded(office)
        show.headline(Words("Lieferschein per S/MIME (P01)", "Delivery note by S/MIME (P01)"))
        service.deliver()
        show.headline(Words("Aufträge im Portal", "Orders in the portal"))
        service.refuse()
        show.begin()
        play.commission(seconds=allowed, crash_after=2.0)
        show.end()
        show.headline(Words("Inbetriebnahme (P03)", "Commissioning (P03)"))
        show.outcomes(play.commissioning)
        show.headline(Words("Betrieb: P20, P22, P16, P10, P11", "Operation: P20, P22, P16, P10, P11"))
        show.begin()
        play.go_on(seconds=allowed)
        show.end()
        show.outcomes(play.further)
        show.headline(Words("Fragen und Störungen (P41)", "Questions and incidents (P41)"))
        service.ask()
        show.headline(Words("Schnittstelle: das eigene System des Auftraggebers", "Interface: the client's own system"))
        service.call()
        show.headline(Words("Nachgeprüft", "Verified"))
        play.verify()
        show.checks(play)
        show.verdict(play, time.monotonic() - began)
        if report is not None:
            report.write_text(json.dumps(play.report(), indent=2, ensure_ascii=False) + "\n")
        if not leave:
            with published(stage.directory) as files:
                show.doors(office, stage.api_url, files)
                _stay(console, stage.directory)
    finally:
        show.end()
        service.stop()
        office.stop()
        stage.stop()
        release_database()
    if play.verified:
        shutil.rmtree(directory, ignore_errors=True)
    else:
        console.print(_KEPT.text(path=directory))
    sys.exit(0 if play.verified else 1)


def _stay(console: Console, directory: Path) -> None:
    words = Words(
        "Alles läuft weiter, bis Sie Strg-C drücken. Protokolle, Lieferschein und Konfiguration liegen in {path}.",
        "Everything stays up until you press Ctrl-C. Logs, delivery note and configuration lie in {path}.",
    )
    console.print(words.text(path=directory))
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print()
