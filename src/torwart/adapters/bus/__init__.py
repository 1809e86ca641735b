"""The bus made real: in one process, or over NATS; one contract (``ports.bus``), one suite of tests for both."""

from torwart.adapters.bus.blocking import BlockingBus
from torwart.adapters.bus.in_process import InProcessBus
from torwart.adapters.bus.nats import NatsBus
from torwart.adapters.bus.nats_server import NatsServer

__all__ = ["BlockingBus", "InProcessBus", "NatsBus", "NatsServer"]
