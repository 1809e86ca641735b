"""The electronic delivery note (eLS): one reader per format behind one face; ours is ``urn:torwart:els:1.0``.

``read`` validates and then streams: the head comes first, then device after device; memory is flat in their number.
"""

from torwart.wire.els.note import (
    MAX_BYTES,
    Carrier,
    ControlItem,
    Device,
    Format,
    GatewayItem,
    Head,
    Item,
    MeterItem,
    Note,
    Secret,
    Unreadable,
)
from torwart.wire.els.own_format import NAMESPACE, read, write

__all__ = [
    "MAX_BYTES",
    "NAMESPACE",
    "Carrier",
    "ControlItem",
    "Device",
    "Format",
    "GatewayItem",
    "Head",
    "Item",
    "MeterItem",
    "Note",
    "Secret",
    "Unreadable",
    "read",
    "write",
]
