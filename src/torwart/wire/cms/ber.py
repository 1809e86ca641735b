"""The slow road: BER as streaming senders write it, turned into DER (CMS allows both, RFC 5652 ch. 2).

Indefinite and overlong lengths become minimal, strings in pieces become whole. Depth and number of elements are
limited, so that neither a message of brackets nor one of crumbs can exhaust stack, memory or time.
"""

from collections.abc import Callable
from typing import TypeVar

from torwart.kernel.refusals.cms import CMS_MALFORMED
from torwart.wire.cms.der import OCTET_STRING, NotDER, Reader, tlv

MAX_DEPTH = 32
MAX_ELEMENTS = 2**16
_CONSTRUCTED = 0x20
_OCTET_STRING_IN_PIECES = OCTET_STRING | _CONSTRUCTED
_END = b"\x00\x00"

Read = TypeVar("Read")


def read(data: bytes, parse: Callable[[Reader], Read]) -> Read:
    """What ``parse`` reads in ``data``, or else in its DER twin; refuses ``cms.malformed`` what neither gives."""
    try:
        return parse(Reader(data))
    except NotDER as first:
        twin = to_der(data)
        if twin == data:
            raise CMS_MALFORMED(why=first) from None
    try:
        return parse(Reader(twin))
    except NotDER as second:
        raise CMS_MALFORMED(why=second) from None


def to_der(data: bytes) -> bytes:
    """The DER twin of one BER element; refuses ``cms.malformed`` if it is none or octets are left over."""
    try:
        element, end = _Converter(data).element(0, len(data), MAX_DEPTH)
    except IndexError:
        raise CMS_MALFORMED(why="it ends within an element") from None
    if end != len(data):
        raise CMS_MALFORMED(why=f"{len(data) - end} octets too many")
    return element


class _Converter:
    """One walk over ``data``; counts elements so that a flood of empty ones costs no more than it should."""

    __slots__ = ("data", "left")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = MAX_ELEMENTS

    def element(self, at: int, end: int, depth: int) -> tuple[bytes, int]:
        """The element at ``at`` as DER, and the offset behind it."""
        self.left -= 1
        if self.left < 0:
            raise CMS_MALFORMED(why=f"more than {MAX_ELEMENTS} elements")
        tag = self.data[at]
        if tag & 0x1F == 0x1F:
            raise CMS_MALFORMED(why=f"multi-octet tag at octet {at}")
        start, stop = _extent(self.data, at, end)
        if not tag & _CONSTRUCTED:
            if stop is None:
                raise CMS_MALFORMED(why=f"primitive element without length at octet {at}")
            return tlv(tag, self.data[start:stop]), stop
        if not depth:
            raise CMS_MALFORMED(why=f"more than {MAX_DEPTH} levels")
        children, stop = self._children(start, end, stop, depth - 1)
        if tag == _OCTET_STRING_IN_PIECES:
            return tlv(OCTET_STRING, join(children)), stop
        return tlv(tag, b"".join(children)), stop

    def _children(self, at: int, end: int, stop: int | None, depth: int) -> tuple[list[bytes], int]:
        """The elements up to ``stop``, or up to the end-of-contents octets where ``stop`` is None."""
        children: list[bytes] = []
        while at != stop:
            if stop is None and self.data.startswith(_END, at, end):
                return children, at + 2
            child, at = self.element(at, end if stop is None else stop, depth)
            children.append(child)
        return children, at


def _extent(data: bytes, at: int, end: int) -> tuple[int, int | None]:
    """Where the content starts and stops; None for the indefinite form (X.690 8.1.3.6)."""
    length, start = data[at + 1], at + 2
    if length == 0x80:
        return start, None
    if length > 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
    if start + length > end:
        raise CMS_MALFORMED(why=f"element at octet {at} runs over its end")
    return start, start + length


def join(pieces: list[bytes]) -> bytes:
    """The octets of an OCTET STRING given as its pieces (whole elements)."""
    try:
        return b"".join(Reader(piece).value(OCTET_STRING) for piece in pieces)
    except NotDER:
        raise CMS_MALFORMED(why="a string in pieces has a piece of another type") from None
