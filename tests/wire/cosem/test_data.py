"""COSEM values in both notations: A2 Tabelle 13's own examples, round trips, ranges, nothing but refusals."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from torwart.kernel.refusals import Refusal
from torwart.wire.cosem.data import TYPES, CompactArray, Data, TypeDescription, array, date_time, instant, structure
from torwart.wire.cosem.literal import parse_literal, to_literal
from torwart.wire.cosem.xmldata import COD, add_data, read_data

pytestmark = pytest.mark.requirement("WAN-1.2")


def code_of(read: Callable[[str], object], text: str) -> str:
    """The refusal's code, "" if ``text`` is read."""
    try:
        read(text)
    except Refusal as refusal:
        return refusal.code
    return ""


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=12)
SCALARS = st.one_of(
    st.just(Data("null-data")),
    st.booleans().map(lambda v: Data("boolean", v)),
    st.integers(-(2**31), 2**31 - 1).map(lambda v: Data("double-long", v)),
    st.integers(0, 2**32 - 1).map(lambda v: Data("double-long-unsigned", v)),
    st.binary(max_size=9).map(lambda v: Data("octet-string", v)),
    TEXT.map(lambda v: Data("visible-string", v)),
    TEXT.map(lambda v: Data("UTF8-string", v)),
    st.integers(-128, 127).map(lambda v: Data("bcd", v)),
    st.integers(-128, 127).map(lambda v: Data("integer", v)),
    st.integers(-(2**15), 2**15 - 1).map(lambda v: Data("long", v)),
    st.integers(0, 255).map(lambda v: Data("unsigned", v)),
    st.integers(0, 2**16 - 1).map(lambda v: Data("long-unsigned", v)),
    st.integers(-(2**63), 2**63 - 1).map(lambda v: Data("long64", v)),
    st.integers(0, 2**64 - 1).map(lambda v: Data("long64-unsigned", v)),
    st.integers(0, 255).map(lambda v: Data("enum", v)),
    st.binary(min_size=4, max_size=4).map(lambda v: Data("float32", v)),
    st.binary(min_size=8, max_size=8).map(lambda v: Data("float64", v)),
    st.binary(min_size=12, max_size=12).map(lambda v: Data("date_time", v)),
    st.binary(min_size=5, max_size=5).map(lambda v: Data("date", v)),
    st.binary(min_size=4, max_size=4).map(lambda v: Data("time", v)),
)
WHOLE_BITS = st.lists(st.sampled_from(["00000000", "10110001"]), max_size=3).map(
    lambda v: Data("bit-string", "".join(v))
)
COMPACT = st.lists(st.integers(-(2**15), 2**15 - 1), max_size=4).map(
    lambda v: Data(
        "compact-array", CompactArray(TypeDescription("long"), b"".join(n.to_bytes(2, "big", signed=True) for n in v))
    )
)


def nested(leaves: st.SearchStrategy[Data]) -> st.SearchStrategy[Data]:
    return st.recursive(
        leaves,
        lambda inner: st.builds(Data, st.sampled_from(["array", "structure"]), st.lists(inner, max_size=4).map(tuple)),
        max_leaves=8,
    )


