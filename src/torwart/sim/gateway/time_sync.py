"""Time from the GWA: NTP in TLS at boot and daily, never more than once a minute (DS2 chapter 14)."""

from datetime import datetime, timedelta

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.ntp import NTP_STEP
from torwart.sim.gateway.clock import INVALID_SECONDS, WARN_SECONDS
from torwart.sim.gateway.core import Core
from torwart.sim.gateway.event import EventKind
from torwart.sim.gateway.fault import Fault
from torwart.sim.gateway.links import Links, Scenario
from torwart.wire import ntp

DAY = 86_400.0
LATE_ANSWER = timedelta(seconds=12)


class TimeSync:
    """Polls the GWA's time server and sets the clock; what a good answer is, ``torwart.wire.ntp`` says."""

    __slots__ = ("_asked_at", "_core", "_failures", "_links", "last_offset", "last_sync")

    def __init__(self, core: Core, links: Links) -> None:
        self._core = core
        self._links = links
        self._asked_at: datetime | None = None
        self._failures = 0
        self.last_offset = 0.0
        """Seconds the clock was corrected by, the last time it was."""
        self.last_sync: datetime | None = None

    async def boot(self) -> None:
        """First poll after power-on, then daily for as long as there is power."""
        while True:
            done = await self.poll()
            self._failures = 0 if done else self._failures + 1
            pause = DAY if done else min(60.0 * 2 ** min(self._failures, 6), DAY)
            await self._core.timeline.sleep(pause * (0.9 + 0.2 * self._core.random.random()))

    async def speak_again(self) -> None:
        """Ask at once after a silence, instead of at the end of the present pause."""
        await self.poll()

    async def poll(self) -> bool:
        """Ask once; ``False`` when there was no answer worth believing. Too early a poll waits for its minute."""
        core = self._core
        if self._asked_at is not None and not ntp.may_poll(self._asked_at, core.timeline.now()):
            gone = (core.timeline.now() - self._asked_at).total_seconds()
            await core.timeline.sleep(ntp.MIN_POLL_INTERVAL.total_seconds() - gone)
        try:
            answer = await self._ask()
        except Refusal as refusal:
            subject = EventKind.CONNECT_FAILED if refusal.code.startswith(("sim.", "tls.")) else EventKind.TIME_IGNORED
            parameters = (Scenario.NTP.value, refusal.code) if subject is EventKind.CONNECT_FAILED else (refusal.code,)
            core.log(subject, *parameters)
            if refusal.kind is NTP_STEP:
                # Own time against authentic time: neither can be trusted, so the own one is held invalid from now on
                # and the next answer sets it (Secure State Measurement, spec/04 §1.13).
                core.clock.valid = False
                core.log(EventKind.CLOCK_INVALID)
            return False
        self._set(answer.offset.total_seconds())
        return True

    async def _ask(self) -> ntp.Synchronisation:
        clock = self._core.clock
        stream = await self._links.open(Scenario.NTP)
        self._asked_at = self._core.timeline.now()
        try:
            asked = ntp.request()
            sent_at = clock.now()
            await stream.write(asked.encode())
            octets = await stream.read_exactly(ntp.PACKET_SIZE)
            late = LATE_ANSWER if Fault.NTP_LATE in self._core.faults else timedelta()
            return ntp.evaluate(
                octets, asked=asked, sent_at=sent_at, received_at=clock.now() + late, synchronised=clock.valid
            )
        finally:
            stream.close()

    def _set(self, offset: float) -> None:
        """Correct the clock; a valid one that was too far off is first flagged (PTB-A 50.8: 1 %, 3 %)."""
        core, was_valid = self._core, self._core.clock.valid
        if was_valid and abs(offset) > INVALID_SECONDS:
            core.log(EventKind.CLOCK_INVALID)
        elif was_valid and abs(offset) > WARN_SECONDS:
            core.log(EventKind.CLOCK_OFF, f"{offset:.0f}")
        core.clock.step(offset)
        self.last_offset, self.last_sync = offset, core.clock.now()
        if abs(offset) >= 0.5 or not was_valid:
            core.log(EventKind.CLOCK_SET, f"{offset:.3f}")
        core.memory.touch()
