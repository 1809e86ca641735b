"""Runs: ordering a process, its steps as people see them, its true end. Every verb takes part in the caller's
transaction or is one of its own.
"""

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.process import GATEWAY_BUSY, GATEWAY_UNKNOWN
from torwart.kernel.run_state import RUN, RunState, RunVerb, WaitingFor
from torwart.ports.process_engine import ProcessEngine
from torwart.services import audit
from torwart.store import statement
from torwart.store.models import Gateway, Run
from torwart.store.models.run import ACTIVE

_CLASHES = 3
Free = Callable[[str, str], None]
"""Gives back, by run id and gateway, what a run had reserved and no longer needs."""


def require_owned(gateway: str, client: int) -> None:
    """Refuse a gateway of another client exactly like an unknown one (P-1)."""
    if not Gateway.objects.filter(device_id=gateway, client=client).exists():
        raise GATEWAY_UNKNOWN(gateway=gateway)


def order(
    engine: ProcessEngine,
    *,
    code: str,
    story: str,
    gateway: str,
    fields: Mapping[str, Any],
    actor: str,
    client: int | None = None,
    queue: str = "interactive",
) -> str:
    """Start a process on a gateway; run, audit entry and durable task commit together. Returns the run id.

    ``client``: the ordering client; a gateway of another one is refused exactly like an unknown one (P-1).
    One gateway has one active run at a time.
    """
    with transaction.atomic():
        found = Gateway.objects.filter(device_id=gateway)
        device = found.filter(client=client).first() if client is not None else found.first()
        if device is None:
            raise GATEWAY_UNKNOWN(gateway=gateway)
        run_id = uuid.uuid4()
        try:
            with transaction.atomic():
                Run.objects.create(
                    run_id=run_id,
                    process=code,
                    client_id=device.client_id,
                    gateway=device,
                    state=RUN.next(RunState.RECEIVED, RunVerb.ACCEPT),
                    parameters=dict(fields),
                )
        except IntegrityError:
            running = Run.objects.filter(gateway=device, state__in=ACTIVE).first()
            raise GATEWAY_BUSY(gateway=gateway, run=running or "?") from None
        audit.append(
            actor=actor,
            action=f"{story}.ordered",
            subject=f"gateway:{gateway}",
            payload={"run": str(run_id), "process": code, "order": dict(fields)},
            client=device.client_id,
        )
        engine.spawn(story, str(run_id), {"gateway": gateway, "order": dict(fields)}, queue=queue)
    return str(run_id)


def take(run_id: str) -> bool:
    """The run of an order takes its gateway (received → accepted); ``False`` while another run has it."""
    run = _present(run_id)
    try:
        with transaction.atomic():
            _move(run, RunVerb.ACCEPT, waiting_for="", next_attempt_at=None, code="", side="", failure="")
    except IntegrityError:
        return False
    return True


def refuse(run_id: str, refusal: Refusal) -> None:
    """The run of an order cannot begin."""
    run = Run.objects.select_related("gateway").get(run_id=run_id)
    failure = {"code": refusal.code, "side": refusal.side.value}
    _move(run, RunVerb.REFUSE, **failure, failure=refusal.text("de"), ended_at=Now(), waiting_for="")
    _audit_end(run, "refused", failure)


def expect(run_id: str, until: datetime, busy: Refusal | None = None) -> None:
    """The run of an order, not begun yet, tries at this instant; ``busy``: another run has its gateway."""
    why: dict[str, Any] = {"waiting_for": WaitingFor.TIME.value}
    if busy is not None:
        why = {"waiting_for": WaitingFor.DEVICE.value, "code": busy.code, "failure": busy.text("de")}
    Run.objects.filter(run_id=run_id, state=RunState.RECEIVED).update(next_attempt_at=until, **why)


_ENTER = """
WITH run AS (SELECT id, state FROM store_run WHERE run_id = %(run)s),
     closed AS (UPDATE store_step SET state = 'done', ended_at = now(), next_attempt_at = NULL
                 FROM run WHERE store_step.run_id = run.id AND store_step.ended_at IS NULL),
     entered AS (INSERT INTO store_step (run_id, name, position, state, attempts, detail, side, code, started_at)
                 SELECT id, %(name)s, %(position)s, 'running', 0, '{}', '', '', now() FROM run)
SELECT id, state FROM run
"""


