"""COSEM values as URI literals: ``long:3``, ``[integer:1,integer:2]``, ``{boolean:1,octet-string:1234}`` (A2 §7.7).

Tabelle 13 has no literal for floating-point and dont-care, so they are refused here; a bit-string is written as
octets there and so only whole octets of bits have a literal. A compact array's literal is ``integer:[1,2,3,4]``;
only element types of fixed size have one, because the octets of others carry lengths the literal does not show.
"""

import re
from collections.abc import Callable

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.cosem import COSEM_LITERAL
from torwart.wire.cosem.data import MAX_NESTING, TYPES, CompactArray, Data, Type, TypeDescription

_STOPS = frozenset(",]}")
_OCTETS = re.compile("(?:[0-9a-fA-F]{2})*")
_NUMBER = re.compile("-?[0-9]{1,20}")
_WITHOUT = frozenset({"floating-point", "dont-care", "array", "structure", "compact-array"})


def to_literal(data: Data) -> str:
    """The literal of ``data``; refuses ``cosem.literal`` what Tabelle 13 cannot write."""
    value = data.value
    if data.type == "array":
        return "[" + ",".join(map(to_literal, data.parts)) + "]"
    if data.type == "structure":
        return "{" + ",".join(map(to_literal, data.parts)) + "}"
    if isinstance(value, CompactArray):
        return _compact_literal(value)
    if data.type in _WITHOUT:
        raise COSEM_LITERAL(text=data.type, why="this type has no literal")
    return f"{data.type}:{_scalar_text(TYPES[data.type], data)}"


def parse_literal(text: str) -> Data:
    """The value ``text`` writes; anything else is refused ``cosem.literal``."""
    data, end = _parse(text, 0, 1)
    if end != len(text):
        raise _refused(text, f"unexpected {text[end]!r} at {end}")
    return data


def _refused(text: str, why: str) -> Refusal:
    return COSEM_LITERAL(text=text[:120], why=why)


def _parse(text: str, at: int, depth: int) -> tuple[Data, int]:
    if depth > MAX_NESTING:
        raise _refused(text, f"nested deeper than {MAX_NESTING}")
    if text[at : at + 1] in ("[", "{"):
        name, closing = ("array", "]") if text[at] == "[" else ("structure", "}")
        members, end = _members(text, at + 1, closing, lambda position: _parse(text, position, depth + 1))
        return Data(name, members), end
    colon = text.find(":", at)
    name = text[at:colon] if colon >= 0 else ""
    known = TYPES.get(name)
    if known is None or name in _WITHOUT:
        raise _refused(text, f"no type name at {at}")
    if text[colon + 1 : colon + 2] == "[":
        return _parse_compact(text, colon + 2, known)
    return _parse_scalar(text, colon + 1, known)


def _members(
    text: str, at: int, closing: str, member: Callable[[int], tuple[Data, int]]
) -> tuple[tuple[Data, ...], int]:
    """The members up to ``closing``; a comma before it is taken, as the table's own examples end with one."""
    found: list[Data] = []
    while text[at : at + 1] != closing:
        value, at = member(at)
        found.append(value)
        if text[at : at + 1] == ",":
            at += 1
        elif text[at : at + 1] != closing:
            raise _refused(text, f"expected , or {closing} at {at}")
    return tuple(found), at + 1


def _parse_scalar(text: str, at: int, known: Type) -> tuple[Data, int]:
    end = at
    while end < len(text) and text[end] not in _STOPS:
        end += 1
    try:
        return _scalar(known, text[at:end]), end
    except Refusal as refusal:
        raise _refused(text, str(refusal)) from refusal
    except ValueError as error:
        raise _refused(text, f"{text[at:end][:40]!r} is no {known.name}") from error


def _scalar(known: Type, text: str) -> Data:
    """The value of one literal without its type name; ``ValueError`` if the notation is wrong."""
    if known.form is None:
        if text:
            raise ValueError(text)
        return Data(known.name)
    if known.form is bool:
        return Data(known.name, bool(("0", "1").index(text)))
    if known.form is int:
        if not _NUMBER.fullmatch(text):
            raise ValueError(text)
        number = int(text)
        return Data(known.name, number - 256 if known.name == "bcd" and 127 < number < 256 else number)
    if not _OCTETS.fullmatch(text):
        raise ValueError(text)
    octets = bytes.fromhex(text)
    if known.form is bytes:
        return Data(known.name, octets)
    if known.name == "bit-string":
        return Data(known.name, "".join(f"{octet:08b}" for octet in octets))
    return Data(known.name, octets.decode("utf-8"))


def _scalar_text(known: Type, data: Data) -> str:
    value = data.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int):
        return str(value & 0xFF if known.name == "bcd" else value)
    if isinstance(value, bytes):
        return value.hex()
    if known.name == "bit-string":
        if len(data.text) % 8:
            raise COSEM_LITERAL(text=data.text[:40], why="only whole octets of bits can be written")
        return bytes(int(data.text[i : i + 8], 2) for i in range(0, len(data.text), 8)).hex()
    return data.text.encode().hex()


def _parse_compact(text: str, at: int, known: Type) -> tuple[Data, int]:
    if not known.size:
        raise _refused(text, f"elements of {known.name} have no fixed size")
    members, end = _members(text, at, "]", lambda position: _parse_scalar(text, position, known))
    contents = b"".join(_element_octets(known, member) for member in members)
    return Data("compact-array", CompactArray(TypeDescription(known.name), contents)), end


def _element_octets(known: Type, member: Data) -> bytes:
    if isinstance(member.value, bytes):
        return member.value
    number = int(member.truth) if known.form is bool else member.number
    return number.to_bytes(known.size, "big", signed=known.signed)


def _compact_literal(compact: CompactArray) -> str:
    known = TYPES[compact.description.type]
    if not known.size or known.name in _WITHOUT or len(compact.contents) % known.size:
        raise COSEM_LITERAL(text="compact-array", why="its elements have no fixed size")
    chunks = (compact.contents[i : i + known.size] for i in range(0, len(compact.contents), known.size))
    return f"{known.name}:[" + ",".join(_scalar_text(known, _element(known, chunk)) for chunk in chunks) + "]"


def _element(known: Type, octets: bytes) -> Data:
    if known.form is bytes:
        return Data(known.name, octets)
    if known.form is bool:
        return Data(known.name, octets != b"\x00")
    return Data(known.name, int.from_bytes(octets, "big", signed=known.signed))
