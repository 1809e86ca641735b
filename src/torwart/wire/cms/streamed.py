"""SignedData too large for memory: the content goes to a file while it is hashed, the rest is read as always.

Theory of operation: everything around the content is small. It is put together again as the same SignedData with the
content taken out, which ``signed.py`` knows as a detached signature; digest and signature are checked there. What was
written to the file counts for nothing until ``verify_stream`` has returned.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from torwart.kernel.refusals.cms import CMS_CONTENT_TYPE, CMS_DETACHED, CMS_MALFORMED, CMS_TOO_LARGE
from torwart.wire.cms.algorithms import DIGESTS, ID_SIGNED_DATA, Digest
from torwart.wire.cms.der import (
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    NotDER,
    Reader,
    dotted,
    explicit,
    sequence,
    tlv,
)
from torwart.wire.cms.profile import TOLERANT, Switches
from torwart.wire.cms.signed import open_digested

_CHUNK = 2**16
_AROUND = 2**20
"""Octets allowed around the content: algorithms, certificates, one SignerInfo."""
_PIECES = 2**20
"""Of the content; openssl streams 1 to 4 KiB each, so this is far more than 200 MiB need."""
_IN_PIECES = OCTET_STRING | 0x20
_END = b"\x00\x00"


@dataclass(frozen=True, slots=True)
class VerifiedStream:
    """A content whose signature holds; it lies in the file that was given. ``sha256``: of the content."""

    size: int
    sha256: bytes
    content_type: str
    signer_ski: bytes
    certificates: tuple[x509.Certificate, ...]


def verify_stream(
    source: BinaryIO,
    content: BinaryIO,
    *,
    signers: Mapping[bytes, EllipticCurvePublicKey],
    limit: int,
    switches: Switches = TOLERANT,
) -> VerifiedStream:
    """Check a ContentInfo SignedData read from ``source`` and write what it signs to ``content``, in constant memory.

    ``limit``: octets of content. Refuses like ``verify``; what ``content`` then holds must not be used.
    """
    try:
        return _verify(_Message(source), content, signers, limit, switches)
    except NotDER as error:
        raise CMS_MALFORMED(why=error) from None


def _verify(
    message: "_Message",
    content: BinaryIO,
    signers: Mapping[bytes, EllipticCurvePublicKey],
    limit: int,
    switches: Switches,
) -> VerifiedStream:
    message.open(SEQUENCE)
    found = dotted(message.element(OID))
    if found != ID_SIGNED_DATA:
        raise CMS_CONTENT_TYPE(found=found, expected=ID_SIGNED_DATA)
    message.open(explicit(0))
    message.open(SEQUENCE)
    version, algorithms = message.element(INTEGER), message.element(SET)
    message.open(SEQUENCE)
    content_type = message.element(OID)
    if message.at_end():
        raise CMS_DETACHED(why="no content")
    message.open(explicit(0))
    copied = _Copy(content, limit, Reader(algorithms).enter(SET).each(SEQUENCE))
    message.copy_octets(copied)
    message.close()
    message.close()
    hollow = sequence(version, algorithms, sequence(content_type), message.rest())
    verified = open_digested(hollow, digested=copied.digest, signers=signers, switches=switches)
    sha256 = copied.sha256.digest()
    return VerifiedStream(copied.size, sha256, verified.content_type, verified.signer_ski, verified.certificates)


class _Copy:
    """Takes the content piece by piece: writes it, counts it, hashes it with every digest the message names."""

    def __init__(self, out: BinaryIO, limit: int, algorithms: list[bytes]) -> None:
        self._out, self._limit = out, limit
        self.size = 0
        self.sha256 = hashlib.sha256()
        named = {DIGESTS[each].name: DIGESTS[each] for each in algorithms if each in DIGESTS}
        self._hashes: dict[str, Any] = {name: digest.of(b"") for name, digest in named.items()}

    def take(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > self._limit:
            raise CMS_TOO_LARGE(size=self.size, limit=self._limit)
        for each in (self.sha256, *self._hashes.values()):
            each.update(piece)
        self._out.write(piece)

    def digest(self, digest: Digest) -> bytes:
        """The content's digest by one of the algorithms the message has named before it."""
        if digest.name not in self._hashes:
            raise CMS_MALFORMED(why="digestAlgorithms are not DER")
        return bytes(self._hashes[digest.name].digest())


