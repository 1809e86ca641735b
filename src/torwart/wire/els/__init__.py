"""The electronic delivery note (eLS): one reader per format behind one face; ours is ``urn:torwart:els:1.0``.

``read`` streams: the head comes first, then device after device; memory is flat in the number of devices.
"""

from torwart.wire.els.note import Carrier, Device, GatewayItem, Head, MeterItem, Note, Secret
from torwart.wire.els.own_format import MAX_BYTES, NAMESPACE, read, write

__all__ = [
    "MAX_BYTES",
    "NAMESPACE",
    "Carrier",
    "Device",
    "GatewayItem",
    "Head",
    "MeterItem",
    "Note",
    "Secret",
    "read",
    "write",
]
