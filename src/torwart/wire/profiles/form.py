"""Dataclasses ⇄ XML by their type hints: the form of every profile of ours, defined once by its fields.

Rules of this module
1. A field ``session_limit`` is an element ``sessionLimit``; ``metadata={"xml": "TariffStage"}`` names it otherwise.
2. ``None`` is an absent element; a tuple is its element repeated; a nested dataclass nests.
3. A field with ``metadata={"write_only": True}`` holds a secret: it is written to a gateway, never read back,
   never compared and never shown.
4. Reading refuses ``profile.malformed`` what is unknown, doubled, missing or of the wrong type. Nothing is guessed.
"""

import base64
import binascii
import re
import types
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from lxml import etree

from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.profile import PROFILE_MALFORMED
from torwart.wire.xml import Element, local_name

NAMESPACE = "urn:torwart:profile-1"
"""Ours: the standard's object model of these profiles (DIN VDE V 0418-63-8) is not at hand."""

T = TypeVar("T")

MAX_TEXT = 512
MAX_OCTETS = 16 * 1024

_TEXT = re.compile(r"[\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")


def tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def is_text(value: str) -> bool:
    """Whether XML can carry ``value`` unchanged on one line."""
    return len(value) <= MAX_TEXT and _TEXT.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class _Form:
    """How one scalar type is written and read; ``read`` raises ``ValueError`` or ``Refusal``."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_utc(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without zone")
    return at.astimezone(UTC)


def whole(text: str) -> int:
    """A whole number in plain decimal; ``ValueError`` otherwise."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("no whole number")
    return int(text)


def _read_text(text: str) -> str:
    if not is_text(text):
        raise ValueError("control characters or too long")
    return text


def _read_octets(text: str) -> bytes:
    octets = base64.b64decode("".join(text.split()), validate=True)
    if len(octets) > MAX_OCTETS:
        raise ValueError("too long")
    return octets


def _read_truth(text: str) -> bool:
    return bool(("false", "true").index(text))


_FORMS: dict[type, _Form] = {
    str: _Form(str, _read_text),
    int: _Form(str, whole),
    bool: _Form(lambda value: "true" if value else "false", _read_truth),
    bytes: _Form(lambda value: base64.b64encode(value).decode("ascii"), _read_octets),
    datetime: _Form(_utc, _read_utc),
    date: _Form(date.isoformat, date.fromisoformat),
    time: _Form(time.isoformat, time.fromisoformat),
    DeviceId: _Form(str, DeviceId.parse),
    ObisCode: _Form(str, ObisCode.parse),
}


@dataclass(frozen=True, slots=True)
class _Member:
    """One field of a profile: its element's name, the type of its (repeated) value, how often it may occur."""

    field: str
    name: str
    type: type
    many: bool
    optional: bool
    required: bool
    write_only: bool


_members: dict[type, tuple[_Member, ...]] = {}


def members(cls: type) -> tuple[_Member, ...]:
    """The fields of a profile dataclass, ready to be written and read."""
    known = _members.get(cls)
    if known is None:
        hints = get_type_hints(cls)
        known = _members[cls] = tuple(_member(f, hints[f.name]) for f in fields(cls))
    return known


def _member(field: Field[Any], hint: Any) -> _Member:
    arguments = get_args(hint)
    many = get_origin(hint) is tuple
    optional = get_origin(hint) in (Union, types.UnionType)
    inner = arguments[0] if many or optional else hint
    name = field.metadata.get("xml") or re.sub("_([a-z0-9])", lambda m: m[1].upper(), field.name)
    required = field.default is MISSING and field.default_factory is MISSING
    return _Member(field.name, name, inner, many, optional, required, bool(field.metadata.get("write_only")))


def write_fields(parent: Element, value: Any, *, secrets: bool = True) -> None:
    """Append the fields of a dataclass to ``parent``, in their order."""
    for member in members(type(value)):
        held = getattr(value, member.field)
        if held is None or (member.write_only and not secrets):
            continue
        for item in held if member.many else (held,):
            element = etree.SubElement(parent, tag(member.name))
            if is_dataclass(member.type):
                write_fields(element, item, secrets=secrets)
            else:
                element.text = _form(member.type).write(item) or None


