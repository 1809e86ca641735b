"""ADMIN-SERVICE: the gateway tells its GWA what happened, and brings the results of slow methods (A2 §7.4, §7.5).

Events wait in the memory until the GWA has answered 2xx, oldest first; so none is lost by a broken line or a power
cut, and one whose answer was lost is sent twice with the same number. Late results do not survive a power cut.
"""

import asyncio
from collections import deque

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.sim import NOT_TAKEN
from torwart.sim.gateway.cms_fault import protect_with
from torwart.sim.gateway.core import Core
from torwart.sim.gateway.event import EVENTS, VENDOR, EventKind
from torwart.sim.gateway.fault import Fault
from torwart.sim.gateway.http_fault import REQUEST_FAULTS, spoiled_request
from torwart.sim.gateway.links import Links, Scenario
from torwart.sim.gateway.log import Level
from torwart.sim.gateway.memory import Notice
from torwart.sim.http_transport import HttpCaller
from torwart.sim.tls_transport import TlsStream
from torwart.wire.cosem import MEDIA_TYPE_CMS, Request, Response
from torwart.wire.smgw.model import Event
from torwart.wire.smgw.telling import event_request

MOST_NOTICES = 20_000
IDLE_SECONDS = 30.0
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 600.0
STORM_ALARMS, STORM_SECONDS = 10_000, 60


class Reporter:
    """One connection while there is something to say, and a little longer."""

    __slots__ = ("_caller", "_core", "_late", "_links", "_stream", "_work", "failures", "sent")

    def __init__(self, core: Core, links: Links) -> None:
        self._core = core
        self._links = links
        self._late: deque[Request] = deque()
        self._work = asyncio.Event()
        self._stream: TlsStream | None = None
        self._caller: HttpCaller | None = None
        self.failures = 0
        self.sent = 0
        core.report = self.report

    # --- what there is to say ---

    def report(self, kind: EventKind, parameters: tuple[str, ...], subject: str, record: int) -> None:
        """Queue an event; of too many the oldest that are no errors are dropped."""
        core, memory = self._core, self._core.memory
        if len(memory.notices) >= MOST_NOTICES:
            self._make_room(memory.notices)
        memory.notices.append(
            Notice(memory.next_notice, kind.value, core.clock.now(), core.seconds, parameters, subject, record)
        )
        memory.next_notice += 1
        memory.touch()
        self._work.set()

    @staticmethod
    def _make_room(notices: list[Notice]) -> None:
        harmless = (Level.INFO, Level.WARNING)
        for index, notice in enumerate(notices):
            if EVENTS[EventKind(notice.kind)].level in harmless:
                del notices[index]
                return
        del notices[0]

    def bring(self, notification: Request) -> None:
        """Queue a late result, as ``ResourceServer.notification`` made it: its body is protected already."""
        self._late.append(notification)
        self._work.set()

    def storm(self) -> None:
        """A fault: ten thousand alarms within a minute."""
        for second in range(STORM_SECONDS):
            self._core.after(second, self._gust)

    def _gust(self) -> None:
        for _ in range(-(-STORM_ALARMS // STORM_SECONDS)):
            number = self._core.memory.next_notice
            self.report(EventKind.ALARM_TEST, (str(number),), "", 0)

    def hang_up(self) -> None:
        """Reset the connection (power cut, silence)."""
        if self._stream is not None:
            self._stream.abort()

    # --- saying it ---

    async def run(self) -> None:
        """For as long as there is power."""
        if self._core.memory.notices:
            self._work.set()
        while True:
            await self._rest()
            try:
                await self._say_all()
                self.failures = 0
            except Refusal:
                self.failures += 1
                self._close()
                pause = min(FIRST_PAUSE * 2.0 ** min(self.failures - 1, 16), LONGEST_PAUSE)
                await self._core.timeline.sleep(pause * (0.5 + 0.5 * self._core.random.random()))

    async def _rest(self) -> None:
        """Wait for work; a connection that is idle for too long is closed meanwhile."""
        while not self._work.is_set():
            try:
                # Not asyncio.wait_for: in Python 3.11 it loses a cancellation that comes together with the event.
                async with asyncio.timeout(IDLE_SECONDS if self._caller is not None else None):
                    await self._work.wait()
            except TimeoutError:
                self._close()

    async def _say_all(self) -> None:
        notices = self._core.memory.notices
        while self._late or notices:
            if Fault.SILENT in self._core.faults:
                await self._core.timeline.sleep(60)
                continue
            if self._late:
                await self._say(self._late[0])
                self._late.popleft()
                continue
            notice = notices[-1 if Fault.REORDER_EVENTS in self._core.faults else 0]
            for _ in range(2 if Fault.DUPLICATE_EVENTS in self._core.faults else 1):
                await self._say(self._request_of(notice))
            notices.remove(notice)
            self.sent += 1
            self._core.memory.touch()
        self._work.clear()

    async def _say(self, request: Request) -> None:
        """One POST; anything but 2xx is a refusal, so that it is said again later."""
        caller = await self._connected()
        if self._core.faults & REQUEST_FAULTS:
            await self._spoil(request)
        response = await caller.exchange(request)
        if not response.ok:
            await self._wait_as_told(response)
            raise _not_taken(response)

    async def _spoil(self, request: Request) -> None:
        assert self._stream is not None
        await self._stream.write(spoiled_request(self._core.faults, request, self._host))
        while await self._stream.read():
            pass
        raise _not_taken(Response(0))

    async def _wait_as_told(self, response: Response) -> None:
        if response.retry_after is not None:
            await self._core.timeline.sleep(min(response.retry_after, LONGEST_PAUSE))

    def _request_of(self, notice: Notice) -> Request:
        core, row = self._core, EVENTS[EventKind(notice.kind)]
        event = Event(
            device=core.config.device,
            number=notice.number,
            at=notice.at,
            seconds_index=notice.seconds,
            level=row.level.value,
            vendor=VENDOR,
            event=row.id,
            text=row.text,
            log=row.log,
            record_number=notice.record,
            success=row.level in (Level.INFO, Level.WARNING),
            subject=notice.subject,
            parameters=notice.parameters,
        )
        plain = event_request(event, self._host)
        return Request(
            plain.method, plain.target, {**plain.headers, "Content-Type": MEDIA_TYPE_CMS}, self._protected(plain)
        )

    def _protected(self, request: Request) -> bytes:
        return protect_with(
            self._core.faults,
            request.body,
            signer=self._links.signer(),
            recipient=self._links.gwa(),
            suite=self._links.suite,
        )

    @property
    def _host(self) -> str:
        return self._core.memory.rules.admin_service[0]

    async def _connected(self) -> HttpCaller:
        if self._caller is None or not self._caller.usable:
            self._stream = await self._links.open(Scenario.ADMIN_SERVICE)
            self._caller = HttpCaller(self._stream, self._host)
        return self._caller

    def _close(self) -> None:
        if self._caller is not None:
            self._caller.close()
        self._caller = self._stream = None


def _not_taken(response: Response) -> Refusal:
    return NOT_TAKEN(status=response.status)
