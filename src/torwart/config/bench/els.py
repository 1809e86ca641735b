"""Benchmark ``els``: import of a delivery note with 100,000 devices against lxml iterparse + ``COPY`` of its rows.

The note is a maker's: gateways with three seal certificates each and 1.2 meters a gateway, each with a sealed key, as
in the field: some 340 MB of XML, for which the default limit of 200 MiB is raised. Every round imports it into a fresh
copy of the database, in a process of its own, and then does the floor: parses the same content with lxml and nothing
else, and writes the very rows of the import with ``COPY`` into a second fresh copy, as text that PostgreSQL has written
itself. What counts is CPU: of the process and of its database session.

Certificates and secrets cost an elliptic-curve operation each that nobody can avoid. They are counted apart, within the
same import: what the checks took against as many bare operations, and all the rest of the import against the floor.
Memory is the greatest resident size of the importing process, for all devices and for a tenth of them.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from torwart.config.bench.harness import Result, spread
from torwart.config.installation import database_url, release_database

DEVICES = 100_000
_ROUNDS = 2
_LEAST, _LEAST_CHECKS = 0.35, 0.8
_MOST_MIB, _FLAT = 300.0, 1.15
Figures = dict[str, Any]


def run() -> list[Result]:
    """One line for the rest of the import, one each for the checks, one for memory."""
    # TORWART_BENCH_QUICK imports a tenth of the devices: to see that the bench works, not to quote.
    devices = DEVICES // 10 if os.environ.get("TORWART_BENCH_QUICK") else DEVICES
    directory = Path(tempfile.mkdtemp(prefix="torwart-bench-"))
    with database("torwart_bench_els") as url:
        try:
            stage = json.loads(_child("prepare", directory, url, devices))
            rounds = [json.loads(_child("round", directory, stage, "large")) for _ in range(_ROUNDS)]
            small = json.loads(_child("round", directory, stage, "small"))
        finally:
            shutil.rmtree(directory)
    return [_rest(devices, rounds), *_checks(rounds), _memory(devices, rounds, small)]


@contextmanager
def database(name: str) -> Iterator[str]:
    """The URL of a database of this name, not yet made, on the server of this installation; dropped afterwards."""
    base = database_url()
    parts = psycopg.conninfo.conninfo_to_dict(base)
    url = base.replace(f"/{parts['dbname']}?", f"/{name}?")
    postgres = base.replace(f"/{parts['dbname']}?", "/postgres?")
    try:
        yield url
    finally:
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        release_database()


def _child(*arguments: object) -> str:
    """Run one part in a process of its own; what it prints last."""
    words = [json.dumps(each) if isinstance(each, dict) else str(each) for each in arguments]
    command = [sys.executable, "-m", "torwart.config.bench._els", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip().rpartition("\n")[2]


def _rest(devices: int, rounds: list[Figures]) -> Result:
    cases = [devices / (each["cpu"] - each["seals"] - each["secrets"]) for each in rounds]
    floors = [devices / each["floor"] for each in rounds]
    return _result(
        f"{devices} devices: parse, all other checks, store",
        "devices per CPU-second",
        cases,
        floors,
        "lxml iterparse + COPY of the same rows",
        _LEAST,
    )


def _checks(rounds: list[Figures]) -> list[Result]:
    what = (
        ("seals", "certificates checked", "certificates per CPU-second", "raw ECDSA verifications"),
        ("secrets", "secrets opened", "secrets per CPU-second", "raw ECDH"),
    )
    return [
        _result(
            f"{rounds[0][name + '_count']} {case}",
            unit,
            [each[name + "_count"] / each[name] for each in rounds],
            [1 / each[name + "_floor"] for each in rounds],
            floor_what,
            _LEAST_CHECKS,
        )
        for name, case, unit, floor_what in what
    ]


def _result(case: str, unit: str, cases: list[float], floors: list[float], floor_what: str, least: float) -> Result:
    ratio = statistics.median(c / f for c, f in zip(cases, floors, strict=True))
    return Result(
        name="els",
        case=case,
        value=statistics.median(cases),
        unit=unit,
        floor=statistics.median(floors),
        floor_what=floor_what,
        ratio=ratio,
        target=f">= {least}",
        reached=ratio >= least,
        spread=spread(cases),
    )


def _memory(devices: int, rounds: list[Figures], small: Figures) -> Result:
    most = max(each["memory"] for each in rounds)
    ratio = most / small["memory"]
    return Result(
        name="els",
        case=f"greatest memory, {devices} devices",
        value=most,
        unit="MiB",
        floor=small["memory"],
        floor_what="a tenth of the devices",
        ratio=ratio,
        target=f"<= {_MOST_MIB:g} MiB, <= {_FLAT} of a tenth",
        reached=most <= _MOST_MIB and ratio <= _FLAT,
        spread=spread([each["memory"] for each in rounds]),
    )
