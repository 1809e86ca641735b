"""What belongs to the evidence of one order, read from the store; nothing in it is secret or of another client."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from torwart.kernel.order_state import ORDER, OrderState
from torwart.kernel.refusals.order import ORDER_UNKNOWN
from torwart.services import present, ticket_clock
from torwart.services.sealed import seal
from torwart.store.models import (
    Attachment,
    AuditEntry,
    Exchange,
    MailIn,
    MailOut,
    Order,
    Proposal,
    Step,
    TicketEntry,
)
from torwart.store.queries import audit as audits

VERSION = 2
_ROWS = {"note": "delivery_note", "mail": "mail_in", "contact": "contact"}
"""Under these names results and audit entries hold numbers of rows; the value is the kind they are sealed as."""
Text = Mapping[str, str]
"""The same in both languages: ``{"de": …, "en": …}``."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All values are of the JSON data model; instants are ISO 8601 in UTC.

    ``order``: what was ordered, by whom, what was promised; ``summary``: every field as shown; ``deadline``: start,
    allowance, pauses and the counted stretches that make it up; ``steps``: with attempts and times; ``history``: what
    stands on the ticket for everybody; ``mails``: heads and states, no texts; ``exchanges``: the transcript, secrets
    redacted, bodies as size and SHA-256; ``audit``: entries as they were chained, with their place and hash.

    A client's copy (``whole`` is false) counts nothing of others (P-1): row numbers are sealed, and an entry of the
    audit trail has its hash, by which it is found in the whole trail, but not its place there.
    """

    version: int
    whole: bool
    number: str
    taken_at: str
    order: Mapping[str, Any]
    summary: Sequence[Mapping[str, Text]]
    deadline: Mapping[str, Any]
    proposals: Sequence[Mapping[str, Any]]
    steps: Sequence[Mapping[str, Any]]
    history: Sequence[Mapping[str, Any]]
    files: Sequence[Mapping[str, Any]]
    mails: Sequence[Mapping[str, Any]]
    exchanges: Sequence[Mapping[str, Any]]
    audit: Sequence[Mapping[str, Any]]


def bundle(number: str, client: int | None, now: datetime | None = None) -> Evidence:
    """Collect the evidence of an order as it stands now. With ``client`` another one's is unknown (P-1)."""
    found = Order.objects.select_related("client", "ticket", "run", "gateway").filter(number=number[:20])
    order = (found if client is None else found.filter(client=client)).first()
    if order is None:
        raise ORDER_UNKNOWN(number=number[:20])
    ticket = order.ticket
    return Evidence(
        version=VERSION,
        whole=client is None,
        number=order.number,
        taken_at=_at(now or present.now()) or "",
        order=_order(order) if client is None else _uncounted(_order(order)),
        summary=[
            {"label": {"de": label, "en": label_en}, "value": {"de": value, "en": value_en}}
            for label, label_en, value, value_en in order.summary
        ],
        deadline=_deadline(ticket.number),
        proposals=[_proposal(each) for each in Proposal.objects.filter(order=order).order_by("id")],
        steps=_steps(order),
        history=[_entry(each) for each in TicketEntry.objects.filter(ticket=ticket, internal=False).order_by("id")],
        files=[_file(each) for each in Attachment.objects.filter(ticket=ticket).defer("content").order_by("id")],
        mails=_mails(ticket.pk),
        exchanges=[_exchange(each) for each in Exchange.objects.filter(run=order.run_id).order_by("id")]
        if order.run_id
        else [],
        audit=_audit(order) if client is None else [_outside(each) for each in _audit(order)],
    )


def as_json(evidence: Evidence) -> bytes:
    """UTF-8 JSON, indented, keys in the order of ``Evidence``."""
    return json.dumps(asdict(evidence), ensure_ascii=False, indent=2).encode()


def _order(order: Order) -> dict[str, Any]:
    process, run = order.wording["process"], order.run
    state = ORDER.states[OrderState(order.state)]
    return {
        "client": order.client.name,
        "orderer": order.orderer_name,
        "channel": order.channel,
        "process": {"code": run.process if run else "", "name": order.process, "de": process[0], "en": process[1]},
        "gateway": order.gateway.device_id if order.gateway else "",
        "participant": order.participant,
        "reference": order.reference,
        "remark": order.remark,
        "ticket": order.ticket.number,
        "run": str(run.run_id) if run else "",
        "state": {"name": order.state, "de": state.de, "en": state.en},
        "planned": order.planned,
        "submitted_at": _at(order.submitted_at),
        "withdrawable_until": _at(order.withdrawable_until),
        "requested_at": _at(order.requested_at),
        "starts_at": _at(order.starts_at),
        "due_at": _at(order.due_at),
        "ended_at": _at(order.ended_at),
        "fields": order.fields,
        "result": order.result,
    }


