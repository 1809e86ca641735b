"""How old a call in the BDEW dialect may be, and how a failure is told there."""

from datetime import UTC, datetime, timedelta

import pytest

from torwart.kernel.refusals import Refusal, Retry, Side
from torwart.rules.bdew import OLDEST, SKEW, check_created, reason_negative

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("apart", [timedelta(0), -OLDEST, SKEW])
def test_calls_of_now_are_taken(apart: timedelta) -> None:
    """To the second at both ends."""
    check_created(NOW + apart, NOW)


@pytest.mark.parametrize("apart", [-OLDEST - timedelta(seconds=1), SKEW + timedelta(seconds=1)])
def test_calls_of_yesterday_and_tomorrow_are_refused(apart: timedelta) -> None:
    """With the times between which it must lie."""
    with pytest.raises(Refusal) as refused:
        check_created(NOW + apart, NOW)
    assert refused.value.code == "bdew.creation_time"
    assert "2026-11-22T12:00:00Z" in refused.value.text("de")


@pytest.mark.parametrize(
    ("side", "retry", "told"),
    [
        (Side.GATEWAY, Retry.LATER, "communicationFailure"),
        (Side.NETWORK, Retry.NEVER, "communicationFailure"),
        (Side.OURS, Retry.LATER, "overload"),
        (Side.OURS, Retry.NEVER, "unable"),
        (Side.CLIENT, Retry.AFTER_CHANGE, "unable"),
        ("", "", "unable"),
    ],
)
def test_a_failure_in_the_three_words_of_the_source(side: str, retry: str, told: str) -> None:
    """Whatever the side, one of communicationFailure, overload and unable."""
    assert reason_negative(side, retry) == told
