"""Lifetimes: where a certificate stands, when it is renewed, when people are reminded."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.rules.lifetime import (
    DEFAULT,
    HORIZONS,
    MAIL_REMINDERS,
    Horizon,
    Thresholds,
    horizon,
    needs_renewal,
    reminder,
    renewal_instant,
    suspension_ends,
)
from torwart.rules.validity import Validity

BEGIN = datetime(2026, 1, 13, 10, 37, 8, tzinfo=UTC)
END = datetime(2028, 1, 13, 23, 59, 59, tzinfo=UTC)
VALID = Validity(BEGIN, END)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.mark.requirement("P16", "G-8")
@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (BEGIN - SECOND, Horizon.NOT_YET),
        (BEGIN, Horizon.FAR),
        (END - 90 * DAY - SECOND, Horizon.FAR),
        (END - 90 * DAY, Horizon.PLANNED),
        (END - 60 * DAY - SECOND, Horizon.PLANNED),
        (END - 60 * DAY, Horizon.DUE),
        (END - 30 * DAY, Horizon.URGENT),
        (END, Horizon.URGENT),
        (END + SECOND, Horizon.EXPIRED),
    ],
)
def test_horizon_turns_exactly_at_its_days(at: datetime, expected: Horizon) -> None:
    """90, 60 and 30 days before the end to the second, and the end itself still counts."""
    assert horizon(VALID, at) is expected
    assert needs_renewal(VALID, at) is (expected in (Horizon.DUE, Horizon.URGENT))


def test_without_an_end_nothing_is_renewed() -> None:
    """What has no end is far from it at any time."""
    assert horizon(Validity(), END) is Horizon.FAR
    assert set(HORIZONS) == set(Horizon)


@given(days=st.lists(st.integers(0, 1000), min_size=2, max_size=2))
def test_a_horizon_never_moves_back(days: list[int]) -> None:
    """As time passes a certificate only comes nearer to its end."""
    order = list(Horizon)
    early, late = (horizon(VALID, BEGIN + day * DAY) for day in sorted(days))

    assert order.index(early) <= order.index(late)


@pytest.mark.parametrize("days", [(60, 90, 30), (90, 60, 0), (90, 90, 30)])
def test_thresholds_must_fall(days: tuple[int, int, int]) -> None:
    """A configuration in which urgent comes before due does not start."""
    with pytest.raises(Refusal) as caught:
        Thresholds(*days)
    assert caught.value.code == "lifetime.thresholds"


@pytest.mark.requirement("P16")
@given(subject=st.text())
def test_a_renewal_is_scheduled_inside_its_window(subject: str) -> None:
    """Between 90 and 60 days before the end, the same each time."""
    instant = renewal_instant(subject, END)

    assert END - 90 * DAY <= instant < END - 60 * DAY
    assert instant == renewal_instant(subject, END)


@pytest.mark.requirement("P16")
def test_a_fleet_delivered_on_one_day_is_spread_evenly() -> None:
    """Of 30,000 gateways with the same end, each of the 30 days gets its share, give or take a fifth."""
    first = END - DEFAULT.planned * DAY
    days = [(renewal_instant(f"EPPC02{n:08d}", END) - first) // DAY for n in range(30_000)]
    counts = [days.count(day) for day in range(30)]

    assert sum(counts) == 30_000
    assert all(800 <= count <= 1200 for count in counts)


@pytest.mark.requirement("S-MAIL-4")
def test_reminders_come_at_their_days_once_each() -> None:
    """Looking every hour of the last hundred days sends the reminders 60, 30, 14, 7 and 1, in this order."""
    sent: list[int] = []
    for hour in range(100 * 24 + 1):
        due = reminder(END, END - 100 * DAY + hour * timedelta(hours=1), sent)
        if due is not None:
            sent.append(due)
    assert sent == list(MAIL_REMINDERS)


@pytest.mark.requirement("S-MAIL-4")
def test_missed_reminders_are_not_sent_late() -> None:
    """After a pause only the nearest is sent, and nothing after the end."""
    assert reminder(END, END - 5 * DAY, sent=[60]) == 7
    assert reminder(END, END - 5 * DAY, sent=[60, 7]) is None
    assert reminder(END, END + SECOND, sent=[]) is None


@pytest.mark.requirement("P17")
def test_a_suspension_has_a_limit() -> None:
    """After thirty days it must be decided."""
    assert suspension_ends(BEGIN) == BEGIN + 30 * DAY


def test_validity_is_inclusive_and_nests() -> None:
    """Both ends count; an open end never fits inside a closed one."""
    outer, inner = Validity(BEGIN, END), Validity(BEGIN + DAY, END)

    assert outer.covers(BEGIN)
    assert outer.covers(END)
    assert not outer.covers(END + SECOND)
    assert inner.within(outer)
    assert not outer.within(inner)
    assert not Validity(BEGIN).within(outer)
    assert not Validity(None, END).within(outer)
    assert outer.within(Validity())
    assert (Validity().begin_text, outer.end_text) == ("…", "2028-01-13")