DESCRIPTIONS = st.recursive(
    st.sampled_from([TypeDescription("long"), TypeDescription("octet-string"), TypeDescription("structure")]),
    lambda inner: st.one_of(
        st.builds(TypeDescription, st.just("array"), st.tuples(inner), st.integers(0, 65535)),
        st.builds(TypeDescription, st.just("structure"), st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)
ANY_COMPACT = st.builds(CompactArray, DESCRIPTIONS, st.binary(max_size=9)).map(lambda v: Data("compact-array", v))
LITERAL_VALUES = nested(SCALARS | WHOLE_BITS | COMPACT)
XML_VALUES = nested(
    SCALARS
    | WHOLE_BITS
    | COMPACT
    | ANY_COMPACT
    | st.text("01", max_size=11).map(lambda v: Data("bit-string", v))
    | st.just(Data("dont-care"))
    | st.binary(min_size=4, max_size=4).map(lambda v: Data("floating-point", v))
)


def as_element(data: Data) -> etree._Element:
    root = etree.Element("root")
    add_data(root, data)
    return etree.fromstring(etree.tostring(root))[0]


@pytest.mark.parametrize(
    ("literal", "data"),
    [
        ("null-data:", Data("null-data")),
        ("boolean:1", Data("boolean", True)),
        ("bit-string:1234", Data("bit-string", "0001001000110100")),
        ("double-long:-12345678", Data("double-long", -12345678)),
        ("double-long-unsigned:123456", Data("double-long-unsigned", 123456)),
        ("octet-string:98aaddff", Data("octet-string", bytes.fromhex("98aaddff"))),
        ("visible-string:31323334", Data("visible-string", "1234")),
        ("UTF8-string:31322233", Data("UTF8-string", '12"3')),
        ("bcd:123", Data("bcd", 123)),
        ("integer:-4", Data("integer", -4)),
        ("long:-12345", Data("long", -12345)),
        ("unsigned:123", Data("unsigned", 123)),
        ("long-unsigned:12345", Data("long-unsigned", 12345)),
        ("long64:123456", Data("long64", 123456)),
        ("long64-unsigned:123456", Data("long64-unsigned", 123456)),
        ("enum:3", Data("enum", 3)),
        ("float32:11223344", Data("float32", bytes.fromhex("11223344"))),
        ("float64:1122334455667788", Data("float64", bytes.fromhex("1122334455667788"))),
        ("date_time:00112233445566778899aabb", Data("date_time", bytes.fromhex("00112233445566778899aabb"))),
        ("date:1122334455", Data("date", bytes.fromhex("1122334455"))),
        ("time:00112233", Data("time", bytes.fromhex("00112233"))),
        ("[integer:1,integer:2,integer:3,integer:4]", array(*(Data("integer", n) for n in (1, 2, 3, 4)))),
        ("{boolean:1,octet-string:1234}", structure(Data("boolean", True), Data("octet-string", b"\x12\x34"))),
        ("integer:[1,2,3,4]", Data("compact-array", CompactArray(TypeDescription("integer"), b"\1\2\3\4"))),
    ],
)
def test_examples_of_table_13(literal: str, data: Data) -> None:
    """Every example of A2 Tabelle 13 reads as the value it shows and is written back the same."""
    assert parse_literal(literal) == data
    assert to_literal(data) == literal


def test_table_13_tags() -> None:
    """The type tags are those of Tabelle 13."""
    expected = {
        "null-data": 0,
        "array": 1,
        "structure": 2,
        "boolean": 3,
        "bit-string": 4,
        "compact-array": 19,
        "time": 27,
    }

    assert {name: TYPES[name].tag for name in expected} == expected


def test_bcd_is_the_same_octet_in_both_notations() -> None:
    """Unsigned8 in the URI, Integer8 in XML: both name the octet 0x99."""
    data = parse_literal("bcd:153")

    assert as_element(data).text == "-103"
    assert to_literal(data) == "bcd:153"


@given(LITERAL_VALUES)
def test_literals_round_trip(data: Data) -> None:
    """A value written as literal is read back the same."""
    assert parse_literal(to_literal(data)) == data


@given(XML_VALUES)
def test_xml_round_trips(data: Data) -> None:
    """A value written as XML is read back the same."""
    assert read_data(as_element(data)) == data


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("integer", 128),
        ("integer", -129),
        ("long", 2**15),
        ("double-long", -(2**31) - 1),
        ("long64", 2**63),
        ("unsigned", -1),
        ("unsigned", 256),
        ("long-unsigned", 2**16),
        ("double-long-unsigned", 2**32),
        ("long64-unsigned", 2**64),
        ("enum", 256),
        ("integer", True),
        ("boolean", 1),
        ("bit-string", "012"),
        ("octet-string", "00"),
        ("float32", b"123"),
        ("date_time", b"\0" * 11),
        ("visible-string", "\x00"),
        ("null-data", 0),
        ("array", (1,)),
        ("nonsense", None),
    ],
)
def test_what_a_type_cannot_hold_is_refused(name: str, value: object) -> None:
    """A value outside its type's range cannot exist."""
    with pytest.raises(Refusal) as caught:
        Data(name, value)

    assert caught.value.code == "cosem.data"


