"""``torwart simulate emt``: a client's own system orders from a scenario and checks that every order ended as told."""

import asyncio
import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from torwart.config.client_needed import client_needed
from torwart.config.main import EXIT_REFUSED
from torwart.kernel.refusals.sim import CONNECT_FAILED

if TYPE_CHECKING:
    from torwart.sim.emt import EmtReceiver
    from torwart.sim.pki import TestPki

Address = tuple[str, int]

_WIDTH = 132
_FIRST, _PATIENCE = 5.0, 120.0
"""Seconds to go on trying the first call, which finds out whether anybody is there, and all others."""


def play(
    scenario: Path, url: str, pki: Path, listen: Address | None, confirm: Address | None, report: Path | None
) -> None:
    """Play the scenario, show what came of it, and exit by it."""
    with client_needed():
        from torwart_client import Problem, TorwartError

        from torwart.config.emt_show import DayShow
        from torwart.sim.emt.clumsy import ClumsyTransport
        from torwart.sim.emt.day import Day
        from torwart.sim.emt.files import EmtFiles
        from torwart.sim.emt.system import EmtSystem
    from torwart.sim.emt.scenario import Scenario
    from torwart.sim.pki import TestPki

    plan, loaded = Scenario.read(scenario.read_text(encoding="utf-8")), TestPki.load(pki)
    with tempfile.TemporaryDirectory(prefix="torwart-emt-") as directory:
        tls = EmtFiles.write(Path(directory), loaded).context()
    clumsy = ClumsyTransport(tls, plan.faults.cut, plan.seed)
    system = EmtSystem(url, tls, transport=clumsy, patience=_FIRST)
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=_WIDTH)
    with _receiving(loaded, listen, confirm) as receiver:
        try:
            system.start()
        except TorwartError as error:
            system.stop()
            why = str(error) if isinstance(error, Problem) else str(CONNECT_FAILED(peer=url, why=error))
            click.echo(why, err=True)
            sys.exit(EXIT_REFUSED)
        system.torwart.patience = _PATIENCE
        day = Day(system, plan, receiver=receiver, transport=clumsy)
        show = DayShow(console)
        try:
            with show:
                day.play(show.watch)
        finally:
            with suppress(TorwartError):
                system.leave()
            system.stop()
    show.ended(day)
    if report is not None:
        report.write_text(json.dumps(day.report(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.exit(0 if day.verified else 1)


@contextmanager
def _receiving(pki: "TestPki", listen: Address | None, confirm: Address | None) -> "Iterator[EmtReceiver | None]":
    """The EMT's server for readings in a loop of its own, if there is to be one."""
    if listen is None:
        yield None
        return
    from torwart.sim.emt import EmtReceiver

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="readings", daemon=True)
    thread.start()
    receiver = EmtReceiver(receiver_config(pki, confirm))
    asyncio.run_coroutine_threadsafe(receiver.start(*listen), loop).result(10)
    try:
        yield receiver
    finally:
        asyncio.run_coroutine_threadsafe(receiver.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


def receiver_config(pki: "TestPki", confirm: Address | None, **more: Any) -> Any:
    """What the EMT of this PKI needs to take readings."""
    from cryptography.hazmat.primitives.serialization import Encoding

    from torwart.sim.emt import EmtConfig

    return EmtConfig(
        pki.emt,
        tuple(c.public_bytes(Encoding.DER) for c in pki.chain_of(pki.emt.tls.certificate)[1:-1]),
        tuple(c.public_bytes(Encoding.DER) for c in pki.trust_chain),
        confirm,
        (pki.gwa.tls.certificate_der,),
        **more,
    )
