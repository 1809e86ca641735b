"""Time, as a port: tests make days pass in milliseconds."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where the present comes from."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...
