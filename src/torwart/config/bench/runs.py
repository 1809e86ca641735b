"""Durable steps per second against ``pgbench -N`` on the same database, and what 100,000 waiting runs cost.

The workers are processes of their own (``python -m torwart.config.bench.runs …``), as in production.
"""

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torwart.adapters.database import binary, embedded, stop
from torwart.config.bench.harness import Result, alternate, at_least
from torwart.config.installation import django_setup
from torwart.ports.process_engine import Json, RunContext

WORKERS = 2
THREADS = 4
STEPS = 10
RUNS = 400
WAITING = 100_000
IDLE_SECONDS = 10.0
WAKES = 200


def run() -> list[Result]:
    """All cases on one embedded server of their own, with fsync as in production."""
    with server() as url:
        return [_steps(url, "bare", least=0.5), _steps(url, "row", least=0.4), *_waiting(url)]


@contextmanager
def server() -> Iterator[str]:
    home = Path(tempfile.mkdtemp(prefix="torwart-bench-", dir="/var/tmp"))
    home.chmod(0o711)
    try:
        url = embedded(home / "db")
        django_setup(url, migrated=False)
        from django.core.management import call_command
        from django.db import connection, connections

        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE bench_row (id bigint GENERATED ALWAYS AS IDENTITY, said text)")
            cursor.execute("CREATE TABLE bench_word (number bigint PRIMARY KEY)")
        pgbench(url, "-i", "-q", "-s", "10")
        yield url
        connections.close_all()
    finally:
        stop(home / "db")
        shutil.rmtree(home)


def pgbench(url: str, *arguments: str) -> str:
    command = [str(binary("pgbench")), *arguments, url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


# --- steps --------------------------------------------------------------------------------------------------------


def _steps(url: str, kind: str, *, least: float) -> Result:
    """``bare``: a step is its checkpoint (spec: >= 0.5); ``row``: it also writes a row in that transaction (ours)."""
    with _workers(url) as workers:
        cases, floors = alternate(lambda: _steps_per_second(workers, kind), lambda: _commits_per_second(url))
    return at_least(
        "runs",
        f"durable steps, {WORKERS} workers, {kind}",
        unit="steps/s",
        cases=cases,
        floors=floors,
        floor_what=f"commits/s of pgbench -N, {WORKERS * THREADS} clients",
        least=least,
    )


def _commits_per_second(url: str) -> float:
    clients = WORKERS * THREADS
    said = pgbench(url, "-N", "-n", "-T", "2", "-c", str(clients), "-j", str(WORKERS))
    line = next(line for line in said.splitlines() if line.startswith("tps"))
    tps = line.split()[2]
    return float(tps)


def _steps_per_second(workers: "list[subprocess.Popen[str]]", kind: str) -> float:
    from torwart.adapters.engine import AbsurdEngine

    engine = AbsurdEngine()
    for _ in range(RUNS):
        engine.spawn(kind, str(uuid.uuid4()), None)
    answers = [_ask(worker, "work") for worker in workers]
    spans = [json.loads(_heard(answer)) for answer in answers]
    elapsed: float = max(end for _, end in spans) - min(start for start, _ in spans)
    return RUNS * STEPS / elapsed


@contextmanager
def _workers(url: str) -> "Iterator[list[subprocess.Popen[str]]]":
    command = [sys.executable, "-m", "torwart.config.bench.runs", url]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen(command, **pipes) for _ in range(WORKERS)]
    try:
        for worker in workers:
            _heard(worker)
        yield workers
    finally:
        for worker in workers:
            worker.communicate()


def _ask(worker: "subprocess.Popen[str]", word: str) -> "subprocess.Popen[str]":
    assert worker.stdin is not None
    worker.stdin.write(word + "\n")
    worker.stdin.flush()
    return worker


def _heard(worker: "subprocess.Popen[str]") -> str:
    assert worker.stdout is not None
    return worker.stdout.readline()


# --- waiting ------------------------------------------------------------------------------------------------------


