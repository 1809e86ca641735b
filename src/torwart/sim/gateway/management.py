"""The MANAGEMENT channel: the gateway calls, then the GWA asks and the gateway answers (A2 §7.5).

When it is opened is one rule: when something wants it (boot, wake-up, schedule, new certificates) and until the GWA
ends it. A connection that fails or breaks is tried again with growing pauses; one that the GWA closes in order stays
closed until something wants it again; one that grows too old is replaced at once (TR-03116-3 §4.1.2: 48 h).
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto

from torwart.kernel.refusals import Refusal
from torwart.sim.gateway import http_fault
from torwart.sim.gateway.core import Core
from torwart.sim.gateway.event import EventKind
from torwart.sim.gateway.fault import Fault
from torwart.sim.gateway.links import Links, Scenario
from torwart.sim.gateway.timeline import Alarm
from torwart.sim.tls_transport import TlsStream
from torwart.wire.cosem import Request, Response, ServerConnection

LATE_SECONDS = 6 * 3600.0
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 900.0


class Ending(Enum):
    """How a session ended, and with it whether the next follows by itself."""

    BY_GWA = auto()
    BROKEN = auto()
    TOO_OLD = auto()
    RENEWED = auto()


class Reboot(Exception):
    """Raised out of a request by a fault: the device reboots, nothing of the request is kept."""


class Management:
    """``answer`` makes the response to a request; ``reboot`` restarts the device (called for ``Reboot``)."""

    __slots__ = (
        "_answer",
        "_armed",
        "_core",
        "_ending",
        "_limit",
        "_links",
        "_opened_at",
        "_reboot",
        "_stream",
        "_wanted",
        "failures",
    )

    def __init__(
        self, core: Core, links: Links, answer: Callable[[Request], Response], reboot: Callable[[], None]
    ) -> None:
        self._core = core
        self._links = links
        self._answer = answer
        self._reboot = reboot
        self._stream: TlsStream | None = None
        self._ending: Ending | None = None
        self._opened_at = core.timeline.now()
        self._limit: Alarm | None = None
        self._armed: tuple[datetime, float] | None = None
        self._wanted = asyncio.Event()
        self.failures = 0
        """Failed attempts since the last success."""

    @property
    def connected(self) -> bool:
        return self._stream is not None and self._stream.open

    def want(self) -> None:
        """Open the channel if it is not open."""
        if not self.connected:
            self._wanted.set()

    def renew(self) -> None:
        """Close after the present response and open again, because the certificates changed."""
        self._end(Ending.RENEWED)

    def hang_up(self) -> None:
        """Reset the connection without a word (power cut, silence)."""
        if self._stream is not None:
            self._stream.abort()

    async def run(self) -> None:
        """For as long as there is power."""
        while True:
            if not self.connected:
                await self._wanted.wait()
            self._wanted.clear()
            if Fault.LATE in self._core.faults:
                await self._core.timeline.sleep(LATE_SECONDS)
            ending = await self._session()
            if ending is Ending.BROKEN:
                self.failures += 1
                await self._core.timeline.sleep(self._pause())
            if ending is not Ending.BY_GWA:
                self.want()

    def _pause(self) -> float:
        """Back-off with jitter: full doubling up to a quarter of an hour, then a random half to whole of it."""
        pause = min(FIRST_PAUSE * 2.0 ** min(self.failures - 1, 16), LONGEST_PAUSE)
        return pause * (0.5 + 0.5 * self._core.random.random())

    async def _session(self) -> Ending:
        """Open, serve to the end, and say how it ended."""
        core = self._core
        if Fault.SILENT in core.faults:
            return Ending.BY_GWA
        try:
            stream = await self._links.open(Scenario.MANAGEMENT)
        except Refusal as refusal:
            core.log(EventKind.CONNECT_FAILED, Scenario.MANAGEMENT.value, refusal.code)
            return Ending.BROKEN
        self._stream, self._ending, self.failures = stream, None, 0
        self._wanted.clear()  # whatever called meanwhile has what it wanted
        core.log(EventKind.SESSION_OPENED, Scenario.MANAGEMENT.value, stream.peer_name)
        self._opened_at = core.timeline.now()
        self.arm()
        try:
            ending = await self._serve(stream)
        finally:
            stream.close()
            self._stream = None
        core.log(EventKind.SESSION_CLOSED, Scenario.MANAGEMENT.value, ending.name.lower())
        return ending

    def arm(self) -> None:
        """Set the end of the running session by the limit in force; called again when that may have changed."""
        seconds = self._core.memory.rules.session_seconds
        if self._stream is None or (self._armed == (self._opened_at, seconds)):
            return
        if self._limit is not None:
            self._limit.cancel()
        self._armed = self._opened_at, seconds
        left = seconds - (self._core.timeline.now() - self._opened_at).total_seconds()
        self._limit = self._core.after(max(left, 0.0), lambda: self._end(Ending.TOO_OLD))

    def _end(self, ending: Ending) -> None:
        self._ending = ending
        if self._stream is not None and ending is Ending.TOO_OLD:
            self._stream.close()

    async def _serve(self, stream: TlsStream) -> Ending:
        connection = ServerConnection()
        try:
            while not connection.closed and self._ending is None:
                data = await stream.read()
                if Fault.DROP_REQUEST in self._core.faults and data:
                    stream.abort()
                    return Ending.BROKEN
                request = connection.receive(data)
                if request is not None:
                    await self._respond(stream, connection, request)
            return self._ending or Ending.BY_GWA
        except Refusal as refusal:
            return await self._give_up(stream, connection, refusal)
        except Reboot:
            stream.abort()
            self._reboot()
            return Ending.BROKEN

    async def _respond(self, stream: TlsStream, connection: ServerConnection, request: Request) -> None:
        if Fault.SILENT in self._core.faults:
            return
        response = self._answer(request)
        await http_fault.transmit(self._core.faults, stream, connection, response)

    async def _give_up(self, stream: TlsStream, connection: ServerConnection, refusal: Refusal) -> Ending:
        """The connection broke, or the GWA sent what cannot be read: then it gets the error response."""
        if self._ending is not None:
            return self._ending
        if stream.open:
            self._core.log(EventKind.MESSAGE_REFUSED, refusal.code)
            if answer := connection.refuse(refusal):
                await stream.write(answer)
            return Ending.BY_GWA
        return Ending.BROKEN
