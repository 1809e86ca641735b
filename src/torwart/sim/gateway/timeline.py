"""The time of the simulated world: it runs like ours and can be pushed forward; one timer serves all gateways."""

import asyncio
import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FEW = 1024


class Alarm:
    """One call to come. ``cancel`` may be called at any time, also after it has rung."""

    __slots__ = ("act",)

    def __init__(self, act: Callable[[], None]) -> None:
        self.act: Callable[[], None] | None = act

    def cancel(self) -> None:
        self.act = None


class Timeline:
    """A clock (``torwart.ports.clock.Clock``) with alarms.

    ``base`` is where its present comes from (by default the system's clock). ``advance`` pushes the present forward
    and rings everything that became due, in order of due time; alarms see the new present, not their own.
    """

    __slots__ = ("_alarms", "_base", "_handle", "_loop", "_many", "_number", "_pushed")

    def __init__(self, base: Callable[[], datetime] | None = None) -> None:
        self._base = base or (lambda: datetime.now(UTC))
        self._pushed = timedelta(0)
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._number = count()
        self._many = _FEW
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handle: asyncio.TimerHandle | None = None

    def now(self) -> datetime:
        return self._base() + self._pushed

    def advance(self, by: timedelta) -> None:
        """Push the present forward by ``by`` (never back: a simulated past cannot be unlived)."""
        if by < timedelta(0):
            raise ValueError("the simulated world does not run backwards")
        self._pushed += by
        self._ring()

    def at(self, when: datetime, act: Callable[[], None]) -> Alarm:
        """Call ``act`` once ``when`` has come; must be called from a running event loop."""
        alarm = Alarm(act)
        if len(self._alarms) > self._many:
            self._sweep()
        due = (when - _EPOCH).total_seconds()
        heapq.heappush(self._alarms, (due, next(self._number), alarm))
        self._loop = asyncio.get_running_loop()
        if self._alarms[0][2] is alarm:
            self._set_timer()
        return alarm

    def after(self, seconds: float, act: Callable[[], None]) -> Alarm:
        return self.at(self.now() + timedelta(seconds=seconds), act)

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` of simulated time."""
        woken = asyncio.get_running_loop().create_future()
        alarm = self.after(seconds, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            alarm.cancel()

    def close(self) -> None:
        """Forget all alarms."""
        self._alarms.clear()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _sweep(self) -> None:
        """Drop cancelled alarms that lie deep in the heap; doubling keeps the cost per alarm constant."""
        self._alarms = [entry for entry in self._alarms if entry[2].act is not None]
        heapq.heapify(self._alarms)
        self._many = max(_FEW, 2 * len(self._alarms))

    def _ring(self) -> None:
        self._handle = None
        present = (self.now() - _EPOCH).total_seconds()
        while self._alarms and self._alarms[0][0] <= present:
            alarm = heapq.heappop(self._alarms)[2]
            if alarm.act is not None:
                alarm.act()
        self._set_timer()

    def _set_timer(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        while self._alarms and self._alarms[0][2].act is None:
            heapq.heappop(self._alarms)
        if self._alarms and self._loop is not None and not self._loop.is_closed():
            wait = self._alarms[0][0] - (self.now() - _EPOCH).total_seconds()
            self._handle = self._loop.call_later(min(max(wait, 0.0), 86_400.0), self._ring)
