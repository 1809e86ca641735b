"""Whether our own clock may be believed, and how often a device may ask it."""

import ctypes
import time
from datetime import datetime

from torwart.headend.flood import RateLimit
from torwart.ports.clock import Clock
from torwart.wire.ntp import Server

_PACKETS_PER_SECOND, _PACKETS_AT_ONCE = 1 / 10, 12
"""Of one device; clients ask once a minute at most (DS 14.3.2.2). More than this is not answered."""
_ASK_KERNEL_SECONDS = 16.0


class TimeSource:
    """Whether our clock may be believed: what the kernel's clock discipline says (adjtimex), asked now and then."""

    def __init__(self, clock: Clock, *, trusted: bool) -> None:
        self._clock = clock
        self._trusted = trusted
        self._asked_at = -_ASK_KERNEL_SECONDS
        self._server = Server(None)
        self.limit = RateLimit(_PACKETS_PER_SECOND, _PACKETS_AT_ONCE)

    def now(self) -> datetime:
        return self._clock.now()

    def server(self) -> Server:
        """The state that answers carry; ``synchronised_at`` ``None`` makes them say leap 3."""
        if time.monotonic() - self._asked_at >= _ASK_KERNEL_SECONDS:
            self._asked_at = time.monotonic()
            good = self._trusted or kernel_is_synchronised()
            self._server = Server(self.now() if good else None)
        return self._server


def kernel_is_synchronised() -> bool:
    """``adjtimex(2)`` without changing anything: its return value is TIME_ERROR (5) on an unsynchronised clock."""
    buffer = ctypes.create_string_buffer(512)  # struct timex, modes = 0: read only; its size is below 256 bytes
    state: int = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    return 0 <= state < 5
