"""What an operator can do on a case: each verb once, with its form, when it is possible and why it is not.

The buttons of a case, the composers under its history, the page of each verb and its POST come from this table; when
a verb is possible is asked of the kernel's state tables.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from torwart.faces._design.access import actor_of
from torwart.faces.console.asking import asking, for_roles, given
from torwart.faces.console.engine import ENGINE
from torwart.faces.console.page import person_of, show, ticket_or_404
from torwart.faces.console.verb_form import (
    AnswerForm,
    AssignForm,
    CallForm,
    ClientForm,
    EffortForm,
    NoteForm,
    QuestionForm,
    ReasonForm,
    ResolveForm,
    TimesForm,
    VerbForm,
)
from torwart.faces.console.words import why_not
from torwart.kernel.order_state import OPEN, ORDER, OrderState, OrderVerb
from torwart.kernel.role import Role
from torwart.kernel.ticket_state import TICKET, TicketState, TicketVerb
from torwart.kernel.words import Words
from torwart.processes import ordering, overriding
from torwart.services import adoption
from torwart.services import order as orders
from torwart.services import ticket as tickets


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts on what: ``user`` is the person's id, ``actor`` their name in the audit trail."""

    ticket: Any
    user: int
    actor: str
    now: datetime

    @property
    def number(self) -> str:
        return str(self.ticket.number)


# --- the verbs --------------------------------------------------------------------------------------------------------

Ask = Callable[[Any], Words | None]
"""Given the ticket: why the verb is not possible, ``None`` if it is."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb. ``lead``: what it does, said before it is done; ``composer``: its form stands under the history;
    ``about_order``: there only on tickets of an order; ``key``: on the keyboard.
    """

    name: str
    words: Words
    icon: str
    form: type[VerbForm]
    do: Callable[[Acting, dict[str, Any]], object]
    done: Words
    why_not: Ask
    lead: Words = field(default_factory=lambda: Words("", ""))
    key: str = ""
    composer: bool = False
    about_order: bool = False
    danger: bool = False

    @property
    def quick(self) -> bool:
        """Nothing is asked: the button itself does it."""
        return self.form is VerbForm and not self.danger


_CLOSED = Words(
    "Der Vorgang ist geschlossen; eine neue Frage ist ein neuer Vorgang.",
    "The ticket is closed; a new question is a new ticket.",
)
_WITH_ORDER = Words(
    "Der Vorgang endet mit seinem Auftrag: stornieren Sie den Auftrag, wenn er enden soll.",
    "The ticket ends with its order: cancel the order if it is to end.",
)
_ALREADY_MINE = Words("Der Vorgang ist gelöst.", "The ticket is resolved.")
_NO_CLIENT = Words("Der Absender ist keinem Auftraggeber zugeordnet.", "The sender belongs to no client.")
_NOT_FAILED = Words("Nur nach einem gescheiterten Auftrag.", "Only after an order that has failed.")


_HAS_CLIENT = Words("Der Vorgang gehört schon einem Auftraggeber.", "The ticket already belongs to a client.")
_NOT_REFUSED = Words(
    "Nur wenn eine Voraussetzung den Auftrag verhindert hat.", "Only where a precondition has prevented the order."
)


def _possible(_: Any) -> Words | None:
    return None


def _by_ticket(verb: TicketVerb) -> Ask:
    return lambda ticket: why_not(TICKET, ticket.state, verb.value)


def _by_order(verb: OrderVerb) -> Ask:
    return lambda ticket: why_not(ORDER, ticket.order.state, verb.value)


def _not_closed(ticket: Any) -> Words | None:
    return _CLOSED if ticket.state == TicketState.CLOSED else None


def _assignable(ticket: Any) -> Words | None:
    return _ALREADY_MINE if ticket.state in (TicketState.RESOLVED, TicketState.CLOSED) else None


def _resolvable(ticket: Any) -> Words | None:
    open_order = ticket.order_id and ticket.order.state in {state.value for state in OPEN}
    if open_order and not ticket.order.wording.get("attended"):
        return _WITH_ORDER
    return why_not(TICKET, ticket.state, TicketVerb.RESOLVE.value)


def _billable(ticket: Any) -> Words | None:
    return _NO_CLIENT if ticket.client_id is None else None


def _repeatable(ticket: Any) -> Words | None:
    return None if ticket.order.state == OrderState.FAILED else _NOT_FAILED


def _adoptable(ticket: Any) -> Words | None:
    return _HAS_CLIENT if ticket.client_id is not None else None


def _overridable(ticket: Any) -> Words | None:
    refused = ticket.order.state == OrderState.REFUSED and ticket.gateway_id
    return None if refused else _NOT_REFUSED


def _again(acting: Acting, _: dict[str, Any]) -> object:
    return ordering.again(ENGINE, acting.ticket.order.number, actor=acting.actor, user=acting.user, now=acting.now)


