"""What the sessions of one head-end share: who is here, who may come in, and the sweeper of deadlines."""

import asyncio
import itertools
import logging
import uuid
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from torwart.headend.config import HeadendConfig, Scenario
from torwart.headend.facts import Facts
from torwart.headend.flood import Counts, RateLimit
from torwart.headend.gatekeeper import Gatekeeper, Peer
from torwart.headend.metrics import Metrics
from torwart.headend.pool import HandshakePool
from torwart.headend.time_source import TimeSource
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.headend import HEADEND_REPLACED, HEADEND_SEAL_NOT_EXPECTED
from torwart.ports.bus import Bus
from torwart.ports.clock import Clock
from torwart.wire.certificate import Role
from torwart.wire.tls import Negotiated, TlsContext, server_context

if TYPE_CHECKING:
    from torwart.headend.session import Session

log = logging.getLogger("torwart.headend")

_SWEEP_SECONDS = 1.0
_REFUSALS_TOLD = 1 / 60
"""Facts about refusals of one device per second; a device that keeps calling must not flood the workers."""


class Station:
    """Shared by all sessions of a process; everything here runs in the loop."""

    def __init__(self, config: HeadendConfig, bus: Bus, clock: Clock) -> None:
        self.config = config
        self.node = f"{config.name}-{uuid.uuid4().hex[:12]}"
        """Names this process among all head-ends, also after a restart."""
        self.limits = config.limits
        self.bus = bus
        self.clock = clock
        self.loop = asyncio.get_running_loop()
        self.metrics = Metrics()
        self.facts = Facts(
            bus,
            clock,
            self.metrics,
            name=config.name,
            timeout=config.limits.fact_seconds,
            waiting=config.limits.facts_waiting,
        )
        self.gatekeeper = Gatekeeper(config)
        self.contexts = self._make_contexts(config)
        self.time_source = TimeSource(clock, trusted=config.clock_is_trusted)
        self.pool = HandshakePool(self.loop, config.handshake_threads)
        self.draining = False
        self.announce: Callable[[Scenario, str], None] = lambda scenario, device: None
        """Tells the other head-ends that a device is here now; set by the one who owns the bus subscriptions."""
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._sessions: set[Session] = set()
        self._shaking: set[Session] = set()
        self._by_device: dict[tuple[Scenario, str], Session] = {}
        self._held = Counts()
        self.held_by_emt = Counts()
        self._rate = RateLimit(config.limits.address_rate, config.limits.address_burst)
        self._told = RateLimit(_REFUSALS_TOLD, 3)

    def reload(self, config: HeadendConfig) -> None:
        """Take credentials, trust and offer of ``config`` for new connections."""
        contexts = self._make_contexts(config)
        self.gatekeeper.trust(config)
        self.contexts = contexts

    def _make_contexts(self, config: HeadendConfig) -> Mapping[Scenario, TlsContext]:
        """One TLS context per scenario: they differ in whom they let in."""
        verdict = self.gatekeeper.verdict
        return {
            scenario: server_context(config.credentials, config.trust, verdict(scenario), offer=config.offer)
            for scenario in config.listeners
        }

    # --- coming and going --------------------------------------------------------------------------------------

    def admit(self, session: "Session") -> bool:
        """Whether a TCP connection may begin at all; who may not is turned away before any TLS."""
        reason = self._reason_against(session.address)
        if reason:
            self.metrics[f"turned_away_{reason}"] += 1
            return False
        self.metrics["accepted"] += 1
        self._held.add(session.address)
        self._sessions.add(session)
        self._shaking.add(session)
        return True

    def _reason_against(self, address: str) -> str:
        limits = self.limits
        if self.draining:
            return "draining"
        if self.gatekeeper.version < 0:
            return "no_policy"
        if len(self._sessions) >= limits.connections:
            return "full"
        if len(self._shaking) >= limits.handshakes:
            return "busy"
        if self._held[address] >= limits.connections_per_address:
            return "address_full"
        return "" if self._rate.allow(address) else "address_rate"

    def handshake_refused(self, session: "Session", refusal: Refusal, peer: Peer | None) -> None:
        """A handshake failed. Workers hear of it if it was a device of our PKI, and not too often.

        ``peer`` has shown its certificate but, unless the handshake was complete, not proved to hold the key.
        """
        self.metrics["handshakes_refused"] += 1
        self.metrics[f"refused_{refusal.code.replace('.', '_')}"] += 1
        device = peer.device if peer else "?"
        scenario = session.scenario.value
        log.info("refused scenario=%s peer=%s device=%s why=%s", scenario, session.address, device, refusal.code)
        if peer is not None and self._told.allow(device):
            known = {"serial": peer.serial_hex, "seal": peer.seal, "issuer": peer.authority.name}
            self.facts.tell("refused", device, {**session.details(), **known, "why": refusal.code})

    def session_opened(self, session: "Session", peer: Peer, agreed: Negotiated) -> None:
        """A peer is in. A gateway's newest session of a scenario wins; the older one is let go, wherever it is."""
        self._shaking.discard(session)
        self.metrics["handshakes_done"] += 1
        log.info(
            "connected scenario=%s device=%s session=%s peer=%s seal=%s tls=%s suite=%s group=%s",
            *(session.scenario.value, peer.device, session.id, session.address, peer.seal),
            *(agreed.version, agreed.suite, agreed.group),
        )
        if session.scenario.role is Role.EMT:  # a market participant may hold several connections
            return
        older = self._by_device.get((session.scenario, peer.device))
        self._by_device[session.scenario, peer.device] = session
        if older is not None:
            self._let_go(older, peer.device)
        self.announce(session.scenario, peer.device)

    def take_over(self, scenario: Scenario, device: str, at: datetime) -> None:
        """Another head-end has a session of ``device`` since ``at``; ours is let go unless it is the newer one."""
        older = self._by_device.get((scenario, device))
        if older is not None and older.since is not None and older.since <= at:
            self._let_go(older, device)

    def _let_go(self, older: "Session", device: str) -> None:
        self.metrics["replaced"] += 1
        older.close(HEADEND_REPLACED(device=device))

    def session_ended(self, session: "Session", peer: Peer) -> None:
        """An open session is over."""
        if self._by_device.get((session.scenario, peer.device)) is session:
            del self._by_device[session.scenario, peer.device]
        why = session.why.code if session.why else ""
        log.info("disconnected device=%s session=%s why=%s", peer.device, session.id, why or "peer")
        if session.told:
            self.facts.tell("disconnected", peer.device, {**session.details(), "why": why})

    def forget(self, session: "Session") -> None:
        self._sessions.discard(session)
        self._shaking.discard(session)
        self._held.remove(session.address)

    def next_id(self) -> str:
        """A name for a session, unique among all head-ends."""
        return f"{self.node}-{next(self._numbers)}"

    def close_device(self, device: str, why: Refusal) -> None:
        """End all sessions of a device."""
        for scenario in Scenario:
            if session := self._by_device.get((scenario, device)):
                session.close(why)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside; it must handle its own refusals."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("task failed", exc_info=error)

    # --- all of them -------------------------------------------------------------------------------------------

    @property
    def sessions(self) -> list["Session"]:
        return list(self._sessions)

    def gauges(self) -> dict[str, int]:
        """Present sizes, for the metrics."""
        counts = {f"open_{s.value.lower().replace('-', '_')}": 0 for s in self.config.listeners}
        for scenario, _ in self._by_device:
            counts[f"open_{scenario.value.lower().replace('-', '_')}"] += 1
        return {
            **counts,
            "connections": len(self._sessions),
            "handshakes_under_way": len(self._shaking),
            "facts_waiting": self.facts.waiting,
            "policy_version": self.gatekeeper.version,
        }

    def drop_unwanted(self) -> None:
        """After a new policy: who is revoked or blocked goes at once, a seal session no longer expected when idle."""
        for session in self.sessions:
            if session.peer is None or not session.is_open:
                continue
            objection = self.gatekeeper.objection(session.peer, session.scenario)
            if objection is None:
                continue
            self.metrics["dropped"] += 1
            if objection.kind is HEADEND_SEAL_NOT_EXPECTED:
                session.finish(objection)
            else:
                session.close(objection)

    async def sweep(self) -> None:
        """Look at all deadlines once a second, for ever."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = self.loop.time()
            for session in self.sessions:
                if session.deadline <= now:
                    session.expired()