def _form(cls: type) -> _Form:
    if cls not in _FORMS and issubclass(cls, Enum):
        return _FORMS.setdefault(cls, _Form(lambda value: str(value.value), cls))
    return _FORMS[cls]


def read_fields(cls: type[T], element: Element) -> T:
    """Make a ``cls`` of the children of ``element``; checks of ``cls`` itself run too."""
    found: dict[str, list[Element]] = {}
    for child in element:
        if isinstance(child.tag, str):
            found.setdefault(child.tag, []).append(child)
    values: dict[str, Any] = {}
    for member in members(cls):
        elements = found.pop(tag(member.name), [])
        if member.many:
            values[member.field] = tuple(_read(member, child) for child in elements)
        elif len(elements) > 1:
            raise PROFILE_MALFORMED(why=f"{member.name} occurs {len(elements)} times")
        elif elements:
            values[member.field] = _read(member, elements[0])
        elif member.required and not member.optional:
            raise PROFILE_MALFORMED(why=f"{local_name(element)} lacks {member.name}")
        elif member.required:
            values[member.field] = None
    if found:
        raise PROFILE_MALFORMED(why=f"{local_name(element)} holds unknown {next(iter(found))[:80]}")
    return cls(**values)


def _read(member: _Member, element: Element) -> Any:
    if is_dataclass(member.type):
        return read_fields(member.type, element)
    if any(isinstance(child.tag, str) for child in element):
        raise PROFILE_MALFORMED(why=f"{member.name} holds elements")
    text = element.text or ""
    try:
        return _form(member.type).read(text)
    except (ValueError, binascii.Error, Refusal) as error:
        raise PROFILE_MALFORMED(why=f"{member.name} {text[:60]!r} is no {member.type.__name__}") from error


def without_secrets(value: T) -> T:
    """``value`` as a gateway gives it back: write-only fields at their defaults, at every depth."""
    changes: dict[str, Any] = {}
    for member in members(type(value)):
        held = getattr(value, member.field)
        if member.write_only:
            changes[member.field] = None
        elif is_dataclass(member.type) and held is not None:
            changes[member.field] = tuple(map(without_secrets, held)) if member.many else without_secrets(held)
    return replace(value, **changes) if changes else value  # type: ignore[type-var]


def differences(wanted: Any, actual: Any, path: str = "") -> list[str]:
    """What is not as wanted, one line per field: ``peer.addresses[0].port: wanted 443, found 444``.

    Write-only fields are skipped; octets are shown as their length and beginning.
    """
    if type(wanted) is not type(actual):
        return [f"{path or 'profile'}: wanted {type(wanted).__name__}, found {type(actual).__name__}"]
    lines: list[str] = []
    for member in members(type(wanted)):
        if not member.write_only:
            name = f"{path}.{member.field}" if path else member.field
            lines += _compare(member, name, getattr(wanted, member.field), getattr(actual, member.field))
    return lines


def _compare(member: _Member, name: str, wanted: Any, actual: Any) -> list[str]:
    if wanted == actual:
        return []
    if member.many:
        lines = [] if len(wanted) == len(actual) else [f"{name}: wanted {len(wanted)} entries, found {len(actual)}"]
        for index, (left, right) in enumerate(zip(wanted, actual, strict=False)):
            lines += _compare_one(member, f"{name}[{index}]", left, right)
        return lines
    return _compare_one(member, name, wanted, actual)


def _compare_one(member: _Member, name: str, wanted: Any, actual: Any) -> list[str]:
    if wanted == actual:
        return []
    if is_dataclass(member.type) and wanted is not None and actual is not None:
        return differences(wanted, actual, name)
    return [f"{name}: wanted {_shown(member, wanted)}, found {_shown(member, actual)}"]


def _shown(member: _Member, value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bytes):
        return f"{len(value)} octets {value[:8].hex()}…"
    return "other values" if is_dataclass(member.type) else _form(member.type).write(value)
