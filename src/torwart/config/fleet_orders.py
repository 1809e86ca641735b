"""The orders of a fleet with all that hangs on them: tickets, runs, steps, what was said, questions beside them."""

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from django.db.models import Model

from torwart.config.fleet_life import Case
from torwart.kernel.gateway_state import GatewayState
from torwart.kernel.identifiers import CaseNumber
from torwart.kernel.order_state import OrderState
from torwart.processes.definition import process
from torwart.processes.ordering import wording
from torwart.processes.summary import Header, as_json, summary
from torwart.rules.lead_time import UNPLANNED_LIMIT
from torwart.rules.service_time import deadline
from torwart.store import models

Entry = tuple[datetime, str, str, str, str, int]
"""An audit entry: at, actor, action, subject, payload as canonical JSON, client."""
Copy = Callable[[type[Model], str, Iterable[Sequence[object]]], None]
_O, _S = OrderState, GatewayState
_QUESTIONS_AN_ORDER = 0.05
_SAMPLE = "EPPC0211358875"
_REACHED = {_S.RESERVED: 2, _S.CONTACTED: 4, _S.PERSONALISED: 7, _S.CONNECTED: 8}
"""How many steps of its commissioning a gateway in this state has done."""
_CLOSED_AFTER = timedelta(days=14)
_SECONDS = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class _Words:
    """What all orders of one process have alike, as JSON with the sample device in it."""

    code: str
    fields: str
    summary: str
    wording: str
    subject: str
    steps: tuple[str, ...]


@cache
def _words(name: str) -> _Words:
    chosen = process(name)
    fields = {each.name: [each.example] if each.many else each.example for each in chosen.fields}
    fields[chosen.subject_field] = _SAMPLE
    rows = as_json(summary(chosen, fields, Header(), orderer="Anna Berg"))
    texts = [json.dumps(each, ensure_ascii=False) for each in (fields, rows, wording(chosen))]
    return _Words(chosen.code, texts[0], texts[1], texts[2], chosen.words.de, tuple(step.name for step in chosen.steps))


@dataclass(frozen=True, slots=True)
class _File:
    """One order with its numbers; ``pk`` is that of order, ticket and run alike."""

    pk: int
    number: str
    case: Case
    run: uuid.UUID
    due: datetime

    @property
    def client(self) -> int:
        return self.case.life.client + 1

    @property
    def gateway(self) -> int:
        return self.case.life.number + 1


def write_orders(
    cases: Sequence[Case], *, copy: Copy, entries: list[Entry], staff: int, now: datetime, random: Random
) -> None:
    """Write the orders, oldest first, and add to ``entries`` what the audit trail says of them."""
    questions = int(len(cases) * _QUESTIONS_AN_ORDER)
    digits = random.sample(range(10**8), len(cases) + questions)
    files = [
        _File(pk, CaseNumber.complete(f"A-{number:08d}"), case, uuid.UUID(int=random.getrandbits(128)), _due(case))
        for pk, (number, case) in enumerate(zip(digits, cases, strict=False), start=1)
    ]
    copy(
        models.Run,
        "id run_id process client_id gateway_id state state_since parameters waiting_for side code failure received_at "
        "started_at ended_at",
        map(_run, files),
    )
    copy(
        models.Order,
        "id number client_id orderer_id orderer_name channel process gateway_id fields summary wording reference state "
        "state_since submitted_at requested_at planned due_at starts_at withdrawable_until run_id result ended_at",
        (_order(each, staff) for each in files),
    )
    copy(
        models.Ticket,
        "id number client_id kind subject order_id contact_id gateway_id state state_since waiting_reason assignee_id "
        "opened_at due_at resolved_at",
        (*(_ticket(each, now, random, staff) for each in files), *_questions(digits[len(cases):], cases, now, random)),
    )  # fmt: skip
    copy(models.TicketEntry, "ticket_id at kind author de en", (row for each in files for row in _said(each)))
    copy(
        models.Step,
        "run_id name position state attempts side code started_at ended_at",
        (row for each in files for row in _steps(each)),
    )
    copy(
        models.Proposal,
        "order_id times reason proposed_by proposed_at",
        (
            (each.pk, [_next(now, 3), _next(now, 4)], "Wartung am Wunschtermin", "Otto Keller", each.case.submitted)
            for each in files
            if each.case.state is _O.PROPOSED
        ),
    )
    for each in files:
        entries.extend(_audited(each))


def _next(now: datetime, days: int) -> datetime:
    return (now + timedelta(days=days)).replace(hour=9, minute=0, second=0, microsecond=0)


def _due(case: Case) -> datetime:
    return case.requested or deadline(case.submitted, UNPLANNED_LIMIT)


_RUNS = {
    _O.DONE: "succeeded",
    _O.FAILED: "failed",
    _O.CANCELLED: "cancelled",
    _O.WITHDRAWN: "cancelled",
    _O.REFUSED: "refused",
    _O.IN_PROGRESS: "waiting",
    _O.ACCEPTED: "received",
    _O.PROPOSED: "received",
}


def _run(file: _File) -> Sequence[object]:
    case, words = file.case, _words(file.case.process)
    failed = case.state is _O.FAILED
    waits = {_O.IN_PROGRESS: "device", _O.ACCEPTED: "time", _O.PROPOSED: "client"}.get(case.state, "")
    why = ("gateway", "gateway.silent", "Das Gateway meldet sich nicht.") if failed else ("", "", "")
    return (
        file.pk,
        file.run,
        words.code,
        file.client,
        file.gateway,
        _RUNS[case.state],
        case.ended or case.begun or case.submitted,
        words.fields.replace(_SAMPLE, case.life.device),
        waits,
        *why,
        case.submitted,
        case.begun,
        case.ended,
    )


