"""Block transfer (A2 §7.3.1.8, §7.12.1): big bodies in pieces, for GET and PUT, resumed after a broken transport.

Reading: the server copies the resource "zu Beginn eines durch den Client eingeleiteten Blocktransfers in einen
Zwischenpuffer" when byte 0 is asked for, so all blocks are of one snapshot; a block of a transfer the server no
longer knows is 416 and the client starts anew.

Writing: the standard allows it and shows no example. Ours: every block carries ``Content-Range: bytes a-b/total``
(RFC 9110 §14.5) and ``Range: bytes=a-b``; only ``Range`` is enough when the last block's is open (``bytes=a-``).
An intermediate block is answered 206 with ``Content-Range: bytes 0-<last held>/*``; "Die Operation gilt erst nach
der Übertragung des letzten Blockes als abgeschlossen". A block may repeat bytes already held, never leave a gap.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from torwart.kernel.refusals.cosem import COSEM_ANSWER, COSEM_RANGE, HTTP_BODY_TOO_LARGE
from torwart.wire.cosem.message import Request, Response

_RANGE = re.compile(r"bytes[= ]\s*([0-9]{1,15})-([0-9]{1,15})?")
"""With ``=`` by §7.3.1.8; the example of §7.12.1 prints a blank."""

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15}|\*)")


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes ``first`` to ``last`` inclusive (``last`` ``None``: to the end), ``total`` of the whole if told."""

    first: int
    last: int | None = None
    total: int | None = None


def parse_range(text: str) -> Block:
    """One range; lists of ranges and suffix ranges are refused ``cosem.range``."""
    match = _RANGE.fullmatch(text.strip())
    if match is None or (match[2] is not None and int(match[2]) < int(match[1])):
        raise COSEM_RANGE(range=text[:80], why="not bytes=<first>-<last>")
    return Block(int(match[1]), None if match[2] is None else int(match[2]))


def parse_content_range(text: str) -> Block:
    match = _CONTENT_RANGE.fullmatch(text.strip())
    if match is None:
        raise COSEM_RANGE(range=text[:80], why="not bytes <first>-<last>/<total>")
    block = Block(int(match[1]), int(match[2]), None if match[3] == "*" else int(match[3]))
    if block.last is None or block.last < block.first or (block.total is not None and block.last >= block.total):
        raise COSEM_RANGE(range=text[:80], why="its numbers contradict each other")
    return block


def content_range(first: int, last: int, total: int | None) -> str:
    return f"bytes {first}-{last}/{'*' if total is None else total}"


def block_of_put(request: Request) -> Block | None:
    """Which part of the resource a PUT carries; ``None``: all of it. Refuses headers that contradict the body."""
    given, asked = request.header("Content-Range"), request.header("Range")
    if not given and not asked:
        return None
    block = parse_content_range(given) if given else parse_range(asked)
    if given and asked and (parse_range(asked).first, parse_range(asked).last) != (block.first, block.last):
        raise COSEM_RANGE(range=asked[:80], why=f"Content-Range says {given[:80]}")
    size = len(request.body)
    if size == 0 or (block.last is not None and block.last - block.first + 1 != size):
        raise COSEM_RANGE(range=(given or asked)[:80], why=f"the body has {size} bytes")
    return block


class Transfers:
    """Transfers under way: snapshots being read and bodies being written, the oldest dropped beyond ``keep``.

    Keys are any hashable that tells peer and target.
    """

    __slots__ = ("_keep", "_limit", "_read", "_written")

    def __init__(self, keep: int = 2, limit: int = 4 * 1024 * 1024) -> None:
        self._keep = keep
        self._limit = limit
        self._read: OrderedDict[object, bytes] = OrderedDict()
        self._written: OrderedDict[object, bytearray] = OrderedDict()

    def known(self, key: object) -> bytes | None:
        """The snapshot of a transfer under way."""
        return self._read.get(key)

    def begin(self, key: object, body: bytes) -> None:
        """Remember the snapshot of a new transfer."""
        self._read[key] = body
        self._read.move_to_end(key)
        while len(self._read) > self._keep:
            self._read.popitem(last=False)

    def write(self, key: object, block: Block, body: bytes) -> bytes | None:
        """Take one block of a PUT; the whole body once the last block is there."""
        held = bytearray() if block.first == 0 else self._written.get(key, bytearray())
        if block.first > len(held):
            raise COSEM_RANGE(range=f"bytes={block.first}-", why="bytes before it are missing", held=len(held))
        if block.first + len(body) > self._limit:
            raise HTTP_BODY_TOO_LARGE(size=block.first + len(body), limit=self._limit)
        del held[block.first :]
        held += body
        if block.last is None or (block.total is not None and len(held) == block.total):
            self._written.pop(key, None)
            return bytes(held)
        self._written[key] = held
        self._written.move_to_end(key)
        while len(self._written) > self._keep:
            self._written.popitem(last=False)
        return None

    def held(self, key: object) -> int:
        """How many bytes of a PUT are here."""
        return len(self._written.get(key, b""))


def cut(body: bytes, asked: Block) -> tuple[bytes, str]:
    """The bytes of ``body`` a GET asks for and their Content-Range; refuses what begins behind the end."""
    if asked.first >= len(body):
        raise COSEM_RANGE(range=f"bytes={asked.first}-", why=f"the resource has {len(body)} bytes", total=len(body))
    last = len(body) - 1 if asked.last is None else min(asked.last, len(body) - 1)
    return body[asked.first : last + 1], content_range(asked.first, last, len(body))


def put_blocks(request: Request, size: int) -> Iterator[Request]:
    """A PUT with a big body as blocks of ``size`` bytes; a body that fits is sent as it is."""
    total = len(request.body)
    if total <= size:
        yield request
        return
    for first in range(0, total, size):
        piece = request.body[first : first + size]
        last = first + len(piece) - 1
        headers = {
            **request.headers,
            "Range": f"bytes={first}-{last}",
            "Content-Range": content_range(first, last, total),
        }
        yield Request(request.method, request.target, headers, piece)


class BlockReader:
    """The client's side of a GET in blocks: ask ``next()`` until ``done``; survives any number of connections."""

    def __init__(self, request: Request, size: int, limit: int = 4 * 1024 * 1024) -> None:
        self._request = request
        self._size = size
        self._limit = limit
        self._body = bytearray()
        self.done = False

    @property
    def body(self) -> bytes:
        return bytes(self._body)

    def next(self) -> Request:
        """The request for the next missing block; repeat it after a broken transport."""
        first = len(self._body)
        headers = {**self._request.headers, "Range": f"bytes={first}-{first + self._size - 1}"}
        return Request("GET", self._request.target, headers)

    def feed(self, response: Response) -> None:
        """Take an answer; a server that ignores Range sends everything (200), a 416 means: start anew."""
        if response.status == 200:
            self._body[:] = response.body
            self.done = True
        elif response.status == 416 and self._body:
            self._body.clear()
        elif response.status == 206:
            self._take(response)
        else:
            raise COSEM_ANSWER(status=response.status, expected="206", why="block transfer failed")

    def _take(self, response: Response) -> None:
        block = parse_content_range(response.header("Content-Range"))
        if block.first != len(self._body) or block.last != block.first + len(response.body) - 1:
            raise COSEM_ANSWER(status=206, expected=f"bytes from {len(self._body)}", why="another block came")
        if block.total is None or block.total > self._limit:
            raise COSEM_ANSWER(status=206, expected=f"at most {self._limit} bytes", why="the resource is too large")
        self._body += response.body
        self.done = len(self._body) == block.total
