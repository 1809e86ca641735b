"""Long polls: who may wait for news. Each holds a thread, so some are always left for everybody else (P-1)."""

import threading
import time
from collections import Counter
from collections.abc import Callable

from django.conf import settings

_LOOK_SECONDS = 0.25


class Bench:
    """Seats for ``seats`` waiting calls in this process, half of them for one client at most."""

    def __init__(self, seats: int) -> None:
        self._seats, self._each = max(1, seats), max(1, seats // 2)
        self._taken: Counter[int] = Counter()
        self._lock = threading.Lock()

    def wait(self, client: int, seconds: float, news: Callable[[], bool]) -> None:
        """Return as soon as there is news, when the time is over, or at once when no seat is free."""
        if seconds <= 0 or not self._sit(client):
            return
        try:
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline and not news():
                time.sleep(_LOOK_SECONDS)
        finally:
            self._rise(client)

    def _sit(self, client: int) -> bool:
        with self._lock:
            if self._taken.total() >= self._seats or self._taken[client] >= self._each:
                return False
            self._taken[client] += 1
            return True

    def _rise(self, client: int) -> None:
        with self._lock:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]


BENCH = Bench(settings.TORWART_API_THREADS * 3 // 4)
