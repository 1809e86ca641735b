"""Workers killed and frozen at random: no run is lost, no recorded step happens twice (spec: faults, "Ourselves")."""

import importlib.util
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from torwart.adapters.engine import AbsurdEngine

SCRIPT = Path(__file__).with_name("engine_worker.py")
_spec = importlib.util.spec_from_file_location("engine_worker", SCRIPT)
assert _spec is not None
assert _spec.loader is not None
engine_worker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(engine_worker)

RUNS = 500
WORKERS = 3


@pytest.mark.chaos
@pytest.mark.requirement("SIM-killed")
def test_random_kills_and_freezes_lose_nothing_and_double_nothing(own_database: str) -> None:
    """Three workers are killed or frozen every few hundred milliseconds until all runs have ended."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE effect (run text, step text, pid integer)")
    engine = AbsurdEngine()
    for number in range(RUNS):
        engine.spawn("story", f"run {number}", {"pause": 0.02})
    chance = random.Random(os.environ.get("TORWART_CHAOS_SEED", "1"))
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r})\n"
               f"import engine_worker; engine_worker.work({own_database!r}, 0, 2)"]  # fmt: skip
    workers = [subprocess.Popen(command) for _ in range(WORKERS)]
    kills = 0
    deadline = time.monotonic() + 120
    while len(list(engine.list(state="completed"))) < RUNS and time.monotonic() < deadline:
        time.sleep(chance.uniform(0.3, 1.2))
        place = chance.randrange(WORKERS)
        if chance.random() < 0.3:
            workers[place].send_signal(signal.SIGSTOP)
            time.sleep(engine_worker.LEASE + 0.5)
            workers[place].send_signal(signal.SIGCONT)
            continue
        workers[place].kill()
        workers[place].wait()
        workers[place] = subprocess.Popen(command)
        kills += 1
    for worker in workers:
        worker.kill()
        worker.wait()

    assert {view.state for view in engine.list()} == {"completed"}
    assert kills > 3
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT (run, step)) FROM effect WHERE step LIKE 'record%'")
        assert cursor.fetchone() == (RUNS * engine_worker.STEPS, RUNS * engine_worker.STEPS)
        cursor.execute("SELECT count(DISTINCT run) FROM effect WHERE step = 'act'")
        assert cursor.fetchone() == (RUNS,)
