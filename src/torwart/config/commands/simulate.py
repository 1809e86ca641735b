"""``torwart simulate``: the outside world as processes – gateways, a Sub-CA, an EMT receiver."""

import asyncio
import json
import signal
import tomllib
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.live import Live
from rich.progress import track
from rich.text import Text

from torwart.kernel.refusals.sim import FLEET_CONFIG
from torwart.kernel.words import Words

if TYPE_CHECKING:
    from torwart.sim.gateway import Fault, Fleet, GatewayConfig
    from torwart.sim.pki import TestPki

Address = tuple[str, int]

_HELP = {
    "group": Words(
        "Simuliert die Außenwelt: Gateways, Sub-CA, EMT.", "Simulate the outside world: gateways, Sub-CA, EMT."
    ),
    "gateways": Words(
        "Betreibt simulierte Gateways in diesem Prozess, bis Strg-C. Geräte, Zertifikate und Profile liegen in --state "
        "und sind nach einem Neustart wieder da.",
        "Run simulated gateways in this process until Ctrl-C. Devices, certificates and profiles lie in --state and "
        "are there again after a restart.",
    ),
    "sub_ca": Words(
        "Betreibt eine simulierte Sub-CA (TR-03129-4) bis Strg-C.", "Run a simulated Sub-CA (TR-03129-4) until Ctrl-C."
    ),
    "emt": Words(
        "Spielt das System eines Auftraggebers: bestellt nach einem Szenario über die EMT–GWA-Schnittstelle, empfängt "
        "Webhooks und prüft ihre Signaturen, liest den Ereignisstrom, nimmt mit --listen Messwerte an und sagt, ob "
        "jeder Auftrag endete wie erwartet.\n\nRückgabewerte: 0 alles wie erwartet, 1 nicht alles wie erwartet.",
        "Play a client's own system: order from a scenario over the EMT–GWA interface, receive webhooks and verify "
        "their signatures, read the event feed, take readings with --listen, and say whether every order ended as "
        "told.\n\nExit codes: 0 everything as told, 1 not everything as told.",
    ),
    "scenario": Words("Szenario (TOML), siehe docs/api/scenarios.md.", "Scenario (TOML), see docs/api/scenarios.md."),
    "url": Words("Adresse der Schnittstelle.", "Address of the interface."),
    "listen": Words(
        "Hier Messwerte annehmen: die Adresse des EMT in den Stammdaten.",
        "Take readings here: the EMT's address in the master data.",
    ),
    "report": Words("Bericht als JSON in diese Datei.", "Report as JSON into this file."),
    "emt_receiver": Words(
        "Betreibt einen simulierten EMT, der Messwerte empfängt und dem Head-End bestätigt, bis Strg-C.",
        "Run a simulated EMT that receives readings and confirms them to the head-end, until Ctrl-C.",
    ),
    "sandbox": Words(
        "Macht und betreibt die Gateways der Sandbox: was Auftraggeber über /v1/sandbox/ verlangen, bis Strg-C. Nur im "
        "Testsystem mit TORWART_SANDBOX=1.",
        "Make and run the sandbox's gateways: what clients ask for by /v1/sandbox/, until Ctrl-C. Only in the test "
        "system with TORWART_SANDBOX=1.",
    ),
    "fleet": Words(
        "Füllt eine eigene, leere Datenbank mit einer Flotte: Auftraggeber, Gateways, Zähler, Zertifikate, Aufträge "
        "und alles, was daran hängt. Nichts davon läuft; zum Ansehen, Üben und Messen.",
        "Fill an empty database of its own with a fleet: clients, gateways, meters, certificates, orders and all that "
        "hangs on them. Nothing of it runs; to look at, to practise and to measure.",
    ),
    "into_database": Words(
        "Name der Datenbank auf dem Server dieser Installation; fehlt sie, wird sie angelegt.",
        "Name of the database on the server of this installation; it is made if it is missing.",
    ),
    "config": Words(
        "TOML-Datei mit denselben Optionen (Bindestriche als Unterstriche); Optionen der Befehlszeile gehen vor.",
        "TOML file with the same options (dashes as underscores); options of the command line come first.",
    ),
    "fault": Words(
        "Störung: WORT für alle, WORT=GERÄT für eines, WORT=3% für einen Anteil. Mehrfach möglich.",
        "Fault: WORD for all, WORD=DEVICE for one, WORD=3% for a share. May be repeated.",
    ),
    "json": Words("Statuszeilen als JSON.", "Status lines as JSON."),
    "every": Words("Sekunden zwischen zwei Statuszeilen.", "Seconds between two status lines."),
    "seconds": Words("Nach so vielen Sekunden beenden (0: nie).", "End after this many seconds (0: never)."),
}
_STATUS = Words(
    "Gateways {gateways} · Strom {powered} · verbunden {connected} · Wirkzertifikat {operational} · Zeit gültig "
    "{clock_valid} · Zähler {paired_meters} · Werte gesendet {sent_values} · Ereignisse offen {waiting_events}",
    "gateways {gateways} · powered {powered} · connected {connected} · operational {operational} · time valid "
    "{clock_valid} · meters {paired_meters} · values sent {sent_values} · events waiting {waiting_events}",
)
_EMT_STATUS = Words(
    "Werte {values} · Lieferungen {deliveries} · bestätigt {confirmed} · offen {waiting} · abgewiesen {refused}",
    "values {values} · deliveries {deliveries} · confirmed {confirmed} · waiting {waiting} · refused {refused}",
)


