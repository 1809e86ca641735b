"""The SM-PKI's web service as we use it: client of a Sub-CA, and the receiver of its callbacks (TR-03129-4)."""

from torwart.adapters.sm_pki.client import Patience, SmPkiClient
from torwart.adapters.sm_pki.receiver import CallbackReceiver
from torwart.adapters.sm_pki.tls import TlsIdentity

__all__ = ["CallbackReceiver", "Patience", "SmPkiClient", "TlsIdentity"]
