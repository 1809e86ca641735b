"""What every process engine owes us (ports.process_engine), asked of the one we use, with real processes and kills."""

import importlib.util
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from torwart.adapters.engine import AbsurdEngine, Tuning
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.database import DATABASE_NOT_MIGRATED, DATABASE_UNREACHABLE
from torwart.ports.process_engine import Json, ProcessEngine, RunContext

SCRIPT = Path(__file__).with_name("engine_worker.py")
_spec = importlib.util.spec_from_file_location("engine_worker", SCRIPT)
assert _spec is not None
assert _spec.loader is not None
engine_worker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(engine_worker)

NOON = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
pytestmark = [pytest.mark.requirement("O-8")]


class SetClock:
    """A clock a test sets."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def database(own_database: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE effect (run text, step text, pid integer)")
        cursor.execute("CREATE TABLE word (said text)")
    return own_database


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def engine(database: str, clock: SetClock) -> ProcessEngine:
    """An engine whose days pass when the test says so."""
    return AbsurdEngine(clock=clock, tuning=Tuning(poll=0.01, tries=3))


@pytest.fixture
def real_time(database: str) -> ProcessEngine:
    return AbsurdEngine(tuning=Tuning(lease=engine_worker.LEASE, poll=0.01))


def rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def say(word: str) -> Json:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO word VALUES (%s)", [word])
    return word


def said(word: str) -> Json | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT said FROM word WHERE said = %s", [word])
        found = cursor.fetchone()
    return found[0] if found else None


def tell(engine: ProcessEngine, story: Callable[[RunContext, Json], Json], params: Json = None) -> str:
    """Start one run of ``story`` and work until nothing is due."""
    engine.register("story", story)
    run_id = str(uuid.uuid4())
    engine.spawn("story", run_id, params)
    engine.work(threads=2, until_idle=True)
    return run_id


def state(engine: ProcessEngine, run_id: str) -> str:
    view = engine.view(run_id)
    assert view is not None
    return view.state


@pytest.fixture
def working() -> Iterator[Callable[[ProcessEngine], None]]:
    """Let an engine work in the background until the test ends."""
    started: list[tuple[ProcessEngine, threading.Thread]] = []

    def start(engine: ProcessEngine) -> None:
        thread = threading.Thread(target=lambda: (engine.work(threads=4), connection.close()))
        thread.start()
        started.append((engine, thread))

    yield start
    for engine, thread in started:
        while thread.is_alive():
            engine.stop()
            thread.join(0.05)


def eventually(ask: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not ask():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


# --- once, exactly or at least ------------------------------------------------------------------------------------


def test_a_run_returns_what_its_story_returns(engine: ProcessEngine) -> None:
    """A story's value is kept as the result of its run."""

    def story(ctx: RunContext, params: Json) -> Json:
        return {"sum": ctx.record("add", lambda: params["a"] + params["b"]), "attempt": ctx.attempt}

    view = engine.view(tell(engine, story, {"a": 2, "b": 3}))

    assert view is not None
    assert (view.state, view.result, view.failure) == ("completed", {"sum": 5, "attempt": 1}, "")


def test_killed_at_any_instant_records_exactly_once_and_acts_at_least_once(
    database: str, real_time: ProcessEngine
) -> None:
    """Whenever a worker dies by SIGKILL, recorded steps have happened once, acts once or twice, and the run ends."""
    points = range(1, 46)
    run_ids = [str(uuid.uuid4()) for _ in points]
    for run_id in run_ids:
        real_time.spawn("story", run_id, {})

    statuses = _work_in_processes(database, ",".join(str(point) for point in points))
    time.sleep(engine_worker.LEASE)
    finished = _work_in_processes(database, "0")

    assert statuses.count(-signal.SIGKILL) > 35  # the last points lie behind the end of a run
    assert finished == [0]
    assert {"completed"} == {state(real_time, run_id) for run_id in run_ids}
    recorded = rows("SELECT run, step, count(*) FROM effect WHERE step LIKE 'record%' GROUP BY 1, 2")
    acted = rows("SELECT run, count(*) FROM effect WHERE step = 'act' GROUP BY 1")
    assert (len(run_ids) * engine_worker.STEPS, {1}) == (len(recorded), {count for _, _, count in recorded})
    assert (len(run_ids), {1, 2}) == (len(acted), {count for _, count in acted})


