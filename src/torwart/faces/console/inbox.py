"""The inboxes: tickets by whose turn it is, nearest deadline first, worked through by keyboard."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from torwart.faces._design import keyset
from torwart.faces._design.access import actor_of, needs, provider_only
from torwart.faces._design.language import active, said
from torwart.faces.console import clock
from torwart.faces.console.page import act, own_path, person_of, plain, show
from torwart.kernel.role import Role
from torwart.kernel.ticket_state import TicketState
from torwart.kernel.words import Words
from torwart.plots import queue_of_day
from torwart.plots.picture import Picture
from torwart.processes.definition import catalogue
from torwart.rules.service_time import CALENDAR, deadline
from torwart.services import present
from torwart.services import ticket as tickets
from torwart.store.queries import inbox as queries
from torwart.store.queries.inbox import Inbox

WORDS: dict[Inbox, Words] = {
    Inbox.AT_RISK: Words("Frist gefährdet", "Deadline at risk"),
    Inbox.UNASSIGNED: Words("Nicht zugewiesen", "Unassigned"),
    Inbox.MINE: Words("Mir zugewiesen", "Assigned to me"),
    Inbox.CLIENT: Words("Wartet auf Auftraggeber", "Waiting for client"),
    Inbox.DEVICE: Words("Wartet auf Gerät", "Waiting for device"),
    Inbox.TIME: Words("Wartet auf Termin", "Waiting for its time"),
    Inbox.ALL: Words("Alle offenen", "All open"),
}
MEANINGS: dict[Inbox, Words] = {
    Inbox.AT_RISK: Words(
        "Weniger als vier Stunden Servicezeit übrig oder überfällig.", "Less than four service hours left, or overdue."
    ),
    Inbox.UNASSIGNED: Words("Offen, und niemand hat es übernommen.", "Open, and nobody has taken it."),
    Inbox.MINE: Words("Alles Offene, das Sie übernommen haben.", "Everything open that you have taken."),
    Inbox.CLIENT: Words("Die Frist ruht, bis der Auftraggeber antwortet.", "The clock rests until the client answers."),
    Inbox.DEVICE: Words("Das Gateway muss sich melden; die Frist läuft.", "The gateway must call; the clock runs."),
    Inbox.TIME: Words("Der vereinbarte Termin ist noch nicht da.", "The agreed time has not come yet."),
    Inbox.ALL: Words("Alles, was nicht gelöst ist.", "Everything that is not resolved."),
}
NOTHING: dict[Inbox, Words] = {
    Inbox.AT_RISK: Words("Keine Frist ist gefährdet.", "No deadline is at risk."),
    Inbox.UNASSIGNED: Words("Alles ist vergeben.", "Everything has somebody."),
    Inbox.MINE: Words("Sie haben nichts Offenes übernommen.", "You have taken nothing that is open."),
    Inbox.CLIENT: Words("Kein Auftraggeber schuldet uns eine Antwort.", "No client owes us an answer."),
    Inbox.DEVICE: Words("Auf kein Gerät wird gewartet.", "No device is waited for."),
    Inbox.TIME: Words("Auf keinen Termin wird gewartet.", "No agreed time is waited for."),
    Inbox.ALL: Words("Kein Vorgang ist offen.", "No ticket is open."),
}
_PICTURED = 14
_WIDTH = 1180
_AT_ONCE = 100
_NONE_CHOSEN = Words("Kein Vorgang ist ausgewählt.", "No ticket is selected.")
_TAKEN = Words("Übernommen: {numbers}", "Taken: {numbers}")


@dataclass(frozen=True, slots=True)
class Line:
    """A ticket as the queue shows it."""

    ticket: Any
    process: str
    left: clock.Left
    waiting: str


@dataclass(frozen=True, slots=True)
class Tab:
    href: str
    label: str
    count: str
    current: bool


@provider_only
def start(request: HttpRequest) -> HttpResponse:
    """Where the day begins: what may break its deadline."""
    return _page(request, Inbox.AT_RISK)


@provider_only
def inbox(request: HttpRequest, name: str) -> HttpResponse:
    """One inbox by its name in the address."""
    if name not in set(Inbox):
        raise Http404
    return _page(request, Inbox(name))


def _page(request: HttpRequest, chosen: Inbox) -> HttpResponse:
    now = present.now()
    text = plain(request.GET.get("q", ""))
    soon = deadline(now, clock.URGENT)
    rows = queries.queue(chosen, user=person_of(request), soon=soon, text=text)
    page = keyset.page(rows, order=queries.ORDER, at=request.GET.get("seite"))
    return show(
        request,
        "inbox",
        inbox=chosen,
        title=WORDS[chosen],
        meaning=MEANINGS[chosen],
        nothing=NOTHING[chosen],
        tabs=tabs(request, chosen, soon),
        page=page,
        lines=[line(row, now) for row in page.rows],
        text=text,
        picture=_picture(now) if chosen is Inbox.AT_RISK and not text else None,
        here=request.get_full_path(),
        resting="" if CALENDAR.is_open(now) else clock.when(CALENDAR.next_open(now), now),
    )


def tabs(request: HttpRequest, current: Inbox | None, soon: datetime) -> list[Tab]:
    """The inboxes with their counts."""
    counts = queries.counts(user=person_of(request), soon=soon)
    return [
        Tab(
            reverse("console:inbox", args=[each.value]),
            said(WORDS[each]),
            "99+" if counts[each] >= queries.BOUND else str(counts[each]),
            each is current,
        )
        for each in Inbox
    ]


def line(ticket: Any, now: datetime) -> Line:
    """What a row says of its ticket, clock first."""
    waits = ticket.state == TicketState.WAITING_CLIENT
    left = clock.of_deadline(ticket.due_at, now, reason=ticket.waiting_reason if waits else "", waiting=waits)
    return Line(ticket, process_words(ticket), left, "" if waits else ticket.waiting_reason)


def process_words(ticket: Any) -> str:
    """The process' name of an order's ticket, else its subject."""
    known = catalogue().get(ticket.order.process) if ticket.order_id else None
    return said(known.words) if known else ticket.subject


def _picture(now: datetime) -> Picture | None:
    """The hours of the running service day, or of the next one when it is closed."""
    moment = CALENDAR.next_open(now)
    day = moment.date()
    windows = CALENDAR.windows(day)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    opening, closing = (
        midnight.replace(hour=edge // 60, minute=edge % 60) for edge in (windows[0][0], min(windows[-1][1], 1439))
    )
    due = queries.due_until(closing, _PICTURED)
    if not due:
        return None
    shown = [
        queue_of_day.Due(row.number, f"{process_words(row)} – {row.client or '?'}", row.opened_at, row.due_at)
        for row in due
        if row.due_at
    ]
    data = queue_of_day.QueueOfDay(now, opening, closing, shown, CALENDAR.zone)
    return queue_of_day.draw(data, language=active(), width=_WIDTH)


@needs(Role.OPERATOR)
@require_POST
def take(request: HttpRequest) -> HttpResponse:
    """Take the chosen tickets: one click for one or many."""
    back = own_path(request, reverse("console:start"))
    numbers = list(dict.fromkeys(request.POST.getlist("vorgang")))[:_AT_ONCE]
    if not numbers:
        messages.warning(request, said(_NONE_CHOSEN))
        return HttpResponseRedirect(back)

    def all_of_them(now: datetime) -> None:
        for number in numbers:
            tickets.assign(number, person_of(request), actor=actor_of(request), now=now)

    return act(request, all_of_them, back, done=said(_TAKEN, numbers=", ".join(numbers)))
