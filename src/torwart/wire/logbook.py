"""Logs as real gateways export them: profile_generic with a logbook, newest entry first, at most 1000 (spec/04 §4.2).

An entry's text is a template in a comment (``<!-- [Count] readings transmitted -->``) and its fillings are the message
extensions in order; ``Entry.message`` puts them together.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from lxml import etree

from torwart.kernel.refusals.readings import LOGBOOK_MALFORMED
from torwart.kernel.words import Words
from torwart.wire import profile_generic as generic
from torwart.wire.profile_generic import P, X
from torwart.wire.xml import Element, serialise
from torwart.wire.xml import parse as parse_xml

MAX_ENTRIES = 1000

_PLACEHOLDER = re.compile(r"\[[^\[\]]{1,60}\]")
_CONTROL = re.compile("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_read = generic.Reader(LOGBOOK_MALFORMED)


class Level(StrEnum):
    """Levels in rising order; Detailspezifikationen Tabelle 6.5 abbreviates them I, W, E, F."""

    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    FATAL = "FATAL"

    @property
    def rank(self) -> int:
        return list(Level).index(self)

    @classmethod
    def of_letter(cls, letter: str) -> "Level | None":
        return next((level for level in cls if level.value[0] == letter), None)


EVENTS: dict[int, Words] = {
    10041: Words("War zu lange ohne Strom", "Was without power too long"),
    10260: Words("Die Messung wird angehalten", "Metering is being stopped"),
    16001: Words("Messwerte an Marktteilnehmer übertragen", "Readings transmitted to market participant"),
}
"""Event numbers seen in real exports (spec/04 §1.8); all others are their maker's."""

LEVELS: dict[Level, Words] = {
    Level.INFO: Words("Hinweis", "info"),
    Level.WARNING: Words("Warnung", "warning"),
    Level.ERROR: Words("Fehler", "error"),
    Level.FATAL: Words("schwerer Fehler", "fatal error"),
}


def filled(template: str, fillings: Sequence[str]) -> str:
    """The template with its placeholders filled; fillings beyond the placeholders are appended."""
    rest = list(fillings)
    text = _PLACEHOLDER.sub(lambda match: rest.pop(0) if rest else match[0], template)
    return " ".join((text, *rest)).strip()


def words_of(event: int, template: str, fillings: Sequence[str]) -> Words:
    """What an event says to people: numbers everybody uses in both languages, others as their maker words them."""
    text = filled(template, fillings)
    known = EVENTS.get(event)
    return Words(f"{known.de}: {text}", text) if known and fillings else known or Words(text, text)


@dataclass(frozen=True, slots=True)
class Entry:
    """One log entry. ``seconds_index`` counts the gateway's operating seconds and so survives a wrong clock;
    ``repetitions``: how often the same happened again; ``parent``: the entry this one belongs to (0: none).
    """

    record_number: int
    seconds_index: int
    at: datetime
    level: Level
    vendor: str
    event: int
    success: bool = True
    subject: str = ""
    template: str = ""
    extensions: tuple[str, ...] = ()
    sub_event: int = 0
    version: int = 1
    parent: int = 0
    repetitions: int = 0

    @property
    def message(self) -> str:
        """The template with its placeholders filled; fillings beyond the placeholders are appended."""
        return filled(self.template, self.extensions)


@dataclass(frozen=True, slots=True)
class Logbook:
    """A log or a part of it. ``device``: whose (``eppc0215990320``)."""

    logical_name: str
    device: str
    entries: tuple[Entry, ...] = ()

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """Record numbers missing between the entries at hand, as (first, last): something was lost or removed."""
        numbers = sorted({entry.record_number for entry in self.entries})
        return tuple((low + 1, high - 1) for low, high in pairwise(numbers) if high > low + 1)

    def to_xml(self) -> bytes:
        """Refuses more than 1000 entries and texts XML cannot carry."""
        if len(self.entries) > MAX_ENTRIES:
            raise LOGBOOK_MALFORMED(why=f"more than {MAX_ENTRIES} entries")
        root, attributes = generic.frame(self.logical_name, self.device)
        generic.add(attributes, P, "capture_objects", id="2", count="0")
        buffer = generic.add(attributes, P, "buffer", id="3")
        log = generic.add(buffer, P, "logbook", count=str(len(self.entries)))
        for number, entry in enumerate(self.entries, 1):
            _write(generic.add(log, P, "entry", id=str(number)), entry)
        return serialise(root)


