"""HTTP messages of A2 §7 as values: requests, responses, media types, the status table, correlation.

Header names compare case-insensitively (§7.3: "MUSS Case-insensitiv durchgeführt werden"); a message keeps them as
they were written. ``STATUS`` is the table the server answers by and the client judges by.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torwart.kernel.refusals import Kind, Refusal
from torwart.kernel.refusals import cosem as kinds
from torwart.kernel.refusals import xml as xml_kinds
from torwart.kernel.refusals.cosem import COSEM_CONTACT, COSEM_CORRELATION
from torwart.wire.cosem.uri import Level, parse_target

METHODS = ("GET", "PUT", "POST", "DELETE")
"""A2 §7.6: "Der Server erlaubt nur Zugriffe mit den HTTP-Methoden GET, PUT, POST, DELETE"."""

IDEMPOTENT = frozenset({"GET", "PUT", "DELETE"})
"""A2 Tabelle 6."""

MEDIA_TYPE_XML = "application/vnd.de-dke-k461-cosem+xml"
"""COSEM data in XML (A2 Tabelle 8, with the organisation id of its example)."""

MEDIA_TYPE_CMS = "application/vnd.de-dke-k461-cosem+xml;encap=cms-tr03109"
"""CMS SignedData(AuthEnvelopedData(CompressedData(XML))) (A2 §7.3.1.1; Detailspezifikationen, Tabelle 6.1)."""

MEDIA_TYPE_CMS_V2 = 'application/cms+xml;encapsulatingContent="signedData , authEnvelopedData , compressedData"'
"""The same content as Detailspezifikationen v2.0, Tabelle 6.1, spells it."""

MEDIA_TYPE_OCTETS = "application/octet-stream"
"""File images (A2 Tabelle 8)."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type with its parameters; ``is_cms`` tells whether the body is protected content."""

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "MediaType":
        """Forgiving: lower-cases, drops blanks (the standard itself prints ``cosem +xml``) and quotes."""
        name, *rest = text.split(";")
        pairs = (part.partition("=") for part in rest)
        parameters = {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs if key.strip()}
        return cls(re.sub(r"\s", "", name).lower(), parameters)

    @property
    def is_cms(self) -> bool:
        """``encap=cms-tr03109`` (also the ``-zlib`` form seen in the field) or the ``application/cms`` family."""
        encapsulation = self.parameters.get("encap", "")
        return encapsulation.startswith("cms") or self.name in ("application/cms", "application/cms+xml")

    @property
    def is_xml(self) -> bool:
        return self.name == MEDIA_TYPE_XML or self.name in ("application/xml", "application/cms+xml")


def accepts(accept: str, offered: MediaType) -> bool:
    """Whether an Accept header (empty: everything, §7.3.1.5) takes ``offered``; parameters named must agree."""
    for item in accept.split(",") if accept.strip() else ["*/*"]:
        wanted = MediaType.parse(item)
        same = wanted.name in ("*/*", offered.name) or (
            wanted.name.endswith("/*") and offered.name.startswith(wanted.name[:-1])
        )
        named = {name: value for name, value in wanted.parameters.items() if name != "q"}
        if same and all(offered.parameters.get(name, "").startswith(value) for name, value in named.items()):
            return True
    return False


def _find(headers: Mapping[str, str], name: str) -> str:
    exact = headers.get(name)
    if exact is not None:
        return exact
    wanted = name.lower()
    return next((value for key, value in headers.items() if key.lower() == wanted), "")


@dataclass(frozen=True, slots=True)
class Request:
    """``target``: path with query as it stands on the request line."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """The header's value, ``""`` if absent."""
        return _find(self.headers, name)

    def has(self, name: str) -> bool:
        return any(key.lower() == name.lower() for key in self.headers)

    def with_headers(self, **headers: str) -> "Request":
        """A copy with more headers; ``_`` in a name stands for ``-``."""
        return replace(self, headers={**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}})

    @property
    def idempotent(self) -> bool:
        """Whether it may be repeated after a broken transport (A2 §7.12)."""
        return self.method in IDEMPOTENT


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """The header's value, ``""`` if absent."""
        return _find(self.headers, name)

    @property
    def ok(self) -> bool:
        """A2 §7.4: "Die Statuscodes 2xx MUSS als positive Rückmeldung verstanden werden"."""
        return 200 <= self.status < 300

    @property
    def complete(self) -> bool:
        """Whether all is done; "Nach 202 und 206 ist die Kommunikations-Anfrage noch nicht abgeschlossen"."""
        return self.ok and self.status not in (202, 206)

    @property
    def retry_after(self) -> int | None:
        """Seconds to wait ("Nur die Variante „Delta-Seconds“", §7.3.2.5); ``None`` if absent or unreadable."""
        text = self.header("Retry-After")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


