"""What a story holds in its hand: steps that happen once, waits that cost a row."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from torwart.adapters.engine.database import fetch, untouched, without_clash
from torwart.adapters.engine.statements import statements
from torwart.kernel.refusals.engine import ENGINE_NOT_JSON, ENGINE_STEP_TWICE
from torwart.ports.clock import Clock
from torwart.ports.process_engine import Json

_PROVEN_SECONDS = 0.05

OnStep = Callable[[str, str, str, int], None]
"""Called as (run_id, step name, ``"begin"`` or ``"end"``, attempt) around every step that is really executed."""


class Suspended(BaseException):
    """The run sleeps now. Not an ``Exception``, so that a story that catches those does not stop it."""


class NotHeld(BaseException):
    """The run was cancelled, or its lease ran out and it is somebody else's: stop here, change nothing."""


class Leaving(BaseException):
    """The worker is asked to stop: hand the run back at this step boundary."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A run as it was claimed. ``task`` and ``attempt_id`` are absurd's ids, ``failures`` how often it failed since its
    last finished step, ``at`` the engine's time of the claim.
    """

    queue: str
    attempt_id: UUID
    task: UUID
    attempt: int
    at: datetime
    story: str
    run_id: str
    params: Json
    done: dict[str, Json]
    failures: int

    @classmethod
    def of(cls, queue: str, row: tuple[Any, ...]) -> "Claim":
        attempt_id, task, attempt, at, story, run_id, params, done, failures = row
        finished = json.loads(done) if done else {}
        return cls(queue, attempt_id, task, attempt, at, story, run_id, json.loads(params), finished, failures)


class Context:
    """``ports.RunContext`` on one claim. ``leaving`` says whether the worker wants the run back at a step boundary."""

    def __init__(self, claim: Claim, clock: Clock | None, leaving: Callable[[], bool], on_step: OnStep | None) -> None:
        self._claim = claim
        self._done = claim.done
        self._named: set[str] = set()
        self._clock = clock
        self._leaving = leaving
        self._on_step = on_step
        self._sql = statements(claim.queue)
        self._proven = 0.0  # monotonic time at which a checkpoint has last found the run to be ours

    @property
    def run_id(self) -> str:
        return self._claim.run_id

    @property
    def attempt(self) -> int:
        return self._claim.attempt

    def now(self) -> datetime:
        # Never before the instant of the claim: what was due for the database is due for the story.
        present = self._clock.now() if self._clock else datetime.now(UTC)
        return max(present, self._claim.at)

    def record(self, name: str, do: Callable[[], Json]) -> Json:
        if self._is_done(name):
            return self._done[name]
        self._begin(name)
        return self._end(name, without_clash(lambda: self._recorded(name, do)))

    def act(self, name: str, do: Callable[[], Json], *, also: Callable[[], None] | None = None) -> Json:
        if self._is_done(name):
            return self._done[name]
        self._begin(name)
        # An act may take long and cannot be undone: ask once more whether the run is still ours, unless it was proven
        # just now by the step before.
        if time.monotonic() - self._proven > _PROVEN_SECONDS and not self._fetch(self._sql.is_held):
            raise NotHeld
        value, text = self._plain(name, do())
        if also is None:
            self._keep(name, text)
        else:
            with transaction.atomic(durable=True):
                also()
                self._keep(name, text)
        return self._end(name, value)

    def sleep_until(self, name: str, until: datetime) -> None:
        if self._is_done(name):
            return
        self._begin(name)
        text = json.dumps(until.isoformat())
        if until <= self.now():
            self._keep(name, text)
            self._end(name, None)
            return
        self._keep(name, text, self._sql.checkpoint_sleep, until=until)
        raise Suspended

    def wait(self, topic: str, name: str, look: Callable[[], Json | None], *, until: datetime | None) -> Json | None:
        if self._is_done(name):
            return self._done[name]
        self._begin(name)
        until = self._register(topic, name, until)
        while True:
            value, text = self._plain(name, look())
            if value is not None or (until is not None and until <= self.now()):
                self._keep(name, text, self._sql.checkpoint_wait)
                return self._end(name, value)
            asleep, nudged = without_clash(lambda: self._fetch(self._sql.fall_asleep)[0])
            if asleep:
                raise Suspended
            if not nudged:
                raise NotHeld

    def _is_done(self, name: str) -> bool:
        if name in self._named:
            raise ENGINE_STEP_TWICE(story=self._claim.story, step=name)
        self._named.add(name)
        return name in self._done

    def _begin(self, name: str) -> None:
        if self._leaving():
            raise Leaving
        if self._on_step is not None:
            self._on_step(self.run_id, name, "begin", self.attempt)

    def _end(self, name: str, value: Json) -> Json:
        if self._on_step is not None:
            self._on_step(self.run_id, name, "end", self.attempt)
        return value

    def _recorded(self, name: str, do: Callable[[], Json]) -> Json:
        """One transaction for ``do`` and its checkpoint; the checkpoint alone is one if ``do`` left the database be."""
        with transaction.atomic(durable=True):
            value, text = self._plain(name, do())
            alone = untouched()
            if not alone:
                self._keep(name, text)
        if alone:
            self._keep(name, text)
        return value

    def _register(self, topic: str, name: str, until: datetime | None) -> datetime | None:
        row = without_clash(lambda: self._fetch(self._sql.register, topic=topic, name=name, until=until))
        if not row:
            raise NotHeld
        kept: datetime | None = row[0][0]
        return kept

    def _plain(self, name: str, value: Json) -> tuple[Json, str]:
        """The value as a later telling will see it, and its text; raises ``Refusal`` ``engine.not_json``."""
        try:
            text = json.dumps(value, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError) as error:
            raise ENGINE_NOT_JSON(step=name, why=str(error)) from error
        if "\\u0000" in text:
            raise ENGINE_NOT_JSON(step=name, why="NUL")
        return json.loads(text), text

    def _keep(self, name: str, text: str, sql: str | None = None, **more: object) -> None:
        began = time.monotonic()
        if not self._fetch(sql or self._sql.checkpoint, name=name, value=text, **more):
            raise NotHeld
        self._proven = began

    def _fetch(self, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        parameters |= {"task": self._claim.task, "attempt": self._claim.attempt_id}
        return fetch(sql, parameters, self._clock)