def _work_in_processes(database: str, points: str) -> list[int]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), database, points], capture_output=True, text=True, check=True, timeout=120
    )
    return [int(line) for line in done.stdout.split()]


def test_a_worker_that_lost_its_run_in_a_step_changes_nothing(real_time: ProcessEngine) -> None:
    """Taken over in the middle of a step, a run goes on elsewhere, and what the late worker wrote is undone."""
    entered, go_on = threading.Event(), threading.Event()

    def story(ctx: RunContext, params: Json) -> Json:
        def write() -> Json:
            say(f"attempt {ctx.attempt}")
            if ctx.attempt == 1:
                entered.set()
                go_on.wait(10)
            return ctx.attempt

        return [ctx.record("write", write), ctx.record("and on", lambda: say("and on"))]

    real_time.register("story", story)
    real_time.spawn("story", "run", None)
    late = threading.Thread(target=lambda: (real_time.work(threads=1, until_idle=True), connection.close()))
    late.start()
    assert entered.wait(10)
    rows("UPDATE absurd.r_interactive SET claim_expires_at = 'epoch' RETURNING 1")
    real_time.work(threads=1, until_idle=True)
    go_on.set()
    late.join(10)

    view = real_time.view("run")
    assert view is not None
    assert (view.state, view.result) == ("completed", [2, "and on"])
    assert rows("SELECT said FROM word ORDER BY 1") == [("and on",), ("attempt 2",)]


def test_two_workers_never_tell_the_same_run(database: str, real_time: ProcessEngine) -> None:
    """Under two busy worker processes each run is told by one of them, once."""
    for number in range(60):
        real_time.spawn("story", f"run {number}", {"pause": 0.002})

    command = [sys.executable, str(SCRIPT), database, "0"]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    for worker in workers:
        worker.communicate(timeout=60)

    tellers = rows("SELECT run, count(DISTINCT pid), count(*) FROM effect GROUP BY 1")
    assert (60, {(1, engine_worker.STEPS + 1)}) == (len(tellers), {(pids, count) for _, pids, count in tellers})
    assert len(rows("SELECT DISTINCT pid FROM effect")) == 2
    assert {1} == {view.attempts for view in real_time.list()}


def test_a_step_that_failed_leaves_nothing_behind(engine: ProcessEngine, clock: SetClock) -> None:
    """What a recorded step wrote before it failed is undone; the next try writes it once."""
    tries: list[int] = []

    def story(ctx: RunContext, params: Json) -> Json:
        def write() -> Json:
            say("hello")
            tries.append(ctx.attempt)
            if len(tries) == 1:
                raise OSError("disk full")
            return None

        return ctx.record("write", write)

    run_id = tell(engine, story)
    assert (state(engine, run_id), rows("SELECT * FROM word")) == ("sleeping", [])
    clock.time += timedelta(seconds=5)
    engine.work(until_idle=True)

    assert (state(engine, run_id), rows("SELECT * FROM word"), tries) == ("completed", [("hello",)], [1, 2])


# --- starting -----------------------------------------------------------------------------------------------------


def test_starting_is_part_of_the_callers_transaction(engine: ProcessEngine) -> None:
    """A run that was spawned in a transaction that rolls back never was."""
    engine.register("story", lambda ctx, params: None)
    with transaction.atomic():
        engine.spawn("story", "never", None)
        transaction.set_rollback(True)
    engine.work(until_idle=True)

    assert engine.view("never") is None


