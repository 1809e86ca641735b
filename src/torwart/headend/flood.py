"""Rate limits that cost one float per key: the generic cell rate algorithm."""

import time
from collections.abc import Callable, Hashable

_KEYS = 100_000


class RateLimit:
    """Lets each key act ``rate`` times per second, ``burst`` times at once.

    What is kept per key is the instant at which its bucket will be full again. Keys whose instant has passed are
    forgotten when there are too many; if that is not enough, all are: a flood from 100,000 addresses is not ours to
    sort out one by one. Safe to call from several threads: a lost update lets one call more through.
    """

    def __init__(self, rate: float, burst: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1.0 / rate
        self._slack = burst * self._interval + 1e-6  # what adding and subtracting floats may leave
        self._now = now
        self._full_at: dict[Hashable, float] = {}

    def allow(self, key: Hashable) -> bool:
        now = self._now()
        full_at = max(self._full_at.get(key, now), now) + self._interval
        if full_at - now > self._slack:
            return False
        if len(self._full_at) >= _KEYS:
            self._forget(now)
        self._full_at[key] = full_at
        return True

    def exhausted(self, key: Hashable) -> bool:
        """Whether ``allow`` would say no now; changes nothing."""
        now = self._now()
        return max(self._full_at.get(key, now), now) + self._interval - now > self._slack

    def _forget(self, now: float) -> None:
        kept = {key: at for key, at in list(self._full_at.items()) if at > now}
        self._full_at = kept if len(kept) < _KEYS else {}


class Counts:
    """How many connections each key holds."""

    def __init__(self) -> None:
        self._held: dict[Hashable, int] = {}

    def __getitem__(self, key: Hashable) -> int:
        return self._held.get(key, 0)

    def add(self, key: Hashable) -> None:
        self._held[key] = self._held.get(key, 0) + 1

    def remove(self, key: Hashable) -> None:
        left = self._held.get(key, 0) - 1
        if left > 0:
            self._held[key] = left
        else:
            self._held.pop(key, None)
