"""The frame real gateways put around readings and logs: ``p:object`` of class 7 (spec/04 §4.1, §4.2)."""

import re
from datetime import UTC, datetime

from lxml import etree

from torwart.kernel.refusals import Kind
from torwart.wire.xml import Element, local_name

P = "urn:k461-dke-de:profile_generic-1"
X = "urn:k461-dke-de:extension-1"
_NSMAP = {"p": P, "x": X}
_NAME = re.compile(r"([0-9a-fA-F]{12})\.([0-9a-zA-Z.-]{1,80})\.sm")
_WHOLE = re.compile("-?[0-9]{1,19}")


def frame(logical_name: str, device: str) -> tuple[Element, Element]:
    """An object ``<obis>.<device>.sm`` with its logical name; answers (root, attributes)."""
    root = etree.Element(f"{{{P}}}object", nsmap=_NSMAP)
    name = f"{logical_name}.{device}.sm"
    for key, value in (("class_id", "7"), ("class_version", "1"), ("id", name)):
        root.set(key, value)
    attributes = etree.SubElement(root, f"{{{P}}}attributes", count="3")
    add(attributes, X, "logical_name", name, id="1")
    return root, attributes


def add(parent: Element, namespace: str, name: str, text: str | None = None, **attributes: str) -> Element:
    element = etree.SubElement(parent, f"{{{namespace}}}{name}", attributes)
    element.text = text
    return element


def instant_text(at: datetime) -> str:
    """UTC with Z, to the second (readings and logs carry no fractions)."""
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


class Reader:
    """Reads below a root, refusing with ``kind`` (which has a field ``why``) what is missing or malformed."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def refuse(self, why: str) -> Exception:
        return self._kind(why=why[:200])

    def names(self, root: Element) -> tuple[str, str]:
        """(OBIS in lower-case hex, device) of an object's id."""
        if root.tag != f"{{{P}}}object" or root.get("class_id") != "7":
            raise self.refuse(f"{local_name(root)} is no profile_generic object")
        return self.name(root.get("id") or "")

    def name(self, text: str) -> tuple[str, str]:
        """Parts of a qualified logical name; lower case, as ids are case tolerant (spec/04 §4.5)."""
        match = _NAME.fullmatch(text.strip())
        if match is None:
            raise self.refuse(f"{text[:80]!r} is no logical name")
        return match[1].lower(), match[2].lower()

    def one(self, parent: Element, namespace: str, name: str) -> Element:
        found = parent.findall(f"{{{namespace}}}{name}")
        if len(found) != 1:
            raise self.refuse(f"{local_name(parent)} has {len(found)} {name} instead of one")
        return found[0]

    def text(self, parent: Element, name: str) -> str:
        return (self.one(parent, X, name).text or "").strip()

    def optional(self, parent: Element, name: str) -> str:
        found = parent.find(f"{{{X}}}{name}")
        return "" if found is None else (found.text or "").strip()

    def number(self, text: str) -> int:
        if not _WHOLE.fullmatch(text):
            raise self.refuse(f"{text[:40]!r} is no whole number")
        return int(text)

    def instant(self, text: str) -> datetime:
        try:
            at = datetime.fromisoformat(text)
        except ValueError as error:
            raise self.refuse(f"{text[:40]!r} is no time") from error
        if at.tzinfo is None:
            raise self.refuse(f"{text[:40]!r} has no zone")
        return at.astimezone(UTC)

    def octets(self, text: str) -> bytes:
        try:
            return bytes.fromhex(text)
        except ValueError as error:
            raise self.refuse(f"{text[:40]!r} is no hex") from error

    def counted(self, element: Element, items: list[Element]) -> list[Element]:
        """The items, if the ``count`` beside them (where given) is true."""
        given = element.get("count")
        if given is not None and self.number(given) != len(items):
            raise self.refuse(f"{local_name(element)} says count={given[:20]} and holds {len(items)}")
        return items