def test_the_same_run_id_starts_one_run(engine: ProcessEngine) -> None:
    """Spawning twice, even into another class of work, starts one run."""
    engine.register("story", lambda ctx, params: params)
    engine.spawn("story", "one", 1)
    engine.spawn("story", "one", 2)
    engine.spawn("story", "one", 3, queue="wave")
    engine.work(until_idle=True)
    engine.work(queue="wave", until_idle=True)

    assert [(view.run_id, view.result) for view in engine.list()] == [("one", 1)]


def test_classes_of_work_do_not_touch_each_other(engine: ProcessEngine) -> None:
    """A worker of one class leaves the runs of the others alone."""
    engine.register("story", lambda ctx, params: None)
    engine.spawn("story", "order", None, queue="interactive")
    engine.spawn("story", "wave", None, queue="wave")
    engine.work(queue="interactive", until_idle=True)

    assert {view.run_id: view.state for view in engine.list()} == {"order": "completed", "wave": "pending"}


def test_an_unknown_class_of_work_is_refused(engine: ProcessEngine) -> None:
    """A queue that nobody works on is refused when spawning, not discovered later."""
    with pytest.raises(Refusal) as refused:
        engine.spawn("story", "x", None, queue="express")

    assert refused.value.code == "engine.unknown_queue"


def test_listing_goes_through_all_pages(engine: ProcessEngine) -> None:
    """Listing yields every run once, however many, and can ask for one state."""
    with transaction.atomic():
        for number in range(1100):
            engine.spawn("story", f"{number}", None)

    assert {f"{number}" for number in range(1100)} == {view.run_id for view in engine.list(state="pending")}
    assert list(engine.list(state="failed")) == []


# --- waiting ------------------------------------------------------------------------------------------------------


def waiting_story(ctx: RunContext, params: Json) -> Json:
    word = params["word"]
    until = NOON + timedelta(days=params["days"]) if "days" in params else None
    return ctx.wait(f"word:{word}", "wait", lambda: said(word), until=until)


def test_a_nudge_makes_a_waiting_run_look_again(engine: ProcessEngine) -> None:
    """A waiting run sleeps until what it looks for is there and it was nudged."""
    run_id = tell(engine, waiting_story, {"word": "go"})
    assert state(engine, run_id) == "sleeping"
    assert engine.nudge("word:go") == 1
    engine.work(until_idle=True)
    assert state(engine, run_id) == "sleeping"  # nudged for nothing
    with transaction.atomic():
        say("go")
        engine.nudge("word:go")
    engine.work(until_idle=True)

    view = engine.view(run_id)
    assert view is not None
    assert (view.state, view.result, view.attempts) == ("completed", "go", 1)
    assert engine.nudge("word:go") == 0


def test_a_nudge_of_an_open_transaction_is_not_lost(database: str, real_time: ProcessEngine) -> None:
    """A fact written and nudged before the wait is registered, but committed after, still wakes the run."""
    real_time.register("story", waiting_story)
    real_time.spawn("story", "waiter", {"word": "go"})
    worker = threading.Thread(target=lambda: (real_time.work(until_idle=True), connection.close()))
    with psycopg.connect(database) as other:
        other.execute("INSERT INTO word VALUES ('go')")
        assert other.execute("SELECT store_nudge('word:go')").fetchone() == (0,)
        worker.start()
        time.sleep(0.3)  # the worker comes to its wait now, and must not fall asleep over our open transaction
    worker.join(20)

    assert state(real_time, "waiter") == "completed"


