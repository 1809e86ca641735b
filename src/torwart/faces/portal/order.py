"""Orders: the list, one order to follow live, and what a client can do with it (O-3, O-8, O-10, T-3)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from hashlib import sha256
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from torwart.faces._design import keyset
from torwart.faces._design.access import actor_of, client_of, client_only, has_any, may_order
from torwart.faces._design.forms import Form
from torwart.faces._design.language import active, t
from torwart.faces._design.saving import saved
from torwart.faces.portal import api_call, clock, pictures
from torwart.faces.portal.engine import ENGINE
from torwart.kernel.order_state import OPEN, ORDER, OrderState, OrderVerb
from torwart.kernel.refusals import Refusal
from torwart.kernel.role import Role
from torwart.kernel.run_state import RunState
from torwart.kernel.ticket_state import TicketState
from torwart.processes import ordering
from torwart.processes.definition import catalogue
from torwart.rules import next_step
from torwart.rules.lead_time import spoken
from torwart.rules.service_time import CALENDAR
from torwart.services import evidence, present
from torwart.services import order as orders
from torwart.services import ticket as tickets
from torwart.store.queries import portal as queries
from torwart.store.queries.portal import OrderFile

View = Callable[..., HttpResponse]
ENDED = tuple(state for state in OrderState if state not in OPEN)
_TABS = (("", t("Laufend", "Running"), OPEN), ("beendet", t("Beendet", "Ended"), ENDED), ("alle", t("Alle", "All"), ()))


# --- the list ---------------------------------------------------------------------------------------------------------


@require_GET
@client_only
def index(request: HttpRequest) -> HttpResponse:
    """All orders of the client, newest first, narrowed by state, process and text."""
    query = request.GET
    tab = next((tab for tab in _TABS if tab[0] == query.get("stand", "")), _TABS[0])
    chosen = [OrderState(query["zustand"])] if query.get("zustand") in list(OrderState) else list(tab[2])
    process, text = query.get("prozess", ""), query.get("suche", "").strip()[:60]
    if text and "stand" not in query:
        tab, chosen = _TABS[2], chosen if query.get("zustand") else []
    rows = queries.orders(client_of(request), states=chosen, process=process, text=text)
    context = {
        "page": keyset.page(rows, order=("-id",), at=query.get("seite")),
        "tabs": [(word, name, name == tab[0]) for name, word, _ in _TABS],
        "stand": tab[0],
        "text": text,
        "process": process,
        "processes": list(catalogue().values()),
        "state": query.get("zustand", ""),
        "states": [(state.value, ORDER.states[state]) for state in OrderState],
        "filtered": bool(text or process or query.get("zustand")),
        "now": present.now(),
        "orderer": has_any(request, Role.CONTACT),
    }
    return render(request, "portal/order/list.html", context)


# --- one order --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the track, ready to draw. ``stays``: it is done and has an effect that cancelling does not undo."""

    title: str
    state: str
    at: datetime | None
    detail: str
    stays: bool


@dataclass(frozen=True, slots=True)
class Followed:
    """An order as its page shows it."""

    file: OrderFile
    turn: next_step.Turn
    steps: list[Step]
    left: clock.Left | None
    done: int
    can_withdraw: bool
    can_cancel: bool
    now: datetime

    @property
    def staying(self) -> list[str]:
        """What has been done and stays when the order is cancelled now."""
        return [step.title for step in self.steps if step.stays]

    @property
    def live(self) -> bool:
        return self.file.order.state in OPEN

    @property
    def mark(self) -> str:
        """Changes with what the live part shows, so that a page is only touched when there is something new."""
        order, run = self.file.order, self.file.order.run
        seen = [order.state, order.due_at, run and (run.state, run.waiting_for), self.file.ticket.state]
        seen += [(step.title, step.state, step.detail) for step in self.steps]
        text = f"{seen} {self.can_withdraw} {self.can_cancel} {self.now:%H:%M} {active()}"
        return sha256(text.encode()).hexdigest()[:12]


