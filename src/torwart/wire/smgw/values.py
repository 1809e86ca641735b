"""Plain dataclasses ⇄ COSEM values, by their type hints: what a gateway's attributes and methods carry.

A dataclass is a structure of its fields in order, a tuple an array, ``None`` null-data; ``str`` is UTF8-string,
``bool`` boolean, ``bytes`` octet-string, ``datetime`` date_time in UTC, an enumeration of texts visible-string. A whole
number is long64 unless its field says otherwise: ``field(metadata={"cosem": "integer"})``. Reading takes any whole
number type: A2's own examples mix them.
"""

import types
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals.cosem import COSEM_DATA
from torwart.wire.cosem.data import NULL, Data, boolean, date_time, instant, octet_string, utf8_string, visible_string

T = TypeVar("T")

_hints: dict[type, tuple[tuple[str, Any, str], ...]] = {}


def _fields(cls: type) -> tuple[tuple[str, Any, str], ...]:
    """Name, hint and COSEM number type of each field."""
    known = _hints.get(cls)
    if known is None:
        hints = get_type_hints(cls)
        known = tuple((f.name, hints[f.name], f.metadata.get("cosem", "long64")) for f in fields(cls))
        _hints[cls] = known
    return known


def to_data(value: Any, number: str = "long64") -> Data:
    """The COSEM value of a plain one."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return boolean(value)
    if isinstance(value, int):
        return Data(number, value)
    if isinstance(value, Enum):
        return visible_string(str(value.value))
    if isinstance(value, str):
        return utf8_string(str(value))
    if isinstance(value, bytes):
        return octet_string(value)
    if isinstance(value, datetime):
        return date_time(value)
    if isinstance(value, tuple):
        return Data("array", tuple(to_data(item, number) for item in value))
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} has no COSEM form")
    return Data("structure", tuple(to_data(getattr(value, name), kind) for name, _, kind in _fields(type(value))))


def from_data(hint: Any, data: Data) -> Any:
    """The plain value of type ``hint``; refuses ``cosem.data`` any other."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return None if data.value is None else from_data(get_args(hint)[0], data)
    if origin is tuple:
        return tuple(from_data(get_args(hint)[0], part) for part in data.parts)
    if is_dataclass(hint):
        return _structure(hint, data)
    return _scalar(hint, data)


def _structure(cls: Any, data: Data) -> Any:
    wanted = _fields(cls)
    # A structure of a newer gateway may be longer; one that is too short lacks something we need.
    if data.type != "structure" or len(data.parts) < len(wanted):
        raise COSEM_DATA(what=f"{data.type} of {len(data.parts)} parts", type=cls.__name__)
    parts = zip(wanted, data.parts, strict=False)
    return cls(**{name: from_data(hint, part) for (name, hint, _), part in parts})


def _scalar(hint: type, data: Data) -> Any:
    if hint is bool:
        return data.truth
    if hint is int:
        return data.number
    if hint is bytes:
        return data.octets
    if hint is datetime:
        return instant(data)
    if issubclass(hint, DeviceId | ObisCode):
        return hint.parse(data.text)
    if hint is str:
        return data.text
    if issubclass(hint, Enum):
        try:
            return hint(data.text)
        except ValueError as error:
            raise COSEM_DATA(what=data.text[:60], type=hint.__name__) from error
    raise TypeError(f"{hint} has no COSEM form")
