"""Test system and live system: two installations that share nothing (R-1, spec/07 point 8)."""

from torwart.kernel.refusals.environment import ENVIRONMENT_SANDBOX, ENVIRONMENT_UNKNOWN

TEST, LIVE = "test", "live"
_TEST_NAMES = ("SM-Test-Root.", "SM-Test-PKI-DE")
"""How the common name or the organisation of every root of the SM-Test-PKI begins (spec/04 §3.1)."""


def named(text: str) -> str:
    """The environment of this name; no third one (``environment.unknown``)."""
    if text not in (TEST, LIVE):
        raise ENVIRONMENT_UNKNOWN(given=text[:40])
    return text


def sandbox(wanted: bool, environment: str) -> bool:
    """Whether this process offers the sandbox; asked for anywhere but in the test system it is refused."""
    if wanted and environment != TEST:
        raise ENVIRONMENT_SANDBOX(environment=environment)
    return wanted


def of_anchor(common_name: str, organisation: str) -> str:
    """Which environment a root of the SM-PKI belongs to, by its name."""
    return TEST if common_name.startswith(_TEST_NAMES) or organisation.startswith(_TEST_NAMES) else LIVE