class _AddressType(click.ParamType[Address]):
    name = "HOST:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        if isinstance(value, tuple):
            return value
        host, separator, port = str(value).rpartition(":")
        if not separator or not port.isdigit() or int(port) > 65535:
            self.fail(f"{value!r} ≠ HOST:PORT", param, ctx)
        return host.strip("[]"), int(port)


def _load(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is not None:
        try:
            ctx.default_map = tomllib.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise FLEET_CONFIG(why=str(error)) from error


ADDRESS = _AddressType()
_DIRECTORY = click.Path(path_type=Path, file_okay=False)
_PKI = click.option("--pki", type=click.Path(path_type=Path, file_okay=False, exists=True), required=True)
_CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    callback=_load,
    is_eager=True,
    expose_value=False,
    help=_HELP["config"].text(),
)
_JSON = click.option("--json", "as_json", is_flag=True, help=_HELP["json"].text())
_EVERY = click.option(
    "--every", type=click.FloatRange(0.05), default=1.0, show_default=True, help=_HELP["every"].text()
)
_SECONDS = click.option("--seconds", type=click.FloatRange(0), default=0.0, help=_HELP["seconds"].text())


@click.group(help=_HELP["group"].text())
def command() -> None:
    """Group of the simulators."""


# --- gateways ------------------------------------------------------------------------------------------------------


@command.command(help=_HELP["gateways"].text())
@_CONFIG
@_PKI
@click.option("--state", type=_DIRECTORY, required=True)
@click.option("--count", type=click.IntRange(0), default=1, show_default=True)
@click.option("--management", type=ADDRESS, required=True)
@click.option("--admin-service", type=ADDRESS, required=True)
@click.option("--ntp", type=ADDRESS, required=True)
@click.option("--wake-up", type=ADDRESS, default="127.0.0.1:0", show_default=True, help="UDP")
@click.option("--control", type=ADDRESS, default="127.0.0.1:0", show_default=True, help="JSON, loopback")
@click.option("--block", default="02", show_default=True)
@click.option("--first", type=click.IntRange(0), default=1, show_default=True)
@click.option("--meters", type=click.IntRange(0, 8), default=1, show_default=True)
@click.option("--boot", type=click.FloatRange(0), default=0.0, show_default=True)
@click.option("--fault", multiple=True, help=_HELP["fault"].text())
@_EVERY
@_SECONDS
@_JSON
def gateways(
    pki: Path,
    state: Path,
    count: int,
    management: Address,
    admin_service: Address,
    ntp: Address,
    wake_up: Address,
    control: Address,
    block: str,
    first: int,
    meters: int,
    boot: float,
    fault: tuple[str, ...],
    every: float,
    seconds: float,
    as_json: bool,
) -> None:
    from torwart.sim.gateway import Fleet, FleetConfig, initial_config
    from torwart.sim.gateway.manufacture import forge
    from torwart.sim.pki import TestPki

    loaded = TestPki.load(pki)
    initial = initial_config(loaded, management=management, admin_service=admin_service, ntp=ntp)
    devices = _devices(loaded, state, initial, count, block, first, meters)
    config = FleetConfig(tuple(devices), wake_up, state, boot, forge=partial(forge, loaded))
    fleet = Fleet(config)
    plan = [_planned(word) for word in fault]
    _run(_serve_fleet(fleet, control, plan, _Status(as_json, every), seconds))