STATUS: dict[int, str] = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    206: "Partial Content",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    409: "Conflict",
    411: "Length Required",
    413: "Request Entity Too Large",
    414: "Request URI Too Long",
    415: "Unsupported Media Type",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    506: "HTTP Version Not Supported",
}
"""A2 Tabelle 12; 409, 415, 422, 431, 502, 503 from Detailspezifikationen v2.0, Tabelle 6.2 (which has 505 for 506)."""

_STATUS_OF: dict[Kind, int] = {
    kinds.HTTP_MALFORMED: 400,
    kinds.HTTP_PIPELINING: 400,
    kinds.HTTP_HEADER_MISSING: 400,
    kinds.HTTP_HEADER_TOO_LONG: 431,
    kinds.HTTP_URI_TOO_LONG: 414,
    kinds.HTTP_BODY_TOO_LARGE: 413,
    kinds.HTTP_LENGTH_REQUIRED: 411,
    kinds.HTTP_HOST_WRONG: 403,
    kinds.HTTP_METHOD_UNKNOWN: 501,
    kinds.HTTP_VERSION: 506,
    kinds.COSEM_NOT_FOUND: 404,
    kinds.COSEM_DEVICE_ID: 404,
    kinds.COSEM_OBJECT_ID: 404,
    kinds.COSEM_INDEX: 404,
    kinds.COSEM_NOT_ALLOWED: 405,
    kinds.COSEM_NOT_ACCEPTABLE: 406,
    kinds.COSEM_TOO_SLOW: 408,
    kinds.COSEM_MEDIA_TYPE: 415,
    kinds.COSEM_RANGE: 416,
    kinds.COSEM_QUERY: 400,
    kinds.COSEM_LITERAL: 400,
    kinds.COSEM_CORRELATION: 400,
    kinds.COSEM_CONTACT: 400,
    kinds.COSEM_BODY: 422,
    kinds.COSEM_DATA: 422,
    kinds.COSEM_APPLICATION: 500,
    xml_kinds.XML_TOO_LARGE: 413,
    xml_kinds.XML_TOO_DEEP: 422,
    xml_kinds.XML_ENCODING: 422,
    xml_kinds.XML_FORBIDDEN: 422,
    xml_kinds.XML_MALFORMED: 422,
}


def status_of(refusal: Refusal) -> int:
    """The status a server answers a refusal with; a kind without entry is an application error, 500.

    Protected content that cannot be opened is 422: "CMS- oder Transfersyntax … kann nicht ausgewertet werden".
    """
    if refusal.code.startswith("cms."):
        return 422
    return _STATUS_OF.get(refusal.kind, 500)


_CORRELATION = re.compile(r"uuid:\s*([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")


def new_correlation() -> str:
    """A fresh x-CID, e.g. ``uuid:f50701ab-5a39-4fa6-853f-58aef4297228`` (A2 §7.3.1.7: version 4, random)."""
    return f"uuid:{uuid.uuid4()}"


def parse_correlation(value: str) -> str:
    """A received x-CID in canonical form; a blank after ``uuid:`` is taken, as the example of §7.5 prints one."""
    match = _CORRELATION.fullmatch(value.strip())
    if match is None or uuid.UUID(match[1]).version != 4:
        raise COSEM_CORRELATION(value=value[:80])
    return f"uuid:{match[1].lower()}"


@dataclass(frozen=True, slots=True)
class Contact:
    """An x-ContactURI taken apart: the host to call and the target to POST to."""

    host: str
    target: str

    @property
    def uri(self) -> str:
        return f"https://{self.host}{self.target}"


_CONTACT = re.compile(r"https://([0-9A-Za-z.:\[\]-]{1,255})(/[!-~]{1,3900})")


def parse_contact(value: str) -> Contact:
    """Read an x-ContactURI (A2 §7.3.1.9); it must be https and name a COSEM method below any point of contact."""
    match = _CONTACT.fullmatch(value.strip())
    if match is None:
        raise COSEM_CONTACT(value=value[:120], why="not https://<host>/<path>")
    host, target = match[1], match[2]
    poc = target[: target.find("/cosem/")] if "/cosem/" in target else ""
    try:
        address = parse_target(target, poc).address
    except Refusal as refusal:
        raise COSEM_CONTACT(value=value[:120], why="its path is no COSEM resource") from refusal
    if address.level is not Level.METHOD:
        raise COSEM_CONTACT(value=value[:120], why="it does not name a method")
    return Contact(host.lower(), target)