def test_no_wake_up_is_lost_in_a_race(database: str, real_time: ProcessEngine, working: Any) -> None:
    """Runs that register their wait at the very moment of the nudge all wake, without any time-out."""
    real_time.register("story", waiting_story)
    working(real_time)
    chance = random.Random(7)
    for number in range(150):
        word = f"w{number}"
        real_time.spawn("story", word, {"word": word})
        time.sleep(chance.uniform(0, 0.01))
        with transaction.atomic():
            if chance.random() < 0.5:
                say(word)
                time.sleep(chance.uniform(0, 0.005))
                real_time.nudge(f"word:{word}")
            else:
                real_time.nudge(f"word:{word}")
                say(word)
            time.sleep(chance.uniform(0, 0.005))

    assert eventually(lambda: not list(real_time.list(state="sleeping")) and not list(real_time.list(state="pending")))
    assert eventually(lambda: {"completed"} == {view.state for view in real_time.list()})


def test_a_nudge_that_rolls_back_wakes_nobody(engine: ProcessEngine) -> None:
    """A nudge is part of its transaction."""
    run_id = tell(engine, waiting_story, {"word": "go"})
    with transaction.atomic():
        assert engine.nudge("word:go") == 1
        transaction.set_rollback(True)

    assert (state(engine, run_id), rows("SELECT nudged FROM store_wait")) == ("sleeping", [(False,)])


def test_a_wait_ends_at_its_deadline(engine: ProcessEngine, clock: SetClock) -> None:
    """Days of waiting pass in milliseconds; at the deadline the wait answers None."""
    run_id = tell(engine, waiting_story, {"word": "go", "days": 10})
    clock.time += timedelta(days=9)
    engine.work(until_idle=True)
    assert state(engine, run_id) == "sleeping"
    clock.time += timedelta(days=1)
    engine.work(until_idle=True)

    view = engine.view(run_id)
    assert view is not None
    assert (view.state, view.result) == ("completed", None)


def test_a_wait_keeps_its_first_deadline(engine: ProcessEngine, clock: SetClock) -> None:
    """A story that computes its deadline from the present does not push it away at every look."""

    def story(ctx: RunContext, params: Json) -> Json:
        return ctx.wait("word:go", "wait", lambda: said("go"), until=ctx.now() + timedelta(days=2))

    run_id = tell(engine, story)
    clock.time += timedelta(days=1)
    engine.nudge("word:go")
    engine.work(until_idle=True)
    clock.time += timedelta(days=1)
    engine.work(until_idle=True)

    assert state(engine, run_id) == "completed"


def test_sleeping_over_days_keeps_its_instant(engine: ProcessEngine, clock: SetClock) -> None:
    """A run sleeps until its instant, and steps before the sleep are not done again."""

    def story(ctx: RunContext, params: Json) -> Json:
        ctx.record("before", lambda: say("before"))
        ctx.sleep_until("a week", NOON + timedelta(days=7))
        ctx.sleep_until("already past", NOON)
        return ctx.now().isoformat()

    run_id = tell(engine, story)
    assert state(engine, run_id) == "sleeping"
    clock.time += timedelta(days=7)
    engine.work(until_idle=True)

    view = engine.view(run_id)
    assert view is not None
    assert ("completed", (NOON + timedelta(days=7)).isoformat()) == (view.state, view.result)
    assert rows("SELECT * FROM word") == [("before",)]


def test_a_thousand_waiting_runs_wake_by_one_nudge(engine: ProcessEngine) -> None:
    """A thousand runs wait as rows; one nudge of their common topic lets all of them finish."""
    engine.register("story", waiting_story)
    with transaction.atomic():
        for number in range(1000):
            engine.spawn("story", f"{number}", {"word": "go"})
    engine.work(until_idle=True)
    assert len(list(engine.list(state="sleeping"))) == 1000

    with transaction.atomic():
        say("go")
        assert engine.nudge("word:go") == 1000
    engine.work(until_idle=True)

    assert len(list(engine.list(state="completed"))) == 1000
    assert rows("SELECT * FROM store_wait") == []


# --- stopping -----------------------------------------------------------------------------------------------------


