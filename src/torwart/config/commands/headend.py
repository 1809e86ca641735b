"""``torwart headend --config FILE``: one head-end process, until SIGTERM or SIGINT ends it in good order."""

import asyncio
import contextlib
import logging
import signal
from datetime import UTC, datetime
from pathlib import Path

import click
import uvloop
from cryptography import x509

from torwart.adapters.bus import NatsBus
from torwart.config import apart
from torwart.config.children import exit_with_parent, report_ready
from torwart.headend.config import HeadendConfig
from torwart.headend.server import Headend
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.bus import BUS_UNAVAILABLE
from torwart.kernel.words import Words

log = logging.getLogger("torwart.headend")

_HELP = Words(
    de="Startet ein Head-End: TLS der Gateways, Befehle und Meldungen über den Bus. "
    "SIGTERM beendet geordnet, SIGHUP liest Zertifikate neu, SIGUSR1 schreibt die Zähler ins Protokoll.",
    en="Starts a head-end: TLS of the gateways, commands and facts over the bus. "
    "SIGTERM ends it in good order, SIGHUP reads certificates anew, SIGUSR1 logs the counters.",
)
_CONFIG = Words(de="TOML-Datei mit Listenern, TLS und Grenzen.", en="TOML file with listeners, TLS and limits.")
_DEFAULT_BUS = "nats://127.0.0.1:4222"
_BUS = Words(
    de=f"Adresse des NATS-Servers; sonst die der Datei, sonst {_DEFAULT_BUS}.",
    en=f"Address of the NATS server; else that of the file, else {_DEFAULT_BUS}.",
)
_CONNECT_AGAIN_SECONDS = 1.0


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@click.command(help=_HELP.text())
@click.option("--config", "path", required=True, type=click.Path(dir_okay=False, path_type=Path), help=_CONFIG.text())
@click.option("--bus", default="", envvar="TORWART_BUS", help=_BUS.text())
def command(path: Path, bus: str) -> None:
    """Run until a signal says to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    config = configured(path)
    raise_open_files()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(config, bus or config.bus or _DEFAULT_BUS, path))


async def run(config: HeadendConfig, bus_url: str, path: Path) -> None:
    """Serve until SIGTERM or SIGINT, then drain."""
    loop = asyncio.get_running_loop()
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    bus = await _connect(bus_url, end)
    if bus is None:
        return
    headend = Headend(config, bus, SystemClock())
    await headend.start()
    exit_with_parent(lambda: loop.call_soon_threadsafe(end.set))
    report_ready(ports={scenario.value: port for scenario, port in headend.ports.items()})
    loop.add_signal_handler(signal.SIGHUP, _reload, headend, path)
    loop.add_signal_handler(signal.SIGUSR1, lambda: log.info("counters\n%s", headend.metrics_text()))
    await end.wait()
    await headend.drain()
    await bus.close()


async def _connect(url: str, end: asyncio.Event) -> NatsBus | None:
    """The bus, as soon as it is there; ``None`` if the process shall end before."""
    while not end.is_set():
        try:
            return await NatsBus.connect(url, name="torwart-headend")
        except Refusal as refusal:
            if refusal.kind is not BUS_UNAVAILABLE:
                raise
            log.warning("%s", refusal)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(end.wait(), _CONNECT_AGAIN_SECONDS)
    return None


def _reload(headend: Headend, path: Path) -> None:
    try:
        headend.reload(configured(path))
        log.info("configuration read anew")
    except Refusal as refusal:  # what runs goes on; the operator reads why nothing changed
        log.error("%s", refusal)


def configured(path: Path) -> HeadendConfig:
    """The configuration in a file, of this environment's PKI."""
    config = HeadendConfig.load(path)
    apart.require_anchor(x509.load_der_x509_certificate(config.root))
    return config


def raise_open_files() -> None:
    """Each connection is an open file: take as many as the system lets us have."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
