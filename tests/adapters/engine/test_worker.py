"""Workers outlive their database, forget what is long over, and count what they try; the contract is elsewhere."""

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, connections

from torwart.adapters.database import embedded, stop
from torwart.adapters.engine import AbsurdEngine, Tuning
from torwart.config.installation import django_setup
from torwart.kernel.refusals.engine import ENGINE_CRASHES
from torwart.ports.process_engine import Json, RunContext


@pytest.fixture
def server() -> Iterator[Path]:
    """A database server of the test's own, which it may stop."""
    base = Path(tempfile.mkdtemp(dir="/var/tmp"))
    base.chmod(0o711)
    django_setup(embedded(base / "db", durable=False), migrated=False)
    call_command("migrate", verbosity=0)
    yield base / "db"
    connections.close_all()
    assert stop(base / "db")
    shutil.rmtree(base)


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.requirement("SIM-database-restarted")
def test_a_worker_outlives_a_restart_of_its_database(server: Path) -> None:
    """While the database is away the worker waits; when it is back every run goes on and ends, each step done once."""
    engine = AbsurdEngine(tuning=Tuning(lease=1.0, poll=0.02, pause=0.1))
    away = threading.Event()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE effect (run text, step int)")

    def story(ctx: RunContext, params: Json) -> Json:
        def write(step: int) -> Json:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO effect VALUES (%s, %s)", [ctx.run_id, step])
            time.sleep(0.01)
            return step

        return [ctx.record(f"step {step}", lambda s=step: write(s)) for step in range(20)]

    def failing(ctx: RunContext, params: Json) -> Json:
        if ctx.attempt == 1:
            away.wait(10)
            raise ValueError("while the database is away")
        return ctx.attempt

    engine.register("story", story)
    engine.register("failing", failing)
    engine.spawn("failing", "failing", None)
    for number in range(20):
        engine.spawn("story", f"run {number}", None)
    worker = threading.Thread(target=lambda: (engine.work(threads=4), connection.close()))
    worker.start()
    time.sleep(0.3)
    connections.close_all()
    assert stop(server)
    away.set()
    time.sleep(0.3)
    embedded(server, durable=False)

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and len(list(engine.list(state="completed"))) < 21:
        time.sleep(0.1)
    engine.stop()
    worker.join(10)

    assert len(list(engine.list(state="completed"))) == 21
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT (run, step)) FROM effect")
        assert cursor.fetchone() == (400, 400)


class SetClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 3, 27, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


def test_ended_runs_are_forgotten_after_a_month(own_database: str) -> None:
    """Cleaning removes what ended long ago and leaves what waits, however long it does."""
    clock = SetClock()
    engine = AbsurdEngine(clock=clock)
    engine.register("short", lambda ctx, params: None)
    engine.register("long", lambda ctx, params: ctx.wait("never", "wait", lambda: None, until=None))
    engine.spawn("short", "old", None)
    engine.spawn("long", "waiting", None)
    engine.work(until_idle=True)
    clock.time += timedelta(days=31)
    engine.spawn("short", "new", None)
    engine.work(until_idle=True)

    assert engine.clean() == 1
    assert {view.run_id for view in engine.list()} == {"new", "waiting"}


def test_a_story_that_kills_its_workers_ends(own_database: str) -> None:
    """A run whose worker died again and again without finishing a step fails instead of killing for ever."""
    engine = AbsurdEngine(tuning=Tuning(tries=2))
    told: list[int] = []
    engine.register("story", lambda ctx, params: told.append(ctx.attempt))
    engine.spawn("story", "deadly", None)
    with connection.cursor() as cursor:
        for _ in range(4):
            cursor.execute(
                "UPDATE absurd.r_interactive SET state = 'running', claimed_by = 'dead', claim_expires_at = 'epoch' "
                "WHERE state = 'pending'"
            )
            cursor.execute("SELECT store_sweep('interactive', 10)")
    engine.work(until_idle=True)

    view = engine.view("deadly")
    assert view is not None
    assert (view.state, told) == ("failed", [])
    assert view.failure.endswith(f"[{ENGINE_CRASHES.code}]")


def test_pauses_grow_and_end() -> None:
    """The pause before the next try grows by its factor up to the longest one, within its scatter."""
    tuning = Tuning(pause=1, factor=4, longest_pause=60)
    pauses = [tuning.pause_before(failures).total_seconds() for failures in (1, 2, 3, 4, 50)]

    assert all(0.8 * right <= pause <= 1.2 * right for pause, right in zip(pauses, [1, 4, 16, 60, 60], strict=True))
