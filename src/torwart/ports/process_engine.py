"""Durable processes, as a port (design D2): a run survives a crash at any instant and continues where it was."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

Json = Any
"""A value of the JSON data model; everything a step returns must be one."""

Story = Callable[["RunContext", Json], Json]
"""A process told as a function: it is called again from the top after each wait or crash, finished steps answer
from their checkpoints, so what stands between steps must be free of effects.
"""


class RunContext(Protocol):
    """What a story can do. Step names are unique within a story; loops put the index into the name."""

    @property
    def run_id(self) -> str: ...

    @property
    def attempt(self) -> int:
        """1 at first; counts up each time the run was taken over after a crash or retried."""
        ...

    def record(self, name: str, do: Callable[[], Json]) -> Json:
        """A step that only writes our data: ``do`` runs inside one database transaction together with its
        checkpoint, so it happens exactly once.
        """
        ...

    def act(self, name: str, do: Callable[[], Json], *, also: Callable[[], None] | None = None) -> Json:
        """A step that acts outside: at least once. ``do`` must look first or be idempotent (intent, act, verify).

        ``also`` writes our own data about it, in one transaction with the checkpoint.
        """
        ...

    def sleep_until(self, name: str, until: datetime) -> None: ...

    def wait(self, topic: str, name: str, look: Callable[[], Json | None], *, until: datetime | None) -> Json | None:
        """Wait until ``look`` answers something other than ``None`` or ``until`` has come (then ``None``).

        The wait is registered for ``topic`` first, then ``look`` is asked, so no nudge is lost; afterwards each
        ``nudge(topic)`` makes it look again. While waiting nothing is held but a row.
        """
        ...

    def now(self) -> datetime:
        """The engine's clock (a test can set it)."""
        ...


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as the engine knows it: ``state`` is pending, running, sleeping, completed, failed or cancelled."""

    run_id: str
    story: str
    state: str
    attempts: int
    result: Json
    failure: str


class ProcessEngine(Protocol):
    """Starting and steering runs. ``spawn``, ``nudge`` and ``cancel`` take part in the caller's open transaction."""

    def register(self, story_name: str, story: Story) -> None: ...

    def spawn(self, story_name: str, run_id: str, params: Json, *, queue: str = "interactive") -> None:
        """Start a run; the same ``run_id`` twice starts one."""
        ...

    def nudge(self, topic: str) -> int:
        """Make the runs that wait for ``topic`` look again; how many there were."""
        ...

    def cancel(self, run_id: str) -> bool:
        """Stop a run at its next step boundary; ``False`` if it had already ended."""
        ...

    def view(self, run_id: str) -> RunView | None: ...

    def list(self, *, state: str | None = None) -> Iterator[RunView]: ...

    def work(self, *, queue: str = "interactive", threads: int = 4, until_idle: bool = False) -> None:
        """Work on runs in this process until ``stop`` is called (or nothing is due, with ``until_idle``)."""
        ...

    def stop(self) -> None: ...
