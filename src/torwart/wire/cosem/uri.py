"""Where a COSEM resource lives: canonical device ids, object ids, and the paths of the resource tree (A2 §5.2, §6).

Rules of this module
1. A path is read by walking ``_GRAMMAR``; what the table does not lead to does not exist (404).
2. ``Address.path`` and ``parse_path`` are inverse; nobody else builds or splits paths.

A container's id is "ein Tupel aus Class-ID und Logical-Name" (§6.7), hence written like an object's.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from torwart.kernel.refusals.cosem import COSEM_DEVICE_ID, COSEM_INDEX, COSEM_NOT_FOUND, COSEM_OBJECT_ID

MAX_URI = 4000
"""A2 §7.1: "Die Länge der Request-URI soll nicht größer als 4000 Zeichen sein"."""

_LABEL = r"(?!-)[0-9a-z-]{1,63}(?<!-)"
_CANONICAL = re.compile(rf"{_LABEL}\.(?:sm|eui)(?:\.{_LABEL})*")
_OBJECT = re.compile(r"(0|[1-9][0-9]{0,4})-([0-9a-f]{12})")
_LOGICAL_NAME = re.compile(r"[0-9a-f]{12}")
_INDEX = re.compile(r"0|-?[1-9][0-9]{0,2}")
_DEVICE_SAFE = "!$&'()*+,;=:@"


def canonical_device(text: str) -> str:
    """``text`` as a canonical device id: lower case, blanks removed, postfix present; refuses ``cosem.device_id``.

    A2 §6.1: "enthält nur die Zeichen 0-9,-,a-z und hat eine Länge von 1-63 Zeichen"; "Die Identifikation des
    Nummernschemas MUSS aus dem Domain-Namen erkennbar sein" (postfix ``.sm`` or ``.eui``), a domain may follow.
    """
    name = text.replace(" ", "").lower()
    if not _CANONICAL.fullmatch(name):
        raise COSEM_DEVICE_ID(text=text[:80])
    return name


def device_of_number(number: str) -> str:
    """The canonical id of a DIN 43863-5 number, e.g. ``1LGZ 00 72999211`` → ``1lgz0072999211.sm``."""
    return canonical_device(number.replace(" ", "") + ".sm")


def device_of_eui(eui: str) -> str:
    """The canonical id of a MAC address (EUI-48/64): lower case, "keine Trennzeichen" (Tabelle 3)."""
    return canonical_device(re.sub("[^0-9a-zA-Z]", "", eui) + ".eui")


def is_canonical_device(text: str) -> bool:
    return _CANONICAL.fullmatch(text) is not None


class ObjectId(NamedTuple):
    """Class id and logical name of an object or container (A2 §6.4): ``3-0100010800ff``."""

    class_id: int
    logical_name: str

    def __str__(self) -> str:
        return f"{self.class_id}-{self.logical_name}"

    @classmethod
    def parse(cls, text: str) -> "ObjectId":
        """Class id decimal 0–65535 without leading zeros, hyphen, 12 hex digits "0-9 … und a-f"."""
        match = _OBJECT.fullmatch(text)
        if match is None or int(match[1]) > 0xFFFF:
            raise COSEM_OBJECT_ID(text=text[:80])
        return cls(int(match[1]), match[2])

    @classmethod
    def of(cls, class_id: int, logical_name: str) -> "ObjectId":
        """From parts; a logical name of ten digits gets the group F "ff" it lacks (§6.4: "wird nicht verkürzt")."""
        name = logical_name.lower()
        return cls.parse(f"{class_id}-{name}ff" if len(name) == 10 else f"{class_id}-{name}")


class Level(Enum):
    """The levels of the URI tree (A2 Abbildung 2)."""

    COSEM = "cosem"
    DEVICES = "ldevs"
    DEVICE = "ldev"
    OBJECTS = "objects"
    OBJECT = "object"
    ATTRIBUTES = "attributes"
    ATTRIBUTE = "attribute"
    METHODS = "methods"
    METHOD = "method"
    DEVICE_CONTAINERS = "containers of ldev"
    DEVICE_CONTAINER = "container of ldev"
    CONTAINERS = "containers"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class Address:
    """One resource: its level and the ids on the way to it. ``index`` counts attribute or method, -128…127."""

    level: Level
    device: str = ""
    object_id: ObjectId | None = None
    index: int = 0

    @property
    def path(self) -> str:
        """Path below the point of contact, e.g. ``/cosem/ldevs/1lgz….sm/objects/3-0100010800ff/attributes/2``."""
        return "/cosem" + "".join(f"/{part(self)}" for part in _PATHS[self.level])

    def attribute(self, index: int) -> "Address":
        return replace(self, level=Level.ATTRIBUTE, index=index)

    def method(self, index: int) -> "Address":
        return replace(self, level=Level.METHOD, index=index)


def object_address(device: str, class_id: int, logical_name: str) -> Address:
    return Address(Level.OBJECT, device, ObjectId.of(class_id, logical_name))


def container_address(device: str, class_id: int, logical_name: str) -> Address:
    return Address(Level.DEVICE_CONTAINER, device, ObjectId.of(class_id, logical_name))


def _device_part(address: Address) -> str:
    return quote(address.device.encode("latin-1"), safe=_DEVICE_SAFE)


def _word(text: str) -> Callable[[Address], str]:
    return lambda _: text


def _object_part(address: Address) -> str:
    return str(address.object_id)


def _index_part(address: Address) -> str:
    return str(address.index)


_Part = Callable[[Address], str]
_LDEVS: tuple[_Part, ...] = (_word("ldevs"),)
_LDEV = (*_LDEVS, _device_part)
_OBJECTS = (*_LDEV, _word("objects"))
_OBJ = (*_OBJECTS, _object_part)
_PATHS: dict[Level, tuple[_Part, ...]] = {
    Level.COSEM: (),
    Level.DEVICES: _LDEVS,
    Level.DEVICE: _LDEV,
    Level.OBJECTS: _OBJECTS,
    Level.OBJECT: _OBJ,
    Level.ATTRIBUTES: (*_OBJ, _word("attributes")),
    Level.ATTRIBUTE: (*_OBJ, _word("attributes"), _index_part),
    Level.METHODS: (*_OBJ, _word("methods")),
    Level.METHOD: (*_OBJ, _word("methods"), _index_part),
    Level.DEVICE_CONTAINERS: (*_LDEV, _word("containers")),
    Level.DEVICE_CONTAINER: (*_LDEV, _word("containers"), _object_part),
    Level.CONTAINERS: (_word("containers"),),
    Level.CONTAINER: (_word("containers"), _object_part),
}


def parse_device(segment: str) -> str:
    """The Logical_DeviceID of a path segment: percent-decoded (A2 §6.3), octets as Latin-1; empty is refused."""
    device = unquote_to_bytes(segment).decode("latin-1")
    if not device or "/" in device or len(device) > 255:
        raise COSEM_DEVICE_ID(text=segment[:80])
    return device


def parse_index(segment: str) -> int:
    """Attribute or method index: "als Dezimalzahl im Bereich -128 bis 127" (A2 §6.5, §6.6)."""
    if not _INDEX.fullmatch(segment) or not -128 <= int(segment) <= 127:
        raise COSEM_INDEX(text=segment[:40])
    return int(segment)


_Step = tuple[Level, str, Callable[[str], object] | None]
_GRAMMAR: dict[Level, dict[str, _Step]] = {
    Level.COSEM: {
        "ldevs": (Level.DEVICES, "", None),
        "containers": (Level.CONTAINERS, "", None),
    },
    Level.DEVICES: {"": (Level.DEVICE, "device", parse_device)},
    Level.DEVICE: {
        "objects": (Level.OBJECTS, "", None),
        "containers": (Level.DEVICE_CONTAINERS, "", None),
    },
    Level.OBJECTS: {"": (Level.OBJECT, "object_id", ObjectId.parse)},
    Level.OBJECT: {
        "attributes": (Level.ATTRIBUTES, "", None),
        "methods": (Level.METHODS, "", None),
    },
    Level.ATTRIBUTES: {"": (Level.ATTRIBUTE, "index", parse_index)},
    Level.METHODS: {"": (Level.METHOD, "index", parse_index)},
    Level.DEVICE_CONTAINERS: {"": (Level.DEVICE_CONTAINER, "object_id", ObjectId.parse)},
    Level.CONTAINERS: {"": (Level.CONTAINER, "object_id", ObjectId.parse)},
}
"""Level → segment → next level, the field the segment fills and how it is read; ``""`` stands for any id.

