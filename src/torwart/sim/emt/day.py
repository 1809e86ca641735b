"""A scenario played: a client's own system orders, misbehaves, waits for the ends, and adds up what it was told."""

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from typing import Any

from torwart_client import Invalid, KeyReused, Operation, Problem, StillRunning, TorwartError, Unavailable, Unreachable

from torwart.sim.emt.clumsy import ClumsyTransport
from torwart.sim.emt.receiver import EmtReceiver
from torwart.sim.emt.scenario import Errand, Expect, Faults, Scenario, Then
from torwart.sim.emt.system import EmtSystem, Fate

_FOLLOW = 2.0
"""Seconds between two looks into the feed while the day goes on."""


@dataclass
class Told:
    """What became of one order. ``refused``: the codes with which it was not taken; ``odd``: what of it was not as it
    has to be; ``fate``: what all sides know of it in the end.
    """

    errand: Errand
    placed: Operation | None = None
    refused: tuple[str, ...] = ()
    fate: Fate | None = None
    odd: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.odd

    @property
    def seconds(self) -> float | None:
        """From the order to its end, by the interface's clock."""
        operation = self.fate.operation if self.fate else None
        if operation is None or not operation.ended:
            return None
        return (operation.state_since - operation.submitted_at).total_seconds()

    @property
    def outcome(self) -> str:
        """In a word: the state it is in, or that it was not taken."""
        if self.fate is not None:
            refusal = self.fate.operation.refusal
            return self.fate.operation.state + (f" ({refusal.code})" if refusal else "")
        return f"not taken ({', '.join(self.refused)})" if self.refused else "–"


