"""Readings as gateways deliver them: a COSEM profile_generic object as XML, each value signed by the gateway.

The form is that of real exports (spec/04 §4.1); the schema of what we write is ``schema/profile_generic-1.xsd``. One
object holds the columns of one meter: a register each, with entries in the order of their capture::

    object @id 01005e31803c.1lgz0072999211.sm
      capture_objects > capture_object > logical_name 0100010800ff.1lgz0072999211.sm   which register a column holds
      buffer > simple_data > column > entry_gateway_signed > value, scaler, unit, status, capture_time, smgw_signature

**Inner signature.** Spec/04 §1.11 says what it covers; the exact octets are laid down in „FNN Lastenheft SMGW
Funktionen“, which is not at hand. Ours is ECDSA with SHA-256 (DER, in hex) by GW_WAN_SIG_PRV over these octets:

| octets | content |
|---|---|
| 1 | layout, 01 |
| 1 + 0 or 8 | length and value, signed big-endian; length 00 where there is no value |
| 1 + n | length and qualified logical name ``<obis>.<gateway>.sm`` in ASCII, e.g. ``0100010800ff.eppc0212345678.sm`` |
| 8 | capture time, whole seconds since 1970-01-01T00:00:00Z, signed big-endian |
| 1 + 8 or 1 | length and status: the status word, or the one octet of StatusPTB |
| 1 | scaler, signed |
| 1 | unit |

The meter's id is in none of them; the CMS signature around the document binds the values to their meter.
"""

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals.readings import (
    PROFILE_GENERIC_MALFORMED,
    READINGS_NOT_SIGNED,
    READINGS_SIGNATURE_WRONG,
)
from torwart.wire.profile_generic import (
    CLASS_ID,
    EXTENSION,
    OBJECT_NAME,
    PROFILE_GENERIC,
    P,
    X,
    instant,
    listed,
    only,
    read_object,
    single,
    utc_seconds,
    whole,
    within,
)
from torwart.wire.status_word import StatusPtb, StatusWord
from torwart.wire.xml import Element, local_name

REGISTER_CLASS = 32822
"""COSEM class of what a column captures (spec/04 §4.1)."""

MAX_CAPTURES = 64
MAX_SIGNATURE = 256
"""Octets; an ECDSA signature on a curve of TR-03116-3 needs at most 139."""

_LAYOUT = 1
_SIGNATURE = re.compile(rf"(?:[0-9a-fA-F]{{2}}){{1,{MAX_SIGNATURE}}}")
_WHOLE_TYPES = frozenset(
    f"{X}{name}"
    for name in ("long64", "long64-unsigned", "double-long", "double-long-unsigned", "long", "long-unsigned", "integer")
)


class Unit(IntEnum):
    """Units of COSEM (IEC 62056-6-2) that electricity, gas and water meters use."""

    CUBIC_METRE = 13
    W = 27
    VA = 28
    VAR = 29
    WH = 30
    VAH = 31
    VARH = 32
    A = 33
    V = 35
    HZ = 44
    NONE = 255


