"""How a device is, at a glance: its state, its last call and the end of its certificates as one light with words.

What a test finds out by asking the device is ``traffic_light``; this is what we know without asking.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from torwart.kernel.gateway_state import ADMINISTERED, COMMISSIONING, GatewayState
from torwart.kernel.words import Words

SILENT_AFTER = timedelta(hours=24)
"""A gateway in our care that has not called for so long is silent (catalogue, P03: „after 24 h of silence“)."""

EXPIRING = timedelta(days=30)
"""Certificates are renewed well before; what is still there by then needs a look."""


@dataclass(frozen=True, slots=True)
class DeviceLight:
    """``colour``: red, yellow, green or grey; ``word``: the shortest true word; ``why``: the sentence beside it."""

    colour: str
    word: Words
    why: Words


def judge(
    state: GatewayState, *, last_contact: datetime | None, certificates_until: datetime | None, now: datetime
) -> DeviceLight:
    """The worst that is known decides. ``certificates_until``: the earliest end among its active certificates."""
    if state in (GatewayState.BLOCKED, GatewayState.SUSPENDED):
        return _BLOCKED if state is GatewayState.BLOCKED else _SUSPENDED
    if state in COMMISSIONING:
        return _COMING
    if state not in ADMINISTERED:
        return _STOCK if state is GatewayState.DELIVERED else _OUT
    if certificates_until is not None and certificates_until <= now:
        return _EXPIRED
    if last_contact is None or now - last_contact > SILENT_AFTER:
        return _SILENT
    if certificates_until is not None and certificates_until - now <= EXPIRING:
        return _EXPIRING
    return _GOOD if state is GatewayState.OPERATIONAL else _HALF


def silent_before(now: datetime) -> datetime:
    """Whoever has called last before this instant is silent."""
    return now - SILENT_AFTER


_GOOD = DeviceLight(
    "green",
    Words("in Ordnung", "all well"),
    Words("In Betrieb, meldet sich, Zertifikate gültig.", "In operation, calling, certificates valid."),
)
_HALF = DeviceLight(
    "yellow",
    Words("noch nicht fertig", "not finished"),
    Words("Erreichbar, aber noch nicht vollständig in Betrieb.", "Reachable, but not yet fully in operation."),
)
_EXPIRING = DeviceLight(
    "yellow",
    Words("Zertifikat läuft ab", "certificate expiring"),
    Words(
        "Ein Zertifikat endet in weniger als 30 Tagen; wir erneuern es von selbst.",
        "A certificate ends in less than 30 days; we renew it by ourselves.",
    ),
)
_SILENT = DeviceLight(
    "red",
    Words("meldet sich nicht", "silent"),
    Words(
        "Seit mehr als 24 Stunden kein Anruf. Prüfen Sie Strom, SIM, Antenne und Empfang.",
        "No call for more than 24 hours. Check power, SIM, antenna and signal.",
    ),
)
_EXPIRED = DeviceLight(
    "red",
    Words("Zertifikat abgelaufen", "certificate expired"),
    Words("Ein Zertifikat ist abgelaufen; wir kümmern uns darum.", "A certificate has expired; we are working on it."),
)
_BLOCKED = DeviceLight(
    "red",
    Words("gesperrt", "blocked"),
    Words("Das Gateway steht auf der Sperrliste und wird abgewiesen.", "The gateway is on the blocklist and refused."),
)
_SUSPENDED = DeviceLight(
    "yellow",
    Words("ausgesetzt", "suspended"),
    Words("Das Gateway ist vorübergehend ausgesetzt.", "The gateway is suspended for a while."),
)
_COMING = DeviceLight(
    "yellow",
    Words("in Inbetriebnahme", "being commissioned"),
    Words("Ein Auftrag nimmt das Gateway gerade in Betrieb.", "An order is just commissioning the gateway."),
)
_STOCK = DeviceLight(
    "grey",
    Words("geliefert", "delivered"),
    Words("Lieferschein importiert, bereit zur Inbetriebnahme.", "Delivery note imported, ready for commissioning."),
)
_OUT = DeviceLight(
    "grey",
    Words("nicht in unserer Verwaltung", "not administered"),
    Words("Das Gateway ist außer Betrieb oder abgegeben.", "The gateway is out of operation or handed over."),
)
