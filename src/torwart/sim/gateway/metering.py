"""Registration: at every registration instant of its clock the gateway reads its paired meters and keeps the values."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from torwart.sim.gateway.core import Core
from torwart.sim.gateway.event import EventKind
from torwart.sim.gateway.log import LogKind
from torwart.sim.gateway.meter import (
    COVER_OPEN,
    EXPORT,
    IMPORT,
    MAGNETIC_TAMPER,
    POWER,
    QUARTER,
    Household,
    Meter,
    MeterTrouble,
    MeterValues,
)
from torwart.sim.gateway.series import (
    GATEWAY_WORD,
    METER_TAMPER,
    NO_VALUE,
    RETENTION,
    TIME_INVALID,
    Capture,
    Series,
)
from torwart.sim.gateway.tariff import grid
from torwart.sim.gateway.timeline import Alarm

REGISTERS = (IMPORT, EXPORT, POWER)
LATENCY = 1.0
"""Seconds after the registration instant at which a meter's value is there (PTB-A 50.8 allows 2)."""


class Metering:
    """The LMN with its meters and the captures of the paired ones.

    ``period``: seconds between registrations. ``on_capture`` is told each capture with its meter's id, ``on_tick``
    that a round of registrations is over; ``boundaries`` answers instants to register beside the grid.
    """

    __slots__ = (
        "_alarm",
        "_core",
        "_lost",
        "_tampered",
        "_ticked",
        "boundaries",
        "meters",
        "on_capture",
        "on_tick",
        "period",
        "stopped",
    )

    def __init__(self, core: Core) -> None:
        self._core = core
        self.meters: dict[str, Meter] = {}
        for config in core.config.meters:
            household = Household(config.seed, config.annual_kwh, config.pv_kwp)
            meter = Meter(config.device, config.key, household, core.timeline.now() - timedelta(hours=1))
            if config.device in core.memory.meters:
                meter.recall(core.memory.meters[config.device])
            self.meters[str(config.device)] = meter
        self.period = QUARTER
        self.stopped = False
        self.on_capture: Callable[[str, Capture], None] = lambda *_: None
        self.on_tick: Callable[[], None] = lambda: None
        self.boundaries: Callable[[], Iterable[datetime]] = lambda: ()
        self._lost: set[str] = set()
        self._tampered: set[str] = set()
        self._ticked: datetime | None = None
        self._alarm: Alarm | None = None

    # --- running ---

    def start(self) -> None:
        """Begin to register, from the next instant on; what lies before was not measured by this gateway."""
        self._ticked = self._core.clock.now()
        self._set_alarm()

    def stop(self) -> None:
        """Power off: alarms are gone with it."""
        self._alarm = None
        self._ticked = None

    def set_period(self, period: int) -> None:
        """Register every ``period`` seconds from now on."""
        if period != self.period:
            self.catch_up()
            self.period = period
            if self._alarm is not None:
                self._alarm.cancel()
                self._set_alarm()

    def _set_alarm(self) -> None:
        now = self._core.clock.now()
        wait = self.period - now.timestamp() % self.period + LATENCY
        self._alarm = self._core.after(wait, self._tick)

    def _tick(self) -> None:
        self.catch_up()
        self.on_tick()
        self._set_alarm()

    def catch_up(self) -> None:
        """Register every instant that passed since the last time; also called before values are handed out."""
        core = self._core
        if self._ticked is None:
            return
        now = core.clock.now()
        extra = (at for at in self.boundaries() if self._ticked < at <= now)
        for instant in sorted({*grid(self._ticked, now, self.period), *extra}):
            if not self.stopped:
                self._register(instant)
        self._ticked = max(now, self._ticked)

    def _register(self, instant: datetime) -> None:
        core = self._core
        for device in core.memory.pairings:
            self._capture(device, instant, core.clock.true_of(instant))
        core.memory.touch()

    def capture_now(self, device: str) -> None:
        """Register a paired meter out of turn: the start value of an evaluation."""
        core = self._core
        if device in core.memory.pairings and not self.stopped:
            self._capture(device, core.clock.now().replace(microsecond=0), core.timeline.now())

    def _capture(self, device: str, instant: datetime, true_instant: datetime) -> None:
        meter = self.meters.get(device)
        values = meter.read(true_instant) if meter else None
        self._watch(device, values)
        self._keep(device, Capture(instant, values.registers if values else {}, self.status(values)))

    def status(self, values: MeterValues | None) -> int:
        """The combined 64-bit word (DS2 Tab. 15.1) of a value read now."""
        word = GATEWAY_WORD
        word |= 0 if self._core.clock.valid else TIME_INVALID
        if values is None:
            return word | NO_VALUE
        word |= METER_TAMPER if values.status & (MAGNETIC_TAMPER | COVER_OPEN) else 0
        return word | values.status

    def _keep(self, device: str, capture: Capture) -> None:
        series = self._core.memory.series.setdefault(device, Series(REGISTERS))
        if series.append(capture):
            series.forget_before(capture.at - RETENTION)
            self.on_capture(device, capture)

    def _watch(self, device: str, values: MeterValues | None) -> None:
        """Log when a meter goes, comes back, or is tampered with."""
        log = self._core.log
        if values is None:
            if device not in self._lost:
                self._lost.add(device)
                self._calibration(log(EventKind.METER_LOST, device))
            return
        if device in self._lost:
            self._lost.discard(device)
            self._calibration(log(EventKind.METER_BACK, device))
        tampered = bool(values.status & (MAGNETIC_TAMPER | COVER_OPEN))
        if tampered and device not in self._tampered:
            self._calibration(log(EventKind.METER_TAMPERED, device))
        (self._tampered.add if tampered else self._tampered.discard)(device)

    # --- what stops it ---

    def _calibration(self, kept: bool) -> None:
        """PP-0073: a full calibration log stops metering, and the GWA hears of it."""
        if not kept and not self.stopped:
            self.stopped = True
            self._core.log(EventKind.CALIBRATION_LOG_FULL)
            self._core.log(EventKind.METERING_STOPPED)

    def fill_calibration_log(self, *, full: bool) -> None:
        """A fault: the calibration log is full; without it, the log is empty again and metering goes on."""
        log = self._core.memory.logs[LogKind.CALIBRATION]
        if full:
            log.capacity = len(log)
            self._calibration(kept=False)
        else:
            log.capacity = self._core.config.calibration_log_capacity
            self.resume()

    def resume(self) -> None:
        """The log has room again (the GWA has read and cleared it)."""
        self.stopped = False

    # --- meters ---

    def trouble(self, trouble: MeterTrouble, *, on: bool) -> None:
        for meter in self.meters.values():
            meter.trouble = meter.trouble | trouble if on else meter.trouble & ~trouble

    def pair(self, device: str, key: bytes) -> bool:
        """Pair a meter seen on the LMN with its key; ``False`` if it is not there or does not take the key."""
        core = self._core
        meter = self.meters.get(device)
        if meter is None or not meter.accepts(key):
            core.log(EventKind.METER_REFUSED, device)
            return False
        core.memory.pairings[device] = core.clock.now()
        self._calibration(core.log(EventKind.METER_PAIRED, device))
        return True

    def unpair(self, device: str) -> None:
        """Forget a meter and what was registered of it."""
        memory = self._core.memory
        memory.pairings.pop(device, None)
        memory.series.pop(device, None)
        memory.touch()

    def read_now(self, device: str) -> Capture | None:
        """The present values of a paired meter; ``None`` of one that is not paired."""
        core = self._core
        meter = self.meters.get(device)
        if meter is None or device not in core.memory.pairings:
            return None
        values = meter.read(core.timeline.now())
        return Capture(core.clock.now(), values.registers if values else {}, self.status(values))