def test_a_waiting_run_can_be_cancelled(engine: ProcessEngine) -> None:
    """A cancelled run never moves again, and cancelling twice says so."""
    run_id = tell(engine, waiting_story, {"word": "go"})
    assert engine.cancel(run_id) is True
    assert engine.cancel(run_id) is False
    say("go")
    assert engine.nudge("word:go") == 0
    engine.work(until_idle=True)

    assert state(engine, run_id) == "cancelled"


def test_cancelling_the_unknown_and_the_ended_changes_nothing(engine: ProcessEngine) -> None:
    """A run that has ended, or never was, cannot be cancelled."""
    run_id = tell(engine, lambda ctx, params: None)

    assert (engine.cancel(run_id), engine.cancel("never")) == (False, False)
    assert state(engine, run_id) == "completed"


def test_a_running_run_stops_at_its_step_boundary(engine: ProcessEngine) -> None:
    """Cancelled in the middle of an act, the run ends before its next step."""
    entered, go_on = threading.Event(), threading.Event()

    def story(ctx: RunContext, params: Json) -> Json:
        ctx.act("act", lambda: (entered.set(), go_on.wait(10), None)[2])
        return ctx.record("after", lambda: say("too late"))

    engine.register("story", story)
    engine.spawn("story", "run", None)
    worker = threading.Thread(target=lambda: (engine.work(until_idle=True), connection.close()))
    worker.start()
    assert entered.wait(10)
    assert engine.cancel("run") is True
    go_on.set()
    worker.join(10)

    assert (state(engine, "run"), rows("SELECT * FROM word")) == ("cancelled", [])


def test_a_stopped_worker_hands_its_runs_back(engine: ProcessEngine, working: Any) -> None:
    """Stopping a worker is no crash: its run goes on elsewhere as the same attempt, without waiting for a lease."""
    entered, go_on = threading.Event(), threading.Event()

    def story(ctx: RunContext, params: Json) -> Json:
        ctx.act("act", lambda: (entered.set(), go_on.wait(10), None)[2])
        return ctx.record("after", lambda: ctx.attempt)

    engine.register("story", story)
    engine.spawn("story", "run", None)
    working(engine)
    assert entered.wait(10)
    engine.stop()
    go_on.set()
    assert eventually(lambda: state(engine, "run") == "pending")
    engine.work(until_idle=True)

    view = engine.view("run")
    assert view is not None
    assert (view.state, view.result) == ("completed", 1)


# --- failing ------------------------------------------------------------------------------------------------------


def test_a_failing_run_is_tried_again_and_then_fails_with_its_reason(engine: ProcessEngine, clock: SetClock) -> None:
    """After the last try the run has failed, and its reason can be read."""

    def story(ctx: RunContext, params: Json) -> Json:
        raise OSError("disk full")

    run_id = tell(engine, story)
    attempts = 1
    while state(engine, run_id) != "failed":
        clock.time += timedelta(hours=1)
        engine.work(until_idle=True)
        attempts += 1

    view = engine.view(run_id)
    assert view is not None
    assert (attempts, view.attempts, view.failure) == (3, 3, "disk full [OSError]")


def test_a_finished_step_forgives_earlier_failures(engine: ProcessEngine, clock: SetClock) -> None:
    """Only failures in a row count: a run of many steps may fail now and then."""

    def story(ctx: RunContext, params: Json) -> Json:
        for number in range(4):
            if ctx.attempt < 2 * number + 3:
                ctx.record(f"try {number} {ctx.attempt}", lambda: None)
                raise OSError("again")
        return ctx.attempt

    run_id = tell(engine, story)
    for _ in range(10):
        clock.time += timedelta(hours=1)
        engine.work(until_idle=True)

    view = engine.view(run_id)
    assert view is not None
    assert (view.state, view.result) == ("completed", 9)


