"""The gateway's three logs and what happens when one is full.

PP-0073 as recalled in spec/04 §1.8: system and consumer log overwrite their oldest entry; a full calibration log
stops metering and tells the GWA, because nothing relevant to calibration law may be lost unseen.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from torwart.wire.logbook import Level
from torwart.wire.smgw.model import LogKind

__all__ = ["Entry", "Level", "Log", "LogKind"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; ``parameters`` fill the placeholders of ``text`` (spec/04 §4.2: message extensions)."""

    number: int
    seconds: int
    at: datetime
    level: Level
    event: int
    success: bool
    subject: str
    text: str
    parameters: tuple[str, ...] = ()
    repeated: int = 0

    def as_json(self) -> list[Any]:
        return [
            self.number,
            self.seconds,
            self.at.isoformat(),
            self.level.value,
            self.event,
            self.success,
            self.subject,
            self.text,
            list(self.parameters),
            self.repeated,
        ]

    @classmethod
    def from_json(cls, row: list[Any]) -> "Entry":
        number, seconds, at, level, event, success, subject, text, parameters, repeated = row
        return cls(
            number=number,
            seconds=seconds,
            at=datetime.fromisoformat(at),
            level=Level(level),
            event=event,
            success=success,
            subject=subject,
            text=text,
            parameters=tuple(parameters),
            repeated=repeated,
        )


class Log:
    """A bounded log. ``append`` answers ``None`` exactly when the entry could not be kept: a full calibration log."""

    __slots__ = ("_entries", "_number", "capacity", "name")

    def __init__(self, name: LogKind, capacity: int) -> None:
        self.name = name
        self.capacity = capacity
        self._entries: deque[Entry] = deque()
        self._number = 0

    @property
    def full(self) -> bool:
        return len(self._entries) >= self.capacity

    @property
    def stops_when_full(self) -> bool:
        return self.name is LogKind.CALIBRATION

    def append(
        self,
        at: datetime,
        seconds: int,
        level: Level,
        event: int,
        text: str,
        *parameters: str,
        success: bool = True,
        subject: str = "",
    ) -> Entry | None:
        """Write an entry. The same event as the newest one, repeated, only counts its repetition counter up."""
        newest = self._entries[-1] if self._entries else None
        if newest is not None and (newest.event, newest.subject, newest.parameters, newest.success) == (
            event,
            subject,
            parameters,
            success,
        ):
            self._entries.pop()
            return self._add(
                Entry(newest.number, seconds, at, level, event, success, subject, text, parameters, newest.repeated + 1)
            )
        if self.full:
            if self.stops_when_full:
                return None
            self._entries.popleft()
        self._number += 1
        return self._add(Entry(self._number, seconds, at, level, event, success, subject, text, parameters))

    def _add(self, entry: Entry) -> Entry:
        self._entries.append(entry)
        return entry

    def newest_first(self, limit: int = 1000) -> list[Entry]:
        """At most ``limit`` entries, newest first (the export of real gateways gives up to 1000)."""
        return [entry for entry, _ in zip(reversed(self._entries), range(limit), strict=False)]

    def clear(self) -> None:
        """Forget the entries (after the GWA has read them); numbers go on."""
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def state(self) -> dict[str, Any]:
        return {"number": self._number, "entries": [entry.as_json() for entry in self._entries]}

    def restore(self, state: dict[str, Any]) -> None:
        self._number = state["number"]
        self._entries = deque(Entry.from_json(row) for row in state["entries"])
