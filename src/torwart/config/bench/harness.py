"""What every benchmark shares: alternating rounds of a case and its floor, medians, ratio, spread."""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """One line of a benchmark. ``ratio`` is what ``target`` speaks of; ``spread``: (max - min) / median over rounds."""

    name: str
    case: str
    value: float
    unit: str
    floor: float
    floor_what: str
    ratio: float
    target: str
    reached: bool
    spread: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def alternate(
    case: Callable[[], float], floor: Callable[[], float], *, rounds: int = 5
) -> tuple[list[float], list[float]]:
    """Run case and floor in turn, ``rounds`` times each after one warm-up; each callable returns its own figure."""
    case()
    floor()
    cases: list[float] = []
    floors: list[float] = []
    for _ in range(rounds):
        cases.append(case())
        floors.append(floor())
    return cases, floors


def rate(act: Callable[[], object], *, seconds: float = 0.5, clock: Callable[[], float] = time.process_time) -> float:
    """How often per second of ``clock`` (process CPU by default) ``act`` runs."""
    count = 0
    start = clock()
    while (used := clock() - start) < seconds:
        act()
        count += 1
    return count / used


def spread(values: list[float]) -> float:
    middle = statistics.median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


def at_least(
    name: str, case: str, *, unit: str, cases: list[float], floors: list[float], floor_what: str, least: float
) -> Result:
    """A result whose ratio is the median of the pairwise case/floor and must be ≥ ``least``."""
    ratio = _ratio(cases, floors)
    return _result(name, case, unit, cases, floors, floor_what, ratio, f">= {least}", ratio >= least)


def at_most(
    name: str, case: str, *, unit: str, cases: list[float], floors: list[float], floor_what: str, most: float
) -> Result:
    """A result whose ratio is the median of the pairwise case/floor and must be ≤ ``most``."""
    ratio = _ratio(cases, floors)
    return _result(name, case, unit, cases, floors, floor_what, ratio, f"<= {most}", ratio <= most)


def _ratio(cases: list[float], floors: list[float]) -> float:
    return statistics.median(c / f for c, f in zip(cases, floors, strict=True))


def _result(
    name: str,
    case: str,
    unit: str,
    cases: list[float],
    floors: list[float],
    floor_what: str,
    ratio: float,
    target: str,
    reached: bool,
) -> Result:
    return Result(
        name=name,
        case=case,
        value=statistics.median(cases),
        unit=unit,
        floor=statistics.median(floors),
        floor_what=floor_what,
        ratio=ratio,
        target=target,
        reached=reached,
        spread=spread(cases),
    )
