"""One case: who and what it is about, how far it is, whose turn it is until when, and all that was said and done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from torwart.faces._design.access import provider_only
from torwart.faces._design.language import said
from torwart.faces._design.saving import saved
from torwart.faces.console import clock, transcript, verb
from torwart.faces.console.inbox import WORDS, line, process_words
from torwart.faces.console.page import May, person_of, show, ticket_or_404
from torwart.kernel import outcome
from torwart.kernel.ticket_state import KINDS, TicketKind, TicketState
from torwart.kernel.words import Words
from torwart.processes.definition import catalogue
from torwart.rules.device_light import judge
from torwart.rules.lead_time import hours_and_minutes
from torwart.rules.service_time import deadline, service_time
from torwart.services import present
from torwart.services import ticket as tickets
from torwart.store.queries import case as queries
from torwart.store.queries import fleet
from torwart.store.queries import inbox as inboxes
from torwart.store.queries.inbox import Inbox

_TABS = (
    ("", Words("Verlauf", "History")),
    ("auftrag", Words("Auftrag", "Order")),
    ("geraet", Words("Gerät", "Device")),
    ("protokoll", Words("Protokoll", "Transcript")),
    ("post", Words("Post", "Mail")),
    ("akte", Words("Akte", "File")),
)
_BESIDE = 25
_STEP = {"running": "active", "waiting": "waiting", "done": "done", "failed": "failed", "skipped": "skipped"}


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the process as shown; ``state``: a word of the track's component, ``open`` while it is to come."""

    title: str
    state: str
    row: Any


@dataclass(frozen=True, slots=True)
class Clock:
    name: Words
    left: clock.Left


@provider_only
def history(request: HttpRequest, number: str) -> HttpResponse:
    """What was said, noted and decided, and the place to say more."""
    ticket = ticket_or_404(number)
    talk = queries.conversation(ticket.pk)
    files: dict[int | None, list[Any]] = {}
    for each in talk.files:
        files.setdefault(each.mail_in_id, []).append(each)
    entries = [(entry, files.pop(entry.mail_in_id, []) if entry.mail_in_id else []) for entry in talk.entries]
    loose = [each for rest in files.values() for each in rest]
    composers = verb.composers(ticket) if May.of(request).operate else []
    last_word = max((e.at for e in talk.entries if e.kind == "message_out"), default=None)
    return _case(request, ticket, "", last_word=last_word, entries=entries, loose=loose, composers=composers)


@provider_only
def order(request: HttpRequest, number: str) -> HttpResponse:
    """What was ordered, word for word as the client saw it, the times proposed, and the result."""
    ticket = ticket_or_404(number)
    proposals = queries.proposals(ticket.order_id) if ticket.order_id else []
    summary = [(Words(*row[:2]), said(Words(*row[2:]))) for row in ticket.order.summary] if ticket.order_id else []
    result = _result(ticket.order) if ticket.order_id else []
    return _case(request, ticket, "auftrag", proposals=proposals, summary=summary, result=result)


def _result(order: Any) -> list[tuple[Words, str]]:
    rows = outcome.read((order.result or {}).get("rows", []))
    return [(label, said(value)) for label, value in rows]


@provider_only
def device(request: HttpRequest, number: str) -> HttpResponse:
    """The gateway in hand at a glance; its own page has the rest."""
    ticket = ticket_or_404(number)
    gateway = ticket.gateway
    if gateway is None:
        return _case(request, ticket, "geraet", gateway=None)
    until = fleet.ends([gateway.pk]).get(gateway.pk)
    now = present.now()
    return _case(
        request,
        ticket,
        "geraet",
        gateway=gateway,
        until=until,
        light=judge(gateway.state, last_contact=gateway.last_contact_at, certificates_until=until, now=now),
        meters=queries.meters(gateway.pk),
        others=[each for each in queries.of_gateway(gateway.pk) if each.pk != ticket.pk],
    )


@provider_only
def messages(request: HttpRequest, number: str) -> HttpResponse:
    """What we and the gateway said to each other in this order's run, or lately."""
    ticket = ticket_or_404(number)
    run = ticket.order.run_id if ticket.order_id else None
    rows = queries.exchanges(run=run, gateway=ticket.gateway_id)
    return _case(request, ticket, "protokoll", exchanges=rows, ladder=transcript.ladder(rows))


@provider_only
def mail(request: HttpRequest, number: str) -> HttpResponse:
    """Every mail about it, in and out, with what S/MIME said."""
    ticket = ticket_or_404(number)
    return _case(request, ticket, "post", mails_in=queries.mails_in(ticket.pk), mails_out=queries.mails_out(ticket.pk))


@provider_only
def file(request: HttpRequest, number: str) -> HttpResponse:
    """The file: audit entries of ticket, order and device, approvals, and the evidence to download."""
    ticket = ticket_or_404(number)
    subjects = [f"ticket:{ticket.number}"]
    subjects += [f"order:{ticket.order.number}"] if ticket.order_id else []
    subjects += [f"gateway:{ticket.gateway.device_id}"] if ticket.gateway_id else []
    return _case(request, ticket, "akte", audit=queries.audit(subjects), approvals=queries.approvals(ticket.pk))


