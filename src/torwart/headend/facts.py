"""What a head-end tells the workers: nudges that may be lost, and deliveries that must not be.

The database is the truth and has no place here (design D4, D5). ``tell`` keeps facts such as "connected" in memory
and repeats them until a worker has stored them: when the head-end dies or the queue is full they are lost, which
costs latency only, since workers look at the connection itself before they act. ``deliver`` is for what a peer hands
over: only the worker's ``ok`` lets the peer have its 2xx, so nothing the peer was told to forget can be lost.
"""

import asyncio
import itertools
import logging
import uuid
from collections import deque
from typing import Any

from torwart.headend.metrics import Metrics
from torwart.kernel.refusals import Refusal
from torwart.ports.bus import Bus
from torwart.ports.clock import Clock
from torwart.ports.gateway_link import SUBJECT_FACT, Fact

log = logging.getLogger("torwart.headend.facts")

STORED = b"ok"
_LANES = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


class Facts:
    """Facts on their way to a worker. Those of one device keep their order; devices do not wait for each other much:
    there are ``_LANES`` lanes, chosen by device.
    """

    def __init__(self, bus: Bus, clock: Clock, metrics: Metrics, *, name: str, timeout: float, waiting: int) -> None:
        self._bus = bus
        self._clock = clock
        self._metrics = metrics
        self._name = name
        self._timeout = timeout
        self._namespace, self._numbers = uuid.uuid4(), itertools.count()  # a random number per fact is dear
        self._lanes = [_Lane(self, waiting // _LANES) for _ in range(_LANES)]

    def make(self, kind: str, device: str, details: dict[str, Any], body: bytes = b"", *, fact_id: str = "") -> Fact:
        at = self._clock.now().isoformat()
        return Fact(
            fact_id or str(uuid.uuid5(self._namespace, str(next(self._numbers)))),
            kind,
            device,
            at,
            {**details, "headend": self._name},
            body,
        )

    def tell(self, kind: str, device: str, details: dict[str, Any]) -> None:
        """Tell it some time; never waits, never fails."""
        self._lanes[hash(device) % _LANES].add(self.make(kind, device, details))

    async def deliver(self, fact: Fact) -> bool:
        """Tell it now; ``True`` only if a worker has stored it."""
        try:
            reply = await self._bus.request(SUBJECT_FACT, fact.encode(), timeout=self._timeout)
        except Refusal as refusal:
            log.debug("fact %s not delivered: %s", fact.kind, refusal.code)
            return False
        self._metrics["facts_stored"] += reply == STORED
        return reply == STORED

    @property
    def waiting(self) -> int:
        return sum(len(lane.facts) for lane in self._lanes)

    def lost(self) -> None:
        self._metrics["facts_lost"] += 1

    async def close(self, seconds: float) -> None:
        """Give what waits ``seconds`` to get out, then stop."""
        tasks = [lane.task for lane in self._lanes if lane.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Lane:
    """One queue and, while there is something in it, one task that empties it in order."""

    def __init__(self, facts: Facts, room: int) -> None:
        self._owner = facts
        self._room = max(room, 1)
        self.facts: deque[Fact] = deque()
        self.task: asyncio.Task[None] | None = None

    def add(self, fact: Fact) -> None:
        if len(self.facts) >= self._room:
            self.facts.popleft()
            self._owner.lost()
        self.facts.append(fact)
        if self.task is None:
            self.task = asyncio.get_running_loop().create_task(self._empty())

    async def _empty(self) -> None:
        pause = _FIRST_PAUSE
        while self.facts:
            fact = self.facts[0]
            if await self._owner.deliver(fact):
                pause = _FIRST_PAUSE
                if self.facts and self.facts[0] is fact:  # it may have been dropped meanwhile
                    self.facts.popleft()
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        self.task = None