@pytest.mark.parametrize(
    "literal",
    [
        "",
        "long",
        "long:",
        "long:1.5",
        "long:99999",
        "long:+1",
        "boolean:2",
        "boolean:true",
        "octet-string:1",
        "octet-string:0g",
        "[integer:1",
        "{integer:1]",
        "[integer:1 integer:2]",
        "integer:1,integer:2",
        "octet-string:[01,02]",
        "floating-point:00000000",
        "dont-care:",
        "[" * 40,
        "visible-string:ff",
    ],
)
def test_wrong_literals_are_refused(literal: str) -> None:
    """What Tabelle 13 does not write is refused by name."""
    with pytest.raises(Refusal) as caught:
        parse_literal(literal)

    assert caught.value.code == "cosem.literal"


@pytest.mark.parametrize(
    "data",
    [
        Data("dont-care"),
        Data("floating-point", bytes(4)),
        Data("bit-string", "1"),
        Data("compact-array", CompactArray(TypeDescription("octet-string"), b"\1a")),
        Data("compact-array", CompactArray(TypeDescription("long"), b"\1")),
    ],
)
def test_what_has_no_literal_is_refused(data: Data) -> None:
    """Types Tabelle 13 leaves out, broken octets of bits and elements without fixed size cannot be written."""
    with pytest.raises(Refusal) as caught:
        to_literal(data)

    assert caught.value.code == "cosem.literal"


@pytest.mark.parametrize("literal", ["time:[00112233,44556677]", "boolean:[1,0]", "long64:[-1,2]", "unsigned:[]"])
def test_compact_arrays_of_every_form(literal: str) -> None:
    """Octets, booleans and numbers of fixed size make compact arrays."""
    assert to_literal(parse_literal(literal)) == literal


@pytest.mark.parametrize(
    ("name", "parts"),
    [("array", ()), ("long", (TypeDescription("long"),)), ("compact-array", ()), ("nonsense", ())],
)
def test_wrong_type_descriptions_are_refused(name: str, parts: tuple[TypeDescription, ...]) -> None:
    """An array describes one element type, a scalar none."""
    with pytest.raises(Refusal):
        TypeDescription(name, parts)


def test_comments_do_not_hide_text() -> None:
    """A comment within a value splits its text and changes nothing; elements within it are refused."""
    root = etree.fromstring(f'<root xmlns="{COD}"><long>1<!-- x -->2</long></root>')

    assert read_data(root[0]) == Data("long", 12)


@given(st.text("[]{},:abcdefgilnorstu-0123456789", max_size=30))
def test_any_text_is_a_literal_or_refused(text: str) -> None:
    """Reading arbitrary text answers a value or a refusal."""
    assert code_of(parse_literal, text) in ("", "cosem.literal")


@pytest.mark.parametrize(
    "xml",
    [
        "<integer>300</integer>",
        "<integer>1.0</integer>",
        "<integer/>",
        "<Integer8>1</Integer8>",
        "<octet-string>123</octet-string>",
        "<octet-string>12 34</octet-string>",
        "<boolean>yes</boolean>",
        "<null-data>1</null-data>",
        "<long><long>1</long></long>",
        "<float32>00</float32>",
        "<compact-array/>",
        "<compact-array><contents-description><array/></contents-description><array-contents/></compact-array>",
        "<array>" * 20 + "</array>" * 20,
    ],
)
def test_wrong_xml_values_are_refused(xml: str) -> None:
    """What the cod schema does not allow is refused, as is the examples' <Integer8>, which the schema does not have."""
    root = etree.fromstring(f'<root xmlns="{COD}">{xml}</root>')

    with pytest.raises(Refusal) as caught:
        read_data(root[0])

    assert caught.value.code in ("cosem.data", "cosem.body")


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_date_time_keeps_the_instant(at: datetime) -> None:
    """An instant survives the 12 octets to a hundredth of a second."""
    expected = at.replace(microsecond=at.microsecond // 10_000 * 10_000)

    assert instant(date_time(at)) == expected


def test_date_time_deviation_is_minutes_to_utc() -> None:
    """14:00 with deviation -120 (summer time in Germany) is 12:00 UTC; an impossible date is refused."""
    octets = bytes.fromhex("07e8060f060e000000" + (-120).to_bytes(2, "big", signed=True).hex() + "00")

    assert instant(Data("date_time", octets)) == datetime(2024, 6, 15, 12, tzinfo=UTC)
    with pytest.raises(Refusal):
        instant(Data("date_time", b"\xff" * 12))
