"""The verbs of runs: ordering, steps, waiting, ends; each with its audit entry, in the caller's transaction."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from torwart.adapters.engine import AbsurdEngine
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.ca import CA_UNREACHABLE
from torwart.kernel.refusals.gateway import GATEWAY_NOT_CONNECTED
from torwart.kernel.refusals.process import GIVEN_UP
from torwart.services import client as clients
from torwart.services import run as runs
from torwart.store.models import AuditEntry, Gateway, Run

DEVICE = "EPPC0200000001"


@pytest.fixture
def engine(db: None) -> AbsurdEngine:
    client = clients.create("Stadtwerke", actor="test")
    Gateway.objects.create(device_id=DEVICE, client_id=client, state="delivered")
    return AbsurdEngine()


def _order(engine: AbsurdEngine, **changes: object) -> str:
    order = {"code": "P22", "story": "connectivity_test", "gateway": DEVICE, "fields": {"reason": "x"}, "actor": "anna"}
    return runs.order(engine, **{**order, **changes})  # type: ignore[arg-type]


def _run(run_id: str) -> Run:
    return Run.objects.get(run_id=run_id)


@pytest.mark.requirement("O-1", "M-4")
def test_an_order_is_run_task_and_audit_entry_at_once(engine: AbsurdEngine) -> None:
    """All three are there or none: a transaction that rolls back leaves nothing."""
    with transaction.atomic():
        gone = _order(engine)
        transaction.set_rollback(True)
    assert (Run.objects.filter(run_id=gone).exists(), engine.view(gone)) == (False, None)
    run_id = _order(engine)

    view = engine.view(run_id)
    assert view is not None
    assert (_run(run_id).state, view.state, view.story) == ("accepted", "pending", "connectivity_test")
    entry = AuditEntry.objects.get(action="connectivity_test.ordered", payload__run=run_id)
    assert (entry.actor, entry.subject, entry.payload["order"]) == ("anna", f"gateway:{DEVICE}", {"reason": "x"})


@pytest.mark.requirement("P-2")
def test_one_gateway_has_one_active_run(engine: AbsurdEngine) -> None:
    """The second order is refused and names the first; when that has ended the next one is taken."""
    first = _order(engine)
    with pytest.raises(Refusal) as refused:
        _order(engine)
    assert (refused.value.code, first in refused.value.text("de")) == ("process.gateway_busy", True)
    runs.cancel(engine, first, actor="anna", reason="x")

    assert _run(_order(engine)).state == "accepted"


@pytest.mark.requirement("P-1")
def test_a_strangers_gateway_is_unknown(engine: AbsurdEngine) -> None:
    """Ordered by another client, a gateway is refused word for word like one that does not exist."""
    stranger = clients.create("Nachbarwerke", actor="test")
    texts = []
    for device in (DEVICE, "EPPC0299999999"):
        with pytest.raises(Refusal) as refused:
            _order(engine, gateway=device, client=stranger)
        texts.append((refused.value.code, refused.value.text("en").replace(device, "X")))

    assert texts[0] == texts[1]
    assert not Run.objects.exists()


def test_steps_close_one_another(engine: AbsurdEngine) -> None:
    """Entering a step ends the one before; the first one starts the run."""
    run_id = _order(engine)
    runs.enter_step(run_id, "accepted", 1)
    runs.enter_step(run_id, "connection", 2)
    run = _run(run_id)

    assert (run.state, run.started_at is not None) == ("running", True)
    assert [(s.name, s.state, s.ended_at is None) for s in run.steps.order_by("position")] == [
        ("accepted", "done", False),
        ("connection", "running", True),
    ]


@pytest.mark.parametrize(
    ("refusal", "what", "side"),
    [
        (GATEWAY_NOT_CONNECTED(gateway=DEVICE), "device", "gateway"),
        (CA_UNREACHABLE(address="ca", why="refused"), "time", "ca"),
    ],
)
def test_a_failed_attempt_is_shown_and_forgotten_on_success(
    engine: AbsurdEngine, refusal: Refusal, what: str, side: str
) -> None:
    """While it waits the run says for what, whose fault it is and when it goes on; afterwards nothing of it."""
    run_id, later = _order(engine), datetime.now(UTC) + timedelta(minutes=5)
    runs.enter_step(run_id, "connection", 1)
    runs.attempt_failed(run_id, "connection", refusal, later)
    runs.attempt_failed(run_id, "connection", refusal, later)
    run = _run(run_id)
    assert (run.state, run.waiting_for, run.side, run.code, run.next_attempt_at) == (
        "waiting", what, side, refusal.code, later,
    )  # fmt: skip
    assert run.steps.get().attempts == 2
    runs.resumes(run_id, "connection")
    run = _run(run_id)

    assert (run.state, run.waiting_for, run.side, run.code, run.failure) == ("running", "", "", "", "")
    assert run.steps.get().code == ""


def test_an_ended_run_stays_as_it_ended(engine: AbsurdEngine) -> None:
    """Failing or cancelling what has succeeded changes nothing and writes nothing."""
    run_id = _order(engine)
    runs.enter_step(run_id, "accepted", 1)
    runs.succeed(run_id, {"light": "green"})
    before = AuditEntry.objects.count()
    runs.fail(run_id, "x.y", "ours", {"de": "", "en": ""})

    assert runs.cancel(engine, run_id, actor="anna", reason="x") is False
    assert runs.end_failed(run_id, GIVEN_UP(why="x")) is False
    assert (_run(run_id).state, AuditEntry.objects.count()) == ("succeeded", before)


def test_ending_frees_what_was_reserved_in_the_same_breath(engine: AbsurdEngine) -> None:
    """Cancelled or given up: the process gives back its reservations, once, with run and gateway named."""
    freed: list[tuple[str, str]] = []
    first = _order(engine)
    assert runs.cancel(engine, first, actor="anna", reason="x", free=lambda *what: freed.append(what))
    second = _order(engine)
    assert runs.end_failed(second, GIVEN_UP(why="bug"), free=lambda *what: freed.append(what))

    assert freed == [(first, DEVICE), (second, DEVICE)]
    run = _run(second)
    assert (run.state, run.code, run.side) == ("failed", "process.given_up", "ours")


def test_what_stands_still_is_found(engine: AbsurdEngine) -> None:
    """Supervision sees active runs that have not moved for too long, and no others."""
    run_id = _order(engine)
    now = datetime.now(UTC)

    assert runs.overdue(now, timedelta(hours=1)) == []
    assert runs.overdue(now + timedelta(hours=2), timedelta(hours=1)) == [run_id]


def test_milliseconds_need_both_instants() -> None:
    """A call that never came has no latency."""
    assert runs.milliseconds("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:01.234+00:00") == 1234
    assert runs.milliseconds("2026-01-01T00:00:00+00:00", None) is None
