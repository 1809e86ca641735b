"""``ports.ProcessEngine`` on absurd's tables in our database (design D2)."""

import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction

from torwart.adapters.engine.context import OnStep
from torwart.adapters.engine.database import fetch
from torwart.adapters.engine.statements import every_queue
from torwart.adapters.engine.worker import Tuning, Worker
from torwart.kernel.refusals.engine import ENGINE_UNKNOWN_QUEUE
from torwart.ports.clock import Clock
from torwart.ports.process_engine import Json, RunView, Story
from torwart.store.schema import QUEUES

_PAGE = 1000


class AbsurdEngine:
    """Durable runs. ``spawn``, ``nudge``, ``cancel`` and ``retry`` join the transaction open on Django's connection.

    ``clock``: the engine's time, for tests and demonstrations; without it the database's clock. ``on_step`` is told
    of every executed step (see ``context.OnStep``). The topics one transaction nudges should be few (some hundreds):
    each takes a lock of its own until the commit.
    """

    def __init__(
        self, *, clock: Clock | None = None, tuning: Tuning | None = None, on_step: OnStep | None = None
    ) -> None:
        self.clock = clock
        self.tuning = tuning or Tuning()
        self.on_step = on_step
        self.stories: dict[str, Story] = {}
        self._workers: set[Worker] = set()
        self._lock = threading.RLock()  # a signal handler may call stop while this thread holds it

    def register(self, story_name: str, story: Story) -> None:
        self.stories[story_name] = story

    def spawn(self, story_name: str, run_id: str, params: Json, *, queue: str = "interactive") -> None:
        _require_queue(queue)
        self._fetch(
            "SELECT store_spawn(%(queues)s, %(queue)s, %(story)s, %(run_id)s, %(params)s::jsonb)",
            queues=[*QUEUES],
            queue=queue,
            story=story_name,
            run_id=run_id,
            params=json.dumps(params, allow_nan=False),
        )
        transaction.on_commit(self._wake)

    def nudge(self, topic: str) -> int:
        count = int(self._fetch("SELECT store_nudge(%(topic)s)", topic=topic)[0][0])
        if count:
            transaction.on_commit(self._wake)
        return count

    def cancel(self, run_id: str) -> bool:
        return self._on_task("SELECT store_cancel(%(queue)s, %(task)s)", run_id)

    def retry(self, run_id: str) -> bool:
        """Let a failed run go on from where it failed; ``False`` if it has not failed."""
        done = self._on_task("SELECT store_retry(%(queue)s, %(task)s)", run_id)
        transaction.on_commit(self._wake)
        return done

    def clean(self) -> int:
        """Forget runs that ended more than 30 days ago (at most 1,000 a queue and call); how many there were."""
        return sum(int(row[1]) for row in self._fetch("SELECT * FROM absurd.cleanup_all_queues()"))

    def view(self, run_id: str) -> RunView | None:
        rows = self._fetch(every_queue(QUEUES, "t.idempotency_key = %(run_id)s"), run_id=run_id)
        return _view(rows[0]) if rows else None

    def list(self, *, state: str | None = None) -> Iterator[RunView]:
        """All runs, queue by queue, oldest first; read page by page."""
        where = "t.task_id > %(after)s AND (%(state)s::text IS NULL OR t.state = %(state)s)"
        for queue in QUEUES:
            after = "00000000-0000-0000-0000-000000000000"
            while True:
                sql = every_queue((queue,), where + f" ORDER BY t.task_id LIMIT {_PAGE}")
                rows = self._fetch(sql, after=after, state=state)
                yield from map(_view, rows)
                if len(rows) < _PAGE:
                    break
                after = rows[-1][1]

    def work(self, *, queue: str = "interactive", threads: int = 4, until_idle: bool = False) -> None:
        _require_queue(queue)
        worker = Worker(self, queue, threads)
        with self._lock:
            self._workers.add(worker)
        try:
            worker.run(until_idle=until_idle)
        finally:
            with self._lock:
                self._workers.discard(worker)

    def stop(self) -> None:
        with self._lock:
            for worker in tuple(self._workers):
                worker.stop()

    def _wake(self) -> None:
        with self._lock:
            for worker in self._workers:
                worker.wake()

    def _fetch(self, sql: str, **parameters: Any) -> Sequence[tuple[Any, ...]]:
        return fetch(sql, parameters, self.clock)

    def _on_task(self, sql: str, run_id: str) -> bool:
        found = self._fetch(every_queue(QUEUES, "t.idempotency_key = %(run_id)s"), run_id=run_id)
        return bool(found and self._fetch(sql, queue=found[0][0], task=found[0][1])[0][0])


def _require_queue(queue: str) -> None:
    if queue not in QUEUES:
        raise ENGINE_UNKNOWN_QUEUE(queue=queue, known=", ".join(QUEUES))


def _view(row: tuple[Any, ...]) -> RunView:
    _, _, run_id, story, state, attempts, result, failure = row
    reason = json.loads(failure) if failure else {}
    return RunView(
        run_id=run_id,
        story=story,
        state=state,
        attempts=attempts,
        result=json.loads(result) if result else None,
        failure=f"{reason.get('message', '')} [{reason.get('name', '')}]" if reason else "",
    )
