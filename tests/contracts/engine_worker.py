"""A worker process for the contract tests: a real one, that can be frozen and killed.

``python engine_worker.py URL TABLE_OF_POINTS``: forks one child for each number in the second argument (comma
separated) and prints its exit status. The child works until idle and is killed with SIGKILL at its n-th instant; an
instant is before or after any statement or commit sent to the database, or inside a step. ``0`` is never killed.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import connection

from torwart.adapters.engine import AbsurdEngine, Tuning
from torwart.config.installation import django_setup
from torwart.ports.process_engine import Json, RunContext

LEASE = 1.5
STEPS = 3


class Doom:
    """Counts instants and ends the process with SIGKILL at the chosen one."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0

    def instant(self) -> None:
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.instant()
            result = function(*args, **kwargs)
            self.instant()
            return result

        return watched


def effect(run: str, step: str) -> Json:
    """A row in the database: what a recorded step must leave behind exactly once."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO effect (run, step, pid) VALUES (%s, %s, %s)", [run, step, os.getpid()])
    return step


def story_with(doom: Doom) -> Callable[[RunContext, Json], Json]:
    """Recorded steps, an act, and a wait that is already fulfilled."""

    def story(ctx: RunContext, params: Json) -> Json:
        def slowly(step: str) -> Json:
            effect(ctx.run_id, step)
            doom.instant()
            time.sleep(params.get("pause", 0))
            return step

        for number in range(STEPS):
            ctx.record(f"record {number}", lambda n=number: slowly(f"record {n}"))
        ctx.act("act", lambda: slowly("act"))
        ctx.wait("nothing", "wait", lambda: True, until=None)
        return "told"

    return story


def work(url: str, at: int, threads: int = 1) -> None:
    django_setup(url, migrated=False)
    doom = Doom(at)
    engine = AbsurdEngine(tuning=Tuning(lease=LEASE, poll=0.02))
    engine.register("story", story_with(doom))
    for owner, name in ((psycopg.Cursor, "execute"), (psycopg.Connection, "commit")):
        setattr(owner, name, doom.around(getattr(owner, name)))
    engine.work(threads=threads, until_idle=True)


def main(url: str, points: str) -> None:
    django_setup(url, migrated=False)
    for point in points.split(","):
        child = os.fork()
        if child == 0:
            work(url, int(point))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