def enter_step(run_id: str, name: str, position: int) -> None:
    """The step before is done, this one is running; the run too. One round trip where the run is already running."""
    ((pk, state),) = statement.rows(_ENTER, {"run": run_id, "name": name, "position": position})
    run = Run(pk=pk, state=state)
    verb = {RunState.ACCEPTED: RunVerb.START, RunState.WAITING: RunVerb.RESUME}.get(RunState(run.state))
    if verb is not None:
        changes: dict[str, Any] = {"started_at": Now()} if verb is RunVerb.START else {}
        _move(run, verb, waiting_for="", next_attempt_at=None, **changes)


def _present(run_id: str) -> Run:
    """The run with nothing but its key and its state."""
    found = statement.rows("SELECT id, state FROM store_run WHERE run_id = %(run)s", {"run": run_id})
    if not found:
        raise Run.DoesNotExist(run_id)
    pk, state = found[0]
    return Run(pk=pk, state=state)


@lru_cache(maxsize=4096)
def _whose(run_id: str) -> tuple[int, str | None]:
    """Client and gateway of a run; they never change."""
    ((client, gateway),) = statement.rows(_WHOSE, {"run": run_id})
    return client, gateway


_WHOSE = """
SELECT r.client_id, g.device_id FROM store_run AS r LEFT JOIN store_gateway AS g ON g.id = r.gateway_id
 WHERE r.run_id = %(run)s
"""


def _close_step(run: Run, state: str, **changes: Any) -> None:
    run.steps.filter(ended_at__isnull=True).update(state=state, ended_at=Now(), next_attempt_at=None, **changes)


def _move(run: Run, verb: RunVerb, **changes: Any) -> None:
    state = RUN.next(RunState(run.state), verb)
    Run.objects.filter(pk=run.pk).update(state=state, state_since=Now(), **changes)
    run.state = state


def intend(run_id: str, step: str, act: str, number: int) -> None:
    """Write down what is about to be done outside, before it is done (intent, act, verify)."""
    client, gateway = _whose(run_id)
    audit.append(
        actor=f"run:{run_id}",
        action="act.intended",
        subject=f"gateway:{gateway}" if gateway else f"run:{run_id}",
        payload={"step": step, "act": act, "attempt": number},
        client=client,
    )


def attempt_failed(run_id: str, step: str, refusal: Refusal, next_at: datetime) -> None:
    """An act failed for a passing reason: the step shows it, the run waits visibly."""
    with transaction.atomic():
        run = _present(run_id)
        run.steps.filter(name=step).update(
            state="waiting",
            attempts=F("attempts") + 1,
            code=refusal.code,
            side=refusal.side.value,
            detail={"de": refusal.text("de"), "en": refusal.text("en")},
            next_attempt_at=next_at,
        )
        # What is not the device's can only be waited for: the next attempt has its time.
        what = WaitingFor.DEVICE if refusal.code.startswith("gateway.") else WaitingFor.TIME
        waiting = {"waiting_for": what.value, "next_attempt_at": next_at, "code": refusal.code}
        if run.state == RunState.RUNNING:
            _move(run, RunVerb.WAIT, **waiting, side=refusal.side.value, failure=refusal.text("de"))
        else:
            Run.objects.filter(pk=run.pk).update(**waiting, side=refusal.side.value, failure=refusal.text("de"))


def waits_for(run_id: str, step: str, what: WaitingFor, why: Mapping[str, str]) -> None:
    """The story waits for something that is no failure, e.g. the first value; shown at the step."""
    run = _present(run_id)
    run.steps.filter(name=step).update(state="waiting", detail=dict(why))
    if run.state == RunState.RUNNING:
        _move(run, RunVerb.WAIT, waiting_for=what.value)


def resumes(run_id: str, step: str) -> None:
    """What was waited for has come: step and run go on."""
    run = _present(run_id)
    run.steps.filter(name=step).update(state="running", next_attempt_at=None, code="", side="")
    if run.state == RunState.WAITING:
        _move(run, RunVerb.RESUME, waiting_for="", next_attempt_at=None, code="", side="", failure="")


def tell_client_of_silence(run_id: str, gateway: str) -> None:
    """Once per run: the client learns that the gateway is silent (P03: "tells the client after 24 h of silence").

    The entry in the audit trail is what the mail room sends from.
    """
    run = Run.objects.only("id", "client_id").get(run_id=run_id)
    audit.append(
        actor=f"run:{run_id}",
        action="client.told_of_silence",
        subject=f"gateway:{gateway}",
        payload={"run": run_id},
        client=run.client_id,
    )


