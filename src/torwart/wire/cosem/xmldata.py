"""COSEM values as XML of the cod schema, ``urn:k461-dke-de:cod-1`` (A2 §8.3): ``<cod:long>3</cod:long>``."""

import re
from collections.abc import Callable

from lxml import etree

from torwart.kernel.refusals.cosem import COSEM_BODY, COSEM_DATA
from torwart.wire.cosem.data import MAX_NESTING, TYPES, CompactArray, Data, Type, TypeDescription
from torwart.wire.xml import Element, local_name

COD = "urn:k461-dke-de:cod-1"
_TAG = {name: f"{{{COD}}}{name}" for name in TYPES}
_NAME = {tag: name for name, tag in _TAG.items()}
_DESCRIPTION, _CONTENTS = f"{{{COD}}}contents-description", f"{{{COD}}}array-contents"
_NUMBER_OF, _TYPE_OF, _PART = f"{{{COD}}}number-of-elements", f"{{{COD}}}type-description", f"{{{COD}}}TypeDescription"

_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def add_data(parent: Element, data: Data) -> None:
    """Append ``data`` to ``parent`` as one element of the cod schema."""
    element = etree.SubElement(parent, _TAG[data.type])
    value = data.value
    if isinstance(value, tuple):
        for member in value:
            add_data(element, member)
    elif isinstance(value, CompactArray):
        _add_description(etree.SubElement(element, _DESCRIPTION), value.description)
        etree.SubElement(element, _CONTENTS).text = value.contents.hex()
    elif isinstance(value, bytes):
        element.text = value.hex()
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    elif isinstance(value, int):
        element.text = str(value)
    elif value:
        # XML readers turn a bare CR into LF (XML 1.0 §2.11); lxml writes it as &#13; so it survives.
        element.text = value


def _add_description(parent: Element, description: TypeDescription) -> None:
    element = etree.SubElement(parent, _TAG[description.type])
    if description.type == "array":
        etree.SubElement(element, _NUMBER_OF).text = str(description.count)
        _add_description(etree.SubElement(element, _TYPE_OF), description.parts[0])
    for part in description.parts if description.type == "structure" else ():
        _add_description(etree.SubElement(element, _PART), part)


def children(element: Element) -> list[Element]:
    """The child elements, comments left out."""
    return [child for child in element if isinstance(child.tag, str)]


def only_child(element: Element) -> Element:
    found = children(element)
    if len(found) != 1:
        raise COSEM_BODY(why=f"{local_name(element)} holds {len(found)} elements instead of one")
    return found[0]


def read_data(element: Element, depth: int = 1) -> Data:
    """The value one element of the cod schema holds; refuses ``cosem.body`` or ``cosem.data``."""
    name = _NAME.get(element.tag)
    if name is None:
        raise COSEM_BODY(why=f"{local_name(element)[:60]} is no COSEM type of {COD}")
    if depth > MAX_NESTING:
        raise COSEM_BODY(why=f"values nested deeper than {MAX_NESTING}")
    known = TYPES[name]
    if known.form is tuple:
        return Data(name, tuple(read_data(child, depth + 1) for child in children(element)))
    if known.form is CompactArray:
        return Data(name, _read_compact(element))
    if len(element) and children(element):
        raise COSEM_BODY(why=f"{name} holds elements")
    text = _text(element)
    if known.form is None and text.strip():
        raise COSEM_DATA(what=text[:80], type=name)
    return Data(name, _READERS[known.form](known, text))


def _text(element: Element) -> str:
    """All text of an element; a comment inside splits it into pieces."""
    if not len(element):
        return element.text or ""
    return (element.text or "") + "".join(child.tail or "" for child in element)


def _read_whole(known: Type, text: str) -> int:
    stripped = text.strip()
    if not _WHOLE.fullmatch(stripped):
        raise COSEM_DATA(what=text[:80], type=known.name)
    return int(stripped)


def _read_octets(known: Type, text: str) -> bytes:
    """xsd:hexBinary; ``bytes.fromhex`` alone would take blanks between octets."""
    stripped = text.strip()
    try:
        octets = bytes.fromhex(stripped)
    except ValueError as error:
        raise COSEM_DATA(what=text[:80], type=known.name) from error
    if len(octets) * 2 != len(stripped):
        raise COSEM_DATA(what=text[:80], type=known.name)
    return octets


def _read_boolean(known: Type, text: str) -> bool:
    value = _BOOLEANS.get(text.strip())
    if value is None:
        raise COSEM_DATA(what=text[:80], type=known.name)
    return value


_READERS: dict[type | None, Callable[[Type, str], bool | int | str | bytes | None]] = {
    None: lambda _, __: None,
    int: _read_whole,
    bytes: _read_octets,
    bool: _read_boolean,
    str: lambda _, text: text,
}


def _read_compact(element: Element) -> CompactArray:
    parts = {child.tag: child for child in children(element)}
    if len(element) != 2 or parts.keys() != {_DESCRIPTION, _CONTENTS}:
        raise COSEM_BODY(why="compact-array needs contents-description and array-contents")
    description = _read_description(only_child(parts[_DESCRIPTION]), 1)
    return CompactArray(description, _read_octets(TYPES["octet-string"], _text(parts[_CONTENTS])))


def _read_description(element: Element, depth: int) -> TypeDescription:
    name = _NAME.get(element.tag)
    if name is None or depth > MAX_NESTING:
        raise COSEM_BODY(why=f"{local_name(element)[:60]} is no type description")
    found = children(element)
    if name == "array":
        if [child.tag for child in found] != [_NUMBER_OF, _TYPE_OF]:
            raise COSEM_BODY(why="an array's description needs number-of-elements and type-description")
        count = _read_whole(TYPES["long-unsigned"], _text(found[0]))
        return TypeDescription(name, (_read_description(only_child(found[1]), depth + 1),), count)
    if any(child.tag != _PART for child in found):
        raise COSEM_BODY(why=f"{name} holds something other than TypeDescription")
    return TypeDescription(name, tuple(_read_description(only_child(child), depth + 1) for child in found))