def follow(file: OrderFile, now: datetime) -> Followed:
    """Where the order is, what is next and who has it."""
    order = file.order
    state = OrderState(order.state)
    turn = next_step.turn(
        state,
        now=now,
        starts_at=order.starts_at,
        withdrawable_until=order.withdrawable_until,
        run=RunState(order.run.state) if order.run else None,
        waiting_for=order.run.waiting_for if order.run else "",
        ticket=TicketState(file.ticket.state),
        proposal_open=file.open_proposal is not None,
        attended=bool(order.wording.get("attended")),
    )
    steps = _steps(file)
    live = state in OPEN
    return Followed(
        file=file,
        turn=turn,
        steps=steps,
        left=clock.of_ticket(tickets.clock(file.ticket.number), now) if live else None,
        done=sum(step.state == "done" for step in steps),
        can_withdraw=ORDER.can(state, OrderVerb.WITHDRAW) and now < order.withdrawable_until,
        can_cancel=ORDER.can(state, OrderVerb.CANCEL) and now >= order.withdrawable_until,
        now=now,
    )


_TRACK = {"running": "active", "waiting": "waiting", "done": "done", "failed": "failed", "skipped": "skipped"}


def _steps(file: OrderFile) -> list[Step]:
    """Every step the process has, the ones gone through with their times; after a failure the rest is not needed."""
    found, over = [], file.order.state in ENDED
    entered = [name for name, *_ in file.order.wording.get("steps", []) if name in file.steps]
    last = entered[-1] if entered else ""
    behind = bool(last)
    for name, de, en in file.order.wording.get("steps", []):
        row = file.steps.get(name)
        state = _TRACK[row.state] if row else "skipped" if over or behind else "open"
        at = (row.ended_at or row.started_at) if row else None
        said = (row.detail or {}) if row and row.state in ("waiting", "failed") else {}
        detail = str(said.get(active()) or said.get("de") or "")
        stays = state == "done" and name not in file.order.wording.get("leaves_nothing", ())
        found.append(Step(en if active() == "en" else de, state, at, detail, stays))
        behind = behind and name != last
    return found


def _of_client(view: View) -> View:
    """Gives the view the client's order file; another's is not found (P-1)."""

    @client_only
    @wraps(view)
    def found(request: HttpRequest, number: str, *arguments: Any, **named: Any) -> HttpResponse:
        file = queries.order(client_of(request), number)
        if file is None:
            raise Http404
        return view(request, file, *arguments, **named)

    return found  # type: ignore[return-value]  # what a view answers is an HttpResponse


@require_GET
@_of_client
def page(request: HttpRequest, file: OrderFile) -> HttpResponse:
    """The whole file of an order."""
    order, now = file.order, present.now()
    start, due = order.submitted_at, order.due_at
    context = {
        "followed": follow(file, now),
        "order": order,
        "strip": pictures.strip(start, due, CALENDAR.intervals(start, due)),
        "exchanges": queries.exchanges(client_of(request), order.run_id),
        "proposal": file.open_proposal,
        "orderer": has_any(request, Role.CONTACT),
        "calls": api_call.of_order(order),
    }
    return render(request, "portal/order/page.html", context)


@require_GET
@_of_client
def state(request: HttpRequest, file: OrderFile) -> HttpResponse:
    """The live part of the page (htmx); when the order has ended the whole page is fetched once more."""
    followed = follow(file, present.now())
    if followed.mark == request.GET.get("marke"):
        return HttpResponse(status=204)
    context = {"followed": followed, "order": file.order, "orderer": has_any(request, Role.CONTACT), "announce": True}
    answer = render(request, "portal/order/_state.html", context)
    if not followed.live:
        answer["HX-Refresh"] = "true"
    return answer


@require_GET
@_of_client
def sent(request: HttpRequest, file: OrderFile) -> HttpResponse:
    """The confirmation: the number, what happens next with dates, and the 60 seconds."""
    context = {
        "followed": follow(file, present.now()),
        "order": file.order,
        "orderer": has_any(request, Role.CONTACT),
    }
    return render(request, "portal/order/sent.html", context)


