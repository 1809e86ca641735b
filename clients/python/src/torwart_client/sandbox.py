"""The sandbox of a test system: gateways on demand, a clock to move on, starting over. See docs/api/sandbox.md."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from torwart_client import model
from torwart_client.steps import Call, Pause, Steps, exchange

T = TypeVar("T")
_ROOT = "/v1/sandbox"


@dataclass(frozen=True, slots=True)
class SandboxGateway:
    """``state``: ``wanted``, ``ready`` or ``failed`` (``why``); ``fields``: the body of an order to commission it."""

    id: str
    state: str
    why: str
    behaviour: str
    device: str
    meters: tuple[str, ...]
    power: str
    powered: bool
    connected: bool
    wanted_at: datetime
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SandboxClock:
    """``now``: the time of orders; ``real``: that of certificates and gateways; ``ahead``: seconds between them."""

    now: datetime
    real: datetime
    ahead: int


@dataclass(frozen=True, slots=True)
class SandboxReset:
    """What was cancelled, what could not be any more (``kept``), and how many gateways and deliveries went."""

    cancelled: tuple[str, ...]
    kept: tuple[str, ...]
    gateways: int
    deliveries: int


@dataclass(frozen=True, slots=True)
class SandboxGateways:
    items: tuple[SandboxGateway, ...]


def _read(call: Call, kind: type[T], patience: float) -> Steps[T]:
    answer = yield from exchange(call, patience)
    return model.read(kind, answer.json())


def _gateway(name: str, more: str = "") -> str:
    return f"{_ROOT}/gateways/{quote(name, safe='')}{more}"


def _made(body: Mapping[str, Any], seconds: float, patience: float) -> Steps[tuple[SandboxGateway, ...]]:
    """Ask for gateways and look until all of them are there, or failed."""
    wanted = yield from _read(Call("POST", f"{_ROOT}/gateways", body), SandboxGateways, patience)
    names, deadline = [each.id for each in wanted.items], time.monotonic() + seconds
    while True:
        known = yield from _read(Call("GET", f"{_ROOT}/gateways"), SandboxGateways, patience)
        found = tuple(each for each in known.items if each.id in names)
        if all(each.state != "wanted" for each in found) or time.monotonic() > deadline:
            return found
        yield Pause(0.5)


def _move(by: str | timedelta | datetime) -> Call:
    if isinstance(by, datetime):
        return Call("POST", f"{_ROOT}/clock", {"until": by.isoformat()})
    text = f"PT{int(by.total_seconds())}S" if isinstance(by, timedelta) else by
    return Call("POST", f"{_ROOT}/clock", {"advance": text})


class Sandbox:
    """``TorwartClient.sandbox``."""

    def __init__(self, run: Callable[[Steps[Any]], Any], patience: Callable[[], float]) -> None:
        self._run, self._patience = run, patience

    def make(
        self, behaviour: str = "good", *, meters: int = 1, count: int = 1, seconds: float = 60.0
    ) -> tuple[SandboxGateway, ...]:
        """New gateways, when they are ready to be commissioned by their ``fields``, or failed, or after ``seconds``."""
        body = {"behaviour": behaviour, "meters": meters, "count": count}
        return self._typed(_made(body, seconds, self._patience()))

    def gateways(self) -> tuple[SandboxGateway, ...]:
        return self._typed(_read(Call("GET", f"{_ROOT}/gateways"), SandboxGateways, self._patience())).items

    def gateway(self, name: str) -> SandboxGateway:
        return self._typed(_read(Call("GET", _gateway(name)), SandboxGateway, self._patience()))

    def behave(self, name: str, behaviour: str) -> SandboxGateway:
        """Another behaviour from now on."""
        call = Call("PUT", _gateway(name), {"behaviour": behaviour})
        return self._typed(_read(call, SandboxGateway, self._patience()))

    def power(self, name: str, on: bool) -> SandboxGateway:
        """Switch it on or off, as somebody on site would."""
        call = Call("POST", _gateway(name, "/power"), {"on": on})
        return self._typed(_read(call, SandboxGateway, self._patience()))

    def clock(self) -> SandboxClock:
        return self._typed(_read(Call("GET", f"{_ROOT}/clock"), SandboxClock, self._patience()))

    def advance(self, by: str | timedelta | datetime) -> SandboxClock:
        """Move service time on: by a duration (``"PT72H"``, a ``timedelta``) or to an instant; never back."""
        return self._typed(_read(_move(by), SandboxClock, self._patience()))

    def reset(self) -> SandboxReset:
        """Start over; the time stays."""
        return self._typed(_read(Call("POST", f"{_ROOT}/reset"), SandboxReset, self._patience()))

    def _typed(self, going: Steps[T]) -> T:
        found: T = self._run(going)
        return found


class AsyncSandbox:
    """``AsyncTorwartClient.sandbox``: the same with ``await``."""

    def __init__(self, run: Callable[[Steps[Any]], Awaitable[Any]], patience: Callable[[], float]) -> None:
        self._run, self._patience = run, patience

    async def make(
        self, behaviour: str = "good", *, meters: int = 1, count: int = 1, seconds: float = 60.0
    ) -> tuple[SandboxGateway, ...]:
        body = {"behaviour": behaviour, "meters": meters, "count": count}
        return await self._typed(_made(body, seconds, self._patience()))

    async def gateways(self) -> tuple[SandboxGateway, ...]:
        return (await self._typed(_read(Call("GET", f"{_ROOT}/gateways"), SandboxGateways, self._patience()))).items

    async def gateway(self, name: str) -> SandboxGateway:
        return await self._typed(_read(Call("GET", _gateway(name)), SandboxGateway, self._patience()))

    async def behave(self, name: str, behaviour: str) -> SandboxGateway:
        call = Call("PUT", _gateway(name), {"behaviour": behaviour})
        return await self._typed(_read(call, SandboxGateway, self._patience()))

    async def power(self, name: str, on: bool) -> SandboxGateway:
        call = Call("POST", _gateway(name, "/power"), {"on": on})
        return await self._typed(_read(call, SandboxGateway, self._patience()))

    async def clock(self) -> SandboxClock:
        return await self._typed(_read(Call("GET", f"{_ROOT}/clock"), SandboxClock, self._patience()))

    async def advance(self, by: str | timedelta | datetime) -> SandboxClock:
        return await self._typed(_read(_move(by), SandboxClock, self._patience()))

    async def reset(self) -> SandboxReset:
        return await self._typed(_read(Call("POST", f"{_ROOT}/reset"), SandboxReset, self._patience()))

    async def _typed(self, going: Steps[T]) -> T:
        found: T = await self._run(going)
        return found
