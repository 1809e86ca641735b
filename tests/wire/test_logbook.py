"""Logs in the real form: round trips, newest first, at most 1000, texts, gaps, damage, refusals."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from torwart.kernel.refusals import Refusal
from torwart.wire.logbook import EVENTS, MAX_ENTRIES, Entry, Level, Logbook, build, parse, words_of
from torwart.wire.profile_generic import P, X

pytestmark = pytest.mark.requirement("WAN-4.2", "WAN-1.8")

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=0)
)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=12).map(
    lambda text: " ".join(text.split())
)
TEMPLATES = TEXT.filter(lambda text: "--" not in text and not text.endswith("-"))
NUMBERS = st.integers(0, 10**9)
ENTRIES = st.builds(
    Entry,
    record_number=NUMBERS,
    seconds_index=NUMBERS,
    at=INSTANTS,
    level=st.sampled_from(Level),
    vendor=TEXT,
    event=NUMBERS,
    success=st.booleans(),
    subject=TEXT,
    template=TEMPLATES,
    extensions=st.lists(TEXT, max_size=3).map(tuple),
    sub_event=NUMBERS,
    version=NUMBERS,
    parent=NUMBERS,
    repetitions=NUMBERS,
)
BOOKS = st.builds(Logbook, st.just("0000636203ff"), st.just("eppc0215990320"), st.lists(ENTRIES, max_size=4).map(tuple))


def entry(number: int, **changes: object) -> Entry:
    values: dict = {"seconds_index": number, "at": AT, "level": Level.INFO, "vendor": "PPC", "event": 16001}
    return Entry(number, **(values | changes))


@given(BOOKS)
def test_logs_round_trip(book: Logbook) -> None:
    """A log is read back from what it writes."""
    assert parse(book.to_xml()) == book


def test_the_form_is_that_of_real_gateways() -> None:
    """Names and nesting of spec/04 §4.2, the template in a comment."""
    made = entry(7, template="[Count] readings transmitted to [Recipient]", extensions=("96", "EMT1"))
    root = etree.fromstring(build("0000636203ff", "eppc0215990320", [made]).to_xml())
    names = {"p": P, "x": X}
    found = root.xpath("p:attributes/p:buffer/p:logbook[@count=1]/p:entry[@id=1]", namespaces=names)[0]

    assert root.get("id") == "0000636203ff.eppc0215990320.sm"
    assert [etree.QName(child).localname for child in found] == [
        "record_number",
        "parent_record_number",
        "repetition_counter",
        "event",
    ]
    assert [etree.QName(child).localname for child in found[-1]] == [
        "seconds_index",
        "timestamp",
        "level",
        "type",
        "outcome",
        "subject_identity",
        "message_extensions",
    ]
    extensions = found[-1][-1]
    assert (extensions.get("count"), extensions[0].text) == ("2", " [Count] readings transmitted to [Recipient] ")


@pytest.mark.parametrize(
    ("template", "extensions", "message"),
    [
        ("[Count] readings to [Recipient]", ("96", "EMT1"), "96 readings to EMT1"),
        ("[Count] readings to [Recipient]", ("96",), "96 readings to [Recipient]"),
        ("Started", ("1.0.0",), "Started 1.0.0"),
        ("", (), ""),
    ],
)
def test_messages_are_templates_filled(template: str, extensions: tuple[str, ...], message: str) -> None:
    """Placeholders are filled in order; fillings too many are appended, too few leave placeholders."""
    assert entry(1, template=template, extensions=extensions).message == message


def test_the_newest_thousand_come_first() -> None:
    """Of more entries the newest thousand are kept, newest first, whatever order they come in."""
    book = build("0000636203ff", "eppc0215990320", [entry(number) for number in range(1, 1202)])

    assert [book.entries[0].record_number, book.entries[-1].record_number] == [1201, 202]
    assert len(parse(book.to_xml()).entries) == MAX_ENTRIES
    with pytest.raises(Refusal):
        Logbook("0000636203ff", "eppc0215990320", tuple(entry(number) for number in range(1001))).to_xml()


def test_gaps_are_seen() -> None:
    """Missing record numbers between those at hand are told as ranges."""
    book = build("0000636203ff", "eppc0215990320", [entry(number) for number in (1, 2, 5, 6, 8)])

    assert book.gaps == ((3, 4), (7, 7))
    assert build("0000636203ff", "eppc0215990320", []).gaps == ()


def test_texts_xml_cannot_carry_are_made_safe() -> None:
    """Control characters become question marks and a double hyphen cannot end the comment."""
    made = entry(1, template="a--b---", subject="x\x00y", extensions=("\x1b[31m",))
    read = parse(build("0000636203ff", "eppc0215990320", [made]).to_xml()).entries[0]

    assert (read.template, read.subject, read.extensions) == ("a- -b- - -", "x?y", ("?[31m",))


def test_levels_have_letters_and_order() -> None:
    """q.level abbreviates the levels; they rise."""
    assert [Level.of_letter(letter) for letter in "IWEFX"] == [*Level, None]
    assert [level.rank for level in Level] == [0, 1, 2, 3]


def test_known_events_have_words() -> None:
    """The numbers seen in real exports are explained in both languages."""
    assert set(EVENTS) == {10041, 10260, 16001}
    assert all(words.de and words.en for words in EVENTS.values())


@pytest.mark.parametrize(
    "change",
    [
        (b">INFO<", b">LOUD<"),
        (b">SUCCESS<", b">MAYBE<"),
        (b"<x:record_number>7<", b"<x:record_number>-7<"),
        (b"<x:record_number>7</x:record_number>", b""),
        (b"2026-03-01T12:00:00Z", b"2026-03-01"),
        (b'<p:logbook count="1">', b'<p:logbook count="2">'),
        (b"<x:event_id>16001</x:event_id>", b"<x:event_id/>"),
        (b"p:object", b"p:other"),
    ],
    ids=lambda change: change[1].decode()[:40],
)
def test_wrong_logs_are_refused(change: tuple[bytes, bytes]) -> None:
    """Each breach of the form is refused by name."""
    body = build("0000636203ff", "eppc0215990320", [entry(7)]).to_xml()
    damaged = body.replace(*change)
    assert damaged != body

    with pytest.raises(Refusal) as caught:
        parse(damaged)

    assert caught.value.code == "logbook.malformed"


@settings(max_examples=200)
@given(BOOKS, st.data())
def test_a_damaged_log_is_refused_or_another_one(book: Logbook, data: st.DataObject) -> None:
    """Cut off or with a flipped bit, a log is refused or reads; nothing else is raised."""
    body = bytearray(book.to_xml())
    if data.draw(st.booleans()):
        del body[data.draw(st.integers(0, len(body) - 1)) :]
    else:
        body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        parse(bytes(body))
    except Refusal:
        return


def test_an_event_is_told_in_words() -> None:
    """Known numbers in both languages, others as their maker says it; placeholders are filled, extra values kept."""
    known = words_of(16001, "[Count] readings transmitted to [Recipient]", ("3", "SW"))
    plain = words_of(10041, "", ())
    maker = words_of(99999, "Meter [Meter] paired", ("1EMH1", "LMN"))

    assert known.de == "Messwerte an Marktteilnehmer übertragen: 3 readings transmitted to SW"
    assert known.en == "3 readings transmitted to SW"
    assert plain.de == "War zu lange ohne Strom"
    assert maker.de == maker.en == "Meter 1EMH1 paired LMN"
