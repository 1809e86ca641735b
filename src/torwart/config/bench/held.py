"""Benchmark ``held``: memory of an idle management connection, 5,000 of them held by one head-end, against nginx.

What counts is the growth of the server's resident memory. Afterwards every one of the 5,000 gateways is sent a
command and has to answer: a connection that is held but cannot be used would be worth nothing.
"""

import gc
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from torwart.adapters.bus import NatsServer
from torwart.config.bench._headend import NGINX, Fleet, Server, callers, headend, nginx
from torwart.config.bench.harness import Result, spread
from torwart.config.commands.headend import raise_open_files

_HELD = 5_000
_MOST_KIB = 45.0
_ROUNDS = 2


def run() -> list[Result]:
    raise_open_files()
    fleet = Fleet(_HELD)
    gc.collect()
    floors = [_growth(lambda: nginx(fleet), fleet)[0] for _ in range(_ROUNDS)] if NGINX else []
    if not floors:
        print("nginx is not installed: no comparison with it", file=sys.stderr)
    ours = [_growth(lambda: headend(fleet), fleet) for _ in range(_ROUNDS)]
    with NatsServer() as nats:
        over_nats = [_growth(lambda: headend(fleet, bus=nats.url), fleet)]
    return [_result("bus in one process", ours, floors), _result("bus over NATS", over_nats, floors)]


def _growth(start: Callable[[], AbstractContextManager[Server]], fleet: Fleet) -> tuple[float, int]:
    """KiB per connection with all held, and how many then answered a command (an nginx is asked nothing)."""
    with start() as server:
        time.sleep(0.5)
        before = server.resident_kib()
        with callers(fleet, server):
            answered = 0
            if server.process.pid == server.pid:  # a head-end: nginx serves from a child
                while int(server.ask("open")) < _HELD:
                    time.sleep(0.1)
            time.sleep(0.5)
            growth = (server.resident_kib() - before) / _HELD
            if server.process.pid == server.pid:
                answered = int(server.ask("command"))
        return growth, answered


def _result(case: str, ours: list[tuple[float, int]], floors: list[float]) -> Result:
    values = sorted(growth for growth, _ in ours)
    value = values[len(values) // 2]
    answered = min(count for _, count in ours)
    floor = sorted(floors)[len(floors) // 2] if floors else 0.0
    return Result(
        name="held",
        case=f"{_HELD} idle, {case}; {answered} answered",
        value=value,
        unit="KiB",
        floor=floor,
        floor_what="nginx, same connections",
        ratio=value / floor if floor else 0.0,
        target=f"<= {_MOST_KIB:g} KiB",
        reached=value <= _MOST_KIB and answered == _HELD,
        spread=spread(values),
    )
