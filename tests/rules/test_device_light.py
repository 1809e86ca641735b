"""The light of a device: the worst that is known decides, and every light has its words."""

from datetime import UTC, datetime, timedelta

import pytest

from torwart.kernel.gateway_state import GATEWAY, GatewayState
from torwart.rules.device_light import EXPIRING, SILENT_AFTER, judge, silent_before

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _judge(
    state: GatewayState = GatewayState.OPERATIONAL, *, called: timedelta | None = HOUR, left: timedelta = 400 * DAY
):
    last = None if called is None else NOW - called
    return judge(state, last_contact=last, certificates_until=NOW + left, now=NOW)


@pytest.mark.requirement("G-1")
@pytest.mark.parametrize(
    ("light", "colour", "word"),
    [
        (_judge(), "green", "in Ordnung"),
        (_judge(called=SILENT_AFTER), "green", "in Ordnung"),
        (_judge(called=SILENT_AFTER + HOUR), "red", "meldet sich nicht"),
        (_judge(called=None), "red", "meldet sich nicht"),
        (_judge(left=EXPIRING), "yellow", "Zertifikat läuft ab"),
        (_judge(left=EXPIRING + HOUR), "green", "in Ordnung"),
        (_judge(left=timedelta()), "red", "Zertifikat abgelaufen"),
        (_judge(called=9 * DAY, left=timedelta()), "red", "Zertifikat abgelaufen"),
        (_judge(GatewayState.CONNECTED), "yellow", "noch nicht fertig"),
        (_judge(GatewayState.RESERVED, called=None), "yellow", "in Inbetriebnahme"),
        (_judge(GatewayState.DELIVERED, called=None), "grey", "geliefert"),
        (_judge(GatewayState.BLOCKED), "red", "gesperrt"),
        (_judge(GatewayState.SUSPENDED), "yellow", "ausgesetzt"),
        (_judge(GatewayState.REMOVED, called=9 * DAY), "grey", "nicht in unserer Verwaltung"),
    ],
)
def test_the_worst_that_is_known_decides(light, colour: str, word: str) -> None:
    """State first, then what has expired, then silence, then what will expire."""
    assert (light.colour, light.word.de) == (colour, word)


def test_every_state_has_a_light_in_both_languages() -> None:
    """No state is without words, German and English."""
    for state in GATEWAY.states:
        light = _judge(state)
        assert all((light.word.de, light.word.en, light.why.de, light.why.en))


def test_the_list_of_the_silent_is_the_rule_of_the_light() -> None:
    """Whoever called at the limit is not silent, a moment earlier is."""
    limit = silent_before(NOW)
    assert judge(GatewayState.OPERATIONAL, last_contact=limit, certificates_until=None, now=NOW).colour == "green"
    before = limit - timedelta(seconds=1)
    assert judge(GatewayState.OPERATIONAL, last_contact=before, certificates_until=None, now=NOW).colour == "red"