def _order(file: _File, staff: int) -> Sequence[object]:
    case, words = file.case, _words(file.case.process)
    return (
        file.pk,
        file.number,
        file.client,
        staff + 2 * case.life.client + 1,
        "Anna Berg",
        "form",
        case.process,
        file.gateway,
        words.fields.replace(_SAMPLE, case.life.device),
        words.summary.replace(_SAMPLE, case.life.device),
        words.wording,
        f"AUF-{file.pk:07d}",
        case.state.value,
        case.ended or case.begun or case.submitted,
        case.submitted,
        case.requested,
        case.requested is not None,
        file.due,
        case.requested or case.submitted + _SECONDS,
        case.submitted + _SECONDS,
        file.pk,
        '{"rows": []}' if case.state is _O.DONE else None,
        case.ended,
    )


def _ticket(file: _File, now: datetime, random: Random, staff: int) -> Sequence[object]:
    case = file.case
    state, why = "open", ""
    if case.ended is not None:
        state = "closed" if case.ended < now - _CLOSED_AFTER else "resolved"
    elif case.state is _O.PROPOSED:
        state, why = "waiting_client", "Bitte wählen Sie einen Termin"
    elif case.state is _O.ACCEPTED:
        state, why = "waiting_time", "Der vereinbarte Termin ist noch nicht da"
    elif random.random() < 0.7:
        state, why = "waiting_device", "Das Gateway meldet sich nicht"
    return (
        file.pk,
        f"T{file.number[1:]}",
        file.client,
        "order",
        f"{file.number} {_words(case.process).subject}",
        file.pk,
        None,
        file.gateway,
        state,
        case.ended or case.begun or case.submitted,
        why,
        random.randrange(1, staff + 1) if case.open and random.random() < 0.5 else None,
        case.submitted,
        None if state == "waiting_client" else file.due,
        case.ended,
    )


def _questions(
    digits: Sequence[int], cases: Sequence[Case], now: datetime, random: Random
) -> Iterator[Sequence[object]]:
    """Questions beside the orders; one in fifty is still open."""
    ages = sorted((random.random() for _ in digits), reverse=True)
    for place, (number, age) in enumerate(zip(digits, ages, strict=True)):
        opened = now - timedelta(days=900 * age)
        client = cases[place].life.client + 1
        resting = place > len(digits) * 0.98
        yield (
            len(cases) + place + 1,
            CaseNumber.complete(f"T-{number:08d}"),
            client,
            "question",
            ("Wann kommt der Techniker?", "Zugang für eine Kollegin", "Rechnung des letzten Monats")[place % 3],
            None,
            3 * (client - 1) + 1,
            None,
            "open" if resting else "closed",
            opened,
            "",
            None,
            opened,
            deadline(max(opened, now - timedelta(days=3)) if resting else opened, UNPLANNED_LIMIT),
            None if resting else opened + timedelta(hours=5),
        )


def _said(file: _File) -> Iterator[Sequence[object]]:
    case, number = file.case, file.number
    yield file.pk, case.submitted, "event", "Anna Berg", f"Auftrag {number} eingegangen", f"Order {number} received"
    if case.ended is not None:
        yield file.pk, case.ended, "event", "Torwart", f"Auftrag {number} beendet", f"Order {number} has ended"


def _steps(file: _File) -> Iterator[Sequence[object]]:
    case, names = file.case, _words(file.case.process).steps
    if case.begun is None:
        return
    done = {_O.DONE: len(names), _O.CANCELLED: 1}.get(case.state, min(2, len(names) - 1))
    if case.state is _O.IN_PROGRESS and case.process == "commissioning":
        done = _REACHED.get(case.life.state, 2)
    end = case.ended or case.begun + timedelta(seconds=20 * len(names))
    each = (end - case.begun) / len(names)
    for place, name in enumerate(names[:done]):
        start = case.begun + place * each
        yield file.pk, name, place + 1, "done", 1, "", "", start, start + each
    if case.state in (_O.IN_PROGRESS, _O.FAILED):
        state = "failed" if case.state is _O.FAILED else "waiting"
        why: tuple[Any, ...] = ("gateway", "gateway.silent", case.begun + done * each)
        yield file.pk, names[done], done + 1, state, 3, *why, case.ended if state == "failed" else None


def _audited(file: _File) -> Iterator[Entry]:
    case = file.case
    requested = f'"{case.requested.isoformat()}"' if case.requested else "null"
    actor, ticket = f"client:person0@client{file.client}.example", f"ticket:T{file.number[1:]}"
    process = f'{{"process":"{_words(case.process).code}"}}'
    opened = f'{{"kind":"order","requested_at":{requested}}}'
    yield case.submitted, actor, "order.placed", f"order:{file.number}", process, file.client
    yield case.submitted, actor, "ticket.opened", ticket, opened, file.client
    if case.state is _O.PROPOSED:
        paused = '{"reason":"Bitte wählen Sie einen Termin"}'
        yield (
            case.submitted + 2 * _SECONDS,
            "user:person1@torwart.example",
            "ticket.paused",
            ticket,
            paused,
            file.client,
        )
    if case.ended is not None:
        yield case.ended, "run:torwart", f"order.{case.state}", f"order:{file.number}", process, file.client
