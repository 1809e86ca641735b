"""Identifiers: every example of the sources, what is forgiven, what is refused and what the answer says."""

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torwart.kernel.identifiers import (
    BdewCode,
    CaseNumber,
    DeviceId,
    DvgwCode,
    Eic,
    Gln,
    Identifier,
    MaLoId,
    MeLoId,
    NeLoId,
    ObisCode,
    SrId,
    TrId,
    market_code,
)
from torwart.kernel.refusals import Refusal

pytestmark = pytest.mark.requirement("O-5")

VALID: dict[type[Identifier], str] = {
    MaLoId: "51238696781 10024073272 12345678913 74018657187 20072281644 84443210210 41373559241 57685676748",
    MeLoId: "DE0003604780400000000000010000176 DE0010696664600000000000000000000 DE0123456789012345678901234567890",
    NeLoId: "E3XS7NXYTL6 EOI05HSBJG0 E1234848431 EA1B2C3D4E1 E0000000019 EZZZZZZZZZ1",
    SrId: "C816417ST77 CA1B2C3D4E3 C0000000011 CGWABPO0017 CZZZZZZZZZ3",
    TrId: "D816417ST76 DA1B2C3D4E2 D0000000010 DGWABPO0016 DZZZZZZZZZ2",
    BdewCode: "9905048000007 9985046000001 9904628000007 9978414000000 9900360000008 9903100000006 9906214000003 "
    "9991000002082 9990001000053",
    DvgwCode: "9870000000008",
    Gln: "4033872000058 4041407000008 4041409000006",
    CaseNumber: "T-123456782 A-000000000 A-999999998",
    Eic: "10YDE-VE-------2 10YNO-4--------9 10YNL----------L 10YGB----------A 10Y1001A1001A82H 10YDE-RWENET---I",
    DeviceId: "EPPC0211358875 EPPC0210486901 EDNT0017038437 EDNT0116909060 ETHE0300004261 1LGZ0038895402 "
    "1ISK0000000001 1EMH0011802881 7LGB0001018986 1LGZ0072999211 EPPC0212345678",
}
EXAMPLES = [(cls, text) for cls, texts in VALID.items() for text in texts.split()]
CHECKED = [cls for cls in VALID if cls.checksum is not None]


def texts_of(cls: type[Identifier]) -> st.SearchStrategy[str]:
    """Any text of the shape of ``cls``, made from its own table and with the right check digit."""
    places = [st.sampled_from(allowed) for count, allowed in cls.shape for _ in range(count)]
    text = st.tuples(*places).map("".join)
    if cls is DeviceId:
        return text.filter(lambda t: t[4:6] != "FF")
    return text if cls.checksum is None else text.map(lambda t: t[:-1] + cls.checksum(t[:-1]))


@pytest.mark.parametrize(("cls", "text"), EXAMPLES)
def test_every_sourced_example_is_accepted_unchanged(cls: type[Identifier], text: str) -> None:
    """Each identifier found in a source is valid and already canonical."""
    assert cls(text) == text
    assert cls(text).warnings == ()


@pytest.mark.parametrize("cls", VALID)
def test_the_example_shown_in_forms_is_valid(cls: type[Identifier]) -> None:
    """What a form shows as example can be typed in."""
    assert cls(cls.example) == cls.example


@pytest.mark.parametrize("cls", VALID)
@given(data=st.data())
@settings(max_examples=40)
def test_what_people_add_is_forgiven(cls: type[Identifier], data: st.DataObject) -> None:
    """Blanks, no-break spaces, lower case and (where they mean nothing) dashes lead to the same canonical text."""
    text = data.draw(texts_of(cls))
    fillers = ["", "", " ", "\u00a0", "\u200b", "\t"] + ([] if cls is Eic else ["-", "–"])
    worn = "".join(c + data.draw(st.sampled_from(fillers)) for c in text)

    assert cls.parse(f"  {worn.lower()}\n") == text


