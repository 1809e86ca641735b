"""The gateway's own clock: it drifts, is set by NTP, and knows when it must not be believed.

Limits (spec/04 §1.9): two registrations may lie 1 % of a registration period off (PTB-A 50.8: 9 s of 900 s), and a
deviation above 3 % (27 s of 900 s) makes the time invalid: values are then flagged (status bit 9).
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

WARN_SECONDS = 9.0
INVALID_SECONDS = 27.0
POWER_RESERVE = timedelta(days=20)
"""How long the clock runs without supply; after that its time is invalid until the next authentic one (ours)."""


class GatewayClock:
    """Deviation from the true (simulated) time = last offset + drift since then + what a fault adds.

    ``drift_ppm``: parts per million the oscillator runs fast. ``disturbance``: seconds a fault adds on top of every
    setting, as a broken oscillator does. ``valid``: an authentic time was received and has not been lost since.
    """

    __slots__ = ("_offset", "_set_at", "_true", "disturbance", "drift_ppm", "valid")

    def __init__(self, true_time: Callable[[], datetime], *, drift_ppm: float = 0.0, offset: float = 0.0) -> None:
        self._true = true_time
        self.drift_ppm = drift_ppm
        self._offset = offset
        self._set_at = true_time()
        self.disturbance = 0.0
        self.valid = False

    @property
    def deviation(self) -> float:
        """Seconds this clock is ahead of the true time; only the simulation knows it, never the gateway."""
        elapsed = (self._true() - self._set_at).total_seconds()
        return self._offset + self.disturbance + elapsed * self.drift_ppm * 1e-6

    def now(self) -> datetime:
        return self._true() + timedelta(seconds=self.deviation)

    def true_of(self, own: datetime) -> datetime:
        """The true instant at which this clock shows (or showed) ``own``, with the present deviation."""
        return own - timedelta(seconds=self.deviation)

    def step(self, seconds: float) -> None:
        """Correct the clock by ``seconds`` and believe it from now on: what an accepted NTP answer does.

        A disturbed clock is off by its disturbance again at once.
        """
        self._offset = self.deviation + seconds
        self._set_at = self._true()
        self.valid = True

    def power_lost(self, outage: timedelta) -> None:
        """The supply was gone for ``outage``: within the reserve the clock ran on, else its time is invalid."""
        if outage > POWER_RESERVE:
            self.valid = False
            self._offset -= outage.total_seconds()

    def state(self) -> dict[str, Any]:
        """What survives a restart, as JSON."""
        return {"offset": self._offset, "set_at": self._set_at.isoformat(), "valid": self.valid}

    def restore(self, state: dict[str, Any]) -> None:
        self._offset = float(state["offset"])
        self._set_at = datetime.fromisoformat(state["set_at"]).astimezone(UTC)
        self.valid = bool(state["valid"])
