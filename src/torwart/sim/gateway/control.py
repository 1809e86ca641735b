"""The control socket of a fleet: one JSON object a line, on the loopback interface only.

    {"do": "summary"}                                       → {"ok": true, "summary": {…}}
    {"do": "states", "device": "EPPC0200000001"}            → {"ok": true, "states": [{…}]}     device "*": all
    {"do": "fault", "device": "*", "fault": "silent", "on": true}
    {"do": "power", "device": "EPPC0200000001", "on": false}
    {"do": "reboot", "device": "EPPC0200000001"}
    {"do": "advance", "seconds": 86400}
    {"do": "faults"}                                        → {"ok": true, "faults": {word: explanation}}

Anything that cannot be done answers ``{"ok": false, "refusal": code, "text": …}``; the connection goes on.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.sim import FLEET_CONTROL, FLEET_UNKNOWN
from torwart.sim.gateway.config import Address
from torwart.sim.gateway.fault import Fault
from torwart.sim.gateway.fleet import EVERYONE, Fleet

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LINE = 65_536


class ControlServer:
    """Serves one fleet. Refuses (``sim.fleet_control``) to listen anywhere but on the loopback interface."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> Address:
        if host not in _LOOPBACK:
            raise FLEET_CONTROL(why=host)
        self._server = await asyncio.start_server(self._serve, host, port, limit=_LINE)
        bound = self._server.sockets[0].getsockname()
        return bound[0], bound[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                answer = await self.obey(line)
                writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # the caller went away or sent a line without end
        finally:
            writer.close()

    async def obey(self, line: bytes) -> dict[str, Any]:
        """Do what one line says; never raises for anything a line can hold."""
        try:
            order = json.loads(line)
            act = _ORDERS.get(order.get("do")) if isinstance(order, dict) else None
            if act is None:
                raise FLEET_CONTROL(why=f"do: {', '.join(_ORDERS)}")
            return {"ok": True, **(await act(self._fleet, order))}
        except Refusal as refusal:
            return {"ok": False, "refusal": refusal.code, "text": refusal.text()}
        except (ValueError, TypeError, OverflowError) as error:
            return {"ok": False, "refusal": FLEET_CONTROL.code, "text": str(error)}


async def _summary(fleet: Fleet, order: dict[str, Any]) -> dict[str, Any]:
    return {"summary": fleet.summary()}


async def _states(fleet: Fleet, order: dict[str, Any]) -> dict[str, Any]:
    return {"states": [state.as_json() for state in fleet.states(_device(order))]}


async def _fault(fleet: Fleet, order: dict[str, Any]) -> dict[str, Any]:
    fault = next((fault for fault in Fault if fault.value == order.get("fault")), None)
    if fault is None:
        raise FLEET_UNKNOWN(what=order.get("fault"), known=", ".join(Fault))
    fleet.set_fault(_device(order), fault, bool(order.get("on", True)))
    return {}


async def _power(fleet: Fleet, order: dict[str, Any]) -> dict[str, Any]:
    if order.get("on", True):
        fleet.power_on(_device(order))
    else:
        await fleet.power_off(_device(order))
    return {}


async def _reboot(fleet: Fleet, order: dict[str, Any]) -> dict[str, Any]:
    await fleet.reboot(_device(order))
    return {}


async def _advance(fleet: Fleet, order: dict[str, Any]) -> dict[str, Any]:
    fleet.advance(timedelta(seconds=float(order.get("seconds", 0))))
    return {"now": fleet.timeline.now().isoformat()}


async def _faults(fleet: Fleet, order: dict[str, Any]) -> dict[str, Any]:
    return {"faults": {fault.value: fault.explanation for fault in Fault}}


def _device(order: dict[str, Any]) -> str:
    return str(order.get("device", EVERYONE))


_ORDERS: dict[Any, Callable[[Fleet, dict[str, Any]], Awaitable[dict[str, Any]]]] = {
    "summary": _summary,
    "states": _states,
    "fault": _fault,
    "power": _power,
    "reboot": _reboot,
    "advance": _advance,
    "faults": _faults,
}
