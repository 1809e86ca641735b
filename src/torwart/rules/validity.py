"""When something is in force: approvals, certificates, profiles."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self


@dataclass(frozen=True, slots=True)
class Validity:
    """From ``begin`` up to and including ``end``; ``None`` is without limit. Instants are kept in UTC."""

    begin: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "begin", self.begin and self.begin.astimezone(UTC))
        object.__setattr__(self, "end", self.end and self.end.astimezone(UTC))

    def covers(self, at: datetime) -> bool:
        """Whether it is in force at ``at``."""
        return (self.begin is None or self.begin <= at) and (self.end is None or at <= self.end)

    def covers_all(self, first: datetime, last: datetime) -> bool:
        """Whether it is in force from ``first`` to ``last``."""
        return self.covers(first) and self.covers(last)

    def within(self, other: Self) -> bool:
        """Whether it lies inside ``other``, e.g. a certificate inside its issuer's (shell model, spec/04 §3.3)."""
        begins = other.begin is None or (self.begin is not None and other.begin <= self.begin)
        return begins and (other.end is None or (self.end is not None and self.end <= other.end))

    @property
    def begin_text(self) -> str:
        """For messages: an ISO date, or ``…`` for no limit."""
        return f"{self.begin:%Y-%m-%d}" if self.begin else "…"

    @property
    def end_text(self) -> str:
        return f"{self.end:%Y-%m-%d}" if self.end else "…"