Containers have no children: "Ein Zugriff auf einzelne Bestandteile des Containers … ist nicht vorgesehen" (§7.9).
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A request target taken apart. ``shallow``: the path ended with ``/`` (depth 1, Tabelle 15); ``query`` raw."""

    address: Address
    query: str = ""
    shallow: bool = False


def parse_target(target: str, poc: str = "") -> Target:
    """Read a request target below the point of contact ``poc`` ("" or e.g. "/gw").

    Refuses ``cosem.not_found`` what is not in the tree and ``cosem.object_id`` … for malformed ids.
    """
    path, _, query = target.partition("?")
    if not path.startswith(poc + "/cosem"):
        raise COSEM_NOT_FOUND(path=path[:200])
    shallow = path.endswith("/")
    address = parse_path(path[len(poc) : -1] if shallow else path[len(poc) :])
    return Target(address, query, shallow)


def parse_path(path: str) -> Address:
    """The address of a path below the point of contact, without query and trailing slash."""
    head, *segments = path.split("/")[1:] or [""]
    if head != "cosem":
        raise COSEM_NOT_FOUND(path=path[:200])
    level = Level.COSEM
    fields: dict[str, object] = {}
    for segment in segments:
        steps = _GRAMMAR.get(level, {})
        step = steps.get("") or steps.get(segment)
        if step is None:
            raise COSEM_NOT_FOUND(path=path[:200])
        level, field, read = step
        if read is not None:
            fields[field] = read(segment)
    return Address(level, **fields)  # type: ignore[arg-type]
