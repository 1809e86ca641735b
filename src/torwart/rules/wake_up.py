"""How often a gateway may be woken (P20: „rate limit“).

A wake-up costs the gateway a signature check and a connection, and whoever may trigger them without bound can keep
it busy; the limit protects it from our clients and from ourselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from torwart.kernel.refusals.precondition import WAKE_UP_TOO_OFTEN
from torwart.rules.lead_time import hours_and_minutes, spoken


@dataclass(frozen=True, slots=True)
class WakeUpLimit:
    """At most ``count`` wake-ups within ``period``, and at least ``gap`` between two (ours, configurable)."""

    count: int = 6
    period: timedelta = timedelta(hours=1)
    gap: timedelta = timedelta(seconds=60)

    def next_allowed(self, sent: Sequence[datetime], at: datetime) -> datetime:
        """``at`` if a wake-up may go out then, else the first instant it may. ``sent``: earlier ones, any order."""
        recent = sorted(instant for instant in sent if instant <= at)
        after_gap = recent[-1] + self.gap if recent else at
        window = recent[-self.count] + self.period if len(recent) >= self.count else at
        return max(at, after_gap, window)

    def check(self, device: str, sent: Sequence[datetime], at: datetime) -> None:
        """Raise ``precondition.wake_up_too_often``, with the time from which it is possible."""
        following = self.next_allowed(sent, at)
        if following > at:
            count = sum(at - self.period < instant <= at for instant in sent)
            raise WAKE_UP_TOO_OFTEN(
                device=device, count=count, period=hours_and_minutes(self.period), next=spoken(following)
            )


DEFAULT = WakeUpLimit()
