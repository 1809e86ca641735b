"""The simulated smart meter gateway: the other half of every conversation the product has, faults included.

It shares no decision code with the head-end beyond the codecs of ``torwart.wire`` (spec/04, "What decides our
design", 5): what the gateway accepts, refuses, keeps and sends is decided here, from the standards, a second time.

``Fleet`` runs any number of devices in one event loop; ``make_device`` makes them from a test PKI; ``Fault`` lists
every way they can misbehave; ``ControlServer`` steers a fleet from outside.
"""

from torwart.sim.gateway.config import GatewayConfig, InitialConfig, MeterConfig
from torwart.sim.gateway.control import ControlServer
from torwart.sim.gateway.fault import Fault
from torwart.sim.gateway.fleet import EVERYONE, Fleet, FleetConfig
from torwart.sim.gateway.gateway import Gateway, GatewayState
from torwart.sim.gateway.manufacture import device_ids, initial_config, make_device
from torwart.sim.gateway.timeline import Timeline

__all__ = [
    "EVERYONE",
    "ControlServer",
    "Fault",
    "Fleet",
    "FleetConfig",
    "Gateway",
    "GatewayConfig",
    "GatewayState",
    "InitialConfig",
    "MeterConfig",
    "Timeline",
    "device_ids",
    "initial_config",
    "make_device",
]