VERBS: dict[str, Verb] = {
    each.name: each
    for each in (
        Verb(
            "antwort",
            Words("Antworten", "Answer"),
            "message-circle",
            AnswerForm,
            lambda a, d: tickets.answer(a.number, d["text"], user=a.user, now=a.now),
            Words("Die Antwort ist unterwegs.", "The answer is on its way."),
            _not_closed,
            key="r",
            composer=True,
        ),
        Verb(
            "notiz",
            Words("Interne Notiz", "Internal note"),
            "lock",
            NoteForm,
            lambda a, d: tickets.note(a.number, d["text"], user=a.user, now=a.now),
            Words("Die Notiz ist gespeichert.", "The note is kept."),
            _possible,
            key="n",
            composer=True,
        ),
        Verb(
            "anruf",
            Words("Anruf notieren", "Note a call"),
            "phone",
            CallForm,
            lambda a, d: tickets.call(a.number, d["caller"], d["at"], d["text"], user=a.user, now=a.now),
            Words("Der Anruf ist notiert.", "The call is noted."),
            _possible,
            key="c",
            composer=True,
        ),
        Verb(
            "rueckfrage",
            Words("Rückfrage", "Ask the client"),
            "help-circle",
            QuestionForm,
            lambda a, d: tickets.ask_client(a.number, d["text"], user=a.user, now=a.now),
            Words("Die Rückfrage ist unterwegs, die Frist ruht.", "The question is on its way, the clock rests."),
            _by_ticket(TicketVerb.ASK_CLIENT),
            key="f",
            composer=True,
        ),
        Verb(
            "zuordnen",
            Words("Auftraggeber zuordnen", "Give to a client"),
            "building",
            ClientForm,
            lambda a, d: adoption.adopt(a.number, d["client"], user=a.user, now=a.now),
            Words("Der Vorgang gehört jetzt diesem Auftraggeber.", "The ticket now belongs to this client."),
            _adoptable,
            Words(
                "Der Auftraggeber sieht danach alles, was in diesem Vorgang steht. Prüfen Sie, von wem die Mail "
                "wirklich kommt; das lässt sich nicht zurücknehmen.",
                "The client then sees everything in this ticket. Check who the mail really comes from; this cannot be "
                "undone.",
            ),
            danger=True,
        ),
        Verb(
            "zuweisen",
            Words("Zuweisen", "Assign"),
            "user",
            AssignForm,
            lambda a, d: tickets.assign(a.number, d["user"], actor=a.actor, now=a.now),
            Words("Zugewiesen.", "Assigned."),
            _assignable,
            key="e",
        ),
        Verb(
            "fortsetzen",
            Words("Weiter bearbeiten", "Resume"),
            "player-play",
            VerbForm,
            lambda a, _: tickets.resume(a.number, actor=a.actor, now=a.now),
            Words("Die Frist läuft wieder.", "The clock runs again."),
            _by_ticket(TicketVerb.RESUME),
            key="w",
        ),
        Verb(
            "loesen",
            Words("Lösen", "Resolve"),
            "check",
            ResolveForm,
            lambda a, d: tickets.resolve(ENGINE, a.number, d["text"], user=a.user, now=a.now),
            Words("Gelöst; der Auftraggeber bekommt Ihren Text.", "Resolved; the client gets your text."),
            _resolvable,
            Words(
                "Der Vorgang ist danach gelöst. Antwortet der Auftraggeber noch einmal, öffnet er sich wieder.",
                "The ticket is resolved then. If the client answers once more it opens again.",
            ),
            key="l",
        ),
        Verb(
            "termine",
            Words("Termine vorschlagen", "Propose times"),
            "calendar",
            TimesForm,
            lambda a, d: orders.propose(
                ENGINE, a.ticket.order.number, d["chosen"], d["reason"], user=a.user, now=a.now
            ),
            Words("Die Termine sind vorgeschlagen, die Frist ruht.", "The times are proposed, the clock rests."),
            _by_order(OrderVerb.PROPOSE),
            Words(
                "Der Auftraggeber bekommt die Termine mit dem Grund und wählt einen oder antwortet. Bis dahin ruht die "
                "Frist.",
                "The client gets the times with the reason and chooses one or answers. Until then the clock rests.",
            ),
            key="v",
            about_order=True,
        ),
        Verb(
            "stornieren",
            Words("Auftrag stornieren", "Cancel the order"),
            "ban",
            ReasonForm,
            lambda a, d: ordering.cancel(
                ENGINE, a.ticket.order.number, client=None, actor=a.actor, reason=d["reason"], now=a.now
            ),
            Words("Der Auftrag ist storniert.", "The order is cancelled."),
            _by_order(OrderVerb.CANCEL),
            Words(
                "Der Auftrag endet an der nächsten Schrittgrenze. Was getan ist, bleibt getan; der Auftraggeber "
                "bekommt die Liste.",
                "The order ends at the next step boundary. What is done stays done; the client gets the list.",
            ),
            key="!",
            about_order=True,
            danger=True,
        ),
        Verb(
            "ablehnen",
            Words("Auftrag ablehnen", "Refuse the order"),
            "circle-x",
            ReasonForm,
            lambda a, d: orders.refuse(ENGINE, a.ticket.order.number, d["reason"], user=a.user, now=a.now),
            Words("Der Auftrag ist abgelehnt.", "The order is refused."),
            _by_order(OrderVerb.REFUSE),
            Words(
                "Es geschieht nichts am Gerät. Der Auftraggeber bekommt den Grund und kann neu bestellen.",
                "Nothing happens on the device. The client gets the reason and can order anew.",
            ),
            about_order=True,
            danger=True,
        ),
        Verb(
            "nochmal",
            Words("Neuer Versuch", "Try again"),
            "refresh",
            VerbForm,
            _again,
            Words("Ein neuer Auftrag mit denselben Angaben läuft.", "A new order with the same entries is running."),
            _repeatable,
            about_order=True,
        ),
        Verb(
            "ausnahme",
            Words("Ausnahme beantragen", "Ask for an override"),
            "shield",
            ReasonForm,
            lambda a, d: overriding.ask(
                a.ticket.order.process, a.ticket.order.fields, d["reason"], user=a.user, ticket=a.number, now=a.now
            ),
            Words("Beantragt; eine zweite Person entscheidet.", "Asked for; a second person decides."),
            _overridable,
            Words(
                "Eine zweite Person entscheidet. Sagt sie ja, beginnt der Prozess sofort, obwohl die Voraussetzung "
                "nicht erfüllt ist.",
                "A second person decides. If the answer is yes, the process begins at once although the precondition "
                "is not met.",
            ),
            about_order=True,
        ),
        Verb(
            "aufwand",
            Words("Aufwand berechnen", "Bill effort"),
            "clock",
            EffortForm,
            lambda a, d: tickets.bill(a.number, d["minutes"], d["reason"], user=a.user, now=a.now),
            Words("Der Aufwand steht am Vorgang.", "The effort is on the ticket."),
            _billable,
            Words(
                "Nur für Nacharbeit, die eine falsche Angabe des Auftraggebers verursacht hat.",
                "Only for rework that a client's wrong entry has caused.",
            ),
        ),
        Verb(
            "oeffnen",
            Words("Wieder öffnen", "Reopen"),
            "lock-open",
            VerbForm,
            lambda a, _: tickets.reopen(a.number, actor=a.actor, now=a.now),
            Words("Wieder offen: 24 Stunden Servicezeit ab jetzt.", "Open again: 24 service hours from now."),
            _by_ticket(TicketVerb.REOPEN),
        ),
        Verb(
            "schliessen",
            Words("Schließen", "Close"),
            "lock",
            VerbForm,
            lambda a, _: tickets.close(a.number, actor=a.actor, now=a.now),
            Words("Geschlossen.", "Closed."),
            _by_ticket(TicketVerb.CLOSE),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A verb on this ticket: its address, the bound-less form of a composer, or why it is missing."""

    verb: Verb
    href: str
    why: Words | None = None
    form: VerbForm | None = None


def offered(ticket: Any) -> list[Offer]:
    """The verbs of a ticket beside its composers, those that are possible first."""
    there = [verb for verb in VERBS.values() if not verb.composer and (ticket.order_id or not verb.about_order)]
    offers = [Offer(verb, _address(ticket, verb), verb.why_not(ticket)) for verb in there]
    return sorted(offers, key=lambda offer: offer.why is not None)


def composers(ticket: Any) -> list[Offer]:
    """The forms that stand under the history."""
    return [
        Offer(verb, _address(ticket, verb), why, None if why else verb.form(ticket=ticket, name=verb.name))
        for verb in VERBS.values()
        if verb.composer
        for why in [verb.why_not(ticket)]
    ]


def _address(ticket: Any, verb: Verb) -> str:
    return reverse("console:verb", args=[ticket.number, verb.name])


@for_roles(Role.OPERATOR)
def page(request: HttpRequest, number: str, name: str) -> HttpResponse:
    """The page of a verb: what it does, what it needs, the button. POST does it and leads back to the case."""
    ticket, verb = ticket_or_404(number), VERBS.get(name)
    if verb is None or (verb.about_order and not ticket.order_id):
        raise Http404
    case = reverse("console:ticket", args=[ticket.number])
    why = verb.why_not(ticket)
    if why is not None:
        return show(request, "verb", verb=verb, ticket=ticket, why=why, case=case, status=409)
    form = verb.form(given(request), ticket=ticket, name=verb.name)

    def do(now: datetime, data: dict[str, Any]) -> None:
        verb.do(Acting(ticket, person_of(request), actor_of(request), now), data)

    return asking(
        request,
        form,
        do,
        title=verb.words,
        back=case,
        done=verb.done,
        lead=verb.lead,
        danger=verb.danger,
        over=f"{ticket.number} · {ticket.subject}",
    )
