"""Ordering a process: fields checked, preconditions asked, order placed. Every face orders through here.

``examine`` answers all that stands against an order at once, ``preview`` what it may count on, ``place`` places it
with ticket, confirmation and sleeping run. ``order`` starts a run without all that, for operators and automatic work.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from torwart.kernel.client_state import CLIENT, ClientState
from torwart.kernel.identifiers import BdewCode
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.contact import CLIENT_CLOSED, CLIENT_NOT_ACTIVE, CLIENT_UNKNOWN
from torwart.kernel.refusals.order import (
    NOT_OVER_FORM,
    NOT_OVER_INTERFACE,
    ORDER_OPEN,
    ORDERER_NOT_ALLOWED,
    PARTICIPANT_UNKNOWN,
    TIME_IN_FIELD,
)
from torwart.kernel.refusals.process import FIELD_MISSING, GATEWAY_UNKNOWN
from torwart.kernel.refusals.service_time import OUT_OF_RANGE, OUTSIDE_HOURS
from torwart.kernel.words import Words
from torwart.ports.process_engine import ProcessEngine
from torwart.processes.definition import NOTHING, Examined, Process, process
from torwart.processes.fields import line, paragraph
from torwart.processes.summary import LABELS, Header, Row, as_json, summary
from torwart.rules import lead_time, precondition
from torwart.rules.lead_time import Commitment
from torwart.rules.service_time import Interval, counted
from torwart.services import capacity
from torwart.services import order as orders
from torwart.services import run as runs
from torwart.services.order import Standing, Subject

__all__ = ["Header", "Orderer", "Preview", "Row", "cancel", "examine", "order", "place", "preview", "summary"]


@dataclass(frozen=True, slots=True)
class Orderer:
    """Who orders. ``user``: the account, ``None`` over the interface; ``name``: as shown; ``actor``: as the audit trail
    names it; ``channel``: ``form``, ``upload`` or ``interface``.
    """

    client: int
    user: int | None
    name: str
    actor: str
    channel: str = "form"


@dataclass(frozen=True, slots=True)
class Preview:
    """What an order may count on before it is sent (T-6). ``strip``: the stretches of service time that count;
    ``refusal``: why this time cannot be asked for; ``alternatives``: free hours near it, where it is not free itself.
    """

    commitment: Commitment
    strip: list[Interval]
    refusal: Refusal | None
    alternatives: list[datetime]


@dataclass(frozen=True, slots=True)
class _Looked:
    """An order looked at from all sides."""

    examined: Examined
    header: Header
    subject: Subject | None


def examine(
    name: str,
    values: Mapping[str, Any],
    *,
    client: int | None,
    now: datetime,
    header: Header | None = None,
    orderer: Orderer | None = None,
) -> Examined:
    """All that is wrong with an order at once; nothing is placed.

    Errors are named by field, those of ``header`` too (``requested_at``, ``participant``, ``reference``, ``remark``).
    What stands against it is only asked once no field is wrong. ``client`` ``None``: the provider asks. A gateway of
    another client is unknown here (P-1). Without ``header`` or ``orderer`` what they hold is not asked.
    """
    return _look(process(name), values, client, header, orderer, now).examined


def preview(name: str, requested_at: datetime | None, *, now: datetime) -> Preview:
    """Planned or unplanned, when it is due and why, the service time that counts, and other times if need be."""
    chosen = process(name)
    refusal = None
    try:
        _requested(chosen, requested_at, now)
    except Refusal as refused:
        refusal = refused
    possible = refusal is None or refusal.code == OUTSIDE_HOURS.code
    commitment = lead_time.commit(now, requested_at if possible else None)
    limit = lead_time.PLANNED_LEAD if commitment.planned else lead_time.UNPLANNED_LIMIT
    others: list[datetime] = []
    out_of_range = refusal is not None and refusal.code == OUT_OF_RANGE.code
    if requested_at is None or out_of_range:
        return Preview(commitment, counted(now, limit), refusal, [])
    if refusal or not commitment.planned or not capacity.free(chosen, requested_at):
        others = capacity.alternatives(chosen, requested_at, now=now)
    return Preview(commitment, counted(now, limit), refusal, others)


def place(
    engine: ProcessEngine,
    name: str,
    values: Mapping[str, Any],
    *,
    orderer: Orderer,
    header: Header | None = None,
    now: datetime,
    grace: timedelta | None = None,
) -> str:
    """Place an order (O-2); its number. The first thing that stands against it is refused, and nothing is placed.

    ``grace``: how long it can be withdrawn before anything starts, by default as configured (60 s; O-10).
    """
    chosen = process(name)
    looked = _look(chosen, values, orderer.client, header or Header(), orderer, now)
    precondition.require(*looked.examined.errors.values(), *looked.examined.unmet)
    placement = _placement(chosen, looked, orderer, now, orders.grace() if grace is None else grace)
    return orders.place(engine, placement, now=now)


def cancel(
    engine: ProcessEngine, number: str, *, client: int | None, actor: str, reason: str, now: datetime
) -> list[Words]:
    """Cancel an order as far as its process allows (O-10); the steps that were done and stay."""
    chosen = process(orders.process_of(number, client))
    return orders.cancel(
        engine,
        number,
        client=client,
        actor=actor,
        reason=reason,
        now=now,
        free=chosen.failed,
        not_from=chosen.not_cancellable_from,
    )


def again(engine: ProcessEngine, number: str, *, user: int, actor: str, now: datetime) -> str:
    """Try a failed order again on the client's behalf: a new order with the same fields, now; its number.

    ``user``: the operator, whom the new order names in its remark; it is checked like any other.
    """
    failed = orders.failed(number, user)
    orderer = Orderer(failed.client, None, failed.orderer, actor, "again")
    header = Header(None, failed.participant, failed.reference, failed.remark)
    return place(engine, failed.process, failed.fields, orderer=orderer, header=header, now=now)


def _look(
    chosen: Process,
    values: Mapping[str, Any],
    client: int | None,
    header: Header | None,
    orderer: Orderer | None,
    now: datetime,
) -> _Looked:
    examined = chosen.examine(values)
    standing = orders.standing(client, orderer.user if orderer else None) if client is not None else None
    errors = dict(examined.errors)
    if header is not None:
        header = _timed(chosen, header, examined, errors)
        header = _checked_header(chosen, header, standing, now, errors)
    if errors:
        return _Looked(replace(examined, errors=errors), header or Header(), None)
    unmet = _standing_unmet(chosen, client, standing, orderer)
    subject = None
    try:
        examined = replace(examined, fields=chosen.located(client, examined.fields))
    except Refusal as refusal:
        return _Looked(replace(examined, unmet=(*unmet, refusal)), header or Header(), None)
    if chosen.subject_field:
        subject = orders.subject(chosen.subject(examined.fields), client, chosen.name)
        unmet += _subject_unmet(chosen, examined.fields, subject, now)
    if chosen.unmet_for is not None and client is not None:
        unmet += chosen.unmet_for(client, orderer.user if orderer else None, examined.fields, now)
    return _Looked(replace(examined, unmet=tuple(unmet)), header or Header(), subject)


def _timed(chosen: Process, header: Header, examined: Examined, errors: dict[str, Refusal]) -> Header:
    """The header with the time the order's own field says, where the process has one: nobody may name another."""
    if not chosen.time_field or chosen.time_field not in examined.fields:
        return header
    wanted = chosen.takes_effect(examined.fields)
    if header.requested_at not in (None, wanted):
        label = chosen.field(chosen.time_field).label
        errors["requested_at"] = TIME_IN_FIELD(label_de=label.de, label_en=label.en)
    return replace(header, requested_at=wanted)