UNIT_SYMBOLS: Mapping[int, str] = {
    Unit.CUBIC_METRE: "m³",
    Unit.W: "W",
    Unit.VA: "VA",
    Unit.VAR: "var",
    Unit.WH: "Wh",
    Unit.VAH: "VAh",
    Unit.VARH: "varh",
    Unit.A: "A",
    Unit.V: "V",
    Unit.HZ: "Hz",
    Unit.NONE: "",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of one register at one instant; refuses ``profile_generic.value`` for what the form cannot carry.

    ``value`` × 10^``scaler`` is the amount in ``unit``; ``value`` is ``None`` where nothing was received.
    ``captured_at`` is aware, of whole seconds, and kept in UTC. ``status`` is a status word or, as some gateways
    export it, the PTB's grade alone. ``signature`` is DER, ``b""`` before signing.
    """

    obis: ObisCode
    value: int | None
    scaler: int
    unit: int
    status: StatusWord | StatusPtb
    captured_at: datetime
    signature: bytes = b""

    def __post_init__(self) -> None:
        if self.value is not None:
            within("value", self.value, -(1 << 63), (1 << 63) - 1)
        within("scaler", self.scaler, -128, 127)
        within("unit", self.unit, 0, 255)
        within("octets of smgw_signature", len(self.signature), 0, MAX_SIGNATURE)
        object.__setattr__(self, "captured_at", utc_seconds(self.captured_at))

    @property
    def amount(self) -> Decimal | None:
        """The value in its unit, exact."""
        return None if self.value is None else Decimal(self.value).scaleb(self.scaler)

    @property
    def symbol(self) -> str:
        """The unit as printed, ``""`` for one this trade does not meet."""
        return UNIT_SYMBOLS.get(self.unit, "")


@dataclass(frozen=True, slots=True)
class Readings:
    """One delivery: entries of one meter, kept in the order of ``captures`` and within one register as given.

    ``logical_name`` is the id the delivery comes under (``readings_name``, ``contract_name``).
    """

    logical_name: str
    meter: DeviceId
    captures: tuple[ObisCode, ...]
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        if not OBJECT_NAME.fullmatch(self.logical_name):
            raise PROFILE_GENERIC_MALFORMED(why=f"object id {self.logical_name[:80]!r}")
        if not 0 < len(self.captures) <= MAX_CAPTURES or len(set(self.captures)) != len(self.captures):
            raise PROFILE_GENERIC_MALFORMED(why=f"{len(self.captures)} capture_objects, or one twice")
        columns: dict[ObisCode, list[Entry]] = {obis: [] for obis in self.captures}
        for entry in self.entries:
            if entry.obis not in columns:
                raise PROFILE_GENERIC_MALFORMED(why=f"an entry of {entry.obis}, which is no capture_object")
            columns[entry.obis].append(entry)
        object.__setattr__(self, "entries", tuple(entry for column in columns.values() for entry in column))

    @classmethod
    def of(cls, logical_name: str, meter: DeviceId, entries: tuple[Entry, ...]) -> "Readings":
        """A delivery whose columns are the registers of its entries, in the order they first appear."""
        return cls(logical_name, meter, tuple(dict.fromkeys(entry.obis for entry in entries)), entries)

    def column(self, obis: ObisCode) -> tuple[Entry, ...]:
        """The entries of one register."""
        return tuple(entry for entry in self.entries if entry.obis == obis)


def readings_name(meter: DeviceId) -> str:
    """The id of a meter's own readings, ``01005e31803c.<meter>.sm``."""
    return f"01005e31803c.{meter.host}"


def contract_name(tariff: int, number: int) -> str:
    """The id of what TAF ``tariff`` delivers, e.g. ``01005e318027.taf7-60.sm``.

    The examples at hand are TAF1 (…21) and TAF7 (…27); the others are counted on from them.
    """
    return f"01005e3180{0x20 + tariff:02x}.taf{tariff}-{number}.sm"


_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<p:object xmlns:p="{PROFILE_GENERIC}" xmlns:x="{EXTENSION}" class_id="{CLASS_ID}" class_version="1" '
    'id="{name}"><p:attributes count="3"><x:logical_name id="1">{name}</x:logical_name>'
    '<p:capture_objects id="2" count="{count}">'
)
_CAPTURE = (
    '<p:capture_object id="{id}"><x:logical_name>{name}</x:logical_name>'
    f"<x:class_id>{REGISTER_CLASS}</x:class_id></p:capture_object>"
)
_TAIL = "</p:simple_data></p:buffer></p:attributes></p:object>"


