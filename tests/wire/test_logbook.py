"""A gateway's log on the wire: newest first, texts as templates, hostile texts harmless."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import torwart.wire
from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals import Refusal
from torwart.wire.logbook import (
    EVENTS,
    MAX_ENTRIES,
    EventType,
    Level,
    Log,
    LogEntry,
    Outcome,
    decode,
    encode,
    log_name,
    one_line,
)

pytestmark = pytest.mark.requirement("WAN-4.2", "WAN-1.8")

SCHEMA = etree.XMLSchema(etree.parse(Path(torwart.wire.__file__).parent / "schema/profile_generic-1.xsd"))
GATEWAY = DeviceId("EPPC0215990320")
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAME = "0000636203ff.eppc0215990320.sm"

NUMBERS = st.integers(0, (1 << 32) - 1)
TEXTS = st.text(max_size=40) | st.text("-[]<>&\x00\r\n\ud800 aä", max_size=20)
ENTRIES = st.builds(
    LogEntry,
    record_number=NUMBERS,
    at=st.integers(0, 253_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    level=st.sampled_from(Level),
    type=st.builds(EventType, NUMBERS, NUMBERS, TEXTS, NUMBERS),
    outcome=st.sampled_from(Outcome),
    subject_identity=TEXTS,
    text=TEXTS,
    extensions=st.lists(TEXTS, max_size=4).map(tuple),
    seconds_index=NUMBERS,
    parent_record_number=NUMBERS,
    repetition_counter=NUMBERS,
)


def entry(number: int = 1, event: int = 16001) -> LogEntry:
    return LogEntry(
        number,
        AT,
        Level.INFO,
        EventType(event, vendor_id="TORWART-SIM"),
        text="[Count] readings transmitted to [Recipient]",
        extensions=("96", "9904234560001"),
    )


@given(st.lists(ENTRIES, max_size=6))
def test_what_is_written_is_read_and_fits_the_schema(entries: list[LogEntry]) -> None:
    """Any log, whatever its texts hold, survives the wire unchanged and is valid by the shipped schema."""
    written = Log(log_name(GATEWAY), tuple(entries))

    document = encode(written)

    assert decode(document) == written
    SCHEMA.assertValid(etree.fromstring(document))


FIELD_EXPORT = """<?xml version="1.0" encoding="UTF-8"?>
<a:object id="0000636203ff.eppc0215990320.sm" class_id="7" class_version="1"
          xmlns:a="urn:k461-dke-de:profile_generic-1" xmlns:b="urn:k461-dke-de:extension-1">
  <a:attributes count="3">
    <b:logical_name id="1">0000636203ff.eppc0215990320.sm</b:logical_name>
    <a:capture_objects id="2" count="0"/>
    <a:buffer id="3">
      <a:logbook count="1">
        <a:entry id="1">
          <b:record_number>812</b:record_number>
          <b:parent_record_number>811</b:parent_record_number>
          <b:repetition_counter>2</b:repetition_counter>
          <b:event>
            <b:seconds_index>70012345</b:seconds_index>
            <b:timestamp>2026-01-01T12:00:00Z</b:timestamp>
            <b:level>WARNING</b:level>
            <b:type>
              <b:version>1</b:version><b:vendor_id>0</b:vendor_id>
              <b:event_id>10041</b:event_id><b:event_sub_id>3</b:event_sub_id>
            </b:type>
            <b:outcome>FAILURE</b:outcome>
            <b:subject_identity>eppc0215990320.sm</b:subject_identity>
            <b:message_extensions count="1">
              <!-- Gerät war [Dauer] s ohne Strom -->
              <b:message_extension id="1">7260</b:message_extension>
            </b:message_extensions>
          </b:event>
        </a:entry>
      </a:logbook>
    </a:buffer>
  </a:attributes>
