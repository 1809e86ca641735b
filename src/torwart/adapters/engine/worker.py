"""One process working on one queue: a dispatcher that claims for idle threads, and threads that tell stories."""

import json
import logging
import os
import queue
import random
import socket
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from django.db import InterfaceError, OperationalError, connection

from torwart.adapters.engine.context import Claim, Context, Leaving, NotHeld, Suspended
from torwart.adapters.engine.database import fetch, is_lost, without_clash
from torwart.adapters.engine.statements import statements
from torwart.kernel.refusals import Refusal, Retry
from torwart.kernel.refusals.engine import ENGINE_CRASHES, ENGINE_UNKNOWN_STORY
from torwart.ports.process_engine import Json
from torwart.store.schema import QUEUES

if TYPE_CHECKING:
    from torwart.adapters.engine.engine import AbsurdEngine

_log = logging.getLogger("torwart.engine")
_LOST = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
_SWEEP_SECONDS = 1.0
_SWEEP_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a worker works.

    ``lease``: seconds after which a silent worker's runs are somebody else's; a living one renews at a third of it.
    ``poll``: seconds between looks of an idle worker on orders, ``background_poll`` on all other classes of work;
    spawns and nudges of the same process are seen at once. ``tries``: how often a run may fail in a row, without
    finishing a step in between, before it has failed for good; the pause before the next try grows from ``pause`` by
    ``factor`` up to ``longest_pause`` seconds, ± 20 %.
    """

    lease: float = 15.0
    poll: float = 0.1
    background_poll: float = 0.5
    tries: int = 8
    pause: float = 1.0
    factor: float = 4.0
    longest_pause: float = 3600.0

    def pause_before(self, failures: int) -> timedelta:
        seconds = min(self.pause * self.factor ** (failures - 1), self.longest_pause)
        return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311


class Worker:
    """Works until ``stop``. Every thread has its own database connection and gives it back at its end."""

    def __init__(self, engine: "AbsurdEngine", work: str, threads: int) -> None:
        self._engine = engine
        self._queue = work
        self._sql = statements(work)
        self._poll = engine.tuning.poll if work == QUEUES[0] else engine.tuning.background_poll
        self._name = f"{socket.gethostname()}:{os.getpid()}:{id(self):x}"
        self._inbox: queue.SimpleQueue[Claim | None] = queue.SimpleQueue()
        self._held: dict[UUID, Claim] = {}
        self._idle = threads
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._tell_stories, daemon=True) for _ in range(threads)]
        self._stopping = threading.Event()
        self._look = threading.Event()

    def wake(self) -> None:
        """There may be something to do: look now, not at the next poll."""
        self._look.set()

    def stop(self) -> None:
        """Hand runs back at their next step boundary and end."""
        self._stopping.set()
        self._look.set()

    def run(self, *, until_idle: bool) -> None:
        for thread in self._threads:
            thread.start()
        try:
            self._dispatch(until_idle)
        finally:
            self._stopping.set()
            for _ in self._threads:
                self._inbox.put(None)
            for thread in self._threads:
                self._join(thread)

    def _join(self, thread: threading.Thread) -> None:
        while thread.is_alive():
            thread.join(self._engine.tuning.lease / 3)
            self._guarded(self._beat)

    def _dispatch(self, until_idle: bool) -> None:
        tuning = self._engine.tuning
        next_beat = next_sweep = 0.0
        while not self._stopping.is_set():
            self._look.clear()
            now = time.monotonic()
            if now >= next_beat:
                self._guarded(self._beat)
                next_beat = now + tuning.lease / 3
            if now >= next_sweep:
                self._guarded(self._sweep)
                next_sweep = now + _SWEEP_SECONDS
            quiet = self._idle == len(self._threads)  # asked before the look: whoever works may spawn
            found = self._guarded(self._hand_out)
            if until_idle and quiet and not found:
                return
            self._look.wait(self._poll)

    def _guarded(self, do: Callable[[], int]) -> int:
        """``do`` unless the database is away; then wait a moment, the dispatcher comes back anyway."""
        try:
            return do()
        except _LOST as error:
            is_lost()
            _log.warning("database does not answer, will try again: %s", error)
            self._stopping.wait(1.0)
            return 1

    def _hand_out(self) -> int:
        """Claim as many runs as threads are idle."""
        with self._lock:
            wanted = self._idle
            self._idle = 0
        found = 0
        try:
            if wanted:
                for claim in self._claims(self._sql.claim, wanted):
                    self._inbox.put(claim)
                    found += 1
        finally:
            with self._lock:
                self._idle += wanted - found
        return found

    def _claims(self, sql: str, quantity: int, **parameters: object) -> list[Claim]:
        parameters |= {"quantity": quantity, "worker": self._name, "lease": self._engine.tuning.lease}
        rows = without_clash(lambda: fetch(sql, parameters, self._engine.clock))
        claims = [Claim.of(self._queue, row) for row in rows]
        with self._lock:
            self._held.update((claim.attempt_id, claim) for claim in claims)
        return claims

    def _beat(self) -> int:
        with self._lock:
            held = list(self._held)
        if held:
            fetch(self._sql.beat, {"attempts": held, "lease": self._engine.tuning.lease})
        return len(held)

    def _sweep(self) -> int:
        parameters = {"queue": self._queue, "limit": _SWEEP_AT_ONCE}
        return int(fetch("SELECT store_sweep(%(queue)s, %(limit)s)", parameters, self._engine.clock)[0][0])

    def _tell_stories(self) -> None:
        try:
            while (claim := self._inbox.get()) is not None:
                following: Claim | None = claim
                while following is not None:
                    following = self._tell(following)
                with self._lock:
                    self._idle += 1
                self._look.set()
        finally:
            connection.close()

    def _tell(self, claim: Claim) -> Claim | None:
        """Tell one story as far as it goes; when it ends, the same round trip claims the next one."""
        following = None
        try:
            following = self._told(claim)
        except (Suspended, NotHeld):
            pass
        except Leaving:
            self._settled(claim, self._sql.hand_back, {"attempt": claim.attempt_id})
        except BaseException as error:  # noqa: BLE001 - whatever a story does, its run must end in a true state
            self._failed(claim, error)
        finally:
            with self._lock:
                self._held.pop(claim.attempt_id, None)
        return following

    def _told(self, claim: Claim) -> Claim | None:
        story = self._engine.stories.get(claim.story)
        if story is None:
            raise ENGINE_UNKNOWN_STORY(story=claim.story)
        if claim.failures >= 2 * self._engine.tuning.tries:
            raise ENGINE_CRASHES(story=claim.story, times=claim.failures)
        context = Context(claim, self._engine.clock, self._stopping.is_set, self._engine.on_step)
        result = story(context, claim.params)
        return self._end(claim, result)

    def _end(self, claim: Claim, result: Json) -> Claim | None:
        text = json.dumps(result, allow_nan=False, separators=(",", ":"))
        quantity = 0 if self._stopping.is_set() else 1
        claims = self._claims(self._sql.end_and_claim, quantity, attempt=claim.attempt_id, result=text)
        return claims[0] if claims else None

    def _failed(self, claim: Claim, error: BaseException) -> None:
        """Try again later, or end the run as failed with its reason; a lost connection is left to the lease."""
        if isinstance(error, _LOST) and is_lost():
            _log.warning("run %s left to its lease: %s", claim.run_id, error)
            return
        tuning = self._engine.tuning
        failures = claim.failures + 1
        again = failures < tuning.tries
        reason: dict[str, object] = {"name": type(error).__name__, "message": str(error)}
        if isinstance(error, Refusal):
            again = again and error.kind.retry is Retry.LATER
            reason = {"name": error.code, "message": error.text("de"), "en": error.text("en"), "side": error.side.value}
        else:
            reason["trace"] = "".join(traceback.format_exception(error)[-6:])
        _log.log(
            logging.WARNING if again else logging.ERROR, "run %s (%s) failed: %s", claim.run_id, claim.story, error
        )
        now = self._engine.clock.now() if self._engine.clock else datetime.now(UTC)
        parameters = {
            "queue": claim.queue,
            "task": claim.task,
            "attempt": claim.attempt_id,
            "reason": json.dumps(reason).replace("\\u0000", ""),
            "retry_at": now + tuning.pause_before(failures) if again else None,
        }
        sql = "SELECT store_fail(%(queue)s, %(task)s, %(attempt)s, %(reason)s::jsonb, %(retry_at)s)"
        self._settled(claim, sql, parameters)

    def _settled(self, claim: Claim, sql: str, parameters: dict[str, Any]) -> None:
        """Write where a run stands; if that cannot be written now, its lease runs out and another worker finds it."""
        try:
            without_clash(lambda: fetch(sql, parameters, self._engine.clock))
        except (*_LOST, psycopg.Error) as trouble:
            is_lost()
            _log.warning("run %s left to its lease: %s", claim.run_id, trouble)
