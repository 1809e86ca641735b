"""The head-end: listeners, policy, drain. ``Headend(config, bus, clock)``, then ``start``, at the end ``drain``."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType

from torwart.headend.api_service import ApiSession
from torwart.headend.config import HeadendConfig, Scenario
from torwart.headend.http_service import AdminServiceSession, EmtServiceSession
from torwart.headend.management import ManagementSession
from torwart.headend.metrics import serve_text
from torwart.headend.ntp import NtpSession
from torwart.headend.session import Session
from torwart.headend.station import Station
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.headend import HEADEND_CONFIG, HEADEND_DRAINING
from torwart.ports.bus import Bus, Subscription
from torwart.ports.clock import Clock
from torwart.ports.gateway_link import SUBJECT_POLICY, SUBJECT_POLICY_CHANGED, Policy

log = logging.getLogger("torwart.headend")

SUBJECT_TAKEOVER = "headend.takeover"
"""Published when a device has called ("scenario device node instant"): others let their older session of it go."""

SESSIONS: Mapping[Scenario, type[Session]] = MappingProxyType(
    {
        kind.scenario: kind
        for kind in (ManagementSession, AdminServiceSession, NtpSession, EmtServiceSession, ApiSession)
    }
)
_BACKLOG = 4096
_INHERITED = (
    # Mobile networks forget silently: let the kernel find out that a peer is gone.
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 20),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    # A peer that does not read must not make the kernel keep megabytes for it.
    (socket.SOL_SOCKET, socket.SO_SNDBUF, 131_072),
    (socket.SOL_SOCKET, socket.SO_RCVBUF, 131_072),
)
"""Socket options a listener hands on to every connection it accepts."""
_POLICY_SECONDS, _POLICY_TIMEOUT, _POLICY_PAUSE = 300.0, 20.0, 0.5
"""A policy is asked for anew this often although nobody said it changed: a nudge may be lost."""
_POLICY_GAP = 0.1
"""And no oftener: whatever changes meanwhile comes with the next one. Each is the whole policy, and in a large rollout
something changes many times a second."""
_POLL_SECONDS = 0.05


class Headend:
    """One head-end process. Everything runs in the loop that calls ``start``.

    It listens from the start but turns everyone away until a worker has answered with the policy (fail closed).
    """

    def __init__(self, config: HeadendConfig, bus: Bus, clock: Clock) -> None:
        self._config = config
        self._bus = bus
        self._clock = clock
        self._servers: dict[Scenario, asyncio.Server] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._subscriptions: list[Subscription] = []
        self._policy_wanted = asyncio.Event()
        self._metrics: asyncio.Server | None = None
        self.ready = asyncio.Event()
        """Set once the first policy is in force."""
        self.ports: dict[Scenario, int] = {}
        """Where each scenario really listens."""

    async def start(self) -> None:
        self.station = Station(self._config, self._bus, self._clock)
        self.station.announce = self._announce
        await self._subscribe()
        for scenario, (host, port) in self._config.listeners.items():
            listener = _listen(host, port, reuse_port=self._config.reuse_port)
            make = partial(SESSIONS[scenario], self.station)
            server = await self.station.loop.create_server(make, sock=listener, backlog=_BACKLOG)
            self._servers[scenario] = server
            self.ports[scenario] = server.sockets[0].getsockname()[1]
        if self._config.metrics is not None:
            self._metrics = await serve_text(self.metrics_text, *self._config.metrics)
        self._tasks = [asyncio.create_task(self._keep_policy()), asyncio.create_task(self.station.sweep())]
        log.info("listening %s", " ".join(f"{scenario}={port}" for scenario, port in self.ports.items()))

    async def drain(self) -> None:
        """Stop: nobody new, exchanges under way may finish, then close_notify to all, last facts out."""
        station, limits = self.station, self.station.limits
        station.draining = True
        for server in self._servers.values():
            server.close()
        for task in self._tasks:
            task.cancel()
        for session in station.sessions:
            session.finish(HEADEND_DRAINING())
        await self._until_gone(limits.drain_seconds)
        for session in station.sessions:
            session.close(HEADEND_DRAINING())
        await self._until_gone(1.0)
        for session in station.sessions:
            session.abort(HEADEND_DRAINING())
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await station.facts.close(limits.fact_seconds)
        for subscription in self._subscriptions:
            with contextlib.suppress(Refusal):
                await subscription.unsubscribe()
        if self._metrics is not None:
            self._metrics.close()
        station.pool.stop()
        log.info("drained")

    def reload(self, config: HeadendConfig) -> None:
        """Use new credentials, trust and offer for new connections; listeners and limits stay as they are."""
        self.station.reload(config)

    def metrics_text(self) -> str:
        return self.station.metrics.text(**self.station.gauges())

    async def _until_gone(self, seconds: float) -> None:
        deadline = self.station.loop.time() + seconds
        while self.station.sessions and self.station.loop.time() < deadline:
            await asyncio.sleep(_POLL_SECONDS)

    # --- policy ------------------------------------------------------------------------------------------------

    async def _subscribe(self) -> None:
        for subject, handler in (
            (SUBJECT_POLICY_CHANGED, self._policy_changed),
            (SUBJECT_TAKEOVER, self._taken_over),
        ):
            self._subscriptions.append(await self._bus.subscribe(subject, handler))

    async def _policy_changed(self, subject: str, payload: bytes) -> None:
        self._policy_wanted.set()

    async def _keep_policy(self) -> None:
        """Fetch the policy at the start, whenever it changed, and now and then; until the first one, keep asking."""
        while True:
            self._policy_wanted.clear()
            got = await self._fetch_policy()
            pause = _POLICY_SECONDS if got else _POLICY_PAUSE
            await asyncio.sleep(_POLICY_GAP)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._policy_wanted.wait()

    async def _fetch_policy(self) -> bool:
        try:
            reply = await self._bus.request(SUBJECT_POLICY, b"", timeout=_POLICY_TIMEOUT)
            policy = await asyncio.to_thread(Policy.decode, reply)
            applied = self.station.gatekeeper.apply(policy)
        except Refusal as refusal:
            log.info("no policy yet: %s", refusal.code)
            return False
        except Exception as error:  # noqa: BLE001 – whatever a worker of another version sends, we keep what we have
            log.error("unusable policy: %s", type(error).__name__)
            return False
        if applied:
            log.info("policy version=%s", policy.version)
            self.station.drop_unwanted()
            self.ready.set()
        return True

    # --- several head-ends -------------------------------------------------------------------------------------

    def _announce(self, scenario: Scenario, device: str) -> None:
        self.station.spawn(self._publish_takeover(scenario, device))

    async def _publish_takeover(self, scenario: Scenario, device: str) -> None:
        with contextlib.suppress(Refusal):
            at = self._clock.now().isoformat()
            await self._bus.publish(SUBJECT_TAKEOVER, f"{scenario} {device} {self.station.node} {at}".encode())

    async def _taken_over(self, subject: str, payload: bytes) -> None:
        scenario, device, node, at = payload.decode().split(" ")
        if node != self.station.node:
            self.station.take_over(Scenario(scenario), device, datetime.fromisoformat(at))


def _listen(host: str, port: int, *, reuse_port: bool) -> socket.socket:
    """A listening socket; its options are those of its connections."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG, reuse_port=reuse_port)
    except OSError as error:
        raise HEADEND_CONFIG(why=f"{host}:{port}: {error.strerror}") from error
    for level, option, value in _INHERITED:
        listener.setsockopt(level, option, value)
    return listener
