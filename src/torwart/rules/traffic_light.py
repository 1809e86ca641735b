"""The verdict of a connectivity test as a traffic light (P22), in the order of the installer's hotline tree (N17)."""

from collections.abc import Mapping
from dataclasses import dataclass

from torwart.kernel.words import Words

WEAK_SIGNAL = -105
"""dBm; below it LTE connections get unreliable (ours, configurable)."""

CLOCK_LIMIT = 9.0
"""Seconds: ±1 % of 900 s (PTB-A 50.8)."""


@dataclass(frozen=True, slots=True)
class Light:
    """``colour``: red, yellow or green; ``words``: why, and what to do."""

    colour: str
    words: Words


def judge(
    *,
    connected: bool,
    state: str,
    signal: int | None,
    clock_valid: bool,
    clock_offset: float,
    metering: bool,
    meters: Mapping[str, bool],
) -> Light:
    """The first thing that is wrong decides; ``meters``: configured meter → seen on the LMN. Offset in seconds."""
    absent = ", ".join(sorted(meter for meter, seen in meters.items() if not seen))
    if not connected:
        return Light(
            "red",
            Words(
                "Das Gateway ruft nicht an: Stromversorgung, SIM, Antenne, Signal, Firewall und Sperrliste prüfen.",
                "The gateway does not call: check power supply, SIM, antenna, signal, firewall and blocklist.",
            ),
        )
    if not clock_valid or abs(clock_offset) > CLOCK_LIMIT:
        return Light("red", Words("Die Uhr ist nicht gestellt.", "The clock is not set."))
    if absent:
        return Light(
            "red",
            Words(
                f"Nicht am LMN gesehen: {absent}. Kabel, Abschlusswiderstand und Zählernummer prüfen.",
                f"Not seen on the LMN: {absent}. Check cable, terminator and meter number.",
            ),
        )
    if not metering or state not in ("", "normal"):
        return Light("red", Words(f"Das Gateway misst nicht (Zustand {state}).", f"Not metering (state {state})."))
    if signal is not None and signal < WEAK_SIGNAL:
        return Light(
            "yellow",
            Words(f"Schwaches Signal: {signal} dBm. Antenne prüfen.", f"Weak signal: {signal} dBm. Check the antenna."),
        )
    return Light("green", Words("Alles in Ordnung.", "All is well."))
