"""A simulated gateway from power-on to power-off: it ties the parts together and decides nothing else."""

import asyncio
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from torwart.kernel.refusals import Refusal
from torwart.sim.gateway.clock import GatewayClock
from torwart.sim.gateway.config import GatewayConfig
from torwart.sim.gateway.contracts import Contracts
from torwart.sim.gateway.core import Core
from torwart.sim.gateway.credentials import CredentialDesk
from torwart.sim.gateway.delivery import Delivery
from torwart.sim.gateway.event import EventKind
from torwart.sim.gateway.fault import CLOCK_FAULTS, METER_FAULTS, Fault
from torwart.sim.gateway.firmware import FirmwareStore
from torwart.sim.gateway.links import Links
from torwart.sim.gateway.management import Management
from torwart.sim.gateway.memory import Memory
from torwart.sim.gateway.metering import Metering
from torwart.sim.gateway.profile_store import ProfileStore
from torwart.sim.gateway.reporter import Reporter
from torwart.sim.gateway.resources import Resources
from torwart.sim.gateway.schedule import last_slot
from torwart.sim.gateway.security_module import SecurityModule, Standing
from torwart.sim.gateway.time_sync import TimeSync
from torwart.sim.gateway.timeline import Alarm, Timeline
from torwart.wire.certificate import Use, load_certificate
from torwart.wire.cms.keys import public_key_of
from torwart.wire.profiles import CommunicationProfile, Scenario
from torwart.wire.wakeup import Window

PIN = b"0123456789"
"""PACE PIN of the module, "≥ 10 digits" (spec/04 §2); the device knows it, nobody else needs it."""

