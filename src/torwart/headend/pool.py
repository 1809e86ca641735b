"""Threads for the elliptic-curve work of handshakes: OpenSSL lets go of the GIL, the loop stays free (spec/09 §2b)."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

log = logging.getLogger("torwart.headend.pool")

Step = Callable[[], Any]
"""Runs in a thread; should not raise."""
Done = Callable[[Any], None]
"""Gets in the loop what the step returned."""


class HandshakePool:
    """A few threads and one queue. Results come back in batches: the loop is woken once for all that are ready."""

    def __init__(self, loop: asyncio.AbstractEventLoop, threads: int) -> None:
        self._loop = loop
        self._jobs: SimpleQueue[tuple[Step, Done] | None] = SimpleQueue()
        self._results: deque[tuple[Done, Any]] = deque()
        self._woken = False
        self._threads = [
            threading.Thread(target=self._work, name=f"handshake-{n}", daemon=True) for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, step: Step, done: Done) -> None:
        self._jobs.put((step, done))

    def stop(self) -> None:
        """Let the threads finish what is queued and end."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            step, done = job
            try:
                result = step()
            except Exception:
                # A fault of ours must not take a thread with it: that session ends at its deadline.
                log.exception("handshake step failed")
                continue
            self._results.append((done, result))
            # The first of a batch wakes the loop; whoever comes before the loop looks rides along.
            if not self._woken:
                self._woken = True
                try:
                    self._loop.call_soon_threadsafe(self._deliver)
                except RuntimeError:  # the loop has ended, nobody waits for results any more
                    return

    def _deliver(self) -> None:
        self._woken = False  # before looking: a result put after the last look wakes us again
        while self._results:
            done, result = self._results.popleft()
            done(result)