class _Message:
    """A cursor over the outer elements of a stream; lengths may be definite or not (BER). Frames that were opened
    end at an offset, or with the end-of-contents octets (None)."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._buffer = b""
        self._at = 0
        self._ends: list[int | None] = []

    def open(self, tag: int) -> None:
        """Go into the next element, which must bear ``tag``."""
        found, end = self._head()
        if found != tag:
            raise NotDER(f"tag {tag:#04x} expected before octet {self._at}")
        self._ends.append(end)

    def element(self, tag: int) -> bytes:
        """The next element, small and of definite length, whole."""
        found, end = self._head()
        if found != tag or end is None or end - self._at > _AROUND:
            raise NotDER(f"tag {tag:#04x} of definite length expected before octet {self._at}")
        content = self._take(end - self._at)
        return tlv(tag, content)

    def at_end(self) -> bool:
        """Nothing is left in the innermost frame."""
        end = self._ends[-1]
        return self._at == end if end is not None else self._peek(2) == _END

    def close(self) -> None:
        """Leave the innermost frame, in which nothing may be left."""
        if not self.at_end():
            raise NotDER(f"unexpected element at octet {self._at}")
        if self._ends.pop() is None:
            self._take(2)

    def copy_octets(self, copy: _Copy) -> None:
        """Give the octets of the next OCTET STRING, whole or in pieces, to ``copy``."""
        tag, end = self._head()
        if tag == OCTET_STRING and end is not None:
            self._copy(copy, end)
        elif tag == _IN_PIECES:
            self._ends.append(end)
            pieces = 0
            while not self.at_end():
                self._copy_piece(copy)
                pieces += 1
                if pieces > _PIECES:
                    raise NotDER(f"a string in more than {_PIECES} pieces")
            self.close()
        else:
            raise NotDER(f"no OCTET STRING before octet {self._at}")

    def _copy_piece(self, copy: _Copy) -> None:
        tag, end = self._head()
        if tag != OCTET_STRING or end is None:
            raise NotDER(f"a string in pieces has a piece of another type before octet {self._at}")
        self._copy(copy, end)

    def rest(self) -> bytes:
        """What is left in the innermost frame, when all that follows are the ends of the open frames."""
        start, rest = self._at, self._peek(_AROUND + 1)
        if len(rest) > _AROUND:
            raise NotDER(f"more than {_AROUND} octets after the content")
        stop = len(rest)
        for end in self._ends:
            if end is not None and end != start + stop:
                raise NotDER(f"element ends at octet {end}, the message at {start + stop}")
            if end is None and not rest.endswith(_END, 0, stop):
                raise NotDER(f"end of contents expected before octet {start + stop}")
            stop -= 0 if end is not None else 2
        return rest[:stop]

    def _copy(self, copy: _Copy, end: int) -> None:
        while self._at < end:
            copy.take(self._take(min(_CHUNK, end - self._at)))

    def _head(self) -> tuple[int, int | None]:
        """Tag of the next element and the offset of its end, which lies within the innermost definite frame."""
        tag, length = self._take(2)
        if length == 0x80:
            return tag, None
        if length > 0x80:
            if length > 0x88:
                raise NotDER(f"length before octet {self._at}")
            length = int.from_bytes(self._take(length & 0x7F), "big")
        end = self._at + length
        if self._ends and self._ends[-1] is not None and end > self._ends[-1]:
            raise NotDER(f"element before octet {self._at} runs over its end")
        return tag, end

    def _peek(self, size: int) -> bytes:
        while len(self._buffer) < size and (more := self._source.read(max(size, _CHUNK))):
            self._buffer += more
        return self._buffer[:size]

    def _take(self, size: int) -> bytes:
        taken = self._peek(size)
        if len(taken) < size:
            raise NotDER("it ends within an element")
        self._buffer = self._buffer[size:]
        self._at += size
        return taken