class Day:
    """``system`` must have been started. ``receiver``: where the system takes readings, if it does.

    ``told`` has a line for each order, in the order of the file.
    """

    def __init__(
        self,
        system: EmtSystem,
        scenario: Scenario,
        *,
        name: str = "",
        receiver: EmtReceiver | None = None,
        transport: ClumsyTransport | None = None,
    ) -> None:
        self.system, self.scenario, self.receiver = system, scenario, receiver
        self.name = name or f"sim-{datetime.now(UTC):%H%M%S}"
        self.told: list[Told] = []
        self.done: Counter[str] = Counter()
        """What the system did wrong itself, by fault, and was answered rightly."""
        self.misjudged = 0
        """What of that was not."""
        self.seconds = 0.0
        self.strays: list[str] = []
        """Orders of this day that nobody has placed, or that stand twice."""
        self._transport = transport
        self._lock, self._next = Lock(), 0.0

    # --- the day ---

    def play(self, tell: Callable[["Day"], None] = lambda day: None) -> "Day":
        """Place all orders, wait for their ends, and judge; ``tell`` is called now and then."""
        began = time.monotonic()
        self._deadline = began + self.scenario.seconds
        self.told = [Told(errand) for errand in self.scenario.errands(self._known(), datetime.now(UTC))]
        self.system.hooks.behave = self.scenario.faults.webhooks.answer
        over = Event()
        watch = Thread(target=self._follow, args=(over, tell), name="feed", daemon=True)
        watch.start()
        try:
            with ThreadPoolExecutor(self.scenario.parallel, "emt") as pool:
                for lane in [pool.submit(self._lane, lane) for lane in self._lanes()]:
                    lane.result()
        finally:
            over.set()
            watch.join()
        self._settle()
        self.seconds = time.monotonic() - began
        for each in self.told:
            each.odd += self._wrong(each)
        tell(self)
        return self

    def _known(self) -> list[str]:
        """Gateways in operation, as far as the client's orders tell: commissioned, and not removed since."""
        found: dict[str, bool] = {}
        for order in self.system.torwart.operations(state="done"):  # newest first
            if order.process in ("commissioning", "removal"):
                found.setdefault(order.subject, order.process == "commissioning")
        return sorted(device for device, there in found.items() if there)

    def _lanes(self) -> Iterable[list[Told]]:
        """The orders by gateway: those of one gateway come one after the other."""
        lanes: dict[str, list[Told]] = {}
        for each in self.told:
            lanes.setdefault(each.errand.gateway or f"#{each.errand.number}", []).append(each)
        return lanes.values()

    def _lane(self, lane: list[Told]) -> None:
        for each in lane:
            try:
                self._one(each)
            except TorwartError as error:
                each.odd.append(f"{type(error).__name__}: {error}")

    def _one(self, told: Told) -> None:
        chance = random.Random(f"{self.scenario.seed} {told.errand.number}")  # noqa: S311 – not a secret
        faults = Faults() if told.errand.plan.refused else self.scenario.faults
        self._pace()
        if chance.random() < faults.malformed:
            self._malformed(told)
        try:
            told.placed = self._twice(told) if chance.random() < faults.twice else self._order(told)
        except Problem as problem:
            told.refused = tuple(dict.fromkeys((problem.code, *(each.code for each in problem.errors))))
            return
        if chance.random() < faults.other_body:
            self._other_body(told)
        if told.errand.plan.then is not Then.NOTHING:
            self._take_back(told.placed, told.errand.plan.then)
        elif told.errand.plan.expect.ends:
            self._wait(told.placed)

    def _pace(self) -> None:
        """Wait for this order's turn."""
        if not self.scenario.rate:
            return
        with self._lock:
            at = max(self._next, time.monotonic())
            self._next = at + 1 / self.scenario.rate
        time.sleep(max(0.0, at - time.monotonic()))

    def _wait(self, placed: Operation) -> None:
        try:
            self.system.torwart.wait(placed.id, seconds=max(1.0, self._deadline - time.monotonic()))
        except StillRunning:
            return  # its state will say so

    # --- ordering, well and badly ---

    def _reference(self, told: Told) -> str:
        return f"{self.name}-{told.errand.number:04d}"

    def _order(self, told: Told, **changes: Any) -> Operation:
        reference = self._reference(told)
        body = {**told.errand.body, "reference": reference, **changes}
        return self.system.torwart.order(told.errand.plan.process, body, key=reference)

    def _twice(self, told: Told) -> Operation:
        """The same order twice at once, with one key: one order, one answer."""
        with ThreadPoolExecutor(2) as pool:
            first, second = (each.result() for each in [pool.submit(self._order, told) for _ in range(2)])
        self._count("twice", told, first == second, f"one key, two answers: {first.id} {second.id}")
        return first

    def _other_body(self, told: Told) -> None:
        try:
            other = self._order(told, remark="another order with the same key")
        except KeyReused:
            self._count("other_body", told, True, "")
        else:
            self._count("other_body", told, False, f"a used key took another order: {other.id}")

    def _malformed(self, told: Told) -> None:
        """Without one of its fields first; the key must stay free for the whole order."""
        missing = next(iter(told.errand.body), "")
        try:
            wrong = self._order(told, **{missing: None})  # the client leaves out what is None
        except Invalid:
            self._count("malformed", told, True, "")
        else:
            self._count("malformed", told, False, f"taken without {missing}: {wrong.id}")

    def _count(self, fault: str, told: Told, ok: bool, odd: str) -> None:
        with self._lock:
            self.done[fault] += ok
            self.misjudged += not ok
        if not ok:
            told.odd.append(odd)

    def _take_back(self, placed: Operation, then: Then) -> None:
        """Withdraw or cancel. These have no key: what became of a lost one is seen by looking."""
        client = self.system.torwart
        while True:
            try:
                if then is Then.WITHDRAW:
                    client.withdraw(placed.id)
                else:
                    client.cancel(placed.id, reason="simulation")
                return
            except (Unreachable, Unavailable):
                if client.get(placed.id).ended or time.monotonic() > self._deadline:
                    return
                time.sleep(0.5)

    # --- adding up ---

    def _follow(self, over: Event, tell: Callable[["Day"], None]) -> None:
        while not over.wait(_FOLLOW):
            try:
                self.system.feed()
            except TorwartError:
                continue  # the next look begins where this one did
            tell(self)

    def _settle(self) -> None:
        """What all sides know of the orders placed, when they agree or the time is over."""
        numbers = {each.placed.id for each in self.told if each.placed}
        fates = self.system.settled(numbers, seconds=max(20.0, self._deadline - time.monotonic()))
        known = {fate.operation.id: fate for fate in fates}
        for each in self.told:
            each.fate = known.get(each.placed.id) if each.placed else None
        mine = Counter(
            order.reference
            for order in self.system.torwart.operations(since=self.system.since)
            if order.reference.startswith(f"{self.name}-")
        )
        wanted = {self._reference(each) for each in self.told if each.placed}
        self.strays = sorted(name for name, count in mine.items() if count != 1 or name not in wanted)

    def _wrong(self, told: Told) -> list[str]:
        """What is not as the scenario tells."""
        plan, fate = told.errand.plan, told.fate
        if plan.refused:
            return [] if plan.refused in told.refused else [f"expected {plan.expected}, got {told.outcome}"]
        if fate is None:
            return [f"expected {plan.expected}, got {told.outcome}"]
        odd = []
        if not self._came(told, fate.operation):
            said = f": {_said(fate.operation)}" if plan.says else ""
            odd.append(f"expected {plan.expected}, is {told.outcome}{said}")
        if not fate.agrees:
            odd.append(f"not told the same: {fate}")
        if plan.readings and self.receiver is not None and not self.values(told.errand.gateway):
            odd.append("no readings")
        return odd

    def _came(self, told: Told, operation: Operation) -> bool:
        plan = told.errand.plan
        if plan.expect is Expect.PLANNED:
            return operation.planned and not operation.ended
        if plan.expect is Expect.OPEN:
            return not operation.ended
        code = operation.refusal.code if operation.refusal else ""
        return operation.state == plan.expect.value and plan.code in ("", code) and plan.says in _said(operation)

    def values(self, gateway: str = "") -> int:
        """How many values have come, from one gateway or all."""
        received = list(self.receiver.received.values()) if self.receiver else []
        return sum(each.values for each in received if gateway in ("", each.device))

    @property
    def cuts(self) -> int:
        """How often the system has hung up after sending."""
        return self._transport.cuts if self._transport else 0

    @property
    def verified(self) -> bool:
        """Whether everything is as told."""
        return not self.strays and not self.system.hooks.forged and all(each.ok for each in self.told)

    def report(self) -> dict[str, Any]:
        """Everything as plain data."""
        fates = [each.fate for each in self.told if each.fate]
        hooks = self.system.hooks
        seconds = sorted(each.seconds for each in self.told if each.seconds is not None)
        return {
            "verified": self.verified,
            "title": self.scenario.title,
            "seconds": round(self.seconds, 1),
            "orders": len(self.told),
            "placed": len(fates),
            "refused": sum(bool(each.refused) for each in self.told),
            "as_told": sum(each.ok for each in self.told),
            "states": dict(Counter(fate.operation.state for fate in fates)),
            "median_seconds": round(statistics.median(seconds), 1) if seconds else None,
            "events": sum(len(fate.feed) for fate in fates),
            "webhooks": {
                "told": sum(len(fate.hooks) for fate in fates),
                "calls": len(hooks.got),
                "turned_away": sum(hook.answered >= 300 for hook in hooks.got),
                "forged": len(hooks.forged),
            },
            "faults": {"cut": self.cuts, **{name: self.done[name] for name in ("twice", "other_body", "malformed")}},
            "readings": {"values": self.values(), "gateways": len({each.device for each in self._received()})},
            "strays": self.strays,
            "each": [_line(each) for each in self.told],
        }

    def _received(self) -> list[Any]:
        return list(self.receiver.received.values()) if self.receiver else []


def _said(operation: Operation) -> str:
    """All words of a result."""
    return "; ".join(f"{row.label.de} · {row.label.en}: {row.value}" for row in operation.result or ())


def _line(told: Told) -> dict[str, Any]:
    return {
        "number": told.errand.number,
        "process": told.errand.plan.process,
        "gateway": told.errand.gateway,
        "expected": told.errand.plan.expected,
        "order": told.placed.id if told.placed else "",
        "outcome": told.outcome,
        "feed": list(told.fate.feed) if told.fate else [],
        "webhooks": list(told.fate.hooks) if told.fate else [],
        "seconds": told.seconds,
        "ok": told.ok,
        "odd": told.odd,
    }