SAVE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class GatewayState:
    """What a person wants to see of a device at a glance."""

    device: str
    powered: bool
    connected: bool
    standing: str
    clock_valid: bool
    deviation: float
    profiles: int
    paired: tuple[str, ...]
    waiting_events: int
    sent_values: int
    faults: tuple[str, ...]
    failures: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Gateway:
    """``directory``: where its memory lies between processes; without one it is born anew each time.

    Methods must be called inside the event loop the device lives in.
    """

    __slots__ = (
        "_call",
        "_call_at",
        "_directory",
        "_rebooting",
        "contracts",
        "core",
        "credentials",
        "delivery",
        "firmware",
        "links",
        "management",
        "metering",
        "profiles",
        "reporter",
        "resources",
        "time",
    )

    def __init__(self, config: GatewayConfig, timeline: Timeline, directory: Path | None = None) -> None:
        self._directory = directory
        memory = Memory.load(directory / "memory.json", config) if directory else Memory.new(config)
        clock = GatewayClock(timeline.now, drift_ppm=config.drift_ppm, offset=config.clock_offset)
        if memory.clock:
            clock.restore(memory.clock)
        module = SecurityModule(clock.now, pin=PIN, path=directory / "module.json" if directory else None)
        if not any(module.has(standing) for standing in Standing):
            module.inject({use: config.seal.of(use).key for use in (Use.TLS, Use.SIG, Use.ENC)})
        self.core = Core(config, timeline, memory, module, clock)
        self._call: Alarm | None = None
        self._call_at: datetime | None = None
        self._rebooting: asyncio.Task[None] | None = None
        self.links = Links(self.core)
        self.reporter = Reporter(self.core, self.links)
        self.metering = Metering(self.core)
        self.contracts = Contracts(self.core, self.metering)
        self.delivery = Delivery(self.core, self.links, self.contracts)
        self.metering.on_tick = self.changed
        self.contracts.on_change = self.changed
        self.time = TimeSync(self.core, self.links)
        self.profiles = ProfileStore(self.core, self.changed, self.metering.unpair)
        self.firmware = FirmwareStore(self.core, self.reboot_soon)
        self.resources = Resources(self)
        self.management = Management(self.core, self.links, self.resources.answer, self.reboot_soon)
        self.credentials = CredentialDesk(self.core, self.links, self.management.renew)
        for fault in config.faults:
            self._apply(fault, on=True)

    @property
    def device(self) -> str:
        return self.core.config.device

    # --- power ---

    def power_on(self) -> None:
        """Boot: open the module, sync the time, call the GWA, count what the meters counted meanwhile."""
        core = self.core
        if core.powered:
            return
        core.powered = True
        core.module.open_session(PIN)
        if core.memory.powered_off_at is not None:
            outage = core.timeline.now() - core.memory.powered_off_at
            core.clock.power_lost(outage)
            if not core.clock.valid and outage > timedelta(0):
                core.log(EventKind.LONG_WITHOUT_POWER)
            core.memory.powered_off_at = None
        core.log(EventKind.BOOTED, core.memory.firmware)
        core.spawn(self.time.boot())
        core.spawn(self.management.run())
        core.spawn(self.reporter.run())
        self.management.want()
        self.resources.started_at = core.timeline.now()
        self.metering.start()
        self.changed()
        self._open_module_again()
        self._save_soon()

    async def power_off(self) -> None:
        """The supply is gone at once: connections break without a word, what was not kept is lost."""
        core = self.core
        if not core.powered:
            return
        core.powered = False
        self.management.hang_up()
        self.reporter.hang_up()
        await core.stop_everything()
        core.module.power_off()
        core.memory.powered_off_at = core.timeline.now()
        self.metering.stop()
        self.delivery.stop()
        self.firmware.forget()
        self._call_at = None
        self.save()

    async def reboot(self) -> None:
        await self.power_off()
        self.power_on()

    def reboot_soon(self) -> None:
        """Reboot from inside a task of the device itself, which the power cut ends."""
        self._rebooting = asyncio.get_running_loop().create_task(self.reboot())

    def _call_by_schedule(self) -> None:
        """Make the regular call of the GWA that the MANAGEMENT profile wants, if it is time, and set the next."""
        profiles = self.core.memory.profiles.values()
        found = (p for p in profiles if isinstance(p, CommunicationProfile) and p.scenario is Scenario.MANAGEMENT)
        schedule = next((p.schedule for p in found), None)
        now = self.core.clock.now()
        due = last_slot(schedule, now, self.core.share) + timedelta(seconds=schedule.period) if schedule else None
        if due == self._call_at:
            return
        if due is not None and self._call_at is not None and self._call_at <= now:
            self.management.want()
        if self._call is not None:
            self._call.cancel()
        self._call_at = due
        self._call = self.core.after((due - now).total_seconds(), self._call_by_schedule) if due else None

    def changed(self) -> None:
        """Profiles, pairings or time changed: contracts may begin or end, and something may be due."""
        self.contracts.refresh()
        self.delivery.due()
        self.management.arm()
        self._call_by_schedule()

    def _open_module_again(self) -> None:
        """Secure messaging with the module lives 48 h; the device renews it in time."""
        self.core.module.open_session(PIN)
        self.core.after(24 * 3600.0, self._open_module_again)

    # --- what reaches it from outside ---

    def wake_up(self, packet: bytes) -> bool:
        """A datagram came in. Dropped in silence unless it is a true wake-up; a true one makes it call the GWA."""
        core = self.core
        if not core.powered or Fault.SILENT in core.faults:
            return False
        rules = core.memory.rules
        if not rules.wake_up_active:
            return False
        window = Window(
            core.config.device,
            public_key_of(load_certificate(rules.wake_up_sig or rules.gwa_sig)),
            seconds=rules.wake_up_window,
            last=core.memory.last_wake_up,
        )
        try:
            window.accept(packet, core.clock.now())
        except Refusal as refusal:
            core.log(EventKind.WAKE_UP_DROPPED, refusal.code)
            return False
        core.memory.last_wake_up = window.last
        core.log(EventKind.WAKE_UP_TAKEN)
        self.management.want()
        return True

    # --- faults ---

    def set_fault(self, fault: Fault, on: bool = True) -> None:
        """Switch a fault; what is running is affected at once where the real thing would be."""
        if (fault in self.core.faults) == on:
            return
        (self.core.faults.add if on else self.core.faults.discard)(fault)
        self._apply(fault, on=on)

    def _apply(self, fault: Fault, *, on: bool) -> None:
        core = self.core
        if fault in CLOCK_FAULTS:
            core.clock.disturbance += CLOCK_FAULTS[fault] if on else -CLOCK_FAULTS[fault]
        elif fault is Fault.KEY_GENERATION:
            core.module.failing = on
        elif fault in METER_FAULTS:
            self.metering.trouble(METER_FAULTS[fault], on=on)
        elif fault is Fault.LOG_FULL:
            self.metering.fill_calibration_log(full=on)
        elif fault is Fault.ALARM_STORM and on:
            self.reporter.storm()
        elif fault is Fault.SILENT and on:
            self.management.hang_up()
            self.reporter.hang_up()
        elif fault is Fault.SILENT and core.powered:
            core.spawn(self.time.speak_again())
            self.management.want()

    # --- looking at it, keeping it ---

    def state(self) -> GatewayState:
        core = self.core
        return GatewayState(
            device=str(core.config.device),
            powered=core.powered,
            connected=self.management.connected,
            standing=self.links.standing.value,
            clock_valid=core.clock.valid,
            deviation=round(core.clock.deviation, 3),
            profiles=len(core.memory.profiles),
            paired=tuple(sorted(core.memory.pairings)),
            waiting_events=len(core.memory.notices),
            sent_values=sum(core.memory.sent_count.values()),
            faults=tuple(sorted(core.faults)),
            failures=self.management.failures,
        )

    def save(self) -> None:
        """Write the memory to its file, if it has one and anything changed."""
        core = self.core
        if self._directory is None or not core.memory.dirty:
            return
        self.contracts.keep_counters()
        core.memory.clock = core.clock.state()
        core.memory.meters = {meter.device: meter.counted() for meter in self.metering.meters.values()}
        core.memory.save(self._directory / "memory.json")

    def _save_soon(self) -> None:
        self.save()
        if self._directory is not None:
            self.core.after(SAVE_SECONDS, self._save_soon)
