"""A gateway's log as it delivers it: a profile_generic object with a ``logbook`` in its buffer (spec/04 §4.2).

An entry's text travels as a template in an XML comment, ``[Count] readings transmitted to [Recipient]``, and the
values of its placeholders, in their order, as ``message_extension`` elements. The schema of what we write is
``schema/profile_generic-1.xsd``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from lxml import etree

from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals.readings import LOGBOOK_TOO_LONG, PROFILE_GENERIC_MALFORMED
from torwart.kernel.words import Words
from torwart.wire.profile_generic import (
    CLASS_ID,
    EXTENSION,
    OBJECT_NAME,
    PROFILE_GENERIC,
    P,
    X,
    instant,
    listed,
    only,
    read_object,
    utc_seconds,
    whole,
    within,
)
from torwart.wire.xml import Element, serialise

MAX_ENTRIES = 1000
"""An export of real gateways gives up to 1000 entries, newest first (spec/04 §1.8)."""

_LONGEST_TEXT = 400
_UNSIGNED_32 = (1 << 32) - 1
_PLACEHOLDER = re.compile(r"\[([^\[\]]{1,40})\]")
_NOT_XML = re.compile("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


_Word = TypeVar("_Word", bound=StrEnum)


class Level(StrEnum):
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    FATAL = "FATAL"


class Outcome(StrEnum):
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """What an event number means; ``placeholders``: which value of an entry fills which place of ``words``."""

    words: Words
    placeholders: tuple[str, ...] = ()


EVENTS: Mapping[int, KnownEvent] = {
    10041: KnownEvent(Words("War zu lange ohne Strom", "Was without power too long")),
    10260: KnownEvent(Words("Die Messung wird eingestellt", "Metering is being stopped")),
    16001: KnownEvent(
        Words(
            "[Count] Messwerte an Marktteilnehmer [Recipient] übertragen",
            "[Count] readings transmitted to market participant [Recipient]",
        ),
        ("Count", "Recipient"),
    ),
}
"""The numbers that exports of real gateways show (spec/04 §1.8). The full catalogue is not public."""


@dataclass(frozen=True, slots=True)
class EventType:
    """Which event: numbers count within ``vendor_id`` and ``version``."""

    event_id: int
    event_sub_id: int = 0
    vendor_id: str = ""
    version: int = 1

    def __post_init__(self) -> None:
        within("event_id", self.event_id, 0, _UNSIGNED_32)
        within("event_sub_id", self.event_sub_id, 0, _UNSIGNED_32)
        within("version", self.version, 0, _UNSIGNED_32)
        object.__setattr__(self, "vendor_id", one_line(self.vendor_id))


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry. ``at`` is aware, of whole seconds; texts are kept as one printable line of at most 400 characters.

    ``seconds_index`` counts seconds of operation, so that entries stay in order when the clock is set.
    ``text`` is the template, ``extensions`` the values of its placeholders; ``repetition_counter`` says how often
    the same event came again; ``parent_record_number`` names the entry this one belongs to, 0 for none.
    """

    record_number: int
    at: datetime
    level: Level
    type: EventType
    outcome: Outcome = Outcome.SUCCESS
    subject_identity: str = ""
    text: str = ""
    extensions: tuple[str, ...] = ()
    seconds_index: int = 0
    parent_record_number: int = 0
    repetition_counter: int = 0

    def __post_init__(self) -> None:
        for name in ("record_number", "seconds_index", "parent_record_number", "repetition_counter"):
            within(name, getattr(self, name), 0, _UNSIGNED_32)
        object.__setattr__(self, "at", utc_seconds(self.at))
        object.__setattr__(self, "subject_identity", one_line(self.subject_identity))
        # XML 1.0 §2.5: "--" must not occur within comments.
        object.__setattr__(self, "text", one_line(self.text).replace("--", "–"))
        object.__setattr__(self, "extensions", tuple(one_line(value) for value in self.extensions))

    def sentence(self, language: str | None = None) -> str:
        """The entry as a person reads it: in ``language`` for a known event, else as the gateway wrote it."""
        known = EVENTS.get(self.type.event_id)
        if known is not None and len(known.placeholders) == len(self.extensions):
            return _fill(known.words.text(language), known.placeholders, self.extensions)
        return _fill(self.text, tuple(dict.fromkeys(_PLACEHOLDER.findall(self.text))), self.extensions)


def one_line(text: str) -> str:
    """``text`` as it may stand in a log and in XML: folded to one line, unprintable marked, cut to 400 characters."""
    line = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"


def _fill(template: str, names: Sequence[str], values: Sequence[str]) -> str:
    """The template with each placeholder's value; values without a place are added in brackets, none is lost."""
    by_name = dict(zip(names, values, strict=False))
    filled = _PLACEHOLDER.sub(lambda match: by_name.get(match[1], match[0]), template)
    rest = ", ".join(values[len(by_name) :])
    return f"{filled} ({rest})".strip() if rest else filled


@dataclass(frozen=True, slots=True)
class Log:
    """A delivery of at most 1000 entries, kept newest first. ``logical_name`` is its id (``log_name``)."""

    logical_name: str
    entries: tuple[LogEntry, ...] = ()

    def __post_init__(self) -> None:
        if not OBJECT_NAME.fullmatch(self.logical_name):
            raise PROFILE_GENERIC_MALFORMED(why=f"object id {self.logical_name[:80]!r}")
        if len(self.entries) > MAX_ENTRIES:
            raise LOGBOOK_TOO_LONG(count=len(self.entries), limit=MAX_ENTRIES)
        newest_first = sorted(self.entries, key=lambda entry: entry.record_number, reverse=True)
        object.__setattr__(self, "entries", tuple(newest_first))


