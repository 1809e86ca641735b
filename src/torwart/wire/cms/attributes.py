"""Attributes of CMS: SET OF { type, SET OF value }, kept once as DER for signature or MAC and once by type."""

from functools import lru_cache

from torwart.kernel.refusals.cms import CMS_MALFORMED
from torwart.wire.cms import ber
from torwart.wire.cms.algorithms import ATTRIBUTE_CONTENT_TYPE
from torwart.wire.cms.der import OID, SEQUENCE, SET, Reader, oid, sequence, set_of, tlv


def attribute(kind: bytes, value: bytes) -> bytes:
    """One attribute with one value; ``kind`` and ``value`` are whole elements."""
    return sequence(kind, tlv(SET, value))


@lru_cache(maxsize=64)
def content_type_attribute(content_type: str) -> bytes:
    """The contentType attribute (RFC 5652 11.1), which signed and authenticated attributes share."""
    return attribute(ATTRIBUTE_CONTENT_TYPE, oid(content_type))


class Attributes:
    """Received attributes. ``der``: their DER SET OF, which is what is signed or authenticated (RFC 5652 5.4,
    RFC 5083 2.2) whatever tag and order they came in."""

    __slots__ = ("_values", "der")

    def __init__(self, elements: list[bytes]) -> None:
        self._values: dict[bytes, bytes] = {}
        for element in elements:
            fields = Reader(element).enter(SEQUENCE)
            kind = fields.raw(OID)
            # RFC 5652 5.3: „The SignedAttributes … MUST NOT include multiple instances of any … attribute“ we rely on.
            if kind in self._values:
                raise CMS_MALFORMED(why="an attribute appears twice")
            self._values[kind] = fields.value(SET)
            fields.close()
        self.der = set_of(elements)

    @classmethod
    def of(cls, element: bytes) -> "Attributes":
        """Read a whole element, whatever its tag; refuses ``cms.malformed``."""
        return ber.read(element, lambda reader: cls(reader.enter(element[0]).each(SEQUENCE)))

    def __len__(self) -> int:
        return len(self._values)

    def get(self, kind: bytes) -> bytes | None:
        """The content of the value set of this type: one whole element where there is exactly one value."""
        return self._values.get(kind)
