"""One connection: TCP outside, TLS inside, a scenario's conversation on top.

A session is its own asyncio protocol and has no task, no timer and no buffer of fixed size: an idle one costs what
OpenSSL keeps for it. Deadlines are numbers that one sweeper looks at. Phases::

    handshake ──► open ──► closing ──► closed          (any phase may go to closed when TCP breaks)
"""

import asyncio
import contextlib
import logging
import time
from datetime import datetime
from enum import IntEnum
from functools import partial
from typing import Any, ClassVar, NamedTuple, cast

from torwart.headend.config import Scenario
from torwart.headend.gatekeeper import Peer
from torwart.headend.station import Station
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.headend import HEADEND_SESSION_AGE, HEADEND_SLOW
from torwart.kernel.refusals.tls import TLS_PROTOCOL
from torwart.wire.tls import Chain, Negotiated, TlsEngine

log = logging.getLogger("torwart.headend.session")

_HIGH_WATER = 65_536


class Phase(IntEnum):
    HANDSHAKE = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


class _Step(NamedTuple):
    """What one step of a handshake gave: bytes for the peer, the chain it showed, and how it ended if it did."""

    to_send: bytes
    chain: Chain
    agreed: Negotiated | None = None
    refusal: Refusal | None = None


class Session(asyncio.Protocol):
    """What all scenarios share; a scenario says what to do when the session has ``opened``, ``received`` and
    ``ended``. Everything runs in the loop except ``_step``, the handshake's work.
    """

    scenario: ClassVar[Scenario]
    told: ClassVar[bool] = False
    """Whether workers hear of it as ``connected`` and ``disconnected``."""

    __slots__ = (
        "_early",
        "_engine",
        "_finishing",
        "_oldest",
        "_stepping",
        "_transport",
        "address",
        "deadline",
        "id",
        "peer",
        "phase",
        "since",
        "station",
        "why",
    )

    def __init__(self, station: Station) -> None:
        self.station = station
        self.phase = Phase.HANDSHAKE
        self.address = ""
        self.deadline = 0.0
        """Loop time at which the sweeper calls ``expired``."""
        self.peer: Peer | None = None
        self.id = ""
        self.since: datetime | None = None
        self.why: Refusal | None = None
        """Why it ends or ended, if not by the peer's own close."""
        self._engine: TlsEngine | None = None
        self._transport: asyncio.Transport | None = None
        self._stepping = False
        self._finishing = False
        self._oldest = 0.0  # loop time at which the open session must end
        self._early = b""  # what came while a handshake step was running

    # --- for scenarios -----------------------------------------------------------------------------------------

    def shown(self, certificate: bytes) -> None:
        """The certificate (DER) ``peer`` was read from; called before ``opened``."""

    def opened(self, agreed: Negotiated) -> None:
        """The handshake is complete and ``peer`` known."""

    def received(self, data: bytes) -> None:
        """Plaintext has come."""

    def ended(self) -> None:
        """It is over; ``why`` says why, unless the peer closed in good order."""

    def quiet_seconds(self) -> float | None:
        """How long the open session may stay as it is; ``None``: until its greatest age."""
        return None

    @property
    def busy(self) -> bool:
        """Something is under way that must not be cut off if it can be helped."""
        return False

    def settled(self) -> None:
        """A scenario calls this when it is no longer busy."""
        if self._finishing:
            self.close()

    def send(self, data: bytes) -> None:
        """Encrypt and send; on a session that is not open it does nothing."""
        if self.phase is not Phase.OPEN or self._engine is None:
            return
        self._engine.write(data)
        self._flush()

    def touch(self) -> None:
        """Set the deadline anew, from now."""
        quiet = self.quiet_seconds()
        self.deadline = self._oldest if quiet is None else min(self._oldest, self.station.loop.time() + quiet)

    def finish(self, why: Refusal) -> None:
        """Close as soon as nothing is under way; nothing new begins."""
        self.why = self.why or why
        self._finishing = True
        if not self.busy:
            self.close()

    @property
    def is_open(self) -> bool:
        return self.phase is Phase.OPEN

    @property
    def finishing(self) -> bool:
        return self._finishing

    def close(self, why: Refusal | None = None) -> None:
        """End in good order: close_notify, then TCP once everything is out."""
        if self.phase >= Phase.CLOSING:
            return
        self.why = self.why or why
        was_open, self.phase = self.phase is Phase.OPEN, Phase.CLOSING
        self.deadline = self.station.loop.time() + self.station.limits.close_seconds
        if was_open and self._engine is not None:
            self._engine.close_notify()
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self, why: Refusal | None = None) -> None:
        """End at once, without a word."""
        if self.phase is Phase.CLOSED:
            return
        self.why = self.why or why
        self.phase = Phase.CLOSING
        if self._transport is not None:
            self._transport.abort()

    def details(self) -> dict[str, Any]:
        """What facts and answers say about this session."""
        details: dict[str, Any] = {"scenario": self.scenario.value, "session": self.id, "peer": self.address}
        if self.peer is not None:
            details |= {"seal": self.peer.seal, "serial": self.peer.serial_hex, "issuer": self.peer.authority.name}
        if self.since is not None:
            details["since"] = self.since.isoformat()
        return details

    # --- asyncio -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass of it
        self._transport = transport
        self.address = (transport.get_extra_info("peername") or ("?",))[0]
        if not self.station.admit(self):
            self.phase = Phase.CLOSED
            transport.abort()
            return
        transport.set_write_buffer_limits(high=_HIGH_WATER)
        self.deadline = self.station.loop.time() + self.station.limits.handshake_seconds

    def data_received(self, data: bytes) -> None:
        if self.phase is Phase.OPEN:
            self._decrypt(data)
        elif self.phase is Phase.HANDSHAKE:
            self._early += data
            if len(self._early) > self.station.limits.handshake_bytes:
                self.abort(TLS_PROTOCOL(why="handshake too long"))
            elif not self._stepping:
                self._start_step()

    def eof_received(self) -> bool:
        if self.phase is Phase.OPEN and self._engine is not None:
            try:
                self._engine.receive_eof()
            except Refusal as refusal:
                self.why = self.why or refusal
        return False  # asyncio closes the transport

    def connection_lost(self, exc: Exception | None) -> None:
        was, self.phase = self.phase, Phase.CLOSED
        if was is Phase.CLOSED:  # never admitted
            return
        self.station.forget(self)
        if self.peer is not None:
            self.ended()
            self.station.session_ended(self, self.peer)
        if not self._stepping:  # otherwise a thread still has it; _stepped lets it go
            self._engine = None
        self._transport = None

    # --- handshake ---------------------------------------------------------------------------------------------

    def _start_step(self) -> None:
        data, self._early = self._early, b""
        self._stepping = True
        self.station.pool.submit(partial(self._step, data), self._stepped)

    def _step(self, data: bytes) -> _Step:
        """One step of the handshake. Runs in a thread of the pool, alone on the engine: what comes from the wire
        meanwhile waits in ``_early``, and nothing is sent.
        """
        engine = self._engine = self._engine or TlsEngine(self.station.contexts[self.scenario])
        try:
            engine.receive_data(data)
            complete = engine.handshake()
        except Refusal as refusal:
            return _Step(engine.data_to_send(), engine.peer, refusal=refusal)
        step = _Step(engine.data_to_send(), engine.peer, engine.negotiated if complete else None)
        if complete:
            engine.forget_handshake()
        return step

    def _stepped(self, step: _Step) -> None:
        self._stepping = False
        if self.phase is Phase.CLOSED:
            self._engine = None
        if self.phase is not Phase.HANDSHAKE or self._transport is None:
            return
        if step.to_send:
            self._transport.write(step.to_send)
        if step.refusal is not None:
            self._refused(step.refusal, step.chain)
        elif step.agreed is not None:
            self._open(step.chain, step.agreed)
        elif self._early:
            self._start_step()

    def _open(self, chain: Chain, agreed: Negotiated) -> None:
        station = self.station
        try:
            # Judged once more, in the loop: a policy may have come since the handshake's thread asked.
            peer = station.gatekeeper.enter(chain, self.scenario)
        except Refusal as refusal:
            self._refused(refusal, chain)
            return
        self.peer, self.phase = peer, Phase.OPEN
        self.id, self.since = station.next_id(), station.clock.now()
        self._oldest = station.loop.time() + min(station.limits.session_seconds, max(peer.until - time.time(), 0.0))
        station.session_opened(self, peer, agreed)
        self.touch()
        self.shown(chain[0])
        self.opened(agreed)
        data, self._early = self._early, b""
        self._decrypt(data)

    def _refused(self, refusal: Refusal, chain: Chain) -> None:
        peer = None
        if chain:
            with contextlib.suppress(Refusal):
                peer = self.station.gatekeeper.peer(chain)
        self.station.handshake_refused(self, refusal, peer)
        self.close(refusal)

    # --- data --------------------------------------------------------------------------------------------------

    def _decrypt(self, data: bytes) -> None:
        engine = self._engine
        if engine is None:
            return
        try:
            engine.receive_data(data)
            while self.phase is Phase.OPEN and (plain := engine.read()):
                self.received(plain)
            self._flush()
        except Refusal as refusal:
            self._flush()
            self.close(refusal)
            return
        if engine.closed:
            self.close()

    def _flush(self) -> None:
        if self._engine is None or self._transport is None or self._stepping:
            return
        data = self._engine.data_to_send()
        if data:
            self._transport.write(data)

    def expired(self) -> None:
        """The deadline has passed."""
        limits = self.station.limits
        if self.phase is Phase.HANDSHAKE:
            self.abort(HEADEND_SLOW(what="handshake", seconds=limits.handshake_seconds))
        elif self.phase is Phase.OPEN:
            too_old = self.station.loop.time() >= self._oldest
            self.close(HEADEND_SESSION_AGE(hours=limits.session_seconds / 3600) if too_old else self.too_slow())
        else:
            self.abort()

    def too_slow(self) -> Refusal | None:
        """Why a session that stayed quiet too long ends; ``None``: it was only idle."""
        return None
