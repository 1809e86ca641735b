"""The wake-up limit: no sequence of wishes wakes a gateway more often than allowed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.rules.wake_up import WakeUpLimit

pytestmark = pytest.mark.requirement("P20")
START = datetime(2026, 11, 23, 9, tzinfo=UTC)
LIMIT = WakeUpLimit(count=3, period=timedelta(hours=1), gap=timedelta(minutes=1))


@given(wishes=st.lists(st.integers(0, 4 * 3600), max_size=60))
def test_no_hour_has_more_than_allowed(wishes: list[int]) -> None:
    """However often it is tried, at most three wake-ups go out in any hour, a minute apart."""
    sent: list[datetime] = []
    for wish in sorted(wishes):
        at = START + timedelta(seconds=wish)
        if LIMIT.next_allowed(sent, at) == at:
            sent.append(at)

    for i, instant in enumerate(sent):
        assert len([later for later in sent[i:] if later < instant + LIMIT.period]) <= LIMIT.count
    assert all(b - a >= LIMIT.gap for a, b in pairwise(sent))


@given(history=st.lists(st.integers(0, 7200), max_size=10), at=st.integers(0, 7200))
def test_the_time_named_is_the_first_possible(history: list[int], at: int) -> None:
    """At the instant the refusal names it works, a second earlier it does not."""
    sent = [START + timedelta(seconds=second) for second in history if second <= at]
    now = START + timedelta(seconds=at)
    following = LIMIT.next_allowed(sent, now)

    assert LIMIT.next_allowed(sent, following) == following
    if following > now:
        earlier = following - timedelta(seconds=1)
        assert LIMIT.next_allowed(sent, earlier) == following


def test_the_refusal_names_count_and_time() -> None:
    """Who asks too often reads how often it was and when it is possible again."""
    sent = [START, START + timedelta(minutes=10), START + timedelta(minutes=20)]
    with pytest.raises(Refusal) as caught:
        LIMIT.check("EPPC0211358875", sent, START + timedelta(minutes=30))

    assert caught.value.code == "precondition.wake_up_too_often"
    assert "3-mal" in caught.value.text("de")
    assert "23.11.2026 11:00" in caught.value.text("de")
    LIMIT.check("EPPC0211358875", sent, START + timedelta(hours=1))