# --- what a client can do ---------------------------------------------------------------------------------------------


def _told(request: HttpRequest, number: str, act: Callable[[], object], done: object) -> HttpResponse:
    """Do it, say how it went, and show the order."""
    try:
        act()
    except Refusal as refusal:
        messages.error(request, refusal.text(active()))
    else:
        messages.success(request, str(done))
    return redirect("portal:order", number=number)


@require_POST
@may_order
def withdraw(request: HttpRequest, number: str) -> HttpResponse:
    """Take the order back while nothing has begun."""
    _require(request, number)
    done = t("Der Auftrag ist zurückgezogen. Es hatte nichts begonnen.", "The order is withdrawn. Nothing had begun.")
    return _told(
        request,
        number,
        lambda: orders.withdraw(ENGINE, number, client=client_of(request), actor=actor_of(request), now=present.now()),
        done,
    )


class Cancel(Form):
    """Why the order is cancelled."""

    reason = forms.CharField(label=t("Grund", "Reason"), max_length=200)


@require_http_methods(["GET", "POST"])
@may_order
def cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Cancel, after saying what has been done already and stays."""
    file = _require(request, number)
    form = Cancel(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            stays = ordering.cancel(
                ENGINE,
                number,
                client=client_of(request),
                actor=actor_of(request),
                reason=form.cleaned_data["reason"],
                now=present.now(),
            )
        except Refusal as refusal:
            messages.error(request, refusal.text(active()))
        else:
            _tell_cancelled(request, [words.text(active()) for words in stays])
        return redirect("portal:order", number=number)
    context = {"followed": follow(file, present.now()), "order": file.order, "form": form, "errors": bool(form.errors)}
    return render(request, "portal/order/cancel.html", context)


def _tell_cancelled(request: HttpRequest, stays: list[str]) -> None:
    if stays:
        text = t("Der Auftrag ist storniert. Getan ist und bleibt: {steps}.", "Cancelled. Done and staying: {steps}.")
        messages.success(request, str(text).format(steps=", ".join(stays)))
    else:
        messages.success(request, str(t("Der Auftrag ist storniert.", "The order is cancelled.")))


@require_POST
@may_order
def choose(request: HttpRequest, number: str) -> HttpResponse:
    """Take one of the proposed times, or answer why none suits."""
    _require(request, number)
    client, actor, now = client_of(request), actor_of(request), present.now()
    if request.POST.get("termin") == "keiner":
        user: Any = request.user
        answer = request.POST.get("antwort", "").strip()
        return _told(
            request,
            number,
            lambda: orders.decline(
                number, answer, client=client, author=user.full_name or user.email, actor=actor, now=now
            ),
            t("Ihre Antwort ist bei uns. Wir schlagen andere Termine vor.", "We have your answer and propose others."),
        )
    try:
        chosen = datetime.fromisoformat(request.POST.get("termin", ""))
    except ValueError:
        messages.error(request, str(t("Wählen Sie einen der Termine.", "Choose one of the times.")))
        return redirect("portal:order", number=number)
    done = t("Der Termin gilt: {time}", "The time holds: {time}")
    return _told(
        request,
        number,
        lambda: orders.choose(ENGINE, number, chosen, client=client, actor=actor, now=now),
        str(done).format(time=spoken(chosen)),
    )


def _require(request: HttpRequest, number: str) -> OrderFile:
    file = queries.order(client_of(request), number)
    if file is None:
        raise Http404
    return file


# --- evidence ---------------------------------------------------------------------------------------------------------


@require_GET
@client_only
def evidence_file(request: HttpRequest, number: str, form: str) -> HttpResponse:
    """The evidence of an order as PDF or JSON."""

    client = client_of(request)
    if queries.order_state(client, number) is None:
        raise Http404
    bundle = evidence.bundle(number, client)
    if form not in ("pdf", "json"):
        raise Http404
    if form == "json":
        return saved(evidence.as_json(bundle), f"{number}.json", "application/json")
    return saved(evidence.as_pdf(bundle, active()), f"{number}.pdf", "application/pdf")
