"""What all parts of one gateway share: clock, module, memory, logs, faults, and the tasks that live on its power."""

import asyncio
import random
import zlib
from collections.abc import Callable, Coroutine
from typing import Any

from torwart.sim.gateway.clock import GatewayClock
from torwart.sim.gateway.config import GatewayConfig
from torwart.sim.gateway.event import EVENTS, EventKind
from torwart.sim.gateway.fault import Fault
from torwart.sim.gateway.log import Level
from torwart.sim.gateway.memory import Memory
from torwart.sim.gateway.security_module import SecurityModule
from torwart.sim.gateway.timeline import Alarm, Timeline


class Core:
    """The middle of a gateway. ``report`` is called with each event the GWA must hear of (kind, parameters,
    subject, record number; set by the reporter)."""

    __slots__ = (
        "_alarms",
        "_born",
        "_tasks",
        "clock",
        "config",
        "faults",
        "memory",
        "module",
        "powered",
        "random",
        "report",
        "timeline",
    )

    def __init__(
        self, config: GatewayConfig, timeline: Timeline, memory: Memory, module: SecurityModule, clock: GatewayClock
    ) -> None:
        self.config = config
        self.timeline = timeline
        self.memory = memory
        self.module = module
        self.clock = clock
        self.faults: set[Fault] = set(config.faults)
        self.random: random.Random = _RANDOM
        self.powered = False
        self.report: Callable[[EventKind, tuple[str, ...], str, int], None] = lambda *_: None
        self._born = min(credential.certificate.not_valid_before_utc for credential in config.seal)
        self._tasks: set[asyncio.Task[None]] = set()
        self._alarms: set[Alarm] = set()

    # --- logs and events ---

    def log(self, kind: EventKind, *parameters: str, subject: str = "") -> bool:
        """Write an event into its log and, if the GWA must hear of it, hand it to the reporter.

        ``False`` when the calibration log was full: then the entry is lost and metering has to stop (PP-0073).
        """
        event, memory = EVENTS[kind], self.memory
        success = event.level in (Level.INFO, Level.WARNING)
        entry = memory.logs[event.log].append(
            self.clock.now(), self.seconds, event.level, event.id, event.text, *parameters,
            success=success, subject=subject,
        )  # fmt: skip
        memory.touch()
        if event.told_from(memory.rules.report_level):
            self.report(kind, parameters, subject, entry.number if entry else 0)
        return entry is not None

    @property
    def seconds(self) -> int:
        """Seconds of operation since manufacture, as far as this process knows."""
        return int((self.timeline.now() - self._born).total_seconds())

    @property
    def share(self) -> float:
        """This device's place within the spread of a schedule, 0 to 1; always the same, different for each device."""
        return zlib.crc32(str(self.config.device).encode()) / 2**32

    # --- tasks and alarms that end with the power ---

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A part that dies is a programming error of the simulator, never a simulated fault: make it seen.
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"simulated gateway {self.config.device}", "exception": error, "task": task}
            )

    def after(self, seconds: float, act: Callable[[], None]) -> Alarm:
        """Call ``act`` after ``seconds`` of simulated time, unless the power is gone by then."""

        def ring() -> None:
            self._alarms.discard(alarm)
            if self.powered:
                act()

        alarm = self.timeline.after(seconds, ring)
        if len(self._alarms) > _MANY_ALARMS:
            self._alarms = {known for known in self._alarms if known.act is not None}
        self._alarms.add(alarm)
        return alarm

    async def stop_everything(self) -> None:
        """Cancel all tasks and alarms and wait until they are gone; called from outside of them."""
        for alarm in self._alarms:
            alarm.cancel()
        self._alarms.clear()
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


_MANY_ALARMS = 32
_RANDOM = random.Random()  # noqa: S311 -- jitter of simulated devices, no secret
