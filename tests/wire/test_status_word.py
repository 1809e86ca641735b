"""The combined status word: TRuDI's vectors, the masks, the maker that prints it mirrored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire.status_word import (
    GATEWAY_BITS,
    METER_BITS,
    NO_VALUE,
    NORMAL,
    NOT_VALIDATED,
    TIME_NOT_VALID,
    WIRELESS,
    MeterType,
    StatusPTB,
    StatusWord,
)

pytestmark = pytest.mark.requirement("WAN-1.10")

TRUDI_GATEWAY_MASK = "00000000000000000xxx00xx000001x1"
TRUDI_METER_MASK = "00000000000xxxxxxxxxxxxx00000100"
WORDS = st.builds(StatusWord, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))


@pytest.mark.parametrize(
    ("text", "ptb"),
    [
        ("210500000004", StatusPTB.FATAL_ERROR),
        ("200500000004", StatusPTB.TEMPORARY_ERROR),
        ("0500000004", StatusPTB.NO_ERROR),
        ("100500000004", StatusPTB.WARNING),
        ("400500000004", StatusPTB.CRITICAL_TEMPORARY_ERROR),
        ("0000000500020004", StatusPTB.FATAL_ERROR),
        ("0000020500000004", StatusPTB.CRITICAL_TEMPORARY_ERROR),
    ],
)
def test_vectors_of_trudi(text: str, ptb: StatusPTB) -> None:
    """The vectors of TRuDI's own tests, padded on the left, map as there; so do the meter's fatal bit and b9."""
    assert StatusWord.parse(text).ptb is ptb


def test_the_normal_word() -> None:
    """0000000500000004 is a basic meter without anything to report."""
    word = StatusWord.parse("0000000500000004")

    assert word == NORMAL
    assert (str(word), word.meter_type, word.well_formed, word.billable) == (
        "0000000500000004",
        MeterType.BZ,
        True,
        True,
    )


@given(WORDS)
def test_words_round_trip(word: StatusWord) -> None:
    """Text and octets are read back the same."""
    assert StatusWord.parse(str(word)) == StatusWord.of_octets(word.octets) == word


@given(WORDS)
def test_a_mirrored_word_is_read(word: StatusWord) -> None:
    """Printed with each word's bits reversed, a word is read with the reader's option."""
    text = f"{word.gateway:032b}"[::-1] + f"{word.meter:032b}"[::-1]

    assert StatusWord.parse(f"{int(text, 2):016x}", reversed_bits=True) == word


def test_the_makers_normal_word() -> None:
    """a0000000 is the normal gateway word from the left; e0020000 sets validation and overflow of the table."""
    assert StatusWord.parse("a0000000", reversed_bits=True) == StatusWord(5, 0)
    assert StatusWord.parse("e0020000", reversed_bits=True).gateway == 5 | NOT_VALIDATED | 1 << 14


def fits(word: int, mask: str) -> bool:
    return all(bit in ("x", digit) for bit, digit in zip(mask, f"{word:032b}", strict=True))


@given(st.integers(0, 2**21 - 1), st.integers(0, 2**21 - 1))
def test_what_trudis_masks_allow_is_well_formed(gateway: int, meter: int) -> None:
    """TRuDI's validation masks are narrower than Tabelle 15.1: all they allow, we allow."""
    word = StatusWord(gateway & 0x7303 | 5, meter & 0x1FFF00 | 4)

    assert fits(word.gateway, TRUDI_GATEWAY_MASK)
    assert fits(word.meter, TRUDI_METER_MASK)
    assert word.well_formed


@pytest.mark.parametrize(
    "word",
    [
        StatusWord(0, 4),
        StatusWord(4, 4),
        StatusWord(5 | 1 << 3, 4),
        StatusWord(5 | 1 << 18, 4),
        StatusWord(5 | 1 << 15, 4),
        StatusWord(5, 4 | 1 << 0),
        StatusWord(5, 4 | 1 << 21),
        StatusWord(5, 8 | 1 << 29),
    ],
)
def test_bits_outside_the_table_are_not_well_formed(word: StatusWord) -> None:
    """Fixed bits must be as printed and bit 15 belongs to wireless meters only."""
    assert not word.well_formed


def test_meter_types() -> None:
    """Bit 17 of the gateway word and bits 2 and 3 of the meter word tell the column (DS 15.1)."""
    words = [StatusWord(5, 4), StatusWord(5, 8), StatusWord(5 | WIRELESS, 4), StatusWord(5, 0)]

    assert [word.meter_type for word in words] == [MeterType.BZ, MeterType.G697, MeterType.OMS, MeterType.OTHER]


def test_flags_name_what_is_set() -> None:
    """Set bits are told by name, gateway word first, each by its column."""
    names = [bit.name for bit in StatusWord(5 | TIME_NOT_VALID | WIRELESS, 1 << 1 | 1 << 28).flags]

    assert names == ["SMGW_TimeNotValid", "OMS", "magnetic tampering", "permanent error"]
    assert StatusWord(5 | WIRELESS, 1 << 28).ptb is StatusPTB.FATAL_ERROR


@pytest.mark.parametrize("bit", [NOT_VALIDATED, TIME_NOT_VALID, NO_VALUE, 1 << 8, 1 << 14])
def test_flagged_values_are_not_billable(bit: int) -> None:
    """Not validated, invalid time, no value, fatal error and tampering each keep a value out of billing."""
    assert not StatusWord(5 | bit, 4).billable


def test_a_warning_keeps_a_value_billable() -> None:
    """A warning alone does not."""
    assert StatusWord(5 | 1 << 12, 4).billable


@pytest.mark.parametrize("text", ["", "xyz", "0" * 17, "-1", " 5"])
def test_what_is_no_word_is_refused(text: str) -> None:
    """Only one to sixteen hex digits are a word; mirrored ones have eight or sixteen."""
    for reversed_bits in (False, True):
        with pytest.raises(Refusal) as caught:
            StatusWord.parse(text, reversed_bits=reversed_bits)
        assert caught.value.code == "readings.status"
    with pytest.raises(Refusal):
        StatusWord.parse("a00", reversed_bits=True)
    with pytest.raises(Refusal):
        StatusWord.of_octets(b"\0" * 7)


def test_the_table_has_each_bit_once() -> None:
    """Each column names a bit at most once and only bits 0 to 31."""
    for bits in (GATEWAY_BITS, *METER_BITS.values()):
        numbers = [bit.number for bit in bits]
        assert numbers == sorted(set(numbers))
        assert set(numbers) <= set(range(32))