@provider_only
def attachment(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """A file that came with the ticket, never shown in the browser, always saved."""
    found = queries.file(ticket_or_404(number).pk, pk)
    if found is None:
        raise Http404
    return saved(bytes(found.content), found.name)


def _case(request: HttpRequest, ticket: Any, tab: str, **more: Any) -> HttpResponse:
    """The frame of all pages of a case: queue beside it, identity, clocks, steps, actions."""
    now = present.now()
    basket = request.GET.get("korb", "")
    inbox = Inbox(basket) if basket in set(Inbox) else None
    suffix = f"?korb={basket}" if inbox else ""
    steps = _steps(ticket)
    context = {
        "ticket": ticket,
        "process": process_words(ticket),
        "kind": KINDS[TicketKind(ticket.kind)],
        "inbox": inbox,
        "inbox_words": WORDS.get(inbox) if inbox else None,
        "suffix": suffix,
        "beside": _beside(request, inbox, now) if inbox else [],
        "clocks": _clocks(ticket, now, more.pop("last_word", None)),
        "steps": steps,
        "done": sum(step.state == "done" for step in steps),
        "current": next((step for step in steps if step.state in ("active", "waiting", "failed")), None),
        "tab": tab,
        "tabs": [_tab(ticket, name, words, tab, suffix) for name, words in _TABS if _there(ticket, name)],
        "actions": verb.offered(ticket) if May.of(request).operate else None,
        "here": request.get_full_path(),
    }
    return show(request, f"case_{tab or 'verlauf'}", **context, **more)


def _there(ticket: Any, tab: str) -> bool:
    return {"auftrag": bool(ticket.order_id), "geraet": bool(ticket.gateway_id)}.get(tab, True)


def _tab(ticket: Any, name: str, words: Words, current: str, suffix: str) -> dict[str, Any]:
    address = reverse(f"console:ticket_{name}" if name else "console:ticket", args=[ticket.number])
    return {"href": address + suffix, "label": said(words), "count": "", "current": name == current}


def _beside(request: HttpRequest, inbox: Inbox, now: datetime) -> list[Any]:
    rows = inboxes.queue(inbox, user=person_of(request), soon=deadline(now, clock.URGENT))
    return [line(row, now) for row in rows.order_by(*inboxes.ORDER)[:_BESIDE]]


def _steps(ticket: Any) -> list[Step]:
    """The process' steps as they were when it was ordered, each with what has become of it."""
    if not ticket.order_id:
        return []
    rows = {row.name: row for row in queries.steps(ticket.order.run_id)} if ticket.order.run_id else {}
    wording = ticket.order.wording.get("steps") or _defined(ticket.order.process)
    return [
        Step(said(Words(de, en)), _STEP.get(rows[name].state, "open") if name in rows else "open", rows.get(name))
        for name, de, en in wording
    ]


def _defined(process: str) -> list[tuple[str, str, str]]:
    known = catalogue().get(process)
    return [(step.name, step.words.de, step.words.en) for step in known.steps] if known else []


_FIRST, _UPDATE, _SOLUTION = (
    Words("Erste Antwort", "First answer"),
    Words("Nächste Nachricht", "Next message"),
    Words("Lösung", "Resolution"),
)
_CONFIRMED = Words("mit der Bestätigung gegeben", "given with the confirmation")
_ANSWERED = Words("nach {length} Servicezeit", "after {length} of service time")
_ENDED = Words("beendet", "ended")
_KEPT = Words("in der Frist", "in time")
_MISSED = Words("Frist überschritten", "deadline missed")


def _clocks(ticket: Any, now: datetime, last_word: datetime | None) -> list[Clock]:
    """All three: first answer, next word to the client, resolution."""
    ended = ticket.state in (TicketState.RESOLVED, TicketState.CLOSED)
    resting = ticket.state == TicketState.WAITING_CLIENT
    return [
        Clock(_FIRST, _first(ticket, now, ended)),
        Clock(_UPDATE, _update(ticket, now, last_word, ended, resting)),
        Clock(_SOLUTION, _solution(ticket, now, ended)),
    ]


def _first(ticket: Any, now: datetime, ended: bool) -> clock.Left:
    if ticket.first_answer_at is not None:
        taken = hours_and_minutes(service_time(ticket.opened_at, ticket.first_answer_at))
        return clock.Left(said(_ANSWERED, length=taken), state="done")
    if ticket.order_id is not None:
        return clock.Left(said(_CONFIRMED), state="done")
    if ended:
        return clock.Left(said(_ENDED), state="done")
    return clock.of_deadline(deadline(ticket.opened_at, clock.FIRST_ANSWER), now)


def _update(ticket: Any, now: datetime, last: datetime | None, ended: bool, resting: bool) -> clock.Left:
    if ended:
        return clock.Left(said(_ENDED), state="done")
    if resting:
        return clock.of_deadline(None, now, waiting=True)
    since = max(filter(None, (last, ticket.first_answer_at, ticket.opened_at)))
    return clock.of_deadline(deadline(since, clock.UPDATE), now)


def _solution(ticket: Any, now: datetime, ended: bool) -> clock.Left:
    whole = tickets.clock(ticket.number)
    if ended and ticket.resolved_at is not None:
        taken = hours_and_minutes(whole.used(ticket.resolved_at))
        late = ticket.due_at is not None and ticket.resolved_at > ticket.due_at
        verdict = said(_MISSED if late else _KEPT)
        return clock.Left(said(_ANSWERED, length=taken), verdict, "over" if late else "done")
    shown = clock.of_clock(whole, now)
    if ticket.due_at is None or whole.resting:
        return shown
    promised = clock.of_deadline(ticket.due_at, now)  # a planned order is due at its time, however short its clock
    return clock.Left(promised.text, promised.due, promised.state, shown.share)