def encode(readings: Readings) -> bytes:
    """The document. Written as text, not as a tree: every part is a number, hex digits or a checked name."""
    captures, name = readings.captures, readings.logical_name
    parts = [_HEAD.format(name=name, count=len(captures))]
    parts += [
        _CAPTURE.format(id=number, name=f"{obis.hex.lower()}.{readings.meter.host}")
        for number, obis in enumerate(captures, start=1)
    ]
    parts.append(f'</p:capture_objects><p:buffer id="3"><p:simple_data count="{len(captures)}">')
    for number, obis in enumerate(captures, start=1):
        column = readings.column(obis)
        parts.append(f'<p:column count="{len(column)}" id="{number}">')
        parts += [_entry_text(index, entry) for index, entry in enumerate(column, start=1)]
        parts.append("</p:column>")
    parts.append(_TAIL)
    return "".join(parts).encode()


def _entry_text(index: int, entry: Entry) -> str:
    value = "<x:null-data/>" if entry.value is None else f"<x:long64>{entry.value}</x:long64>"
    signature = f"<x:smgw_signature>{entry.signature.hex()}</x:smgw_signature>" if entry.signature else ""
    return (
        f'<p:entry_gateway_signed id="{index}"><x:value>{value}</x:value><x:scaler>{entry.scaler:d}</x:scaler>'
        f"<x:unit>{entry.unit:d}</x:unit><x:status>{_status_text(entry.status)}</x:status>"
        f"<x:capture_time>{entry.captured_at.isoformat()[:19]}Z</x:capture_time>{signature}</p:entry_gateway_signed>"
    )


@lru_cache(1024)
def _status_text(status: StatusWord | StatusPtb) -> str:
    if isinstance(status, StatusWord):
        return f"<x:octet-string>{status.hex}</x:octet-string>"
    return f"<x:unsigned>{status:d}</x:unsigned>"


def decode(document: bytes) -> Readings:
    """Read a document.

    Refuses ``profile_generic.malformed``, ``profile_generic.value`` and what status word, identifiers and XML reader
    refuse.
    """
    name, attributes = read_object(document)
    captures, meter = _read_captures(attributes)
    buffer = only(attributes, f"{P}buffer")
    columns = listed(only(buffer, f"{P}simple_data"), f"{P}column")
    entries: list[Entry] = []
    seen: set[str] = set()
    for column in columns:
        number = column.get("id", "")
        if number not in captures or number in seen:
            raise PROFILE_GENERIC_MALFORMED(why=f"column {number[:20]!r} has no capture_object of its own")
        seen.add(number)
        entries += [_read_entry(captures[number], entry) for entry in listed(column, f"{P}entry_gateway_signed")]
    return Readings(name, meter, tuple(captures.values()), tuple(entries))


def _read_captures(attributes: Element) -> tuple[dict[str, ObisCode], DeviceId]:
    """Registers by the number of their column, and the meter they all belong to."""
    captures: dict[str, ObisCode] = {}
    meters: set[DeviceId] = set()
    for position, element in enumerate(listed(only(attributes, f"{P}capture_objects"), f"{P}capture_object"), start=1):
        obis, _, host = (only(element, f"{X}logical_name").text or "").strip().partition(".")
        captures[element.get("id", str(position))] = ObisCode.from_hex(obis)
        meters.add(DeviceId.from_host(host))
        if position > MAX_CAPTURES or len(meters) > 1 or len(captures) < position:
            raise PROFILE_GENERIC_MALFORMED(
                why=f"capture_object {position} of another meter, with a number used, or too many"
            )
    if not meters:
        raise PROFILE_GENERIC_MALFORMED(why="no capture_object")
    return captures, meters.pop()


def _read_entry(obis: ObisCode, element: Element) -> Entry:
    parts = {child.tag: child for child in element}
    if len(parts) != len(element):
        raise PROFILE_GENERIC_MALFORMED(why=f"entry {element.get('id', '')[:20]!r} holds an element twice")
    try:
        return Entry(
            obis,
            _read_value(parts[_VALUE]),
            whole(parts[_SCALER].text),
            whole(parts[_UNIT].text),
            _read_status(parts[_STATUS]),
            instant(parts[_TIME].text),
            _read_signature(parts[_SMGW_SIGNATURE].text) if _SMGW_SIGNATURE in parts else b"",
        )
    except KeyError as error:
        raise PROFILE_GENERIC_MALFORMED(why=f"an entry lacks {str(error.args[0]).rpartition('}')[2]}") from error