def _deadline(number: str) -> dict[str, Any]:
    """The arithmetic, recomputed from the audit trail."""
    timing = ticket_clock.timing(number)
    clock = timing.clock
    return {
        "start": _at(clock.start),
        "allowance_seconds": round(clock.allowance.total_seconds()),
        "requested_at": _at(timing.requested_at),
        "pauses": [{"begin": _at(p.begin), "end": _at(p.end), "reason": p.reason} for p in clock.pauses],
        "counted": [
            {"begin": _at(each.begin), "end": _at(each.end), "seconds": round(each.length.total_seconds())}
            for each in clock.counted()
        ],
        "due": _at(timing.due),
    }


def _proposal(row: Proposal) -> dict[str, Any]:
    return {
        "at": _at(row.proposed_at),
        "times": [_at(time) for time in row.times],
        "reason": row.reason,
        "chosen": _at(row.chosen),
        "answer": row.answer,
        "answered_at": _at(row.answered_at),
    }


def _steps(order: Order) -> list[dict[str, Any]]:
    words = {name: {"de": de, "en": en} for name, de, en in order.wording["steps"]}
    return [
        {
            "name": step.name,
            **words.get(step.name, {"de": step.name, "en": step.name}),
            "state": step.state,
            "attempts": step.attempts,
            "started_at": _at(step.started_at),
            "ended_at": _at(step.ended_at),
            "code": step.code,
            "side": step.side,
            "detail": {language: text for language, text in step.detail.items() if language in ("de", "en")},
        }
        for step in Step.objects.filter(run=order.run_id).order_by("position")
    ]


def _entry(row: TicketEntry) -> dict[str, Any]:
    return {"at": _at(row.at), "kind": row.kind, "author": row.author, "de": row.de, "en": row.en}


def _file(row: Attachment) -> dict[str, Any]:
    return {
        "name": row.name,
        "media_type": row.media_type,
        "size": row.size,
        "sha256": row.digest,
        "secure": row.secure,
        "added_at": _at(row.added_at),
    }


def _mails(ticket: int) -> list[dict[str, Any]]:
    """Both directions in the order of time."""
    out = MailOut.objects.filter(ticket=ticket).defer("text", "html", "files")
    sent = [
        {
            "direction": "out",
            "at": _at(mail.created_at),
            "subject": mail.subject,
            "address": mail.address,
            "kind": mail.kind,
            "message_id": mail.message_id,
            "secure": mail.secure,
            "state": mail.state,
            "sent_at": _at(mail.sent_at),
            "failure": mail.failure,
        }
        for mail in out
    ]
    came = [
        {
            "direction": "in",
            "at": _at(mail.received_at),
            "subject": mail.subject,
            "address": mail.from_address,
            "kind": mail.via,
            "message_id": mail.message_id,
            "secure": bool(mail.security),
            "state": mail.state,
            "sent_at": None,
            "failure": mail.code,
            "sha256": mail.digest,
        }
        for mail in MailIn.objects.filter(ticket=ticket).defer("raw")
    ]
    return sorted([*sent, *came], key=lambda mail: str(mail["at"]))


def _exchange(row: Exchange) -> dict[str, Any]:
    return {
        "at": _at(row.at),
        "peer": row.peer,
        "outgoing": row.outgoing,
        "purpose": row.purpose,
        "request": {
            "line": row.request_line,
            "head": row.request_head,
            "size": row.request_size,
            "sha256": row.request_digest,
        },
        "answer": {
            "status": row.status,
            "code": row.code,
            "head": row.answer_head,
            "size": row.answer_size,
            "sha256": row.answer_digest,
        },
        "milliseconds": row.milliseconds,
    }


def _audit(order: Order) -> list[dict[str, Any]]:
    """The entries about order, ticket and run, and what the run has written about the gateway."""
    run = f"run:{order.run.run_id}" if order.run else ""
    about = Q(subject__in=[f"order:{order.number}", f"ticket:{order.ticket.number}", *([run] if run else [])])
    if order.gateway is not None and run:
        about |= Q(subject=f"gateway:{order.gateway.device_id}", actor=run)
    rows = AuditEntry.objects.filter(about).select_related("link").order_by("id")
    return [{"entry": audits.content(row), **_link(row)} for row in rows]


def _link(row: AuditEntry) -> dict[str, Any]:
    """The entry's place in the chain; ``None`` for about a second after it was written."""
    link = getattr(row, "link", None)
    if link is None:
        return {"seq": None, "previous": None, "hash": None}
    return {"seq": link.seq, "previous": bytes(link.previous).hex(), "hash": bytes(link.hash).hex()}


def _outside(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as its client may see it."""
    shown = {name: value for name, value in entry["entry"].items() if name != "client"}
    return {"entry": _uncounted(shown), "hash": entry["hash"]}


def _uncounted(value: Any) -> Any:
    """The same with row numbers sealed, however deep they stand."""
    if isinstance(value, list):
        return [_uncounted(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: seal(_ROWS[name], each) if name in _ROWS and type(each) is int else _uncounted(each)
        for name, each in value.items()
    }


def _at(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at is not None else None
