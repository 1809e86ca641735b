"""COSEM values: every type of the cod schema with its range, as XML and as URI literal.

Source: TR-03109-1 Anlage II (A2) §7.7 Tabelle 13 (URI literals) and §8.3 (XSD-COD). One table, ``TYPES``, holds
what both notations need; ``Data`` is a checked value, so no other module checks ranges.

The two sources disagree about ``bcd``: the schema says Integer8, Tabelle 13 says Unsigned8. We read both as the
same octet: ``bcd:153`` in a URI is ``<bcd>-103</bcd>`` in XML, and ``Data("bcd", -103)`` here.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Union

from torwart.kernel.refusals.cosem import COSEM_DATA

Value = Union[None, bool, int, str, bytes, tuple["Data", ...], "CompactArray"]

MAX_NESTING = 16
"""Arrays and structures within each other; IEC 62056-6-2 classes need at most five."""


@dataclass(frozen=True, slots=True)
class TypeDescription:
    """The type of the elements of a compact array; ``count`` for an array, ``parts`` for array and structure."""

    type: str
    parts: tuple["TypeDescription", ...] = ()
    count: int = 0

    def __post_init__(self) -> None:
        wanted = {"array": len(self.parts) == 1, "structure": True}.get(self.type, not self.parts)
        if self.type not in TYPES or self.type == "compact-array" or not wanted or not 0 <= self.count <= 0xFFFF:
            raise COSEM_DATA(what=f"{self.type} with {len(self.parts)} parts", type="TypeDescription")


@dataclass(frozen=True, slots=True)
class CompactArray:
    """Value of a compact-array: element type and the elements' octets (A-XDR without tags)."""

    description: TypeDescription
    contents: bytes


@dataclass(frozen=True, slots=True)
class Type:
    """One COSEM type. ``tag`` as in Tabelle 13; ``check`` tells whether a Python value is one of this type;
    ``size``: octets of a fixed-size type, else 0; ``signed`` for whole numbers.
    """

    name: str
    tag: int
    check: Callable[[Value], bool]
    size: int = 0
    signed: bool = False
    form: type | None = None


def _whole(name: str, tag: int, size: int, *, signed: bool) -> Type:
    low = -(1 << (8 * size - 1)) if signed else 0
    high = (1 << (8 * size - signed)) - 1
    # bool is an int to Python but not to COSEM.
    return Type(name, tag, lambda v: type(v) is int and low <= v <= high, size, signed, int)


def _octets(name: str, tag: int, size: int = 0) -> Type:
    return Type(name, tag, lambda v: isinstance(v, bytes) and (not size or len(v) == size), size, form=bytes)


_XML_TEXT = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
"""What XML 1.0 §2.2 can carry."""


def _text(name: str, tag: int) -> Type:
    return Type(name, tag, lambda v: isinstance(v, str) and _XML_TEXT.fullmatch(v) is not None, form=str)


def _parts(name: str, tag: int) -> Type:
    return Type(name, tag, lambda v: isinstance(v, tuple) and all(isinstance(p, Data) for p in v), form=tuple)


def _nothing(name: str, tag: int) -> Type:
    return Type(name, tag, lambda v: v is None)


TYPES: dict[str, Type] = {
    t.name: t
    for t in (
        _nothing("null-data", 0),
        _parts("array", 1),
        _parts("structure", 2),
        Type("boolean", 3, lambda v: isinstance(v, bool), 1, form=bool),
        Type("bit-string", 4, lambda v: isinstance(v, str) and not v.strip("01"), form=str),
        _whole("double-long", 5, 4, signed=True),
        _whole("double-long-unsigned", 6, 4, signed=False),
        _octets("floating-point", 7, 4),
        _octets("octet-string", 9),
        _text("visible-string", 10),
        _text("UTF8-string", 12),
        _whole("bcd", 13, 1, signed=True),
        _whole("integer", 15, 1, signed=True),
        _whole("long", 16, 2, signed=True),
        _whole("unsigned", 17, 1, signed=False),
        _whole("long-unsigned", 18, 2, signed=False),
        Type("compact-array", 19, lambda v: isinstance(v, CompactArray), form=CompactArray),
        _whole("long64", 20, 8, signed=True),
        _whole("long64-unsigned", 21, 8, signed=False),
        _whole("enum", 22, 1, signed=False),
        _octets("float32", 23, 4),
        _octets("float64", 24, 8),
        _octets("date_time", 25, 12),
        _octets("date", 26, 5),
        _octets("time", 27, 4),
        _nothing("dont-care", 255),
    )
}


