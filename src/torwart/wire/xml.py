"""The one way XML enters Torwart: no DTD, no entities, no network, bounded size and depth, UTF-8 only.

Rules of this module
1. ``parse`` either answers an element tree or raises one of the ``xml.*`` refusals, whatever the input.
2. Nobody else in ``wire`` constructs an lxml parser.
"""

from lxml import etree

from torwart.kernel.refusals.xml import (
    XML_ENCODING,
    XML_FORBIDDEN,
    XML_MALFORMED,
    XML_TOO_DEEP,
    XML_TOO_LARGE,
)

MAX_SIZE = 4 * 1024 * 1024
"""Bytes of one document unless its reader allows more; a full log of 1000 entries has about 0.7 MB."""

MAX_DEPTH = 40
"""Levels of elements; the deepest document of TR-03109-1 Anlage II §8 needs eleven plus the nesting of its values."""

Element = etree._Element

_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\x00", b"<\x00")
"""How UTF-16 and UTF-32 begin, with and without byte order mark."""

_deeper_than: dict[int, etree.XPath] = {}


def _parser() -> etree.XMLParser:
    # Forcing the encoding makes a lying declaration harmless: the bytes are UTF-8 or they are refused.
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_pis=True,
        recover=False,
    )


def parse(data: bytes, *, max_size: int = MAX_SIZE, max_depth: int = MAX_DEPTH) -> Element:
    """The root element of ``data``, comments kept, processing instructions dropped.

    Refuses ``xml.too_large``, ``xml.encoding`` (not UTF-8), ``xml.forbidden`` (a DTD or entity declaration
    anywhere, even in a comment: failing closed costs nothing here), ``xml.malformed`` and ``xml.too_deep``.
    """
    if len(data) > max_size:
        raise XML_TOO_LARGE(size=len(data), limit=max_size)
    if data.startswith(_WIDE):
        raise XML_ENCODING()
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise XML_FORBIDDEN()
    try:
        root = etree.fromstring(data, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XML_MALFORMED(why=str(error)[:200]) from error
    if _is_deeper(root, max_depth):
        raise XML_TOO_DEEP(limit=max_depth)
    return root


def _is_deeper(root: Element, limit: int) -> bool:
    """Whether any element lies below level ``limit`` (the root is level 1); asked in C, not by walking in Python."""
    question = _deeper_than.get(limit)
    if question is None:
        question = _deeper_than[limit] = etree.XPath("boolean(" + "/*" * (limit + 1) + ")")
    return bool(question(root))


def serialise(root: Element) -> bytes:
    """The document as bytes, UTF-8 with declaration (A2 §8.2.2)."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", with_tail=False)


def canonical(root: Element) -> bytes:
    """Exclusive canonical XML (C14N) without comments; prefixes stay, so compare what one writer wrote."""
    return etree.tostring(root, method="c14n", exclusive=True, with_comments=False)


def local_name(element: Element) -> str:
    """The tag without its namespace; a comment answers ``""``."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
