"""The EMT's confirmation: a round trip, and nothing but refusals for anything else."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire.emt_confirmation import Confirmation

pytestmark = pytest.mark.requirement("P03")

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=0)
)
IDS = st.from_regex(r"[0-9A-Za-z._-]{1,80}", fullmatch=True)
CONFIRMATIONS = st.builds(
    Confirmation,
    device=IDS,
    contract=IDS,
    meter=IDS,
    first=INSTANTS,
    last=INSTANTS,
    values=st.integers(0, 9_999_999),
    received=INSTANTS,
    digest=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
)


@given(CONFIRMATIONS)
def test_what_is_written_is_read(confirmation: Confirmation) -> None:
    """Encoding and decoding are inverse."""
    assert Confirmation.decode(confirmation.encode()) == confirmation


@given(CONFIRMATIONS, st.data())
def test_a_damaged_confirmation_is_refused_or_another_one(confirmation: Confirmation, data: st.DataObject) -> None:
    """Cut off or with a flipped bit, a document is refused by name or is a well-formed one; nothing else is raised."""
    document = bytearray(confirmation.encode())
    position = data.draw(st.integers(0, len(document) - 1))
    damaged = bytes(document[:position])
    if data.draw(st.booleans()):
        document[position] ^= 1 << data.draw(st.integers(0, 7))
        damaged = bytes(document)
    try:
        assert isinstance(Confirmation.decode(damaged), Confirmation)
    except Refusal as refusal:
        assert refusal.code == "emt.confirmation_malformed" or refusal.code.startswith("xml.")  # noqa: PT017


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<e:values>3</e:values>", b"<e:values>three</e:values>"),
        (b"<e:values>3</e:values>", b""),
        (b"<e:values>3</e:values>", b"<e:values>3</e:values><e:values>3</e:values>"),
        (b'version="1"', b'version="2"'),
        (b"2026-01-01T00:00:00Z", b"2026-01-01 00:00"),
        (b"aaaa", b"AAAA"),
        (b"EPPC0212345678", b"EPPC 0212345678"),
    ],
)
def test_what_is_not_as_documented_is_refused(old: bytes, new: bytes) -> None:
    """Every field has one form."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    document = Confirmation("EPPC0212345678", "taf7-1", "1EMH0012345678", at, at, 3, at, "a" * 64).encode()
    assert old in document
    with pytest.raises(Refusal) as refusal:
        Confirmation.decode(document.replace(old, new, 1))

    assert refusal.value.code == "emt.confirmation_malformed"
