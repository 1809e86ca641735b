"""Readings as real gateways write them: profile_generic with values, status, capture time and signature per entry.

Form: spec/04 §4.1. A missing value (status bit NoValue) is ``x:null-data``, ours. The signature of an entry is made
with the gateway's SIG key; what it covers is known (value, qualified name, time to the second, status, scaler and
unit: spec/04 §1.11), how the bytes are laid out is not (FNN LH SMGW Funktionen), so ``signed_bytes`` is ours:

    "TWR1"                                     4 octets
    gateway   length (1), name in ASCII        "01005e31803c.eppc0212345678.sm", the qualified name with the gateway
    column    length (1), name in ASCII        "0100010800ff.1lgz0072999211.sm", register and meter
    time      8, signed big endian             seconds since 1970 in UTC
    value     1 (present 1, missing 0), 8      signed big endian, 0 if missing
    scaler    1, signed;  unit 1, unsigned
    status    length (1), octets               as transmitted
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals.readings import READINGS_MALFORMED, READINGS_SIGNATURE
from torwart.wire import profile_generic as generic
from torwart.wire.profile_generic import P, X
from torwart.wire.status_word import StatusWord
from torwart.wire.xml import Element, local_name, parse, serialise

CAPTURED_CLASS = 32822
"""Class id of what is captured in real exports (spec/04 §4.1)."""

READINGS_NAME = "01005e31803c"
"""Logical name of a meter's readings in real exports; TAF 10 has 01005e31803f."""

MAX_ENTRIES = 100_000
MAX_SIZE = 64 * 1024 * 1024
"""Bytes of one document; an entry with signature has about 450."""

WATT, WATT_HOUR, AMPERE, VOLT, HERTZ = 27, 30, 33, 35, 44
"""Unit codes of COSEM seen in real exports (spec/04 §4.1)."""

SCALERS = range(-128, 128)

_read = generic.Reader(READINGS_MALFORMED)


class Reading(NamedTuple):
    """One entry. ``value`` raw (times 10^scaler in ``unit``), ``None``: nothing was received. ``status``: 8 octets of
    a status word, or a small number as some gateways write.
    """

    captured_at: datetime
    value: int | None
    scaler: int
    unit: int
    status: bytes | int
    signature: bytes | None = None

    @property
    def status_word(self) -> StatusWord:
        """Refuses ``readings.status`` a status that is none."""
        octets = self.status if isinstance(self.status, bytes) else self.status.to_bytes(8, "big")
        return StatusWord.of_octets(octets)


@dataclass(frozen=True, slots=True)
class Column:
    """The entries of one register of one meter, as they stand in the document."""

    obis_code: ObisCode
    meter: str
    entries: tuple[Reading, ...] = ()

    @property
    def name(self) -> str:
        """Qualified logical name, e.g. ``0100010800ff.1lgz0072999211.sm``."""
        return f"{self.obis_code.hex.lower()}.{self.meter}.sm"


@dataclass(frozen=True, slots=True)
class Readings:
    """A document of readings. ``source``: what it is about – a meter (``1lgz0072999211``) or contract (``taf7-1``)."""

    logical_name: str
    source: str
    columns: tuple[Column, ...] = ()

    def __iter__(self) -> Iterator[tuple[Column, Reading]]:
        return ((column, entry) for column in self.columns for entry in column.entries)

    def to_xml(self) -> bytes:
        root, attributes = generic.frame(self.logical_name, self.source)
        captured = generic.add(attributes, P, "capture_objects", id="2", count=str(len(self.columns)))
        buffer = generic.add(attributes, P, "buffer", id="3")
        data = generic.add(buffer, P, "simple_data", count=str(len(self.columns)))
        for index, column in enumerate(self.columns, 1):
            captured_object = generic.add(captured, P, "capture_object", id=str(index))
            generic.add(captured_object, X, "logical_name", column.name)
            generic.add(captured_object, X, "class_id", str(CAPTURED_CLASS))
            element = generic.add(data, P, "column", id=str(index), count=str(len(column.entries)))
            for number, entry in enumerate(column.entries, 1):
                _write_entry(generic.add(element, P, "entry_gateway_signed", id=str(number)), entry)
        return serialise(root)

    @classmethod
    def from_xml(cls, body: bytes) -> "Readings":
        """Refuses ``xml.*`` and ``readings.malformed``; signatures are not checked here (``verify``)."""
        return cls.of_element(parse(body, max_size=MAX_SIZE))

    @classmethod
    def of_element(cls, root: Element) -> "Readings":
        name, source = _read.names(root)
        attributes = _read.one(root, P, "attributes")
        captured = _read.one(attributes, P, "capture_objects")
        objects = _read.counted(captured, captured.findall(f"{{{P}}}capture_object"))
        data = _read.one(_read.one(attributes, P, "buffer"), P, "simple_data")
        columns = _read.counted(data, data.findall(f"{{{P}}}column"))
        if len(objects) != len(columns):
            raise READINGS_MALFORMED(why=f"{len(objects)} capture objects but {len(columns)} columns")
        if len(root.findall(f".//{{{P}}}entry_gateway_signed")) > MAX_ENTRIES:
            raise READINGS_MALFORMED(why=f"more than {MAX_ENTRIES} entries")
        return cls(name, source, tuple(map(_read_column, objects, columns)))


