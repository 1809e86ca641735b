"""The bones of MIME (RFC 2045, 2046): octets cut into header and body, bodies into parts, nothing re-written.

Our own cutter instead of ``email.parser``: signatures cover octets, not what a parser makes of them, and its work on
hostile input (thousands of nested boundaries) grows with the square of the size. Here every level is one linear pass.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any

from torwart.kernel.refusals.mail import MAIL_MALFORMED
from torwart.wire.mail.words import clean, decode_words, lenient_base64


@dataclass(frozen=True, slots=True)
class Limits:
    """``size``: octets of a mail. ``nested``: mails within mails. ``depth``: multiparts within multiparts. ``parts``:
    of all levels together. ``header``: octets of one header block. ``text``: characters of the text that is shown."""

    size: int = 25 * 2**20
    nested: int = 5
    depth: int = 20
    parts: int = 500
    header: int = 2**18
    text: int = 2**20


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail. ``name``: a bare file name, safe to show and to store; ``media_type``: as its sender says."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Entity:
    """Header fields (name in lower case, unfolded value, the octets they came in) and the octets of the body."""

    fields: tuple[tuple[str, str, bytes], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        """The values of every field of this name."""
        return [value for found, value, _ in self.fields if found == name]

    def get(self, name: str) -> str:
        """The value of the first field of this name, or nothing."""
        return next((value for found, value, _ in self.fields if found == name), "")

    @property
    def content_type(self) -> str:
        """``type/subtype`` in lower case; ``text/plain`` where it is missing or no such thing (RFC 2045 5.2)."""
        return self._message("content-type").get_content_type()

    def parameter(self, name: str, field: str = "content-type") -> str:
        """A parameter of Content-Type or Content-Disposition, RFC 2231 forms included; or nothing."""
        try:
            pairs: list[tuple[str, Any]] = self._message(field).get_params([], field)
            found = [value for key, value in pairs if key.lower() == name]
            # Who sends both means the one of RFC 2231, which stands as a triple.
            value = next((value for value in found if isinstance(value, tuple)), found[0] if found else "")
            if isinstance(value, tuple):
                charset, _, octets = value
                return clean(octets.encode("latin-1", "replace").decode(charset or "utf-8", "replace"))
            return clean(decode_words(value)) if value else ""
        except _ABSURD:
            return ""

    @property
    def disposition(self) -> str:
        return self.get("content-disposition").partition(";")[0].strip().lower()

    @property
    def file_name(self) -> str:
        """The bare name of the file this part is, or nothing; never a path."""
        name = self.parameter("filename", "content-disposition") or self.parameter("name")
        bare = re.split(r"[/\\:]", name)[-1]
        return " ".join(bare.split()).strip(". ")[:150]

    def _message(self, field: str) -> "Message[str, str]":
        message: Message[str, str] = Message()
        message[field] = self.get(field)[:_LONGEST_STRUCTURED]
        return message

    def content(self) -> bytes:
        """The body with its transfer encoding taken off; what cannot be decoded comes as it is."""
        encoding = self.get("content-transfer-encoding").strip().lower()
        if encoding == "base64":
            return lenient_base64(self.body)
        if encoding == "quoted-printable":
            return binascii.a2b_qp(self.body)
        return self.body


_ABSURD = (ValueError, LookupError, TypeError, AttributeError)
_LONGEST_STRUCTURED = 4096
_END_OF_HEADER = re.compile(rb"(?:\A|\n)\r?\n")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_LINE = re.compile(rb"[^\n]*\n?(?:[ \t][^\n]*\n?)*")


def split(raw: bytes, limits: Limits = LIMITS) -> Entity:
    """Header and body of a message or part. Lines that are no field are passed over; a header block without end or of
    absurd size is refused (``mail.malformed``)."""
    end = _END_OF_HEADER.search(raw)
    head, body = (raw[: end.start() + 1], raw[end.end() :]) if end else (raw, b"")
    if len(head) > limits.header:
        raise MAIL_MALFORMED(why=f"header > {limits.header} bytes")
    if end and end.start() == 0 and head[:1] in b"\r\n":
        return Entity((), body)
    fields = []
    for line in _LINE.findall(head):
        match = _FIELD.match(line)
        if match:
            fields.append((match[1].decode().lower(), _unfolded(match[2]), line))
    return Entity(tuple(fields), body)


def _unfolded(value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return re.sub(r"\r?\n", "", text).strip()


def parts(entity: Entity, most: int = LIMITS.parts) -> list[bytes]:
    """The octets of each part of a multipart, as signed: without the line end before the next delimiter (RFC 2046
    5.1.1). Without a boundary, or with one that never comes, there are none; more than ``most`` are refused."""
    found: list[bytes] = []
    start = None
    for begin, end, last in _delimiters(entity.body, entity.parameter("boundary")):
        if start is not None:
            found.append(entity.body[start : max(start, begin)])
        if last:
            return found
        if len(found) == most:
            raise MAIL_MALFORMED(why=f"> {most} parts")
        start = entity.body.find(b"\n", end) + 1 or len(entity.body)
    if start is not None:
        found.append(entity.body[start:])
    return found


_LONGEST_BOUNDARY = 200
_REST_OF_DELIMITER = re.compile(rb"(--)?[ \t]*(?=\r?\n|\Z)")


def _delimiters(body: bytes, boundary: str) -> Iterator[tuple[int, int, bool]]:
    """Where each delimiter line begins (with the line end before it) and ends, and whether it is the last."""
    if not boundary or len(boundary) > _LONGEST_BOUNDARY:
        return
    mark = b"--" + boundary.encode("utf-8")
    at = body.find(mark)
    while at >= 0:
        rest = _REST_OF_DELIMITER.match(body, at + len(mark)) if at == 0 or body[at - 1] == _LINE_FEED else None
        if rest:
            yield at - (2 if body[at - 2 : at] == b"\r\n" else 1 if at else 0), rest.end(), rest[1] is not None
        at = body.find(mark, at + len(mark))


_LINE_FEED = 0x0A
