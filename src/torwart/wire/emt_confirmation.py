"""An EMT's confirmation that readings of a gateway have arrived: our own document, CMS-signed by the EMT.

No standard at hand says how an EMT tells the GWA that it received the first value; P03 needs to know it. So an EMT
POSTs, over mutual TLS, CMS SignedData (``id-data``, its SIG certificate attached) over this document::

    <e:confirmation xmlns:e="urn:torwart:emt-confirmation-1" version="1">
      <e:device>EPPC0212345678</e:device>          the gateway the readings came from, 14 characters
      <e:contract>01005e318027.taf7.sm</e:contract> the id the readings came under
      <e:meter>1EMH0012345678</e:meter>             the meter they are of
      <e:first>2026-01-01T00:00:00Z</e:first>       capture time of the first value of this delivery, UTC
      <e:last>2026-01-01T06:00:00Z</e:last>         capture time of the last
      <e:values>25</e:values>                       how many values it held
      <e:received>2026-01-01T06:00:04Z</e:received> when the EMT had it, by the EMT's clock
      <e:digest>…64 hex digits…</e:digest>          SHA-256 of the readings document, decrypted: tells repeats
    </e:confirmation>
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from lxml import etree

from torwart.kernel.refusals.emt import EMT_CONFIRMATION_MALFORMED
from torwart.wire.xml import local_name, parse, serialise

MEDIA_TYPE = "application/vnd.torwart-emt-confirmation+xml;encap=cms"
NAMESPACE = "urn:torwart:emt-confirmation-1"
TARGET = "/emt/confirmations"
"""Where the EMT POSTs it on the head-end's EMT-SERVICE."""

_MAX_SIZE = 16 * 1024
_ID = re.compile(r"[0-9A-Za-z._-]{1,80}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What one delivery of readings held. Instants are aware; they are written in UTC to the second."""

    device: str
    contract: str
    meter: str
    first: datetime
    last: datetime
    values: int
    received: datetime
    digest: str

    def encode(self) -> bytes:
        """The document, before it is signed."""
        root = etree.Element(f"{{{NAMESPACE}}}confirmation", nsmap={"e": NAMESPACE}, version="1")
        for name, _, write in _FIELDS:
            etree.SubElement(root, f"{{{NAMESPACE}}}{name}").text = write(getattr(self, name))
        return serialise(root)

    @classmethod
    def decode(cls, document: bytes) -> "Confirmation":
        """Read a document; refuses ``emt.confirmation_malformed`` or ``xml.…`` and nothing else."""
        root = parse(document, max_size=_MAX_SIZE)
        if root.tag != f"{{{NAMESPACE}}}confirmation" or root.get("version") != "1":
            raise EMT_CONFIRMATION_MALFORMED(why=f"{local_name(root)[:40]} version {root.get('version')}")
        elements = [child for child in root if isinstance(child.tag, str)]
        if [child.tag for child in elements] != [f"{{{NAMESPACE}}}{name}" for name, _, _ in _FIELDS]:
            raise EMT_CONFIRMATION_MALFORMED(why="elements missing, repeated or out of order")
        values: dict[str, Any] = {
            name: _read(name, child.text or "", read) for child, (name, read, _) in zip(elements, _FIELDS, strict=True)
        }
        return cls(**values)


def _read(name: str, text: str, read: Callable[[str], _T]) -> _T:
    try:
        return read(text)
    except ValueError as error:
        raise EMT_CONFIRMATION_MALFORMED(why=f"{name}: {text[:40]!r}") from error


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(text)
    return text


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise ValueError(text)
    return text


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise ValueError(text)
    return int(text)


def _instant(text: str) -> datetime:
    return datetime.strptime(text, _INSTANT).replace(tzinfo=UTC)


def _write_instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_INSTANT)


_FIELDS: tuple[tuple[str, Callable[[str], object], Callable[..., str]], ...] = (
    ("device", _id, str),
    ("contract", _id, str),
    ("meter", _id, str),
    ("first", _instant, _write_instant),
    ("last", _instant, _write_instant),
    ("values", _count, str),
    ("received", _instant, _write_instant),
    ("digest", _digest, str),
)
