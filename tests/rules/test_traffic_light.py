"""The verdict of a connectivity test: the first thing that is wrong decides, and says what to do (P22, N17)."""

from typing import Any

import pytest

from torwart.rules.traffic_light import CLOCK_LIMIT, WEAK_SIGNAL, judge

GOOD: dict[str, Any] = {
    "connected": True,
    "state": "normal",
    "signal": -71,
    "clock_valid": True,
    "clock_offset": 0.2,
    "metering": True,
    "meters": {"1EMH0012345678": True},
}


@pytest.mark.requirement("P22")
@pytest.mark.parametrize(
    ("changes", "colour", "text"),
    [
        ({}, "green", "in Ordnung"),
        ({"connected": False, "clock_valid": False, "metering": False}, "red", "ruft nicht an"),
        ({"clock_valid": False}, "red", "Uhr"),
        ({"clock_offset": CLOCK_LIMIT + 0.1}, "red", "Uhr"),
        ({"clock_offset": -CLOCK_LIMIT - 0.1}, "red", "Uhr"),
        ({"clock_offset": -CLOCK_LIMIT}, "green", "in Ordnung"),
        ({"meters": {"1EMH0012345678": False}, "metering": False}, "red", "1EMH0012345678"),
        ({"metering": False, "state": "secure"}, "red", "misst nicht"),
        ({"state": "secure"}, "red", "secure"),
        ({"signal": WEAK_SIGNAL - 1}, "yellow", "Schwaches Signal"),
        ({"signal": WEAK_SIGNAL}, "green", "in Ordnung"),
        ({"signal": None}, "green", "in Ordnung"),
        ({"meters": {}}, "green", "in Ordnung"),
    ],
)
def test_the_first_trouble_decides(changes: dict[str, Any], colour: str, text: str) -> None:
    """In the order of the installer's hotline: call, clock, meters, metering, signal."""
    light = judge(**{**GOOD, **changes})

    assert (light.colour, text in light.words.de, bool(light.words.en)) == (colour, True, True)


def test_all_absent_meters_are_named_in_order() -> None:
    """Several missing meters are one sentence, sorted."""
    light = judge(**{**GOOD, "meters": {"1EMH0000000002": False, "1EMH0000000001": False, "1EMH0000000003": True}})

    assert "1EMH0000000001, 1EMH0000000002" in light.words.en
    assert "1EMH0000000003" not in light.words.en
