"""The stage: every process of a small installation, its outside parties, and the orders that set it going.

Head-end and workers are processes of their own (and can be killed); PostgreSQL and the bus too. The outside parties
(gateways, Sub-CA, EMT) live in this process, in a loop and threads of their own.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from torwart.adapters.bus import BlockingBus, NatsBus, NatsServer
from torwart.adapters.engine import AbsurdEngine
from torwart.adapters.gateway_link import BusGatewayLink
from torwart.adapters.sm_pki import SmPkiClient
from torwart.config import site as sites
from torwart.config.children import Child, Family
from torwart.config.demo.scenario import Part
from torwart.config.wiring import WorkerConfig
from torwart.processes import ordering
from torwart.sim.emt import EmtConfig, EmtReceiver
from torwart.sim.emt.files import EmtFiles
from torwart.sim.gateway.config import GatewayConfig
from torwart.sim.gateway.fleet import EVERYONE, Fleet, FleetConfig
from torwart.sim.gateway.manufacture import device_ids, forge, initial_config, make_device
from torwart.sim.pki import Triple
from torwart.sim.sub_ca import SubCaServer
from torwart.wire.certificate import identify

T = TypeVar("T")

PATIENCE: Mapping[str, Any] = {
    "gateway": (0.5, 1.0, 2.0, 3.0),
    "gateway_total": 86400.0,
    "ca": (0.5, 1.0, 2.0),
    "meter": (0.3, 0.5, 0.5),
    "clock": (0.5, 1.0, 1.0),
    "wake_up_total": 20.0,
    "test_total": 4.0,
    "late_result_total": 20.0,
    "first_value_total": 60.0,
    "contracts": (0.5, 1.0, 1.0, 2.0, 2.0, 5.0, 5.0, 10.0),
    "change": 1.0,
}
"""Days become seconds: how long the stories of the demonstration wait (all of it configuration)."""


@dataclass
class Stage:
    """``directory``: where everything lies, logs too. ``start`` builds it up, ``stop`` takes it down.

    ``database``: an empty one that somebody else makes and drops; without it the stage does. ``program``: what is
    started as worker instead of ``torwart worker``. ``api``: with the EMT–GWA interface, behind the head-end's EMT-API.
    """

    directory: Path
    parts: Sequence[Part]
    workers: int = 2
    worker: Mapping[str, Any] = field(default_factory=dict)
    database: str = ""
    program: tuple[str, ...] | None = None
    api: bool = False
    sandbox: bool = False
    site: sites.Site = field(init=False)
    devices: list[GatewayConfig] = field(init=False)
    fleet: Fleet = field(init=False)
    emt: EmtReceiver = field(init=False)
    sub_ca: SubCaServer = field(init=False)
    nats: NatsServer = field(init=False)
    family: Family = field(init=False)
    engine: AbsurdEngine = field(init=False)
    link: BusGatewayLink = field(init=False)
    ca: SmPkiClient = field(init=False)

    def start(self, tell: Any) -> None:
        """Build everything up; ``tell(words…)`` is called before each step. Django must be importable already."""
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="outside", daemon=True)
        self._thread.start()
        tell("database")
        self.site = sites.create(self.directory, database=self.database)
        tell("bus")
        self.nats = NatsServer()
        self.family = Family(self.directory / "logs", {"TORWART_DATABASE_URL": self.site.database, **self._kind()})
        tell("headend")
        self.start_headend()
        api = self._start_api() if self.api else None
        self._manufacture()
        tell("sub_ca")
        self._start_sub_ca()
        tell("workers")
        self._start_workers()
        if api is not None:
            tell("api")
            self.family.await_ready(api)
        tell("outside")
        self.call(self._start_outside())
        if self.sandbox:
            tell("sandbox")
            self.start_sandbox()
        self._bus = BlockingBus.start(lambda: NatsBus.connect(self.nats.url, name="demo"))
        self.link = BusGatewayLink(self._bus)
        self.engine = AbsurdEngine()
        identity = WorkerConfig.load(self.directory / "worker-1.toml").ca_identity
        self.ca = SmPkiClient(self.sub_ca.url, identity, crl_url=self.sub_ca.crl_url)

    def _kind(self) -> dict[str, str]:
        return {"TORWART_ENVIRONMENT": "test", "TORWART_SANDBOX": "1" if self.sandbox else ""}

    def start_sandbox(self) -> Child:
        """Start the host of the sandbox's gateways."""
        config = sites.write_sandbox(self.site)
        return self.family.await_ready(self.family.start("sandbox", "simulate", "sandbox", "--config", str(config)))

    def start_headend(self) -> None:
        """Start the head-end; after the first time on the same ports."""
        config = sites.write_headend(self.site, ports=self.site.ports, api=self.socket if self.api else None)
        child = self.family.start("headend", "headend", "--config", str(config), "--bus", self.nats.url)
        self.family.await_ready(child)
        self.site.ports = dict(child.facts["ports"])

    @property
    def socket(self) -> Path:
        """Where ``torwart api`` answers."""
        return self.directory / "api.sock"

    @property
    def api_url(self) -> str:
        """The interface as a client's system calls it. The head-end's certificate names this host."""
        return f"https://localhost:{self.site.ports['EMT-API']}"

    def start_api(self) -> Child:
        """Start the interface and its webhooks, or another one after it was killed."""
        return self.family.await_ready(self._start_api())

    def _start_api(self) -> Child:
        partners = EmtFiles.write(self.directory / "partners", self.site.pki, self.site.pki.gwa.tls)
        told = {
            "TORWART_API_SECRET": (self.directory / "api.secret").read_text(),
            "TORWART_BDEW_CHAIN": str(partners.chain),
            "TORWART_BDEW_KEY": str(partners.key),
            "TORWART_BDEW_TRUST": str(partners.root),
        }
        return self.family.start("api", "api", "--socket", str(self.socket), environment=told)

    def _start_sub_ca(self) -> None:
        self.sub_ca = SubCaServer(self.site.pki, state_dir=self.directory / "sub-ca").start()

    def _start_workers(self) -> None:
        names = [f"worker-{number + 1}" for number in range(self.workers)]
        started = [self._start_worker(name, callbacks="127.0.0.1:0" if name == names[0] else "") for name in names]
        for child in started:
            self.family.await_ready(child)
        gwa = identify(self.site.pki.gwa.tls.certificate).common_name
        self.sub_ca.register(gwa, str(started[0].facts["callbacks"]))

    def _start_worker(self, name: str, callbacks: str = "") -> Child:
        config = sites.write_worker(
            self.site,
            bus=self.nats.url,
            ca_url=self.sub_ca.url,
            crl_url=self.sub_ca.crl_url,
            name=name,
            callbacks=callbacks,
            **{"patience": PATIENCE, **self.worker},
        )
        return self.family.start(name, "worker", "--config", str(config), program=self.program)

    def _manufacture(self) -> None:
        """The maker makes the devices; what some of them will show wrongly is issued (and revoked) here too."""
        host, ports = "127.0.0.1", self.site.ports
        pki = self.site.pki
        initial = initial_config(
            pki,
            management=(host, ports["MANAGEMENT"]),
            admin_service=(host, ports["ADMIN-SERVICE"]),
            ntp=(host, ports["NTP"]),
        )
        self.devices = [
            make_device(pki, device, initial, meters=part.meters, faults=[part.fault] if part.fault else [])
            for device, part in zip(device_ids(len(self.parts)), self.parts, strict=True)
        ]

    async def _start_outside(self) -> None:
        self.emt = EmtReceiver(emt_config(self.site, self.site.pki.emt))
        address = await self.emt.start()
        self._emt_address = f"{address[0]}:{address[1]}"
        config = FleetConfig(tuple(self.devices), state=self.directory / "fleet", forge=partial(forge, self.site.pki))
        self.fleet = Fleet(config)
        await self.fleet.start(power=False)

    def power_on(self, device: str = EVERYONE) -> None:
        """Somebody installs the gateways: they get power and call."""
        self._loop.call_soon_threadsafe(self.fleet.power_on, device)

    def import_note(self) -> Any:
        """Write the maker's signed delivery note, keep it as a file, import it."""
        note = sites.signed_note(self.site, self.devices)
        (self.directory / "lieferschein.p7m").write_bytes(note)
        return sites.import_note(self.site, note)

    def order_commissioning(self) -> list[str]:
        """Order the commissioning of every gateway; run ids in the order of the devices."""
        emt = sites.register_emt(self.site, self._emt_address)
        wake_up = "{}:{}".format(*self.fleet.wake_up_address)
        return [
            self.order("commissioning", device, fields) for device, fields in sites.orders(self.devices, emt, wake_up)
        ]

    def order(self, name: str, device: str, fields: Mapping[str, Any]) -> str:
        """Order a process, its fields checked as from a form."""
        placed = {"gateway": device, **fields}
        return ordering.order(self.engine, name, placed, client=self.site.client, actor="demo", now=datetime.now(UTC))

    def crash_worker(self) -> int:
        """Kill the second worker as a crash would, and start another; the killed one's process id."""
        child = self.family["worker-2"]
        child.kill()
        self.family.await_ready(self._start_worker("worker-2"))
        return child.pid

    def hang_up(self, device: str) -> None:
        """End the gateway's connection, as an idle night would, and wait until both sides know that it is gone: a
        gateway that still believes in it takes no wake-up.
        """
        deadline = time.monotonic() + 5
        self.link.close(device)
        there = self.fleet.gateways[device].management
        while (there.connected or self.link.connected(device) is not None) and time.monotonic() < deadline:
            time.sleep(0.02)

    def stop(self) -> None:
        """Take everything down, whatever of it stands."""
        with contextlib.suppress(AttributeError):
            self._bus.close()
        for name in ("family", "sub_ca", "nats"):
            standing = getattr(self, name, None)
            if standing is not None:
                standing.stop()
        with contextlib.suppress(AttributeError):
            self.call(self._stop_outside())
        with contextlib.suppress(AttributeError):
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
        if not self.database:
            with contextlib.suppress(AttributeError):
                sites.drop_database(self.site)

    async def _stop_outside(self) -> None:
        await self.fleet.stop()
        await self.emt.stop()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the loop the outside parties live in."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


def emt_config(site: sites.Site, emt: Triple) -> EmtConfig:
    """What an EMT with these credentials must know to receive and to confirm."""
    from cryptography.hazmat.primitives.serialization import Encoding

    pki = site.pki
    chain = tuple(c.public_bytes(Encoding.DER) for c in pki.chain_of(emt.tls.certificate)[1:])
    trust = tuple(c.public_bytes(Encoding.DER) for c in pki.trust_chain)
    return EmtConfig(
        emt,
        chain,
        trust,
        confirm_to=("127.0.0.1", site.ports["EMT-SERVICE"]),
        confirm_peer=(pki.gwa.tls.certificate_der,),
    )