</a:object>
""".encode()


def test_the_form_of_the_field_is_read() -> None:
    """Every element of an export has its place, and the template in the comment is filled."""
    found = decode(FIELD_EXPORT)

    assert found == Log(
        NAME,
        (
            LogEntry(
                record_number=812,
                parent_record_number=811,
                repetition_counter=2,
                seconds_index=70012345,
                at=AT,
                level=Level.WARNING,
                type=EventType(10041, 3, "0", 1),
                outcome=Outcome.FAILURE,
                subject_identity="eppc0215990320.sm",
                text="Gerät war [Dauer] s ohne Strom",
                extensions=("7260",),
            ),
        ),
    )
    assert found.entries[0].sentence("en") == "Gerät war 7260 s ohne Strom"


def test_known_events_speak_both_languages() -> None:
    """An event of the table is told in the reader's language, with the gateway's values."""
    assert entry().sentence("de") == "96 Messwerte an Marktteilnehmer 9904234560001 übertragen"
    assert entry().sentence("en") == "96 readings transmitted to market participant 9904234560001"
    assert {10041, 10260, 16001} == set(EVENTS)


@pytest.mark.parametrize(
    ("text", "extensions", "sentence"),
    [
        ("[A] and [B] and [A]", ("1", "2"), "1 and 2 and 1"),
        ("[A] and [B]", ("1",), "1 and [B]"),
        ("[A]", ("1", "2", "3"), "1 (2, 3)"),
        ("", ("1",), "(1)"),
        ("plain", (), "plain"),
        ("[A]", ("[B]",), "[B]"),
    ],
)
def test_templates_are_filled_without_losing_values(text: str, extensions: tuple[str, ...], sentence: str) -> None:
    """Values fill the places in their order, values without a place follow in brackets, no value is a template."""
    assert replace(entry(event=99), text=text, extensions=extensions).sentence() == sentence


def test_the_newest_entry_comes_first() -> None:
    """Entries are kept and written by falling record number, whatever order they came in."""
    written = Log(NAME, (entry(2), entry(3), entry(1)))

    assert [found.record_number for found in decode(encode(written)).entries] == [3, 2, 1]


def test_at_most_a_thousand_entries_are_carried() -> None:
    """A thousand entries pass both ways; one more is refused when made and when read."""
    full = Log(NAME, tuple(entry(number) for number in range(MAX_ENTRIES)))
    document = encode(full)
    one, _, rest = document.partition(b'<p:entry id="1">')
    more = one + b'<p:entry id="0">' + rest.partition(b"</p:entry>")[0] + b'</p:entry><p:entry id="1">' + rest

    assert decode(document) == full
    for make in (
        lambda: Log(NAME, (*full.entries, entry(MAX_ENTRIES))),
        lambda: decode(more.replace(b'logbook count="1000"', b'logbook count="1001"')),
    ):
        with pytest.raises(Refusal) as caught:
            make()
        assert caught.value.code == "logbook.too_long"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b'logbook count="1"', b'logbook count="2"', "profile_generic.malformed"),
        (b"WARNING", b"warning", "profile_generic.malformed"),
        (b"FAILURE", b"MAYBE", "profile_generic.malformed"),
        (b"<b:record_number>812</b:record_number>", b"", "profile_generic.malformed"),
        (b">812<", b">-1<", "profile_generic.value"),
        (b">812<", b">4294967296<", "profile_generic.value"),
        (b"b:event>", b"b:evening>", "profile_generic.malformed"),
        (b"12:00:00Z", b"25:00:00Z", "profile_generic.malformed"),
        (b'message_extensions count="1"', b'message_extensions count="2"', "profile_generic.malformed"),
        (b"0000636203ff.eppc0215990320.sm", b"log", "profile_generic.malformed"),
        (b"a:logbook", b"a:simple_data", "profile_generic.malformed"),
    ],
)
def test_wrong_documents_are_refused_by_name(old: bytes, new: bytes, code: str) -> None:
    """One thing wrong in a good document is refused under its own code."""
    assert old in FIELD_EXPORT

    with pytest.raises(Refusal) as caught:
        decode(FIELD_EXPORT.replace(old, new))

    assert caught.value.code == code
    assert caught.value.text("de") != caught.value.text("en")


@given(st.data())
def test_damaged_documents_are_read_or_refused(data: st.DataObject) -> None:
    """A document cut short or with bits turned over raises nothing but a refusal."""
    document = bytearray(FIELD_EXPORT)
    if data.draw(st.booleans()):
        del document[data.draw(st.integers(0, len(document) - 1)) :]
    for position in data.draw(st.lists(st.integers(0, max(len(document) - 1, 0)), max_size=4)):
        if document:
            document[position] ^= 1 << data.draw(st.integers(0, 7))

    try:
        found = decode(bytes(document))
    except Refusal:
        return

    assert decode(encode(found)) == found


@given(st.text())
def test_texts_become_one_printable_line(text: str) -> None:
    """No text breaks a log: the result is one line of at most 400 characters, and folding it again changes nothing."""
    line = one_line(text)

    assert len(line) <= 400
    assert not any(c in line for c in "\r\n\t\x00\x1b\x85\u2028")
    assert one_line(line) == line


def test_logs_have_names_by_their_number() -> None:
    """The log of the exports is 0-0:99.98.3; others differ in group E."""
    assert log_name(GATEWAY) == NAME
    assert log_name(GATEWAY, 1) == "0000636201ff.eppc0215990320.sm"