@pytest.mark.parametrize("cls", [c for c in CHECKED if c.binding])
@given(data=st.data())
@settings(max_examples=40)
def test_a_wrong_check_digit_says_which_would_be_right(cls: type[Identifier], data: st.DataObject) -> None:
    """Every other last character is refused, and the refusal names the right one."""
    text = data.draw(texts_of(cls))
    wrong = data.draw(st.sampled_from([c for c in cls.shape[-1][1] if c != text[-1]]))
    with pytest.raises(Refusal) as caught:
        cls(text[:-1] + wrong)

    assert caught.value.code == "identifier.check_digit"
    assert caught.value.details["expected"] == text[-1]


@pytest.mark.parametrize("text", ["9903100000007", "9900987654321"])
def test_bdew_codes_follow_the_a10_rule(text: str) -> None:
    """Code numbers that fail A10 are refused, whatever EAN would say."""
    with pytest.raises(Refusal) as caught:
        BdewCode(text)
    assert caught.value.code == "identifier.check_digit"


def test_a_recollected_rule_only_warns() -> None:
    """A DVGW code with an odd check digit is accepted and pointed out, because no source makes it a rule."""
    assert DvgwCode("9870000000008").warnings == ()
    assert "8" in DvgwCode("9870000000007").warnings[0].de
    assert "F" in DeviceId("FPPC0211358875").warnings[0].en