@dataclass(frozen=True, slots=True)
class Data:
    """A value with its COSEM type; refuses ``cosem.data`` what its type cannot hold.

    Python forms: ``None``, ``bool``, ``int``, ``str`` (strings; bit-string as "0101"), ``bytes`` (octets, floats,
    dates), a tuple of ``Data`` (array, structure), ``CompactArray``.
    """

    type: str
    value: Value = None

    def __post_init__(self) -> None:
        known = TYPES.get(self.type)
        if known is None or not known.check(self.value):
            raise COSEM_DATA(what=repr(self.value)[:80], type=self.type)

    @property
    def parts(self) -> tuple["Data", ...]:
        """The members of an array or structure; refused for every other type."""
        if not isinstance(self.value, tuple):
            raise COSEM_DATA(what=self.type, type="array or structure")
        return self.value

    @property
    def number(self) -> int:
        """The whole number (or enum) this is; refused for every other type."""
        if type(self.value) is not int:
            raise COSEM_DATA(what=self.type, type="a whole number")
        return self.value

    @property
    def octets(self) -> bytes:
        """The octets this is; refused for every other type."""
        if not isinstance(self.value, bytes):
            raise COSEM_DATA(what=self.type, type="octet-string")
        return self.value

    @property
    def text(self) -> str:
        """The string this is; refused for every other type."""
        if not isinstance(self.value, str):
            raise COSEM_DATA(what=self.type, type="visible-string or UTF8-string")
        return self.value

    @property
    def truth(self) -> bool:
        """The boolean this is; refused for every other type."""
        if not isinstance(self.value, bool):
            raise COSEM_DATA(what=self.type, type="boolean")
        return self.value


NULL = Data("null-data")


def array(*members: Data) -> Data:
    return Data("array", members)


def structure(*members: Data) -> Data:
    return Data("structure", members)


def octet_string(value: bytes) -> Data:
    return Data("octet-string", value)


def visible_string(value: str) -> Data:
    return Data("visible-string", value)


def utf8_string(value: str) -> Data:
    return Data("UTF8-string", value)


def boolean(value: bool) -> Data:
    return Data("boolean", value)


_NOT_SPECIFIED = -0x8000
_DATE_TIME = struct.Struct(">HBBBBBBBhB")


def date_time(at: datetime) -> Data:
    """An instant as the 12 octets of IEC 62056-6-2 §4.1.6.1, always written in UTC (deviation 0) to 1/100 s."""
    at = at.astimezone(UTC)
    hundredths = at.microsecond // 10_000
    packed = _DATE_TIME.pack(
        at.year, at.month, at.day, at.isoweekday(), at.hour, at.minute, at.second, hundredths, 0, 0
    )
    return Data("date_time", packed)


def instant(data: Data) -> datetime:
    """The instant a ``date_time`` (or 12-octet octet-string) names, in UTC; refuses wildcards and impossible dates.

    ``deviation`` counts minutes from local time to UTC (UTC = local + deviation); "not specified" is read as UTC.
    """
    octets = data.octets
    if len(octets) != _DATE_TIME.size:
        raise COSEM_DATA(what=f"{len(octets)} octets", type="date_time")
    year, month, day, _, hour, minute, second, hundredths, deviation, _ = _DATE_TIME.unpack(octets)
    try:
        micros = 0 if hundredths == 0xFF else hundredths * 10_000
        local = datetime(year, month, day, hour, minute, second, micros, tzinfo=UTC)
        return local + timedelta(minutes=0 if deviation == _NOT_SPECIFIED else deviation)
    except (ValueError, OverflowError) as error:
        raise COSEM_DATA(what=octets.hex(), type="date_time") from error
