"""Persistence in simulated time: how long a story tries, when it tells its client, when it gives up, who ends it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from torwart.adapters.engine import AbsurdEngine, Tuning
from torwart.kernel.refusals.ca import CA_UNREACHABLE
from torwart.kernel.refusals.gateway import GATEWAY_NOT_CONNECTED
from torwart.kernel.refusals.process import STEP_REFUSED
from torwart.kernel.words import Words
from torwart.processes.definition import Process, Step, process
from torwart.processes.ending import end_given_up
from torwart.processes.telling import Telling, World, story_of
from torwart.services import client as clients
from torwart.services import gateway as gateways
from torwart.services import run as runs
from torwart.store.models import AuditEntry, Gateway, Run

DEVICE = "EPPC0200000001"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass
class SetClock:
    time: datetime = NOON

    def now(self) -> datetime:
        return self.time


@dataclass
class Attempts:
    """A story of one act that fails until it is let succeed; when it was tried."""

    clock: SetClock
    where: Callable[["Attempts", Telling], Any]
    failing: Callable[[], Exception] | None = None
    at: list[datetime] = field(default_factory=list)

    def once(self, *_: Any) -> str:
        self.at.append(self.clock.time)
        if self.failing is not None:
            raise self.failing()
        return "done"

    def tell(self, run: Telling) -> Mapping[str, Any]:
        run.enter("step")
        return {"value": self.where(self, run)}


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def engine(own_database: str, clock: SetClock) -> AbsurdEngine:
    client = clients.create("Stadtwerke", actor="test")
    Gateway.objects.create(device_id=DEVICE, client_id=client, state="delivered")
    return AbsurdEngine(clock=clock, tuning=Tuning(poll=0.01, tries=1))


def _play(engine: AbsurdEngine, attempts: Attempts) -> str:
    step = Step("step", Words("Schritt", "Step"))
    played = Process("P22", "connectivity_test", Words("x", "x"), (), (step,), attempts.tell)
    # Only the parts of the world that these acts touch: none.
    world = World(link=None, keys=None, ca=None, clock=attempts.clock, network=None, trust=None)  # type: ignore[arg-type]
    engine.register("connectivity_test", story_of(played, world))
    return _ordered(engine)


def _ordered(engine: AbsurdEngine) -> str:
    return runs.order(
        engine, code="P22", story="connectivity_test", gateway=DEVICE, fields={}, actor="test", client=None
    )


def _pass(engine: AbsurdEngine, clock: SetClock, total: timedelta, tick: timedelta) -> None:
    """Let time pass tick by tick, the engine working at each."""
    end = clock.time + total
    while clock.time < end:
        engine.work(threads=1, until_idle=True)
        clock.time += tick
    engine.work(threads=1, until_idle=True)


def _silent() -> Exception:
    return GATEWAY_NOT_CONNECTED(gateway=DEVICE)


def _at_gateway(attempts: Attempts, run: Telling) -> Any:
    return run.at_gateway("act", attempts.once)


@pytest.mark.requirement("P03")
def test_a_silent_gateway_is_tried_for_fourteen_days(engine: AbsurdEngine, clock: SetClock) -> None:
    """Back-off up to an hour; the client is told once after a day; after two weeks the run fails and says why."""
    attempts = Attempts(clock, _at_gateway, _silent)
    run_id = _play(engine, attempts)
    _pass(engine, clock, timedelta(hours=23), timedelta(hours=1))
    assert not AuditEntry.objects.filter(action="client.told_of_silence").exists()
    _pass(engine, clock, timedelta(days=13, hours=7), timedelta(hours=6))

    run = Run.objects.get(run_id=run_id)
    assert (run.state, run.code, run.side) == ("failed", "process.gateway_silent", "network")
    assert AuditEntry.objects.filter(action="client.told_of_silence").count() == 1
    assert timedelta(days=14) <= attempts.at[-1] - attempts.at[0] <= timedelta(days=14, hours=6)
    assert 20 + 50 <= len(attempts.at) <= 30 + 56


@pytest.mark.requirement("WAN-3.4")
def test_a_ca_that_stays_away_ends_the_run_as_its_fault(engine: AbsurdEngine, clock: SetClock) -> None:
    """After a week without the CA: failed, side CA."""
    attempts = Attempts(
        clock, lambda self, run: run.at_ca("ask", self.once), lambda: CA_UNREACHABLE(address="ca", why="refused")
    )
    run_id = _play(engine, attempts)
    _pass(engine, clock, timedelta(days=7, hours=5), timedelta(hours=4))

    run = Run.objects.get(run_id=run_id)
    assert (run.state, run.code, run.side) == ("failed", "process.ca_silent", "ca")
    assert AuditEntry.objects.filter(action="act.intended").count() == len(attempts.at)


def test_the_last_pause_does_not_outlast_the_patience(engine: AbsurdEngine, clock: SetClock) -> None:
    """An act that may take five minutes is answered after five minutes, not after the next long pause."""
    attempts = Attempts(clock, lambda self, run: run.at_gateway_within("act", self.once, seconds=300), _silent)
    run_id = _play(engine, attempts)
    _pass(engine, clock, timedelta(seconds=301), timedelta(seconds=1))

    assert Run.objects.get(run_id=run_id).state == "succeeded"
    assert attempts.at[-1] - attempts.at[0] == timedelta(seconds=300)


def test_a_call_during_a_failing_attempt_is_not_missed(engine: AbsurdEngine, clock: SetClock) -> None:
    """The gateway calls while the attempt is just failing: the next one follows at once, not after the pause."""

    def calls_meanwhile() -> Exception:
        clock.time += timedelta(seconds=1)
        gateways.contacted(DEVICE, clock.time)
        clock.time += timedelta(seconds=1)
        attempts.failing = None
        return _silent()

    attempts = Attempts(clock, _at_gateway, calls_meanwhile)
    run_id = _play(engine, attempts)
    engine.work(threads=1, until_idle=True)

    assert Run.objects.get(run_id=run_id).state == "succeeded"
    assert attempts.at == [NOON, NOON + timedelta(seconds=2)]


def test_a_plain_no_ends_at_once(engine: AbsurdEngine, clock: SetClock) -> None:
    """What no repetition can change is not repeated; the step and the run say why."""
    no = STEP_REFUSED(gateway=DEVICE, what="act", status=403)
    attempts = Attempts(clock, _at_gateway, lambda: no)
    run_id = _play(engine, attempts)
    engine.work(threads=1, until_idle=True)

    run = Run.objects.get(run_id=run_id)
    assert (run.state, run.code, run.failure, len(attempts.at)) == ("failed", no.code, no.text("de"), 1)
    assert run.steps.get().state == "failed"


@pytest.mark.requirement("P-2")
def test_a_run_the_engine_gave_up_ends_as_ours(engine: AbsurdEngine, clock: SetClock) -> None:
    """A fault of our own program: the run does not stand as running for ever, and the gateway takes orders again."""
    attempts = Attempts(clock, _at_gateway, lambda: ZeroDivisionError("bug"))
    run_id = _play(engine, attempts)
    engine.work(threads=1, until_idle=True)
    assert Run.objects.get(run_id=run_id).state == "running"

    assert (end_given_up(engine), end_given_up(engine)) == (1, 0)
    run = Run.objects.get(run_id=run_id)
    assert (run.state, run.code, run.side) == ("failed", "process.given_up", "ours")
    assert "bug" in run.failure
    attempts.failing = None
    again = _ordered(engine)
    engine.work(threads=1, until_idle=True)
    assert Run.objects.get(run_id=again).state == "succeeded"


def test_what_is_given_up_is_released_by_its_process() -> None:
    """Commissioning gives gateway and meters back; the other processes have nothing to give back."""
    assert process("commissioning").failed is not None
    assert process("connectivity_test").failed is None