@pytest.mark.parametrize(
    ("cls", "text", "code", "position"),
    [
        (MaLoId, "", "identifier.empty", None),
        (MaLoId, " - ", "identifier.empty", None),
        (MaLoId, "5123869678", "identifier.length", None),
        (MaLoId, "512386967811", "identifier.length", None),
        (MaLoId, "01238696781", "identifier.character", 1),
        (MaLoId, "5123869678O", "identifier.character", 11),
        (MaLoId, "٥1238696781", "identifier.character", 1),
        (MeLoId, "AT0003604780400000000000010000176", "identifier.character", 1),
        (MeLoId, "DE00036047804ß0000000000010000176", "identifier.character", 14),
        (SrId, "E816417ST77", "identifier.character", 1),
        (NeLoId, "E3XS7NXYTLA", "identifier.character", 11),
        (BdewCode, "9805048000007", "identifier.character", 2),
        (Gln, "40338720000a8", "identifier.character", 12),
        (Eic, "AAYDE-VE-------2", "identifier.character", 1),
        (DeviceId, "EPPCFF11358875", "identifier.character", 6),
        (DeviceId, "EPP10211358875", "identifier.character", 4),
        (DeviceId, "GPPC0211358875", "identifier.character", 1),
        (DeviceId, "EPPC021135887A", "identifier.character", 14),
        (DeviceId, "EPPC021135887ı", "identifier.character", 14),
        (DeviceId, "E" * 100_000, "identifier.length", None),
        (DeviceId, "EPPC0211358875" + " " * 300 + "x", "identifier.length", None),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    cls: type[Identifier], text: str, code: str, position: int | None
) -> None:
    """A refusal says what is wrong, and where, in one short line of either language."""
    with pytest.raises(Refusal) as caught:
        cls(text)

    assert (caught.value.code, caught.value.details.get("position")) == (code, position)
    for language in ("de", "en"):
        assert 20 < len(caught.value.text(language)) < 400
        assert "{" not in caught.value.text(language)


@pytest.mark.parametrize("cls", [*VALID, ObisCode])
@given(text=st.text())
def test_any_text_is_an_identifier_or_refused(cls: type[Identifier], text: str) -> None:
    """Nothing but a canonical identifier or a Refusal comes out of arbitrary text; canonical text is a fixed point."""
    try:
        found = cls(text)
        outcome = cls(str(found)) == found
    except Refusal as refusal:
        outcome = refusal.code.startswith("identifier.")
    assert outcome


@pytest.mark.parametrize("cls", CHECKED)
@given(data=st.data())
@settings(max_examples=40)
def test_complete_appends_the_check_digit(cls: type[Identifier], data: st.DataObject) -> None:
    """The body of an identifier completes to the identifier."""
    text = data.draw(texts_of(cls))

    assert cls.complete(text[:-1]) == text


def test_an_identifier_without_check_digit_cannot_be_completed() -> None:
    """Asking for a check digit where none exists is a mistake of the caller."""
    with pytest.raises(TypeError):
        MeLoId.complete("DE")


def test_identifiers_survive_copies_and_stay_text() -> None:
    """They are plain strings to dictionaries, JSON and pickles, and keep their class."""
    device = DeviceId("EPPC0211358875")

    assert type(pickle.loads(pickle.dumps(device))) is DeviceId
    assert type(copy.deepcopy(device)) is DeviceId
    assert {device: 1}["EPPC0211358875"] == 1


@pytest.mark.parametrize(
    ("text", "cls"), [("9905048000007", BdewCode), ("98 70000000008", DvgwCode), ("4033872000058", Gln)]
)
def test_a_market_code_is_read_by_its_prefix(text: str, cls: type[Identifier]) -> None:
    """The prefix decides by which rule a code number is checked."""
    assert type(market_code(text)) is cls


def test_locations_tell_who_issued_them() -> None:
    """Issuer, network operator and postcode are read from the id."""
    assert (MaLoId("10024073272").issuer, MaLoId("51238696781").issuer) == ("DVGW", "BDEW")
    melo = MeLoId("DE0003604780400000000000010000176")
    assert (melo.network_operator, melo.postcode) == ("000360", "47804")


class TestDeviceId:
    """DIN 43863-5 ids in every form they travel in."""

    @pytest.mark.parametrize(
        ("text", "binary"),
        [
            ("EPPC0211358875", "0e5050430200ad529b"),
            ("1EMH0012345678", "01454d480000bc614e"),
            ("EABC0012345678", "0e4142430000bc614e"),
            ("1EMH0005347109", "01454d480000519725"),
        ],
    )
    @pytest.mark.requirement("WAN-1.5", "WAN-4.5")
    def test_binary_form_as_in_the_sources(self, text: str, binary: str) -> None:
        """The nine bytes of the wake-up packet and the ten of SML agree with the sources."""
        assert DeviceId(text).binary.hex() == binary
        assert DeviceId(text).server_id.hex() == "0a" + binary

    @given(text=texts_of(DeviceId))
    def test_every_form_reads_back(self, text: str) -> None:
        """Binary, server id, host, printed form and certificate name lead back to the same id."""
        device = DeviceId(text)

        assert DeviceId.from_binary(device.binary) == device
        assert DeviceId.from_server_id(device.server_id) == device
        assert DeviceId.from_host(device.host) == device
        assert DeviceId.from_host(device.host + ":443") == device
        assert DeviceId(device.printed) == device
        assert DeviceId(f"{device}.SMGW") == device
        assert DeviceId.of(device.sector, device.flag, device.block, device.number) == device

    @given(data=st.binary(max_size=12))
    def test_any_bytes_are_an_id_or_refused(self, data: bytes) -> None:
        """From the wire comes an id with exactly this binary form, or a refusal."""
        try:
            outcome: bytes | str = DeviceId.from_binary(data).binary
        except Refusal as refusal:
            outcome = refusal.code
        assert outcome in (data, "identifier.binary")

    @pytest.mark.parametrize(
        "data",
        [
            "0e5050430200ad52",
            "1e5050430200ad529b",
            "0e505043ff00ad529b",
            "0e5050430205f5e100",
            "0e7070630200ad529b",
            "0e2d50430200ad529b",
            "0eff50430200ad529b",
        ],
    )
    def test_bytes_outside_the_form_are_refused(self, data: str) -> None:
        """Short input, unknown sector nibble, block FF, nine digits, FLAG that is not three capitals."""
        with pytest.raises(Refusal) as caught:
            DeviceId.from_binary(bytes.fromhex(data))
        assert caught.value.code == "identifier.binary"

    def test_a_server_id_needs_its_prefix(self) -> None:
        """Ten bytes that do not start with 0A are no server id."""
        with pytest.raises(Refusal) as caught:
            DeviceId.from_server_id(bytes.fromhex("0b0e5050430200ad529b"))
        assert caught.value.code == "identifier.binary"

    def test_forms_for_people_and_hosts(self) -> None:
        """Sector, maker, block, number, host and printed form of one id."""
        device = DeviceId("eppc0211358875.sm")

        assert (device.sector, device.flag, device.block, device.number) == ("E", "PPC", 2, 11358875)
        assert device.host == "eppc0211358875.sm"
        assert device.printed == "E PPC 02 1135 8875"
        assert (device.is_gateway, DeviceId("1EMH0011802881").is_gateway) == (True, False)


class TestObisCode:
    """OBIS codes between text and bytes."""

    @pytest.mark.parametrize(
        ("text", "canonical", "hexadecimal"),
        [
            ("1-0:1.8.0", "1-0:1.8.0", "0100010800FF"),
            ("1-0:1.8.0*255", "1-0:1.8.0", "0100010800FF"),
            ("0100010800ff", "1-0:1.8.0", "0100010800FF"),
            (" 1-0 : 16.7.0 ", "1-0:16.7.0", "0100100700FF"),
            ("1–0:2.8.0*1", "1-0:2.8.0*1", "010002080001"),
            ("7-0:03.0.0", "7-0:3.0.0", "0700030000FF"),
        ],
    )
    def test_text_and_hex_agree(self, text: str, canonical: str, hexadecimal: str) -> None:
        """Every way of writing a code leads to one canonical text and its six bytes."""
        assert ObisCode(text) == canonical
        assert ObisCode(text).hex == hexadecimal

    @given(data=st.binary(min_size=6, max_size=6))
    def test_round_trip(self, data: bytes) -> None:
        """Six bytes to text and back are the same six bytes."""
        code = ObisCode.from_binary(data)

        assert ObisCode(str(code)).binary == data
        assert ObisCode.from_hex(code.hex.lower()) == code
        assert ObisCode(code.hex) == code

    @pytest.mark.parametrize(
        "text", ["", "1.8.0", "1-0:1.8", "1-0:1.8.256", "1-0:1.8.0*", "1-0:1.8.0.1", "x", "²-0:1.8.0x"]
    )
    def test_other_text_is_refused(self, text: str) -> None:
        """What is no OBIS code is refused with an example of one."""
        with pytest.raises(Refusal) as caught:
            ObisCode.parse(text)
        assert caught.value.code == "identifier.obis"
        assert "1-0:1.8.0" in caught.value.text("de")

    @pytest.mark.parametrize("wrong", ["0100010800", "zz00010800FF"])
    def test_hex_must_be_twelve_digits(self, wrong: str) -> None:
        """The binary form has exactly six bytes."""
        with pytest.raises(Refusal):
            ObisCode.from_hex(wrong)
        with pytest.raises(Refusal):
            ObisCode.from_binary(b"12345")

    def test_daily_codes_have_words(self) -> None:
        """The registers of the trade have a name in both languages; a rare one has none."""
        meaning = ObisCode("0100010800FF").meaning

        assert meaning is not None
        assert meaning.text("en") == "import, register"
        assert ObisCode("1-0:99.98.1").meaning is None


@pytest.mark.requirement("P-1", "O-2")
def test_an_order_and_its_ticket_share_their_digits() -> None:
    """People say one number on the phone; it is random, so that nobody can count other clients' orders."""
    numbers = {CaseNumber.new("A") for _ in range(200)}

    assert len(numbers) == 200
    assert len({number[2:5] for number in numbers}) > 100
    assert all(number.ticket.order == number and number.ticket[0] == "T" for number in numbers)


@pytest.mark.requirement("C-2")
@pytest.mark.parametrize("text", ["[#T-123456782]", "t123456782", "T 123 456 782", "#T–123456782"])
def test_a_case_number_is_found_as_people_write_it(text: str) -> None:
    """Brackets, blanks, a typographic dash and a missing hyphen are no reason to lose a ticket."""
    assert CaseNumber.parse(text) == "T-123456782"
