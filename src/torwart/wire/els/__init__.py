"""The electronic delivery note (eLS): one reader per format (``Format``) behind one face.

    own_format   XML by ``urn:torwart:els:1.0``, our documented schema
    csv_form     for pilots, without secrets

``read`` tells the format by its first characters, validates and then streams: the head comes first, then device after
device; memory is flat in their number. A further format is a module with a ``read`` and a line in ``_FORMATS``.
"""

import io
from collections.abc import Mapping
from typing import BinaryIO

from torwart.wire.els import csv_form, own_format
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
    kind,
)
from torwart.wire.els.own_format import NAMESPACE, write

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
    "kind",
    "read",
    "write",
]

_FORMATS: Mapping[bytes, Format] = {name.encode(): csv_form for name in csv_form.COLUMNS}
"""Formats by how their content begins, byte order mark and quotes left aside; everything else is our XML."""


def read(source: bytes | BinaryIO, *, limit: int = MAX_BYTES) -> Note:
    """Start reading a note of any format we know; ``source`` is seekable. Refuses with a kind of ``els``."""
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    start = stream.tell()
    begin = stream.read(200).removeprefix(b"\xef\xbb\xbf").lstrip(b' "')
    stream.seek(start)
    known = (each for name, each in _FORMATS.items() if begin.startswith(name))
    return next(known, own_format).read(stream, limit=limit)
