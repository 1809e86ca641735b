"""Delivery notes (P01): their import device by device, and where each delivered device is (SiLKe).

importing   the verb: signature, format, number, recipient, then all devices in one transaction
batch       some hundred devices at a time: every check in its order, then rows and secrets
seals       quality-seal certificates of a gateway
secrets     what only we can open, put into the key store
rows        how devices become rows
custody     hand-overs
"""

from torwart.services.delivery_note.custody import hand_over
from torwart.services.delivery_note.importing import DeviceResult, Report, import_note

__all__ = ["DeviceResult", "Report", "hand_over", "import_note"]
