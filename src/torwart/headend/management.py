"""MANAGEMENT: the gateway calls, we are the HTTP client, commands come over the bus (A2 §4, §7).

While a session is open this head-end serves ``gw.<id>.cmd``. One exchange at a time ("bevor ein neuer Request …
gesendet wird muss eine Response vorliegen", A2 §7.1); a few more commands wait. An answer, good or bad, comes within
the command's ``timeout``: half of it a command may wait for its turn – then it is ``gateway.busy`` and certainly not
sent –, the rest is the gateway's.
"""

import asyncio
import logging
from collections import deque
from typing import Any

from torwart.headend.config import Scenario
from torwart.headend.session import Session
from torwart.headend.station import Station
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.gateway import (
    GATEWAY_BUSY,
    GATEWAY_COMMAND,
    GATEWAY_CONNECTION_LOST,
    GATEWAY_NOT_CONNECTED,
    GATEWAY_PROTOCOL,
    GATEWAY_TIMEOUT,
)
from torwart.kernel.refusals.headend import HEADEND_CLOSED
from torwart.ports.bus import Subscription
from torwart.ports.gateway_link import Answer, Command, command_subject
from torwart.wire.cosem import ClientConnection, Limits, Request, Response
from torwart.wire.cosem.uri import device_of_number
from torwart.wire.tls import Negotiated

log = logging.getLogger("torwart.headend.management")

_LIMITS = Limits(body=1024 * 1024 - 32 * 1024)
"""A response with its headers must fit into one message of the bus (1 MiB)."""
_QUEUE = "headend"
"""Head-ends that both think they hold a gateway share one queue group: a command is never sent twice."""
_LONGEST_TIMEOUT = 600.0
_SERVE_AGAIN_SECONDS = 1.0


class ManagementSession(Session):
    """One gateway's MANAGEMENT connection."""

    scenario = Scenario.MANAGEMENT
    told = True

    __slots__ = ("_answer", "_held", "_http", "_subscription", "_waiting", "commands")

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.commands = 0
        self._http: ClientConnection | None = None
        self._held = False  # someone has the turn
        self._answer: asyncio.Future[Response] | None = None  # what the exchange under way waits for
        self._waiting: deque[asyncio.Future[None]] | None = None  # made when the first command has to wait
        self._subscription: Subscription | None = None

    # --- the session's life ------------------------------------------------------------------------------------

    def opened(self, agreed: Negotiated) -> None:
        self._http = ClientConnection(device_of_number(self.device), _LIMITS)
        self.station.spawn(self._serve(agreed.details()))

    async def _serve(self, agreed: dict[str, object]) -> None:
        """Serve the gateway's subject, then tell the workers: whoever hears of the gateway can reach it."""
        while self.is_open:
            try:
                self._subscription = await self.station.bus.subscribe(
                    command_subject(self.device), self._command, queue=_QUEUE
                )
                break
            except Refusal as refusal:
                log.warning("device %s cannot be served yet: %s", self.device, refusal.code)
                await asyncio.sleep(_SERVE_AGAIN_SECONDS)
        if self.is_open:
            self.station.facts.tell("connected", self.device, {**self.details(), **agreed})
        else:
            await self._unserve()

    async def _unserve(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            await subscription.unsubscribe()

    def received(self, data: bytes) -> None:
        if self._http is None:
            return
        try:
            response = self._http.receive(data)
        except Refusal as refusal:
            self._fail(GATEWAY_PROTOCOL(gateway=self.device, why=refusal.code))
            self.close(refusal)
            return
        if response is not None and self._answer is not None and not self._answer.done():
            self._answer.set_result(response)
        if self._http.closed:
            self.close()

    def ended(self) -> None:
        self._fail(GATEWAY_CONNECTION_LOST(gateway=self.device, why=self.why.code if self.why else "closed"))
        self.station.spawn(self._unserve())

    @property
    def device(self) -> str:
        return self.peer.device if self.peer else ""

    @property
    def busy(self) -> bool:
        return self._held

    def details(self) -> dict[str, Any]:
        return {**super().details(), "commands": self.commands}

    # --- commands ----------------------------------------------------------------------------------------------

    async def _command(self, subject: str, payload: bytes) -> bytes:
        """Serve one command of the bus; refusals travel inside the answer."""
        try:
            command = Command.decode(payload)
        except (ValueError, TypeError, KeyError) as error:
            return _refused(GATEWAY_COMMAND(why=type(error).__name__)).encode()
        try:
            return (await self._obey(command)).encode()
        except Refusal as refusal:
            self.station.metrics[f"commands_{refusal.code.replace('.', '_')}"] += 1
            return _refused(refusal).encode()

    async def _obey(self, command: Command) -> Answer:
        if command.operation == "status":
            return Answer(details={**self.details(), "device": self.device, "headend": self.station.config.name})
        if command.operation == "close":
            self.station.close_device(self.device, HEADEND_CLOSED())
            return Answer()
        if command.operation != "request" or not 0 < command.timeout <= _LONGEST_TIMEOUT:
            raise GATEWAY_COMMAND(why=f"{command.operation}, timeout {command.timeout}")
        until = self.station.loop.time() + command.timeout
        await self._take_turn(command.timeout / 2)
        try:
            if not self.is_open or self.finishing:
                raise GATEWAY_NOT_CONNECTED(gateway=self.device)
            return await self._exchange(command, until)
        finally:
            self._give_turn()

    async def _take_turn(self, timeout: float) -> None:
        """Wait until no exchange is under way, first come first served."""
        if not self._held:
            self._held = True
            return
        if self._waiting is None:
            self._waiting = deque()
        if len(self._waiting) >= self.station.limits.commands_waiting:
            raise GATEWAY_BUSY(gateway=self.device, waiting=len(self._waiting))
        turn: asyncio.Future[None] = self.station.loop.create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(timeout):
                await turn
        except TimeoutError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            else:
                self._give_turn()  # it became ours in the same instant
            raise GATEWAY_BUSY(gateway=self.device, waiting=len(self._waiting) + 1) from None

    def _give_turn(self) -> None:
        """The turn goes to who waits longest – it stays taken then, so that nobody can step in between."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._held = False
        self.settled()

    async def _exchange(self, command: Command, until: float) -> Answer:
        assert self._http is not None
        request = Request(command.method, command.target, command.headers, command.body)
        try:
            data = self._http.send(request)
        except Refusal as refusal:
            raise GATEWAY_COMMAND(why=refusal.text()) from refusal
        self.commands += 1
        self.station.metrics["commands"] += 1
        self._answer = self.station.loop.create_future()
        self.send(data)
        try:
            async with asyncio.timeout_at(until):
                response = await self._answer
        except TimeoutError:
            # A2 §7.1.1: on expiry HTTP and transport end; a late answer would be taken for the next request's.
            self.close(self._http.expire())
            raise GATEWAY_TIMEOUT(gateway=self.device, seconds=command.timeout) from None
        finally:
            self._answer = None
        return Answer(response.status, dict(response.headers), response.body)

    def _fail(self, refusal: Refusal) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(refusal)


def _refused(refusal: Refusal) -> Answer:
    """``details`` carries the fields of the refusal's text."""
    details = {name: value if isinstance(value, int | float) else str(value) for name, value in refusal.details.items()}
    return Answer(refusal=refusal.code, details=details)