@pytest.mark.parametrize(
    ("refusal", "after"),
    [
        (DATABASE_NOT_MIGRATED(missing="x"), "failed"),  # retry after a change: no use to try again
        (DATABASE_UNREACHABLE(why="x"), "sleeping"),  # retry later
    ],
)
def test_a_refusal_says_itself_whether_to_try_again(engine: ProcessEngine, refusal: Refusal, after: str) -> None:
    """An uncaught refusal is tried again only if its kind says that this can help."""

    def story(ctx: RunContext, params: Json) -> Json:
        raise refusal

    assert after == state(engine, tell(engine, story))


def test_a_failed_run_can_be_sent_on_by_hand(engine: ProcessEngine) -> None:
    """Retrying a failed run goes on where it failed; finished steps are not done again."""
    assert isinstance(engine, AbsurdEngine)
    broken = [True]

    def story(ctx: RunContext, params: Json) -> Json:
        ctx.record("once", lambda: say("once"))
        if broken:
            raise DATABASE_NOT_MIGRATED(missing="x")
        return "done"

    run_id = tell(engine, story)
    assert state(engine, run_id) == "failed"
    broken.clear()
    assert (engine.retry(run_id), engine.retry(run_id)) == (True, False)
    engine.work(until_idle=True)

    assert (state(engine, run_id), rows("SELECT * FROM word")) == ("completed", [("once",)])


def test_a_story_nobody_knows_waits_for_a_worker_that_does(engine: ProcessEngine, clock: SetClock) -> None:
    """While versions are rolled out, a run unknown to an old worker is not lost."""
    engine.spawn("new story", "run", None)
    engine.work(until_idle=True)
    assert state(engine, "run") == "sleeping"
    engine.register("new story", lambda ctx, params: "known")
    clock.time += timedelta(hours=1)
    engine.work(until_idle=True)

    assert state(engine, "run") == "completed"


@pytest.mark.parametrize(
    ("value", "code"), [({1, 2}, "engine.not_json"), (float("nan"), "engine.not_json"), ("\0", "engine.not_json")]
)
def test_a_step_must_return_json(engine: ProcessEngine, value: Any, code: str) -> None:
    """What cannot be kept is refused at once, not after a crash."""
    view = engine.view(tell(engine, lambda ctx, params: ctx.record("step", lambda: value)))

    assert view is not None
    assert (view.state, view.failure.endswith(f"[{code}]")) == ("failed", True)


def test_a_step_name_is_used_once(engine: ProcessEngine) -> None:
    """Two steps of one name would answer each other's checkpoint; the story is refused."""

    def story(ctx: RunContext, params: Json) -> Json:
        ctx.record("step", lambda: 1)
        return ctx.record("step", lambda: 2)

    view = engine.view(tell(engine, story))

    assert view is not None
    assert (view.state, view.failure.endswith("[engine.step_twice]")) == ("failed", True)


def test_the_first_telling_sees_what_later_tellings_see(engine: ProcessEngine) -> None:
    """A step's value is the same before and after a crash: tuples are lists from the start."""
    run_id = tell(engine, lambda ctx, params: ctx.record("step", lambda: (1, 2)) == [1, 2])
    view = engine.view(run_id)

    assert view is not None
    assert view.result is True


def test_steps_are_told_to_whoever_listens(database: str, clock: SetClock) -> None:
    """The hook hears each executed step begin and end, and no step that only answers from its checkpoint."""
    heard: list[tuple[str, str]] = []
    engine = AbsurdEngine(clock=clock, on_step=lambda run, name, phase, attempt: heard.append((name, phase)))

    def story(ctx: RunContext, params: Json) -> Json:
        ctx.record("first", lambda: None)
        ctx.sleep_until("sleep", NOON + timedelta(hours=1))
        return ctx.act("last", lambda: None)

    tell(engine, story)
    clock.time += timedelta(hours=1)
    engine.work(until_idle=True)

    assert heard == [("first", "begin"), ("first", "end"), ("sleep", "begin"), ("last", "begin"), ("last", "end")]
