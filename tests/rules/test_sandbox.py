"""What the sandbox offers: durations, how far time goes, and which environment a root is of."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.rules import environment, sandbox
from torwart.rules.sandbox import ABOUT, FARTHEST, Behaviour

pytestmark = pytest.mark.requirement("O-7")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT72H", 259_200), ("P3D", 259_200), ("PT90S", 90), ("P1DT2H3M4S", 93_784), ("PT0S", 0), ("P0001D", 86_400)],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    """Days, hours, minutes and seconds by ISO 8601."""
    assert sandbox.duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "P", "PT", "72h", "P1M", "P1Y", "P1W", "-P1D", "P1.5D", "PT1H ", "P٣D", "pt1h"])
def test_what_is_no_such_duration_is_refused(text: str) -> None:
    """Months, years and fractions are not guessed at; nor is anything else."""
    with pytest.raises(Refusal) as refused:
        sandbox.duration(text)
    assert refused.value.code == "sandbox.duration"


@given(st.timedeltas(timedelta(), FARTHEST), st.timedeltas(timedelta(days=-500), timedelta(days=500)))
def test_time_goes_forward_and_not_too_far(ahead: timedelta, by: timedelta) -> None:
    """Whatever is asked for: it is refused, or time is later than before, by whole seconds, and within its bounds."""
    ahead = timedelta(seconds=int(ahead.total_seconds()))
    if by <= timedelta() or ahead + by > FARTHEST:
        with pytest.raises(Refusal) as refused:
            sandbox.further(ahead, by)
        assert refused.value.code == ("sandbox.backwards" if by <= timedelta() else "sandbox.too_far")
        return
    moved = sandbox.further(ahead, by)
    assert ahead < moved <= FARTHEST
    assert moved.microseconds == 0
    assert timedelta() <= moved - ahead - by < timedelta(seconds=1)


def test_every_behaviour_is_described() -> None:
    """What is offered is said in both languages."""
    assert ABOUT.keys() == set(Behaviour)
    assert all(words.de.endswith(".") or ": process." in words.de for words in ABOUT.values())


def test_the_environment_of_a_root() -> None:
    """By common name or organisation, as the certificate policy names them (spec/04 §3.1); live is what is not test."""
    assert environment.of_anchor("SM-Test-Root.CA", "SM-Test-PKI-DE") == "test"
    assert environment.of_anchor("SM-Test-Root.CA", "SM-PKI-DE") == "test"
    assert environment.of_anchor("SM-Root.CA", "SM-Test-PKI-DE") == "test"
    assert environment.of_anchor("SM-Root.CA", "SM-PKI-DE") == "live"


def test_there_is_no_third_environment() -> None:
    """A misspelt one is refused, and a sandbox is of the test system."""
    for name in ("", "Live", "production"):
        with pytest.raises(Refusal) as refused:
            environment.named(name)
        assert refused.value.code == "environment.unknown"
    assert environment.sandbox(True, "test")
    assert not environment.sandbox(False, "live")
    with pytest.raises(Refusal) as refused:
        environment.sandbox(True, "live")
    assert refused.value.code == "environment.sandbox"
