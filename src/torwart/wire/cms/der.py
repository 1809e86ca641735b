"""A small DER writer and reader: as much of X.690 as the CMS profile needs, and fast.

The reader is strict. What it does not accept raises ``NotDER``, which never leaves this package: the caller first
tries the BER road (``ber.py``) and then refuses with ``cms.malformed``.
"""

from collections.abc import Iterable
from functools import lru_cache

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
MAX_MEMBERS = 64
"""Of any set or sequence in a message: digests, certificates, signers, attributes; honest ones have a handful."""

MAX_OID_SIZE = 64
"""Octets; more would only make large numbers, which are slow to print."""

NULL = b"\x05\x00"
OID = 0x06
SEQUENCE = 0x30
SET = 0x31


def explicit(number: int) -> int:
    """The identifier octet of a constructed context tag ``[number]``; also that of an IMPLICIT SEQUENCE or SET."""
    return 0xA0 | number


def implicit(number: int) -> int:
    """The identifier octet of a primitive context tag ``[number]``."""
    return 0x80 | number


class NotDER(ValueError):
    """The octets are not the DER that was expected here; the text says what stood where."""


def head(tag: int, length: int) -> bytes:
    """Identifier and length octets."""
    if length < 0x80:
        return bytes((tag, length))
    if length < 0x100:
        return bytes((tag, 0x81, length))
    if length < 0x10000:
        return bytes((tag, 0x82, length >> 8, length & 0xFF))
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size


def tlv(tag: int, content: bytes) -> bytes:
    """One whole element."""
    return head(tag, len(content)) + content


def sequence(*parts: bytes) -> bytes:
    return tlv(SEQUENCE, b"".join(parts))


def set_of(parts: Iterable[bytes]) -> bytes:
    """A SET OF in DER order (X.690 11.6: ascending as octet strings)."""
    return tlv(SET, b"".join(sorted(parts)))


@lru_cache(maxsize=256)
def oid(dotted: str) -> bytes:
    """The whole element of an object identifier given as ``"1.2.840…"``; ``ValueError`` if it is none."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    if first > 2 or min(second, *rest, 0) < 0 or (first < 2 and second > 39):
        raise ValueError(f"{dotted} is no object identifier")
    return tlv(OID, b"".join(_base128(arc) for arc in (first * 40 + second, *rest)))


def _base128(arc: int) -> bytes:
    octets = [arc & 0x7F]
    while arc := arc >> 7:
        octets.append(arc & 0x7F | 0x80)
    return bytes(reversed(octets))


@lru_cache(maxsize=256)
def dotted(element: bytes) -> str:
    """The dotted form of a whole object identifier element; ``NotDER`` if it is none."""
    content = Reader(element).value(OID)
    if not content or content[-1] & 0x80 or len(content) > MAX_OID_SIZE:
        raise NotDER("an object identifier ends within an arc or is too long")
    arcs = [0]
    for octet in content:
        if arcs[-1] == 0 and octet == 0x80:
            raise NotDER("an object identifier has a padded arc")
        arcs[-1] = arcs[-1] << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(0)
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - first * 40, *arcs[1:-1]))


class Reader:
    """A cursor over the elements of ``data[at:end]``."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end

    @property
    def tag(self) -> int:
        """The identifier octet of the next element, -1 at the end."""
        return self.data[self.at] if self.at < self.end else -1

    def step(self, tag: int) -> int:
        """Move behind the next element, which must bear ``tag``; returns where its content starts."""
        data, at = self.data, self.at
        start = at + 2
        if start > self.end or data[at] != tag:
            raise NotDER(f"tag {tag:#04x} expected at octet {at}")
        length = data[at + 1]
        if length == 0x81 and start < self.end and data[start] > 0x7F:
            length, start = data[start], start + 1
        elif length > 0x7F:
            size = length & 0x7F
            length = int.from_bytes(data[start : start + size], "big")
            start += size
            # X.690 10.1: the definite form with the minimum number of octets; 0x80 (size 0) is the indefinite form.
            if length < 0x80 or length >> (8 * (size - 1)) == 0:
                raise NotDER(f"length at octet {at} is not DER")
        if start + length > self.end:
            raise NotDER(f"element at octet {at} runs over its end")
        self.at = start + length
        return start

    def enter(self, tag: int) -> "Reader":
        """A reader over the content of the next element."""
        start = self.step(tag)
        return Reader(self.data, start, self.at)

    def value(self, tag: int) -> bytes:
        """The content octets of the next element."""
        start = self.step(tag)
        return self.data[start : self.at]

    def raw(self, tag: int) -> bytes:
        """The next element, whole."""
        at = self.at
        self.step(tag)
        return self.data[at : self.at]

    def skips(self, fragment: bytes) -> bool:
        """Move behind ``fragment`` (whole constant elements) if it stands next; else stay and say no."""
        stop = self.at + len(fragment)
        if stop <= self.end and self.data.startswith(fragment, self.at):
            self.at = stop
            return True
        return False

    def each(self, tag: int, most: int = MAX_MEMBERS) -> list[bytes]:
        """All remaining elements, whole; each must bear ``tag``, and there may be ``most``."""
        elements: list[bytes] = []
        while self.at < self.end:
            if len(elements) == most:
                raise NotDER(f"more than {most} elements at octet {self.at}")
            elements.append(self.raw(tag))
        return elements

    def close(self) -> None:
        """Nothing may be left."""
        if self.at != self.end:
            raise NotDER(f"unexpected element at octet {self.at}")