def succeed(run_id: str, result: Mapping[str, Any]) -> None:
    """The run's effect is proven; it ends."""
    run = Run.objects.select_related("gateway").get(run_id=run_id)
    _close_step(run, "done")
    if run.state == RunState.WAITING:
        _move(run, RunVerb.RESUME)
    _move(run, RunVerb.SUCCEED, result=dict(result), ended_at=Now(), waiting_for="", code="", side="", failure="")
    _audit_end(run, "succeeded", dict(result))


def fail(run_id: str, code: str, side: str, text: Mapping[str, str]) -> None:
    """The run cannot reach its effect: it says why and whose fault it is. One that has ended stays as it is."""
    run = Run.objects.select_related("gateway").get(run_id=run_id)
    if run.state not in ACTIVE:
        return
    _close_step(run, "failed", code=code, side=side, detail=dict(text))
    if run.state == RunState.ACCEPTED:
        _move(run, RunVerb.START)
    _move(run, RunVerb.FAIL, code=code, side=side, failure=text["de"], ended_at=Now(), waiting_for="")
    _audit_end(run, "failed", {"code": code, "side": side})


def end_failed(run_id: str, refusal: Refusal, *, free: Free | None = None) -> bool:
    """End a run as failed, and free what it had reserved; ``False`` if it had already ended."""
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).select_related("gateway").get(run_id=run_id)
        if run.state not in ACTIVE:
            return False
        fail(run_id, refusal.code, refusal.side.value, {"de": refusal.text("de"), "en": refusal.text("en")})
        if free is not None and run.gateway is not None:
            free(run_id, run.gateway.device_id)
    return True


def cancel(engine: ProcessEngine, run_id: str, *, actor: str, reason: str, free: Free | None = None) -> bool:
    """Cancel a run at its next step boundary; what was done stays done, ``free`` gives back what was reserved.
    ``False`` if it had already ended.
    """
    for _ in range(_CLASHES):
        with suppress(OperationalError):  # the run was just doing a step and both waited for each other: once more
            return _cancel(engine, run_id, actor, reason, free)
    return _cancel(engine, run_id, actor, reason, free)


def _cancel(engine: ProcessEngine, run_id: str, actor: str, reason: str, free: Free | None) -> bool:
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).select_related("gateway").get(run_id=run_id)
        if RunVerb.CANCEL not in RUN.allowed(RunState(run.state)):
            return False
        engine.cancel(run_id)
        _close_step(run, "failed", detail={"de": reason, "en": reason})
        _move(run, RunVerb.CANCEL, ended_at=Now(), failure=reason)
        _audit_end(run, "cancelled", {"reason": reason, "by": actor})
        if free is not None and run.gateway is not None:
            free(run_id, run.gateway.device_id)
    return True


def _audit_end(run: Run, how: str, payload: dict[str, Any]) -> None:
    audit.append(
        actor=f"run:{run.run_id}",
        action=f"run.{how}",
        subject=f"gateway:{run.gateway}" if run.gateway else f"run:{run.run_id}",
        payload={"process": run.process, **payload},
        client=run.client_id,
    )


def connected_since(gateway: str, since: datetime) -> bool:
    """Whether the gateway's MANAGEMENT connection has come up after ``since``."""
    return Gateway.objects.filter(device_id=gateway, last_contact_at__gt=since).exists()


def connected_at(gateway: str, since: str) -> str | None:
    """When the gateway called after ``since`` (ISO 8601), if it did."""
    row = Gateway.objects.filter(device_id=gateway, last_contact_at__gt=since).values_list("last_contact_at").first()
    return row[0].isoformat() if row and row[0] else None


def milliseconds(begin: str, end: str | None) -> int | None:
    """Between two ISO 8601 instants."""
    if end is None:
        return None
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds() * 1000)


def process_of(run_id: str) -> str | None:
    """Process code of a run that has not ended."""
    return Run.objects.filter(run_id=run_id, state__in=ACTIVE).values_list("process", flat=True).first()


def overdue(now: datetime, after: timedelta) -> list[str]:
    """Run ids of active runs that have not moved for ``after``: what supervision looks at."""
    rows = Run.objects.filter(state__in=ACTIVE, state_since__lt=now - after)
    return [str(run_id) for run_id in rows.values_list("run_id", flat=True)]