def _devices(
    pki: "TestPki", state: Path, initial: Any, count: int, block: str, first: int, meters: int
) -> "list[GatewayConfig]":
    """Those that lie in ``state``, and new ones until there are ``count`` with these numbers."""
    from torwart.sim.gateway.manufacture import device_ids, devices_in, make_device, write_device

    known = {device.device: device for device in devices_in(state, initial)}
    wanted = device_ids(count, maker=pki.maker, block=block, first=first)
    missing = [device for device in wanted if device not in known]
    for device in track(missing, "SMGW", console=Console(stderr=True), disable=len(missing) < 20):
        known[device] = make_device(pki, device, initial, meters=meters)
        write_device(state / str(device), known[device])
    return [known[device] for device in wanted]


def _planned(text: str) -> "tuple[Fault, str]":
    from torwart.sim.gateway import Fault

    word, _, whom = text.partition("=")
    fault = next((fault for fault in Fault if fault.value == word), None)
    if fault is None:
        raise FLEET_CONFIG(why=f"--fault {word}: {', '.join(Fault)}")
    return fault, whom or "*"


def _spread(fleet: "Fleet", fault: "Fault", whom: str) -> None:
    """Switch a planned fault on for one device, all, or the first so many per cent."""
    if not whom.endswith("%"):
        fleet.set_fault(whom, fault)
        return
    try:
        share = float(whom[:-1]) / 100
    except ValueError as error:
        raise FLEET_CONFIG(why=f"--fault {fault}={whom}") from error
    for device in list(fleet.gateways)[: round(share * len(fleet.gateways))]:
        fleet.set_fault(device, fault)


async def _serve_fleet(
    fleet: "Fleet", control: Address, plan: "list[tuple[Fault, str]]", status: "_Status", seconds: float
) -> None:
    from torwart.sim.gateway import ControlServer

    await fleet.start(power=False)
    for fault, whom in plan:
        _spread(fleet, fault, whom)
    server = ControlServer(fleet)
    address = await server.start(*control)
    status.say({"wake_up": _text(fleet.wake_up_address), "control": _text(address), "gateways": len(fleet.gateways)})
    fleet.switch_on()
    try:
        await status.follow(fleet.summary, _STATUS, seconds)
    finally:
        await server.stop()
        await fleet.stop()


# --- Sub-CA --------------------------------------------------------------------------------------------------------


@command.command("sub-ca", help=_HELP["sub_ca"].text())
@_CONFIG
@_PKI
@click.option("--state", type=_DIRECTORY, required=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True)
@click.option("--http-port", type=click.IntRange(0, 65535), default=0, show_default=True)
@click.option(
    "--mode", type=click.Choice(["synchronous", "callback", "down"]), default="synchronous", show_default=True
)
@click.option("--delay", type=click.FloatRange(0), default=0.0, show_default=True)
@_JSON
def sub_ca(
    pki: Path, state: Path, host: str, port: int, http_port: int, mode: str, delay: float, as_json: bool
) -> None:
    from torwart.sim.sub_ca import Behaviour, Mode, run_sub_ca

    status = _Status(as_json, 1.0)
    run_sub_ca(
        pki,
        state,
        host=host,
        port=port,
        http_port=http_port,
        behaviour=Behaviour(mode=Mode(mode), delay=delay),
        ready=lambda server: status.say({"url": server.url, "crl": server.crl_url, "control": server.control_url}),
    )


# --- EMT -----------------------------------------------------------------------------------------------------------


@command.command(help=_HELP["emt"].text())
@_CONFIG
@click.option(
    "--scenario",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help=_HELP["scenario"].text(),
)
@click.option("--url", required=True, help=_HELP["url"].text())
@_PKI
@click.option("--listen", type=ADDRESS, default=None, help=_HELP["listen"].text())
@click.option("--confirm", type=ADDRESS, default=None, help="EMT-SERVICE")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help=_HELP["report"].text())
def emt(
    scenario: Path, url: str, pki: Path, listen: Address | None, confirm: Address | None, report: Path | None
) -> None:
    from torwart.config.commands._simulate_emt import play

    play(scenario, url, pki, listen, confirm, report)


