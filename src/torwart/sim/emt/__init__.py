"""The EMT as a server that takes meter readings from gateways and confirms them to the head-end; and as a partner that
orders in the BDEW dialect.
"""

from torwart.sim.emt.config import Behaviour, EmtConfig
from torwart.sim.emt.partner import Partner
from torwart.sim.emt.receiver import EmtReceiver, Received

__all__ = ["Behaviour", "EmtConfig", "EmtReceiver", "Partner", "Received"]
