"""How often each client and each certificate may call: a bucket of tokens, refilled steadily, in this process."""

import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass

from torwart.kernel.refusals.interface import TOO_MANY_CALLS


@dataclass(frozen=True, slots=True)
class Standing:
    """What of the limit is left. ``reset``: seconds until the bucket is full again."""

    limit: int
    remaining: int
    reset: int


class RateLimit:
    """``limit`` calls in ``seconds`` for each key, all at once if need be. Several API processes each keep one."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self.seconds = limit, seconds
        self._buckets: dict[Hashable, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, key: Hashable) -> Standing:
        """Charge one call; ``interface.too_many_calls`` says when the next one may come."""
        now, pace = time.monotonic(), self.limit / self.seconds
        with self._lock:
            tokens, since = self._buckets.get(key, (float(self.limit), now))
            tokens = min(self.limit, tokens + (now - since) * pace)
            if tokens < 1:
                self._buckets[key] = (tokens, now)
                wait = max(1, round((1 - tokens) / pace + 0.5))
                raise TOO_MANY_CALLS(limit=self.limit, seconds=round(self.seconds), wait=wait)
            self._buckets[key] = (tokens - 1, now)
        return Standing(self.limit, int(tokens - 1), round((self.limit - tokens + 1) / pace))
