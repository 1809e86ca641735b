"""Many simulated gateways in one process: power, faults, time and a look at all of them.

All devices share one event loop, one timeline and one UDP socket: a datagram goes to the device its recipient field
names, as a mobile network would route it by address; the device then checks it for itself.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.sim import FLEET_UNKNOWN
from torwart.sim.gateway.config import Address, GatewayConfig
from torwart.sim.gateway.fault import CREDENTIAL_FAULTS, Fault
from torwart.sim.gateway.gateway import Gateway, GatewayState
from torwart.sim.gateway.timeline import Timeline
from torwart.sim.pki import Credential
from torwart.wire import wakeup

EVERYONE = "*"


@dataclass(frozen=True, slots=True)
class FleetConfig:
    """``wake_up``: where datagrams are taken (port 0: a free one). ``state``: a directory the devices' memories lie
    in, one sub-directory each; without it they are forgotten. ``boot_seconds``: power comes spread over this time.
    ``forge`` makes the wrong certificates for devices that were not born with them (``CREDENTIAL_FAULTS``).
    """

    devices: tuple[GatewayConfig, ...]
    wake_up: Address = ("127.0.0.1", 0)
    state: Path | None = None
    boot_seconds: float = 0.0
    forge: Callable[[DeviceId, Fault], Credential] | None = None


@dataclass(slots=True)
class Fleet:
    """``await start()``, then steer; every method takes a device id or ``"*"`` for all of them."""

    config: FleetConfig
    timeline: Timeline = field(default_factory=Timeline)
    gateways: dict[str, Gateway] = field(default_factory=dict)
    wake_up_address: Address = ("127.0.0.1", 0)
    _datagrams: asyncio.DatagramTransport | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, *, power: bool = True) -> None:
        """Make the devices, listen for wake-ups, and switch the power on (spread over ``boot_seconds``)."""
        loop = asyncio.get_running_loop()
        self._datagrams, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self.deliver), local_addr=self.config.wake_up
        )
        host, port = self._datagrams.get_extra_info("sockname")[:2]
        self.wake_up_address = host, port
        for device in self.config.devices:
            self.add(device)
        if power:
            self.switch_on()

    def add(self, device: GatewayConfig) -> None:
        """One more device, without power yet."""
        self.gateways[str(device.device)] = Gateway(device, self.timeline, self._directory(device))

    async def remove(self, device: str) -> None:
        """Take a device out: power off, and gone."""
        await self.power_off(device)
        self.gateways.pop(device.upper(), None)

    def switch_on(self) -> None:
        """Power for all, spread over ``boot_seconds``; does not wait."""
        self._task(self._power_up(list(self.gateways.values())))

    def _directory(self, device: GatewayConfig) -> Path | None:
        if self.config.state is None:
            return None
        directory = self.config.state / str(device.device)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return directory

    async def _power_up(self, gateways: list[Gateway]) -> None:
        pause = self.config.boot_seconds / max(1, len(gateways))
        for gateway in gateways:
            gateway.power_on()
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """Power off and keep what is to be kept."""
        for task in list(self._tasks):
            task.cancel()
        if self._datagrams is not None:
            self._datagrams.close()
        await asyncio.gather(*(gateway.power_off() for gateway in self.gateways.values()))
        self.timeline.close()

    # --- steering ---

    def select(self, device: str) -> list[Gateway]:
        """The device of this id (any case), or all; ``sim.fleet_unknown`` otherwise."""
        if device == EVERYONE:
            return list(self.gateways.values())
        found = self.gateways.get(device.upper())
        if found is None:
            known = ", ".join([*list(self.gateways)[:3], "…"])
            raise FLEET_UNKNOWN(what=device, known=known)
        return [found]

    def set_fault(self, device: str, fault: Fault, on: bool = True) -> None:
        for gateway in self.select(device):
            if on and fault in CREDENTIAL_FAULTS:
                self._forge(gateway, fault)
            gateway.set_fault(fault, on)

    def _forge(self, gateway: Gateway, fault: Fault) -> None:
        """See that the device has the wrong certificate it is to show."""
        credentials = gateway.core.config.fault_credentials
        if fault not in credentials:
            if self.config.forge is None:
                raise FLEET_UNKNOWN(what=f"{fault}: certificate", known="–")
            credentials[fault] = self.config.forge(gateway.core.config.device, fault)

    def power_on(self, device: str) -> None:
        for gateway in self.select(device):
            gateway.power_on()

    async def power_off(self, device: str) -> None:
        await asyncio.gather(*(gateway.power_off() for gateway in self.select(device)))

    async def reboot(self, device: str) -> None:
        await asyncio.gather(*(gateway.reboot() for gateway in self.select(device)))

    def advance(self, by: timedelta) -> None:
        """Push the simulated time of all devices forward."""
        self.timeline.advance(by)

    def deliver(self, packet: bytes) -> None:
        """A datagram from the network: to the device it names; what names none is lost, as on any network."""
        try:
            recipient = wakeup.parse(packet).recipient
        except Refusal:
            return
        gateway = self.gateways.get(str(recipient))
        if gateway is not None:
            gateway.wake_up(packet)

    # --- looking ---

    def states(self, device: str = EVERYONE) -> list[GatewayState]:
        return [gateway.state() for gateway in self.select(device)]

    def summary(self) -> dict[str, Any]:
        """Counts over all devices."""
        states = self.states()
        return {
            "gateways": len(states),
            "powered": sum(state.powered for state in states),
            "connected": sum(state.connected for state in states),
            "operational": sum(state.standing == "current" for state in states),
            "clock_valid": sum(state.clock_valid for state in states),
            "paired_meters": sum(len(state.paired) for state in states),
            "waiting_events": sum(state.waiting_events for state in states),
            "sent_values": sum(state.sent_values for state in states),
            "faults": dict(Counter(fault for state in states for fault in state.faults)),
            "now": self.timeline.now().isoformat(timespec="seconds"),
        }

    def _task(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, deliver: Any) -> None:
        self._deliver = deliver

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._deliver(data)


def devices_of(fleet: Iterable[GatewayConfig]) -> list[dict[str, Any]]:
    """What a delivery note for these devices has to say, as JSON: ids, meters, keys (test keys only)."""
    return [
        {
            "device": str(config.device),
            "meters": [{"device": str(meter.device), "mk0": meter.key.hex()} for meter in config.meters],
        }
        for config in fleet
    ]
