"""Tickets: what was asked and answered, why the clock rests, and a way to write to us (C-2, T-5)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from torwart.faces._design import keyset
from torwart.faces._design.access import actor_of, client_of, client_only
from torwart.faces._design.forms import Form
from torwart.faces._design.language import active, t
from torwart.faces._design.saving import saved
from torwart.faces.portal import clock
from torwart.kernel.refusals import Refusal
from torwart.kernel.ticket_state import KINDS, TicketKind, TicketState
from torwart.services import present
from torwart.services import ticket as tickets
from torwart.store.queries import portal as queries

_DONE = (TicketState.RESOLVED, TicketState.CLOSED)
_OPEN = tuple(state for state in TicketState if state not in _DONE)
_TABS = (
    ("", t("Offen", "Open"), _OPEN),
    ("wartet", t("Wartet auf Sie", "Waits for you"), (TicketState.WAITING_CLIENT,)),
    ("erledigt", t("Erledigt", "Done"), _DONE),
    ("alle", t("Alle", "All"), ()),
)


class Message(Form):
    """What the client writes."""

    text = forms.CharField(
        label=t("Ihre Nachricht", "Your message"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 5})
    )


class Question(Message):
    """A new question."""

    subject = forms.CharField(label=t("Worum geht es?", "What is it about?"), max_length=200)
    field_order = ("subject", "text")


@require_GET
@client_only
def index(request: HttpRequest) -> HttpResponse:
    """The client's tickets, newest first."""
    query = request.GET
    tab = next((tab for tab in _TABS if tab[0] == query.get("stand", "")), _TABS[0])
    kind = query.get("art", "") if query.get("art") in list(TicketKind) else ""
    text = query.get("suche", "").strip()[:60]
    rows = queries.tickets(client_of(request), states=() if text else tab[2], kind=kind, text=text)
    context = {
        "page": keyset.page(rows, order=("-id",), at=query.get("seite")),
        "tabs": [(word, name, name == tab[0]) for name, word, _ in _TABS],
        "stand": tab[0],
        "kind": kind,
        "kinds": [(each.value, words) for each, words in KINDS.items()],
        "text": text,
    }
    return render(request, "portal/ticket/list.html", context)


@require_http_methods(["GET", "POST"])
@client_only
def page(request: HttpRequest, number: str) -> HttpResponse:
    """One ticket; POST adds a message, and a ticket that waits for the client goes on."""
    client, now = client_of(request), present.now()
    file = queries.ticket(client, number)
    if file is None:
        raise Http404
    form = Message(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user: Any = request.user
        try:
            tickets.add_message(
                number,
                form.cleaned_data["text"],
                client=client,
                author=user.full_name or user.email,
                actor=actor_of(request),
                now=now,
            )
        except Refusal as refusal:
            form.add_error("text", refusal.text(active()))
        else:
            messages.success(request, str(t("Ihre Nachricht ist bei uns.", "We have your message.")))
            return redirect("portal:ticket", number=number)
    state = TicketState(file.ticket.state)
    context = {
        "file": file,
        "ticket": file.ticket,
        "form": form,
        "errors": bool(form.errors),
        "left": None if state in _DONE else clock.of_ticket(tickets.clock(number), now),
        "writable": state is not TicketState.CLOSED,
    }
    return render(request, "portal/ticket/page.html", context)


@require_http_methods(["GET", "POST"])
@client_only
def ask(request: HttpRequest) -> HttpResponse:
    """A new question to the provider."""
    form = Question(request.POST or None, initial={"subject": request.GET.get("betreff", "")[:200]})
    if request.method == "POST" and form.is_valid():
        user: Any = request.user
        try:
            number = tickets.open_question(
                client=client_of(request),
                contact=queries.contact_of(user.pk),
                subject=form.cleaned_data["subject"],
                text=form.cleaned_data["text"],
                now=present.now(),
                author=user.full_name or user.email,
                actor=actor_of(request),
            )
        except Refusal as refusal:
            form.add_error("text", refusal.text(active()))
        else:
            messages.success(request, str(t("Ihre Frage ist bei uns.", "We have your question.")))
            return redirect("portal:ticket", number=number)
    return render(request, "portal/ticket/ask.html", {"form": form, "errors": bool(form.errors)})


@require_GET
@client_only
def attachment(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """A file of a ticket, only ever to be saved: what came by mail is never shown in our origin."""
    found = queries.attachment(client_of(request), number, pk)
    if found is None:
        raise Http404
    return saved(bytes(found.content), found.name)
