"""The simulated Sub-CA: the web service of TR-03129-4 over mutual TLS, in every good and bad mood (spec/08)."""

from torwart.sim.sub_ca.behaviour import Behaviour, Mode
from torwart.sim.sub_ca.server import SubCaServer, run_sub_ca

__all__ = ["Behaviour", "Mode", "SubCaServer", "run_sub_ca"]
