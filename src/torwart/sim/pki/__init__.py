"""The test PKI: a whole SM-PKI in memory, with everyone's keys, and with every wrong certificate one can show."""

from torwart.sim.pki.authority import Authority, Terms
from torwart.sim.pki.credentials import Credential, Triple, new_key
from torwart.sim.pki.pki import Fault, TestPki

__all__ = ["Authority", "Credential", "Fault", "Terms", "TestPki", "Triple", "new_key"]