def build(logical_name: str, device: str, entries: Sequence[Entry]) -> Logbook:
    """A logbook of the newest 1000 of ``entries`` in any order, newest first."""
    newest = sorted(entries, key=lambda entry: entry.record_number, reverse=True)[:MAX_ENTRIES]
    return Logbook(logical_name, device, tuple(newest))


def parse(body: bytes) -> Logbook:
    """Read a log; refuses ``xml.*`` and ``logbook.malformed``."""
    root = parse_xml(body)
    name, device = _read.names(root)
    log = _read.one(_read.one(_read.one(root, P, "attributes"), P, "buffer"), P, "logbook")
    entries = _read.counted(log, log.findall(f"{{{P}}}entry"))
    if len(entries) > MAX_ENTRIES:
        raise LOGBOOK_MALFORMED(why=f"more than {MAX_ENTRIES} entries")
    return Logbook(name, device, tuple(map(_entry, entries)))


def _clean(text: str) -> str:
    """Text for one line of XML; what XML cannot carry becomes ``?``."""
    return _CONTROL.sub("?", text)


def _write(element: Element, entry: Entry) -> None:
    for name, number in (
        ("record_number", entry.record_number),
        ("parent_record_number", entry.parent),
        ("repetition_counter", entry.repetitions),
    ):
        generic.add(element, X, name, str(number))
    event = generic.add(element, X, "event")
    generic.add(event, X, "seconds_index", str(entry.seconds_index))
    generic.add(event, X, "timestamp", generic.instant_text(entry.at))
    generic.add(event, X, "level", entry.level.value)
    kind = generic.add(event, X, "type")
    generic.add(kind, X, "version", str(entry.version))
    generic.add(kind, X, "vendor_id", _clean(entry.vendor))
    generic.add(kind, X, "event_id", str(entry.event))
    generic.add(kind, X, "event_sub_id", str(entry.sub_event))
    generic.add(event, X, "outcome", "SUCCESS" if entry.success else "FAILURE")
    generic.add(event, X, "subject_identity", _clean(entry.subject))
    extensions = generic.add(event, X, "message_extensions", count=str(len(entry.extensions)))
    if entry.template:
        extensions.append(etree.Comment(f" {_comment(entry.template)} "))
    for number, text in enumerate(entry.extensions, 1):
        generic.add(extensions, X, "message_extension", _clean(text), id=str(number))


def _comment(text: str) -> str:
    """XML 1.0 §2.5: "--" must not occur within a comment."""
    return re.sub("-(?=-)", "- ", _clean(text)).strip()


def _entry(element: Element) -> Entry:
    event = _read.one(element, X, "event")
    kind = _read.one(event, X, "type")
    outcome = _read.text(event, "outcome")
    if outcome not in ("SUCCESS", "FAILURE"):
        raise LOGBOOK_MALFORMED(why=f"outcome {outcome[:20]!r}")
    template, extensions = _message(event)
    return Entry(
        record_number=_natural(_read.text(element, "record_number")),
        seconds_index=_natural(_read.text(event, "seconds_index")),
        at=_read.instant(_read.text(event, "timestamp")),
        level=_level(_read.text(event, "level")),
        vendor=_read.text(kind, "vendor_id"),
        event=_natural(_read.text(kind, "event_id")),
        success=outcome == "SUCCESS",
        subject=_read.optional(event, "subject_identity"),
        template=template,
        extensions=extensions,
        sub_event=_natural(_read.optional(kind, "event_sub_id") or "0"),
        version=_natural(_read.optional(kind, "version") or "1"),
        parent=_natural(_read.optional(element, "parent_record_number") or "0"),
        repetitions=_natural(_read.optional(element, "repetition_counter") or "0"),
    )


def _natural(text: str) -> int:
    number = _read.number(text)
    if number < 0:
        raise LOGBOOK_MALFORMED(why=f"negative number {number}")
    return number


def _level(text: str) -> Level:
    try:
        return Level(text)
    except ValueError as error:
        raise LOGBOOK_MALFORMED(why=f"level {text[:20]!r}") from error


def _message(event: Element) -> tuple[str, tuple[str, ...]]:
    found = event.find(f"{{{X}}}message_extensions")
    if found is None:
        return "", ()
    items = _read.counted(found, found.findall(f"{{{X}}}message_extension"))
    comments = [child.text or "" for child in found if not isinstance(child.tag, str)]
    return " ".join(comment.strip() for comment in comments), tuple((item.text or "").strip() for item in items)
