"""The frame that readings and logs share: a COSEM profile_generic object as XML (spec/04 §4.1, §4.2).

What is wrong with a document is refused as ``profile_generic.malformed``. Elements this module's callers do not ask
for are passed over, because makers add their own.
"""

import re
from datetime import UTC, datetime

from torwart.kernel.refusals.readings import PROFILE_GENERIC_MALFORMED, PROFILE_GENERIC_VALUE
from torwart.wire.xml import Element, local_name, parse

PROFILE_GENERIC = "urn:k461-dke-de:profile_generic-1"
EXTENSION = "urn:k461-dke-de:extension-1"
P, X = f"{{{PROFILE_GENERIC}}}", f"{{{EXTENSION}}}"
"""The two namespaces as lxml writes them before a tag."""

CLASS_ID = 7
"""COSEM class profile_generic."""

OBJECT_NAME = re.compile(r"[0-9a-f]{12}\.[0-9a-z-]{1,60}\.sm")
"""An object's id: OBIS code in hex, what it belongs to, ``.sm``."""

_WHOLE = re.compile(r"-?[0-9]{1,20}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def read_object(document: bytes) -> tuple[str, Element]:
    """Id and ``attributes`` of a profile_generic object; readings and logs share this frame."""
    root = parse(document)
    if root.tag != f"{P}object":
        raise PROFILE_GENERIC_MALFORMED(why=f"{local_name(root)[:40]} instead of profile_generic object")
    if root.get("class_id", str(CLASS_ID)) != str(CLASS_ID):
        raise PROFILE_GENERIC_MALFORMED(why=f"class_id {root.get('class_id', '')[:20]!r}")
    return root.get("id", "").strip().lower(), only(root, f"{P}attributes")


def only(parent: Element, tag: str) -> Element:
    """The one child of this tag."""
    found = list(parent.iterchildren(tag))
    if len(found) != 1:
        raise PROFILE_GENERIC_MALFORMED(
            why=f"{local_name(parent)} holds {len(found)} {tag.rpartition('}')[2]} instead of 1"
        )
    return found[0]


def listed(parent: Element, tag: str) -> list[Element]:
    """All elements of a list; „count“ (A2: the number delivered), where given, tells a list cut short."""
    found = [child for child in parent if isinstance(child.tag, str)]
    if any(child.tag != tag for child in found):
        raise PROFILE_GENERIC_MALFORMED(why=f"{local_name(parent)} holds something other than {tag.rpartition('}')[2]}")
    count = parent.get("count")
    if count is not None and count.strip() != str(len(found)):
        raise PROFILE_GENERIC_MALFORMED(
            why=f"{local_name(parent)} holds {len(found)} elements, its count is {count[:20]!r}"
        )
    return found


def single(element: Element) -> Element:
    """The one child, whatever its tag."""
    if len(element) != 1:
        raise PROFILE_GENERIC_MALFORMED(why=f"{local_name(element)} holds {len(element)} elements instead of 1")
    return element[0]


def whole(text: str | None) -> int:
    """A whole number as XML writes it."""
    stripped = (text or "").strip()
    if not _WHOLE.fullmatch(stripped):
        raise PROFILE_GENERIC_MALFORMED(why=f"{stripped[:40]!r} is no whole number")
    return int(stripped)


def instant(text: str | None) -> datetime:
    """An instant „UTC, Z“ to the second."""
    stripped = (text or "").strip()
    try:
        if _INSTANT.fullmatch(stripped):
            return datetime.fromisoformat(stripped)
    except ValueError as error:
        raise PROFILE_GENERIC_MALFORMED(why=f"{stripped!r} is no instant: {error}") from error
    raise PROFILE_GENERIC_MALFORMED(why=f"{stripped[:40]!r} is no instant in UTC such as 2026-01-01T00:15:00Z")


def within(what: str, given: int, low: int, high: int) -> None:
    """Refuse ``profile_generic.value`` for a number its COSEM type cannot hold."""
    if not low <= given <= high:
        raise PROFILE_GENERIC_VALUE(what=what, given=given, allowed=f"{low} … {high}")


def utc_seconds(at: datetime) -> datetime:
    """``at`` in UTC; refuses ``profile_generic.value`` for a time without zone, with fractions, or out of range."""
    within("year", at.year, 1970, 9998)
    if at.tzinfo is None or at.microsecond:
        raise PROFILE_GENERIC_VALUE(what="time", given=at.isoformat(), allowed="whole seconds with time zone")
    return at if at.tzinfo is UTC else at.astimezone(UTC)