def _write_entry(element: Element, entry: Reading) -> None:
    value = generic.add(element, X, "value")
    if entry.value is None:
        generic.add(value, X, "null-data")
    else:
        generic.add(value, X, "long64", str(entry.value))
    generic.add(element, X, "scaler", str(entry.scaler))
    generic.add(element, X, "unit", str(entry.unit))
    status = generic.add(element, X, "status")
    if isinstance(entry.status, bytes):
        generic.add(status, X, "octet-string", entry.status.hex())
    else:
        generic.add(status, X, "unsigned", str(entry.status))
    generic.add(element, X, "capture_time", generic.instant_text(entry.captured_at))
    if entry.signature is not None:
        generic.add(element, X, "smgw_signature", entry.signature.hex())


def _read_column(captured: Element, column: Element) -> Column:
    if captured.get("id") != column.get("id"):
        raise READINGS_MALFORMED(why=f"column {column.get('id')} stands where {captured.get('id')} is captured")
    obis, meter = _read.name(_read.text(captured, "logical_name"))
    entries = _read.counted(column, column.findall(f"{{{P}}}entry_gateway_signed"))
    return Column(ObisCode.from_hex(obis), meter, tuple(map(_read_entry, entries)))


def _read_entry(element: Element) -> Reading:
    parts = {local_name(child): child for child in element}
    if not {"value", "scaler", "unit", "status", "capture_time"} <= parts.keys():
        raise READINGS_MALFORMED(why=f"an entry holds only {sorted(parts)}")
    scaler, unit = _read.number(_text(parts["scaler"])), _read.number(_text(parts["unit"]))
    if scaler not in SCALERS or not 0 <= unit <= 255:
        raise READINGS_MALFORMED(why=f"scaler {scaler}, unit {unit}")
    signature = parts.get("smgw_signature")
    return Reading(
        _read.instant(_text(parts["capture_time"])),
        _read_value(parts["value"]),
        scaler,
        unit,
        _read_status(parts["status"]),
        None if signature is None else _read.octets(_text(signature)),
    )


def _text(element: Element) -> str:
    return (element.text or "").strip()


def _inner(element: Element) -> tuple[str, str]:
    """Type name and text of the one element within."""
    if len(element) != 1 or not isinstance(element[0].tag, str):
        raise READINGS_MALFORMED(why=f"{local_name(element)} does not hold one value")
    return local_name(element[0]), _text(element[0])


def _read_value(element: Element) -> int | None:
    kind, text = _inner(element)
    if kind == "null-data" and not text:
        return None
    if kind not in ("long64", "long64-unsigned", "double-long", "double-long-unsigned"):
        raise READINGS_MALFORMED(why=f"value of type {kind[:40]}")
    value = _read.number(text)
    if not -(2**63) <= value < 2**63:
        raise READINGS_MALFORMED(why=f"value {value}")
    return value


def _read_status(element: Element) -> bytes | int:
    kind, text = _inner(element)
    if kind == "octet-string":
        octets = _read.octets(text)
        if len(octets) != 8:
            raise READINGS_MALFORMED(why=f"status of {len(octets)} octets")
        return octets
    number = _read.number(text)
    if kind != "unsigned" or not 0 <= number <= 255:
        raise READINGS_MALFORMED(why=f"status {kind[:20]} {text[:20]}")
    return number


_FIXED = struct.Struct(">qBqbB")


def signed_bytes(gateway: DeviceId, readings: Readings, column: Column, entry: Reading) -> bytes:
    """What an entry's signature covers (layout in this module's docstring)."""
    status = entry.status if isinstance(entry.status, bytes) else bytes([entry.status])
    parts = [b"TWR1"]
    for name in (f"{readings.logical_name}.{gateway.host}", column.name):
        encoded = name.encode("ascii")
        parts += [bytes([len(encoded)]), encoded]
    seconds = int(entry.captured_at.timestamp())
    parts.append(_FIXED.pack(seconds, entry.value is not None, entry.value or 0, entry.scaler, entry.unit))
    return b"".join((*parts, bytes([len(status)]), status))


def sign(readings: Readings, gateway: DeviceId, signer: Callable[[bytes], bytes]) -> Readings:
    """The same readings with a signature on every entry."""

    def signed(column: Column) -> Column:
        entries = (e._replace(signature=signer(signed_bytes(gateway, readings, column, e))) for e in column.entries)
        return replace(column, entries=tuple(entries))

    return replace(readings, columns=tuple(map(signed, readings.columns)))


def verify(readings: Readings, gateway: DeviceId, is_signed: Callable[[bytes, bytes], bool]) -> None:
    """Check every entry's signature with ``is_signed(message, signature)``; refuses ``readings.signature`` at the
    first that is missing or wrong.
    """
    for column, entry in readings:
        if entry.signature is None or not is_signed(signed_bytes(gateway, readings, column, entry), entry.signature):
            raise READINGS_SIGNATURE(column=column.name, at=generic.instant_text(entry.captured_at))
