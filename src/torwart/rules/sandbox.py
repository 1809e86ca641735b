"""What the sandbox of the test system offers: behaviours of gateways, how far time can be moved (spec/07 point 8)."""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from torwart.kernel.refusals.sandbox import SANDBOX_BACKWARDS, SANDBOX_DURATION, SANDBOX_TOO_FAR
from torwart.kernel.words import Words

FARTHEST = timedelta(days=400)
"""How far service time can ever be ahead: more than a year, so that everything yearly can be seen, and less than the
shortest life of a test certificate."""
MOST_GATEWAYS = 50
"""A client's gateways in the sandbox at one time."""
_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?", re.ASCII)


class Behaviour(StrEnum):
    """How a gateway of the sandbox behaves; ``ABOUT`` says what is seen of it."""

    GOOD = "good"
    SILENT = "silent"
    SLOW = "slow"
    BREAKS_MID_UPDATE = "breaks_mid_update"
    LOSES_ANSWERS = "loses_answers"
    WRONG_CERTIFICATE = "wrong_certificate"
    EXPIRED_CERTIFICATE = "expired_certificate"
    FOREIGN_CERTIFICATE = "foreign_certificate"
    WRONG_CLOCK = "wrong_clock"
    NO_METER = "no_meter"
    WRONG_METER_KEY = "wrong_meter_key"
    REFUSES_PROFILE = "refuses_profile"
    FORGETS_PROFILE = "forgets_profile"


ABOUT: Mapping[Behaviour, Words] = {
    Behaviour.GOOD: Words(
        "Tut alles, was es soll.",
        "Does everything it should.",
    ),
    Behaviour.SILENT: Words(
        "Hört keinen Weckruf und meldet sich nicht; Aufträge warten, ihre Frist läuft.",
        "Hears no wake-up and does not call; orders wait, their deadlines run.",
    ),
    Behaviour.SLOW: Words(
        "Antwortet auf jede Frage erst nach Sekunden; Aufträge gelingen, später.",
        "Answers every question only after seconds; orders succeed, later.",
    ),
    Behaviour.BREAKS_MID_UPDATE: Words(
        "Startet mitten im nächsten Schreiben neu und behält nichts davon; der Auftrag setzt auf und gelingt.",
        "Reboots in the middle of the next write and keeps nothing of it; the order takes up again and succeeds.",
    ),
    Behaviour.LOSES_ANSWERS: Words(
        "Tut, was verlangt wird, und die Verbindung bricht mitten in der Antwort ab.",
        "Does what is asked, and the connection breaks in the middle of the answer.",
    ),
    Behaviour.WRONG_CERTIFICATE: Words(
        "Zeigt ein Zertifikat für einen anderen Zweck; das Head-End weist es ab.",
        "Shows a certificate of another use; the head-end turns it away.",
    ),
    Behaviour.EXPIRED_CERTIFICATE: Words(
        "Zeigt ein abgelaufenes Zertifikat; das Head-End weist es ab.",
        "Shows an expired certificate; the head-end turns it away.",
    ),
    Behaviour.FOREIGN_CERTIFICATE: Words(
        "Zeigt ein Zertifikat einer fremden Zertifizierungsstelle; das Head-End weist es ab.",
        "Shows a certificate of a foreign authority; the head-end turns it away.",
    ),
    Behaviour.WRONG_CLOCK: Words(
        "Seine Uhr geht 20 s vor und lässt sich nicht stellen; die Inbetriebnahme scheitert: process.clock_off.",
        "Its clock is 20 s ahead and cannot be set; commissioning fails: process.clock_off.",
    ),
    Behaviour.NO_METER: Words(
        "Sieht seine Zähler nicht; die Inbetriebnahme scheitert: process.meter_not_seen.",
        "Does not see its meters; commissioning fails: process.meter_not_seen.",
    ),
    Behaviour.WRONG_METER_KEY: Words(
        "Seine Zähler haben andere Schlüssel als der Lieferschein; die Inbetriebnahme scheitert.",
        "Its meters have other keys than the delivery note says; commissioning fails.",
    ),
    Behaviour.REFUSES_PROFILE: Words(
        "Lehnt jedes Profil ab; der Auftrag scheitert: process.step_refused.",
        "Refuses every profile; the order fails: process.step_refused.",
    ),
    Behaviour.FORGETS_PROFILE: Words(
        "Nimmt Profile an und behält, was es vorher hatte; der Auftrag scheitert beim Zurücklesen.",
        "Accepts profiles and keeps what it had before; the order fails when they are read back.",
    ),
}


def duration(text: str) -> timedelta:
    """An ISO 8601 duration of days, hours, minutes and seconds (``P3D``, ``PT72H``)."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise SANDBOX_DURATION(given=text[:40])
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def further(ahead: timedelta, by: timedelta) -> timedelta:
    """``ahead`` moved on by ``by``, to the whole second; never back, never farther than ``FARTHEST``."""
    if by <= timedelta():
        raise SANDBOX_BACKWARDS()
    moved = timedelta(seconds=-(-(ahead + by) // timedelta(seconds=1)))
    if moved > FARTHEST:
        raise SANDBOX_TOO_FAR(days=FARTHEST.days, left=round((FARTHEST - ahead) / timedelta(hours=1), 1))
    return moved
