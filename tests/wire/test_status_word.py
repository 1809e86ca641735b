"""The status word by the table of TR-03109-1 DS 2.0 ch. 15, graded as the PTB's display software grades it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire.status_word import (
    GATEWAY_BITS,
    METER_BITS,
    NORMAL,
    GatewayFlag,
    MeterFlag,
    MeterKind,
    StatusPtb,
    StatusWord,
)

pytestmark = pytest.mark.requirement("WAN-1.10")

HALVES = st.integers(0, (1 << 32) - 1)
WORDS = st.builds(StatusWord, HALVES, HALVES)
TRUDI_GATEWAY_MASK = "00000000000000000xxx00xx000001x1"
TRUDI_METER_MASK = "00000000000xxxxxxxxxxxxx00000100"


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("210500000004", StatusPtb.FATAL_ERROR),
        ("200500000004", StatusPtb.TEMPORARY_ERROR),
        ("0500000004", StatusPtb.NO_ERROR),
        ("100500000004", StatusPtb.WARNING),
        ("400500000004", StatusPtb.CRITICAL_TEMPORARY_ERROR),
        ("0000000500020004", StatusPtb.FATAL_ERROR),
        ("0000020500000004", StatusPtb.CRITICAL_TEMPORARY_ERROR),
    ],
)
def test_grades_are_those_of_trudi(text: str, grade: StatusPtb) -> None:
    """Each of TRuDI's test vectors, shorter forms padded on the left, has the grade TRuDI gives it."""
    assert StatusWord.parse(text).ptb is grade


@pytest.mark.parametrize(
    ("printed", "word"),
    [
        ("a000000020000000", "0000000500000004"),
        ("A002000020000000", "0000400500000004"),
        ("A084000020000000", "0000210500000004"),
        ("e0020000", "0000400700000000"),
    ],
)
def test_bit_reversed_words_are_read(printed: str, word: str) -> None:
    """A maker's HAN interface prints each half with bit 0 first; the halves keep their places."""
    assert StatusWord.parse_bit_reversed(printed).hex == word


def test_the_normal_word_is_that_of_the_field() -> None:
    """A gateway and a Basiszähler without anything to say send 0000000500000004, and no bit of it speaks."""
    assert str(NORMAL) == "0000000500000004"
    assert NORMAL.bits == ()
    assert NORMAL.is_valid


@given(WORDS)
def test_all_forms_of_a_word_carry_it(word: StatusWord) -> None:
    """Hex, number and octets of any 64 bits lead back to the same word."""
    assert StatusWord.parse(word.hex) == word
    assert StatusWord.parse(word.hex.upper()) == word
    assert StatusWord.from_int(int(word)) == word
    assert StatusWord.from_int(int.from_bytes(word.octets, "big")) == word


@given(WORDS)
def test_reversing_bits_twice_is_nothing(word: StatusWord) -> None:
    """Reading a bit-reversed word that was printed bit-reversed gives the word, half by half."""
    printed = StatusWord.parse_bit_reversed(word.hex)

    assert StatusWord.parse_bit_reversed(printed.hex) == word
    assert printed.gateway.bit_count() == word.gateway.bit_count()


@pytest.mark.parametrize("text", ["", " ", "0x5", "g", "0" * 17, "-5", "１", "00 05", "0_5"])
def test_other_text_is_refused(text: str) -> None:
    """Whatever is not 1 to 16 hex digits is refused, also what Python's int would forgive."""
    for read in (StatusWord.parse, StatusWord.parse_bit_reversed):
        with pytest.raises(Refusal) as caught:
            read(text)
        assert caught.value.code == "status_word.malformed"
        assert "0000000500000004" in caught.value.text("en")


@pytest.mark.parametrize("value", [-1, 1 << 64])
def test_numbers_beyond_64_bits_are_refused(value: int) -> None:
    """A word has 64 bits and no sign."""
    with pytest.raises(Refusal) as caught:
        StatusWord.from_int(value)

    assert caught.value.code == "status_word.malformed"


def flags(enum: type[GatewayFlag] | type[MeterFlag]) -> st.SearchStrategy[int]:
    return st.lists(st.sampled_from(list(enum)), unique=True).map(sum)


WIRED = flags(GatewayFlag).map(lambda word: word & ~(GatewayFlag.WIRELESS | GatewayFlag.METER_ERROR))