def _waiting(url: str) -> list[Result]:
    from django.db import connection, transaction

    from torwart.adapters.engine import AbsurdEngine

    engine = AbsurdEngine()
    for page in range(0, WAITING, 1000):
        with transaction.atomic():
            for number in range(page, page + 1000):
                engine.spawn("wait", f"wait {number}", number)
    with _workers(url) as workers:
        for answer in [_ask(worker, "work") for worker in workers]:
            _heard(answer)
        worker = workers[0]
        _ask(worker, "serve")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # what autovacuum does within its minute; idling begins after it
        time.sleep(2.0)
        used, resident = _idle(worker.pid)
        wakes = _wakes(engine)
        _ask(worker, "end")
    return [
        _at_most("idle CPU of worker and database", 100 * used, "% of a core", 2.0, f"{WAITING} waiting runs"),
        _at_most("memory of the worker", resident / 1e6, "MB", 100.0, f"{WAITING} waiting runs"),
        _at_most("wake-up, p95", statistics.quantiles(wakes, n=20)[-1] * 1e3, "ms", 150.0, "commit of nudge to story"),
    ]


def _at_most(case: str, value: float, unit: str, most: float, what: str) -> Result:
    return Result("runs", case, value, unit, most, what, value / most, f"<= {most:g} {unit}", value <= most, 0.0)


def _idle(worker: int) -> tuple[float, int]:
    """Cores used by worker and database while nothing happens, and the worker's resident memory in bytes."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity")
        pids = [worker, *(pid for (pid,) in cursor.fetchall())]
    before, start = sum(map(_cpu, pids)), time.monotonic()
    time.sleep(IDLE_SECONDS)
    used = (sum(map(_cpu, pids)) - before) / (time.monotonic() - start)
    pages = int(Path(f"/proc/{worker}/statm").read_text().split()[1])
    return used, pages * os.sysconf("SC_PAGE_SIZE")


def _cpu(pid: int) -> float:
    """Seconds of CPU a process has used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wakes(engine: Any) -> list[float]:
    """Seconds from the commit of a nudge to the story's next line, one run after the other at random moments."""
    from django.db import connection, transaction

    chance = random.Random(1)  # noqa: S311
    latencies = []
    for number in chance.sample(range(WAITING), WAKES):
        time.sleep(chance.uniform(0, 0.1))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO bench_word VALUES (%s)", [number])
            engine.nudge(f"bench:{number}")
        nudged = time.time()
        while (view := engine.view(f"wait {number}")) is None or view.state != "completed":
            time.sleep(0.005)
        latencies.append(view.result - nudged)
    return latencies


# --- the worker process -------------------------------------------------------------------------------------------


def _bare(ctx: RunContext, params: Json) -> Json:
    for number in range(STEPS):
        ctx.record(f"step {number}", lambda n=number: {"step": n})  # type: ignore[misc]
    return None


def _row(ctx: RunContext, params: Json) -> Json:
    from django.db import connection

    def write(number: int) -> Json:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO bench_row (said) VALUES (%s)", [f"step {number}"])
        return {"step": number}

    for number in range(STEPS):
        ctx.record(f"step {number}", lambda n=number: write(n))  # type: ignore[misc]
    return None


def _wait(ctx: RunContext, params: Json) -> Json:
    from django.db import connection

    def look() -> Json | None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT true FROM bench_word WHERE number = %s", [params])
            found = cursor.fetchone()
        return found[0] if found else None

    ctx.wait(f"bench:{params}", "wait", look, until=None)
    return time.time()


def _worker(url: str) -> None:
    """Obeys words on standard input: ``work`` until idle, ``serve`` until ``end``."""
    django_setup(url)
    from torwart.adapters.engine import AbsurdEngine

    engine = AbsurdEngine()
    for name, story in (("bare", _bare), ("row", _row), ("wait", _wait)):
        engine.register(name, story)
    print("ready", flush=True)
    for line in sys.stdin:
        start = time.monotonic()
        if line.strip() == "work":
            engine.work(threads=THREADS, until_idle=True)
            print(json.dumps([start, time.monotonic()]), flush=True)
        elif line.strip() == "serve":
            serving = threading.Thread(target=engine.work, kwargs={"threads": THREADS}, daemon=True)
            serving.start()
        elif line.strip() == "end":
            engine.stop()
            serving.join()


if __name__ == "__main__":
    _worker(sys.argv[1])