@command.command("emt-receiver", help=_HELP["emt_receiver"].text())
@_CONFIG
@_PKI
@click.option("--listen", type=ADDRESS, default="127.0.0.1:0", show_default=True)
@click.option("--confirm", type=ADDRESS, default=None, help="EMT-SERVICE")
@click.option("--behaviour", type=click.Choice(["good", "down", "500", "slow"]), default="good", show_default=True)
@_EVERY
@_SECONDS
@_JSON
def emt_receiver(
    pki: Path, listen: Address, confirm: Address | None, behaviour: str, every: float, seconds: float, as_json: bool
) -> None:
    from torwart.config.commands._simulate_emt import receiver_config
    from torwart.sim.emt import Behaviour
    from torwart.sim.pki import TestPki

    config = receiver_config(TestPki.load(pki), confirm, behaviour=Behaviour(behaviour))
    _run(_serve_emt(config, listen, _Status(as_json, every), seconds))


async def _serve_emt(config: Any, listen: Address, status: "_Status", seconds: float) -> None:
    from torwart.sim.emt import EmtReceiver

    receiver = EmtReceiver(config)
    status.say({"listen": _text(await receiver.start(*listen))})
    try:
        await status.follow(receiver.summary, _EMT_STATUS, seconds)
    finally:
        await receiver.stop()


# --- sandbox --------------------------------------------------------------------------------------------------------


_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@command.command(help=_HELP["sandbox"].text())
@_CONFIG
@_PKI
@click.option("--keys", type=_DIRECTORY, required=True)
@click.option("--key-file", type=_FILE, required=True)
@click.option("--state", type=_DIRECTORY, required=True)
@click.option("--management", type=ADDRESS, required=True)
@click.option("--admin-service", type=ADDRESS, required=True)
@click.option("--ntp", type=ADDRESS, required=True)
@click.option("--emt-service", type=ADDRESS, required=True)
@click.option("--wake-up", type=ADDRESS, default="127.0.0.1:0", show_default=True, help="UDP")
def sandbox(**options: Any) -> None:
    from torwart.config.installation import installed

    with installed():
        from torwart.config.children import exit_with_parent, report_ready
        from torwart.config.sandbox import SandboxConfig, SandboxHost

        host = SandboxHost(SandboxConfig(**options)).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: host.stop())
        exit_with_parent(host.stop)
        report_ready(wake_up=_text(host.fleet.wake_up_address))
        try:
            host.work()
        finally:
            host.close()


# --- a fleet in a database -------------------------------------------------------------------------------------------


@command.command(help=_HELP["fleet"].text())
@click.option("--gateways", "count", type=click.IntRange(20), default=1000, show_default=True)
@click.option(
    "--into-database",
    "name",
    is_flag=False,
    flag_value="torwart_fleet",
    required=True,
    metavar="[NAME]",
    help=_HELP["into_database"].text(),
)
@_JSON
def fleet(count: int, name: str, as_json: bool) -> None:
    from datetime import UTC, datetime

    from torwart.config import fleet_database

    with fleet_database.opened(name) as url:
        from torwart.config.fleet import fill

        _Status(as_json, 1.0).say({"database": url, **fill(count, now=datetime.now(UTC))})


# --- what they share -----------------------------------------------------------------------------------------------


class _Status:
    """What a person or a program sees while a simulator runs: one line that changes, or a JSON object per line."""

    def __init__(self, as_json: bool, every: float) -> None:
        self._as_json = as_json
        self._every = every

    def say(self, facts: dict[str, Any]) -> None:
        """Something said once, at the start."""
        click.echo(
            json.dumps(facts) if self._as_json else "  ".join(f"{name} {value}" for name, value in facts.items())
        )

    async def follow(self, look: Callable[[], dict[str, Any]], words: Words, seconds: float) -> None:
        """Show what ``look`` sees until the process is told to end or ``seconds`` are over."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
        if seconds:
            loop.call_later(seconds, ended.set)
        with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
            while not ended.is_set():
                facts = look()
                if self._as_json:
                    click.echo(json.dumps(facts))
                else:
                    live.update(Text(words.text(**facts)), refresh=True)
                try:
                    await asyncio.wait_for(ended.wait(), self._every)
                except TimeoutError:
                    continue
        self.say(look())


def _run(work: Coroutine[Any, Any, None]) -> None:
    import uvloop

    uvloop.run(work)


def _text(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
