"""What a client's own system is to do, and what it expects to come of it: a scenario file (docs/api/scenarios.md)."""

import dataclasses
import fnmatch
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from torwart.kernel.refusals.sim import SCENARIO

T = TypeVar("T")
_BERLIN = ZoneInfo("Europe/Berlin")
_MOST = 10_000


class Expect(StrEnum):
    """What must have become of an order in the end."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    OPEN = "open"
    PLANNED = "planned"

    @property
    def ends(self) -> bool:
        return self not in (Expect.OPEN, Expect.PLANNED)


class Then(StrEnum):
    """What the system does with an order it has just placed."""

    NOTHING = ""
    WITHDRAW = "withdraw"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Calls number ``after + 1`` to ``after + count`` are answered with ``status``."""

    after: int = 0
    count: int = 0
    status: int = 500

    def answer(self, number: int) -> int:
        return self.status if self.after <= number < self.after + self.count else 204


@dataclass(frozen=True, slots=True)
class Faults:
    """How the system itself misbehaves; all but ``webhooks`` are shares of the orders (0 to 1), ``cut`` of the calls.

    ``cut``: hangs up when it has sent; ``twice``: sends the order twice at once, with one key; ``other_body``: uses the
    key for another order afterwards; ``malformed``: forgets a field first.
    """

    cut: float = 0.0
    twice: float = 0.0
    other_body: float = 0.0
    malformed: float = 0.0
    webhooks: Webhooks = Webhooks()


@dataclass(frozen=True, slots=True)
class Plan:
    """Orders of one kind. ``gateways``: names or patterns, empty for a process that is about none; ``count``: how many
    in all, 0: one for each gateway. ``expect`` with ``code`` of the failure and words the result ``says``; or
    ``refused``: the code with which it must not be taken. ``in_days``: ordered for 10:00 that many days ahead, or the
    working day after. ``readings``: the gateway's readings must have come.
    """

    process: str
    gateways: tuple[str, ...] = ()
    count: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)
    in_days: int = 0
    then: Then = Then.NOTHING
    expect: Expect = Expect.DONE
    code: str = ""
    says: str = ""
    refused: str = ""
    readings: bool = False

    @property
    def expected(self) -> str:
        """In a few words, e.g. ``failed (process.clock_off)``."""
        if self.refused:
            return f"not taken ({self.refused})"
        more = self.code or self.says
        return f"{self.expect.value} ({more})" if more else self.expect.value


@dataclass(frozen=True, slots=True)
class Scenario:
    """``parallel``: gateways served at once; ``rate``: orders a second at most (0: as fast as answers come);
    ``seconds``: how long all may take; ``seed``: of chance.
    """

    title: str
    orders: tuple[Plan, ...]
    faults: Faults = Faults()
    parallel: int = 4
    rate: float = 0.0
    seconds: float = 300.0
    seed: int = 1

    @classmethod
    def read(cls, text: str) -> "Scenario":
        """``sim.scenario`` says what is wrong with it."""
        try:
            told = tomllib.loads(text)
        except ValueError as error:
            raise SCENARIO(why=str(error)) from error
        plans = told.pop("order", [])
        faults = dict(told.pop("faults", {}))
        webhooks = _made(Webhooks, faults.pop("webhooks", {}), "faults.webhooks")
        if not plans:
            raise SCENARIO(why="[[order]]")
        made = {
            "orders": tuple(_plan(plan, number) for number, plan in enumerate(plans, 1)),
            "faults": _made(Faults, {**faults, "webhooks": webhooks}, "faults"),
        }
        scenario = _made(cls, {"title": "", **told, **made}, "scenario")
        if not 1 <= scenario.parallel <= 64:
            raise SCENARIO(why=f"parallel = {scenario.parallel}")
        return scenario

    def errands(self, known: Iterable[str], now: datetime) -> "list[Errand]":
        """Every single order, in the order of the file; ``known``: gateways in operation, to which those come that an
        earlier entry puts into operation.
        """
        found: list[Errand] = []
        present = list(dict.fromkeys(known))
        for plan in self.orders:
            gateways = _matching(plan, present)
            count = plan.count or max(1, len(gateways))
            for number in range(count):
                gateway = gateways[number % len(gateways)] if gateways else ""
                found.append(Errand(len(found) + 1, plan, gateway, _body(plan, gateway, number, now)))
            if plan.process == "commissioning" and plan.expect is Expect.DONE and not plan.refused:
                present += [each for each in gateways if each not in present]
        if len(found) > _MOST:
            raise SCENARIO(why=f"{len(found)} > {_MOST}")
        return found


@dataclass(frozen=True, slots=True)
class Errand:
    """One order to be placed."""

    number: int
    plan: Plan
    gateway: str
    body: Mapping[str, Any]


def _plan(told: Mapping[str, Any], number: int) -> Plan:
    where = f"[[order]] {number}"
    given = dict(told)
    if not isinstance(given.get("process"), str):
        raise SCENARIO(why=f"{where}: process")
    gateways = given.get("gateways", ())
    given["gateways"] = (gateways,) if isinstance(gateways, str) else tuple(gateways)
    try:
        given["then"], given["expect"] = Then(given.get("then", "")), Expect(given.get("expect", "done"))
    except ValueError as error:
        raise SCENARIO(why=f"{where}: {error}") from error
    return _made(Plan, given, where)


def _made(kind: type[T], told: Mapping[str, Any], where: str) -> T:
    """``kind`` of these values; a name it has not, or a value of another type, is a mistake of the writer."""
    shapes = {each.name: each for each in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name, value in told.items():
        if name not in shapes:
            raise SCENARIO(why=f"{where}: {name}? ({', '.join(shapes)})")
        if not _fits(shapes[name].default, value):
            raise SCENARIO(why=f"{where}: {name} = {value!r}")
    return kind(**told)


def _fits(default: Any, value: Any) -> bool:
    """Whether a value is of the kind of what it replaces."""
    if default is dataclasses.MISSING:
        return True
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    return isinstance(value, int | float if isinstance(default, float) else type(default))


def _matching(plan: Plan, known: Sequence[str]) -> list[str]:
    """The gateways an entry means: a name as it is, a pattern as those known that fit it."""
    found: list[str] = []
    for wanted in plan.gateways:
        fitting = fnmatch.filter(known, wanted) if set(wanted) & set("*?[") else [wanted]
        found += [each for each in fitting if each not in found]
    if plan.gateways and not found:
        raise SCENARIO(why=f"{plan.process}: {', '.join(plan.gateways)} → –")
    return found


def _body(plan: Plan, gateway: str, number: int, now: datetime) -> dict[str, Any]:
    """The fields, with ``{gateway}``, ``{number}`` and ``{now}`` filled in."""
    filled = {"gateway": gateway, "number": str(number + 1), "now": now.isoformat()}
    body = dict(_filled(plan.fields, filled))
    if gateway and "gateway" not in body and not any("{gateway}" in str(value) for value in plan.fields.values()):
        body = {"gateway": gateway, **body}
    if plan.in_days:
        body["requested_at"] = _working_day(now, plan.in_days)
    return body


def _filled(fields: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        if isinstance(value, str):
            for mark, text in values.items():
                value = value.replace(f"{{{mark}}}", text)
        yield name, value


def _working_day(now: datetime, days: int) -> datetime:
    at = now.astimezone(_BERLIN).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=days)
    while at.weekday() > 4:
        at += timedelta(days=1)
    return at