def _checked_header(
    chosen: Process, header: Header, standing: Standing | None, now: datetime, errors: dict[str, Refusal]
) -> Header:
    """The header in canonical form; what is wrong goes into ``errors``."""
    known = standing.participants if standing is not None else ()
    checks: Mapping[str, Any] = {
        "requested_at": lambda: _requested(chosen, header.requested_at, now),
        "participant": lambda: _participant(header.participant, known),
        "reference": lambda: line(header.reference),
        "remark": lambda: paragraph(header.remark),
    }
    right: dict[str, Any] = {}
    for name, check in checks.items():
        try:
            right[name] = check()
        except Refusal as refusal:
            errors[(chosen.time_field or name) if name == "requested_at" else name] = refusal
    return replace(header, **right)


def _requested(chosen: Process, requested_at: datetime | None, now: datetime) -> datetime | None:
    """The requested time, if it can be asked for at all (T-5)."""
    if requested_at is not None:
        lead_time.check_requested(now, requested_at, unattended=chosen.unattended)
        lead_time.commit(now, requested_at)
    return requested_at


def _participant(given: str, known: tuple[str, ...]) -> str:
    """The client's own code number: the one named, or the only one it has (O-1: formal fields are prefilled)."""
    if not given.strip():
        if len(known) > 1:
            label = LABELS["participant"]
            raise FIELD_MISSING(field="participant", label_de=label.de, label_en=label.en)
        return known[0] if known else ""
    code = BdewCode.parse(given)
    if code not in known:
        raise PARTICIPANT_UNKNOWN(code=code, known=", ".join(known) or "–")
    return code