_VALUE, _SCALER, _UNIT, _STATUS, _TIME, _SMGW_SIGNATURE = (
    f"{X}{name}" for name in ("value", "scaler", "unit", "status", "capture_time", "smgw_signature")
)
_NULL, _OCTETS, _UNSIGNED = f"{X}null-data", f"{X}octet-string", f"{X}unsigned"


def _read_value(element: Element) -> int | None:
    typed = single(element)
    if typed.tag == _NULL and not typed.text:
        return None
    if typed.tag not in _WHOLE_TYPES and typed.tag != _UNSIGNED:
        raise PROFILE_GENERIC_MALFORMED(why=f"a value of type {local_name(typed)[:40]}")
    return whole(typed.text)


def _read_status(element: Element) -> StatusWord | StatusPtb:
    typed = single(element)
    if typed.tag not in (_OCTETS, _UNSIGNED):
        raise PROFILE_GENERIC_MALFORMED(why=f"a status of type {local_name(typed)[:40]}")
    return _status(typed.tag == _OCTETS, typed.text or "")


@lru_cache(1024)
def _status(is_word: bool, text: str) -> StatusWord | StatusPtb:
    """A status by its text; one day's statuses are nearly all the same."""
    if is_word:
        return StatusWord.parse(text.strip())
    grade = whole(text)
    within("status", grade, min(StatusPtb), max(StatusPtb))
    return StatusPtb(grade)


def _read_signature(text: str | None) -> bytes:
    stripped = (text or "").strip()
    if not _SIGNATURE.fullmatch(stripped):
        raise PROFILE_GENERIC_MALFORMED(why=f"smgw_signature is not 1 to {MAX_SIGNATURE} octets in hex")
    return bytes.fromhex(stripped)


def signed_bytes(entry: Entry, gateway: DeviceId) -> bytes:
    """What the gateway's signature of ``entry`` covers (layout: see the module)."""
    value = b"" if entry.value is None else entry.value.to_bytes(8, "big", signed=True)
    name = f"{entry.obis.hex.lower()}.{gateway.host}".encode()
    status = entry.status.octets if isinstance(entry.status, StatusWord) else bytes([entry.status])
    return b"".join(
        (
            bytes([_LAYOUT, len(value)]),
            value,
            bytes([len(name)]),
            name,
            struct.pack(">q", int(entry.captured_at.timestamp())),
            bytes([len(status)]),
            status,
            struct.pack(">bB", entry.scaler, entry.unit),
        )
    )


def sign_entries(readings: Readings, gateway: DeviceId, sign: Callable[[bytes], bytes]) -> Readings:
    """The same readings with every entry signed; ``sign`` answers ECDSA-SHA256 in DER (``cms.Signer.sign``)."""
    signed = tuple(replace(entry, signature=sign(signed_bytes(entry, gateway))) for entry in readings.entries)
    return replace(readings, entries=signed)


def verify_entries(readings: Readings, gateway: DeviceId, public_key: EllipticCurvePublicKey) -> None:
    """Check every entry's signature; refuses ``readings.not_signed`` or ``readings.signature_wrong`` at the first."""
    algorithm = ECDSA(SHA256())
    for entry in readings.entries:
        details = {"obis": entry.obis, "at": f"{entry.captured_at:%Y-%m-%dT%H:%M:%SZ}"}
        if not entry.signature:
            raise READINGS_NOT_SIGNED(**details)
        try:
            public_key.verify(entry.signature, signed_bytes(entry, gateway), algorithm)
        except InvalidSignature as error:
            raise READINGS_SIGNATURE_WRONG(**details) from error