def log_name(gateway: DeviceId, number: int = 3) -> str:
    """The id of a log, ``0000636203ff.<gateway>.sm``; ``number`` is group E of 0-0:99.98.e, 3 in the exports known."""
    return f"{ObisCode(f'0-0:99.98.{number}').hex.lower()}.{gateway.host}"


def encode(log: Log) -> bytes:
    """The document, newest entry first."""
    root = etree.Element(f"{P}object", nsmap={"p": PROFILE_GENERIC, "x": EXTENSION})
    root.attrib.update({"class_id": str(CLASS_ID), "class_version": "1", "id": log.logical_name})
    attributes = etree.SubElement(root, f"{P}attributes", count="2")
    etree.SubElement(attributes, f"{X}logical_name", id="1").text = log.logical_name
    buffer = etree.SubElement(attributes, f"{P}buffer", id="3")
    logbook = etree.SubElement(buffer, f"{P}logbook", count=str(len(log.entries)))
    for number, entry in enumerate(log.entries, start=1):
        _add_entry(etree.SubElement(logbook, f"{P}entry", id=str(number)), entry)
    return serialise(root)


def _add_entry(element: Element, entry: LogEntry) -> None:
    _add(element, "record_number", str(entry.record_number))
    _add(element, "parent_record_number", str(entry.parent_record_number))
    _add(element, "repetition_counter", str(entry.repetition_counter))
    event = _add(element, "event")
    _add(event, "seconds_index", str(entry.seconds_index))
    _add(event, "timestamp", f"{entry.at.isoformat()[:19]}Z")
    _add(event, "level", entry.level)
    kind = _add(event, "type")
    _add(kind, "version", str(entry.type.version))
    _add(kind, "vendor_id", entry.type.vendor_id)
    _add(kind, "event_id", str(entry.type.event_id))
    _add(kind, "event_sub_id", str(entry.type.event_sub_id))
    _add(event, "outcome", entry.outcome)
    _add(event, "subject_identity", entry.subject_identity)
    extensions = _add(event, "message_extensions")
    extensions.set("count", str(len(entry.extensions)))
    if entry.text:
        extensions.append(etree.Comment(f" {entry.text} "))
    for number, value in enumerate(entry.extensions, start=1):
        _add(extensions, "message_extension", value).set("id", str(number))


def _add(parent: Element, name: str, text: str = "") -> Element:
    element = etree.SubElement(parent, f"{X}{name}")
    if text:
        element.text = text
    return element


def decode(document: bytes) -> Log:
    """Read a document.

    Refuses ``profile_generic.malformed``, ``profile_generic.value``, ``logbook.too_long`` and what the XML reader
    refuses.
    """
    name, attributes = read_object(document)
    logbook = only(only(attributes, f"{P}buffer"), f"{P}logbook")
    elements = listed(logbook, f"{P}entry")
    if len(elements) > MAX_ENTRIES:
        raise LOGBOOK_TOO_LONG(count=len(elements), limit=MAX_ENTRIES)
    return Log(name, tuple(_read_entry(element) for element in elements))


def _read_entry(element: Element) -> LogEntry:
    event = only(element, f"{X}event")
    kind = only(event, f"{X}type")
    text, extensions = _read_extensions(event)
    return LogEntry(
        record_number=_number(element, "record_number"),
        parent_record_number=_number(element, "parent_record_number", "0"),
        repetition_counter=_number(element, "repetition_counter", "0"),
        seconds_index=_number(event, "seconds_index", "0"),
        at=instant(_text(event, "timestamp")),
        level=_word(Level, event, "level"),
        type=EventType(
            event_id=_number(kind, "event_id"),
            event_sub_id=_number(kind, "event_sub_id", "0"),
            vendor_id=_text(kind, "vendor_id", ""),
            version=_number(kind, "version", "1"),
        ),
        outcome=_word(Outcome, event, "outcome"),
        subject_identity=_text(event, "subject_identity", ""),
        text=text,
        extensions=extensions,
    )


def _read_extensions(event: Element) -> tuple[str, tuple[str, ...]]:
    """The template, from the first comment, and the values of its placeholders."""
    tag = f"{X}message_extensions"
    if event.find(tag) is None:
        return "", ()
    element = only(event, tag)
    comments = [child.text or "" for child in element if isinstance(child, etree._Comment)]
    values = [child.text or "" for child in listed(element, f"{X}message_extension")]
    return (comments[0] if comments else ""), tuple(values)


def _text(parent: Element, name: str, default: str | None = None) -> str:
    """The text of one child; a child that may be missing has a ``default``."""
    tag = f"{X}{name}"
    if default is not None and parent.find(tag) is None:
        return default
    return only(parent, tag).text or ""


def _number(parent: Element, name: str, default: str | None = None) -> int:
    return whole(_text(parent, name, default))


def _word(words: type[_Word], parent: Element, name: str) -> _Word:
    text = _text(parent, name).strip()
    try:
        return words(text)
    except ValueError as error:
        raise PROFILE_GENERIC_MALFORMED(why=f"{name} {text[:40]!r} is none of {', '.join(words)}") from error