def _standing_unmet(
    chosen: Process, client: int | None, standing: Standing | None, orderer: Orderer | None
) -> list[Refusal]:
    """What stands against any order of this client by this person over this channel."""
    unmet: list[Refusal] = []
    if client is not None:
        unmet += _client_unmet(standing)
    if orderer is not None and orderer.user is not None and not (standing and standing.allowed):
        unmet.append(ORDERER_NOT_ALLOWED())
    words = {"process_de": chosen.words.de, "process_en": chosen.words.en}
    if orderer is not None and orderer.channel == "interface" and not chosen.over_interface:
        why = chosen.not_over_interface or NOTHING
        unmet.append(NOT_OVER_INTERFACE(**words, why_de=why.de, why_en=why.en, form=orders.form_url(chosen.name)))
    elif orderer is not None and not chosen.over_form:
        unmet.append(NOT_OVER_FORM(**words))
    return unmet


def _client_unmet(standing: Standing | None) -> list[Refusal]:
    if standing is None:
        return [CLIENT_UNKNOWN()]
    state = ClientState(standing.state)
    if state is ClientState.ACTIVE:
        return []
    if state is ClientState.ONBOARDING:
        return [CLIENT_NOT_ACTIVE(name=standing.name, tested=standing.tested)]
    return [CLIENT_CLOSED(name=standing.name, state_de=CLIENT.states[state].de, state_en=CLIENT.states[state].en)]


def _subject_unmet(chosen: Process, fields: Mapping[str, Any], subject: Subject | None, now: datetime) -> list[Refusal]:
    """What stands against the gateway. Of one that is not the client's nothing more is said or asked (P-1)."""
    gateway = chosen.subject(fields)
    if subject is None:
        return [GATEWAY_UNKNOWN(gateway=gateway)]
    if subject.open:
        return [ORDER_OPEN(gateway=gateway, number=subject.open)]
    return preconditions(chosen, gateway, fields, now)


def preconditions(chosen: Process, gateway: str, fields: Mapping[str, Any], now: datetime) -> list[Refusal]:
    """What the process itself has against an order now; asked when ordering and again when the work begins."""
    if chosen.unmet is None:
        return []
    try:
        return list(chosen.unmet(gateway, fields, now))
    except Refusal as refusal:
        return [refusal]


def _placement(chosen: Process, looked: _Looked, orderer: Orderer, now: datetime, grace: timedelta) -> orders.Placement:
    header, fields = looked.header, looked.examined.fields
    commitment = lead_time.commit(now, header.requested_at)
    withdrawable_until = now + grace
    return orders.Placement(
        client=orderer.client,
        user=orderer.user,
        orderer=orderer.name,
        actor=orderer.actor,
        channel=orderer.channel,
        code=chosen.code,
        process=chosen.name,
        subject=chosen.subject(fields),
        gateway=looked.subject.key if looked.subject is not None else None,
        fields=fields,
        summary=as_json(summary(chosen, fields, header, orderer=orderer.name)),
        wording=wording(chosen),
        requested_at=header.requested_at,
        participant=header.participant,
        reference=header.reference,
        remark=header.remark,
        planned=commitment.planned,
        due_at=commitment.due,
        starts_at=max(withdrawable_until, _start(chosen, header.requested_at, commitment) or withdrawable_until),
        withdrawable_until=withdrawable_until,
    )


def _start(chosen: Process, requested_at: datetime | None, commitment: Commitment) -> datetime | None:
    """Not before the client wants it, but for what must be prepared ahead; an unplanned order not after it is due."""
    if requested_at is None:
        return None
    if chosen.time_field:
        return requested_at - chosen.ahead
    return requested_at if commitment.planned else min(requested_at, commitment.due)


def wording(chosen: Process) -> dict[str, Any]:
    """How the process calls itself and its steps, kept with the order: what was said stays said."""
    return {
        "process": [chosen.words.de, chosen.words.en],
        "steps": [[step.name, step.words.de, step.words.en] for step in chosen.steps],
        "next": [chosen.after_ordering.de, chosen.after_ordering.en],
        "attended": not chosen.unattended,
        "leaves_nothing": [step.name for step in chosen.steps if not step.stays],
    }


def order(
    engine: ProcessEngine, name: str, fields: Mapping[str, Any], *, client: int | None, actor: str, now: datetime
) -> str:
    """Start the process ``name`` with these order fields, without order and ticket; the run id.

    The first field that is wrong or precondition that is not met is refused, with the reason and the remedy; nothing
    is started then. ``client``: the ordering client, whose devices alone exist for it (P-1).
    """
    chosen = process(name)
    checked = chosen.located(client, chosen.check(fields))
    gateway = chosen.subject(checked)
    if client is not None:
        runs.require_owned(gateway, client)
    if chosen.unmet is not None:
        precondition.require(*chosen.unmet(gateway, checked, now))
    return runs.order(
        engine, code=chosen.code, story=chosen.name, gateway=gateway, fields=checked, actor=actor, client=client
    )