@given(WIRED, flags(MeterFlag))
def test_what_is_built_fits_the_table(gateway: int, meter: int) -> None:
    """Every combination of flags gives a valid word of a Basiszähler that answers the same flags, each in words."""
    word = StatusWord.of(gateway, meter)

    assert word.is_valid
    assert word.meter_kind is MeterKind.BASIC
    assert (word.gateway_flags, word.meter_flags) == (gateway, meter)
    assert len(word.bits) == gateway.bit_count() + meter.bit_count()


@given(WIRED, flags(MeterFlag), flags(GatewayFlag), flags(MeterFlag))
def test_more_flags_never_improve_the_grade(gateway: int, meter: int, more: int, more_meter: int) -> None:
    """A word with further flags is graded the same or worse."""
    assert StatusWord.of(gateway | more, meter | more_meter & 0x3FFFF).ptb >= StatusWord.of(gateway).ptb


@given(HALVES, HALVES)
def test_validity_is_that_of_trudi_plus_bit_16(gateway: int, meter: int) -> None:
    """TRuDI's older mask and ours agree on every word of a Basiszähler, but for SMGW_ValueTriggered, new in DS 2.0."""
    fits = re.compile(TRUDI_GATEWAY_MASK.replace("x", ".") + TRUDI_METER_MASK.replace("x", "."))
    # Words near the mask, or hardly any would fit it.
    gateway = gateway & 0x000173FF & ~0xF0 | 5
    meter = meter & 0x003FFF00 | 4

    word = StatusWord(gateway, meter)

    old = StatusWord(gateway & ~GatewayFlag.VALUE_TRIGGERED, meter)
    assert word.is_valid == bool(fits.fullmatch(f"{int(old):064b}"))


METER_ERROR = 32 + 15


@pytest.mark.parametrize("number", [number for number in range(64) if number != METER_ERROR])
def test_each_bit_turned_over_is_either_meant_or_strange(number: int) -> None:
    """Turning one bit of the normal word over either says something or makes it invalid; MTR_Error alone does both."""
    word = StatusWord.from_int(int(NORMAL) ^ 1 << number)

    assert (len(word.bits) == 1) != (not word.is_valid)
    if word.strange_bits and word.meter_kind is MeterKind.BASIC:
        assert word.strange_bits == 1 << number


@pytest.mark.parametrize(
    ("text", "kind", "valid"),
    [
        ("0000000500000004", MeterKind.BASIC, True),
        ("0000000500000008", MeterKind.G697, True),
        ("0000000500000000", MeterKind.UNKNOWN, False),
        ("000000050000000c", MeterKind.UNKNOWN, False),
        ("0002000500000000", MeterKind.OMS, True),
        ("000280050000000f", MeterKind.OMS, True),
        ("0000800500000004", MeterKind.BASIC, False),
    ],
)
def test_the_type_bits_choose_the_column(text: str, kind: MeterKind, valid: bool) -> None:
    """Gateway bit 17 and meter bits 2 and 3 say by which column a word is read; MTR_Error is for wireless only."""
    word = StatusWord.parse(text)

    assert (word.meter_kind, word.is_valid) == (kind, valid)


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("0002000500000020", StatusPtb.FATAL_ERROR),
        ("0002000510000000", StatusPtb.FATAL_ERROR),
        ("0002000500020000", StatusPtb.NO_ERROR),
        ("0000000500020008", StatusPtb.FATAL_ERROR),
    ],
)
def test_a_fatal_meter_is_fatal_in_every_column(text: str, grade: StatusPtb) -> None:
    """MTR_Fatal has other bits for OMS; its bit 17 there only tells of the past."""
    assert StatusWord.parse(text).ptb is grade


def test_bits_speak_by_the_column_of_their_meter() -> None:
    """The same meter bit is a magnet for a Basiszähler and a clock for OMS, in both languages."""
    basic = StatusWord.of(meter=MeterFlag.MAGNETIC_TAMPER).bits[0]
    wireless = StatusWord.combine(GatewayFlag.WIRELESS, 1 << 9).bits[0]

    assert (basic.signal, basic.words.de) == ("MTR_Tamper", "magnetische Manipulation")
    assert (wireless.signal, wireless.words.en) == ("MTR_TimeNotValid", "clock synchronisation failed")


def test_flags_and_table_name_the_same_bits() -> None:
    """Every flag has a row with words and every row of gateway and Basiszähler a flag; bit 17 is a type, no message."""
    gateway = {flag.bit_length() - 1 for flag in GatewayFlag if flag is not GatewayFlag.WIRELESS}

    assert gateway == set(GATEWAY_BITS)
    assert {flag.bit_length() - 1 for flag in MeterFlag} == set(METER_BITS[MeterKind.BASIC])
