"""Benchmark ``pages``: server time of the most used pages with a large fleet against the same with 1,000 gateways.

Two databases of their own are filled with a fleet (``config.fleet``): one of 100,000 gateways, or as many as
``--gateways`` says, and one of 1,000. The pages are asked in one process by people who have signed in,
each time about another device or case, in alternating rounds. Server time is the CPU of the process and of its
database session; all data is in memory, so that nothing else is waited for on a quiet machine. What counts is the 95th
percentile with the large fleet, the ratio of the medians, and the number of queries, written down here for each page.
"""

import json
import os
import statistics
import subprocess
import sys
from typing import Any

from torwart.config.bench.harness import Result, spread

GATEWAYS, SMALL = 100_000, 1_000
MOST_MS, MOST_RATIO, MOST_SECONDS = 60.0, 1.5, 60.0
QUERIES = {
    "inbox": 7,
    "case": 9,
    "fleet, filtered": 8,
    "gateway": 13,
    "certificate horizon": 6,
    "search": 8,
    "start": 13,
    "device list": 6,
    "device": 14,
    "order form": 6,
    "order": 11,
}
"""How many queries each page asks, whatever the size of the fleet; sessions and the access log are among them."""


def run(gateways: int = GATEWAYS) -> list[Result]:
    """One line a page, and one for the time it took to make the fleet."""
    # TORWART_BENCH_QUICK makes a tenth of the gateways: to see that the bench works, not to quote.
    gateways //= 10 if os.environ.get("TORWART_BENCH_QUICK") else 1
    command = [sys.executable, "-m", "torwart.config.bench._pages", str(gateways), str(SMALL)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.strip().rpartition("\n")[2])
    lines = [_page(name, gateways, found["pages"][name]) for name in QUERIES]
    return [*lines, _made(gateways, found["seconds"])]


def _page(name: str, gateways: int, found: dict[str, Any]) -> Result:
    """``found``: milliseconds of every request by size and round, and the queries of one request by size."""
    large, small = found["large"], found["small"]
    middle = [statistics.median(of) / statistics.median(to) for of, to in zip(large, small, strict=True)]
    slow = p95([each for round_ in large for each in round_])
    ratio = statistics.median(middle)
    queries = QUERIES[name]
    asked = {found["queries"]["large"], found["queries"]["small"]}
    return Result(
        name="pages",
        case=f"{name}: p95 at {gateways:,} gateways, {'/'.join(map(str, sorted(asked)))} queries",
        value=slow,
        unit="ms",
        floor=p95([each for round_ in small for each in round_]),
        floor_what=f"the same at {SMALL:,} gateways (ratio: of the medians)",
        ratio=ratio,
        target=f"<= {MOST_MS:g} ms, <= {MOST_RATIO}, {queries} queries",
        reached=slow <= MOST_MS and ratio <= MOST_RATIO and asked == {queries},
        spread=spread(middle),
    )


def _made(gateways: int, seconds: float) -> Result:
    limit = MOST_SECONDS * max(1.0, gateways / GATEWAYS)
    return Result(
        name="pages",
        case=f"a fleet of {gateways:,} gateways made",
        value=seconds,
        unit="s",
        floor=limit,
        floor_what=f"{MOST_SECONDS:g} s for each {GATEWAYS:,}",
        ratio=seconds / limit,
        target="<= 1",
        reached=seconds <= limit,
        spread=0.0,
    )


def p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]
