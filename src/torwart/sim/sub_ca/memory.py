"""What the Sub-CA remembers, on disk: a file that only grows, one JSON object a line, each fsynced before we answer.

A restarted CA reads it from the start. A last line torn by a crash was never answered and is cut off.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

Event = dict[str, Any]


class Memory:
    """An append-only journal of events. ``durable=False`` leaves out fsync, for large runs on slow disks."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._durable = durable
        self._lock = Lock()
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._end = self._cut_torn_line()

    def _cut_torn_line(self) -> int:
        size = os.fstat(self._descriptor).st_size
        while size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            size -= 1
        os.ftruncate(self._descriptor, size)
        return size

    def append(self, event: Event) -> int:
        """Write one event and return where it stands."""
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            at = self._end
            os.pwrite(self._descriptor, line, at)
            if self._durable:
                os.fdatasync(self._descriptor)
            self._end += len(line)
        return at

    def read(self, at: int) -> Event:
        """The event that stands at ``at``."""
        line = b""
        while not line.endswith(b"\n"):
            piece = os.pread(self._descriptor, 16384, at + len(line))
            line += piece.partition(b"\n")[0] + (b"\n" if b"\n" in piece else b"")
        event: Event = json.loads(line)
        return event

    def replay(self) -> Iterator[tuple[int, Event]]:
        """All events with their places, oldest first."""
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            file.seek(0)
            at = 0
            for line in file:
                yield at, json.loads(line)
                at += len(line)

    def close(self) -> None:
        os.close(self._descriptor)
