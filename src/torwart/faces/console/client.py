"""Clients: taken in, led through onboarding, suspended, ended; by administrators, seen by all of us."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from torwart.faces._design.access import actor_of, provider_only
from torwart.faces._design.forms import Form
from torwart.faces._design.language import t
from torwart.faces.console.asking import ReasonForm, asking, asks, given
from torwart.faces.console.page import plain, show
from torwart.faces.console.words import why_not
from torwart.kernel.client_state import CLIENT, ClientState, ClientVerb
from torwart.kernel.contact_state import SECURE
from torwart.kernel.role import ROLES, Role
from torwart.kernel.words import Words
from torwart.services import client as clients
from torwart.store.queries import client as queries


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a client needs before it can order: what, whether it is there, and how far it is."""

    words: Words
    done: bool
    state: str
    anchor: str


@provider_only
def overview(request: HttpRequest) -> HttpResponse:
    """All clients by name, those that are being taken in marked."""
    text, after = plain(request.GET.get("q", "")), plain(request.GET.get("nach", ""), 200)
    lines = queries.found(text, after=after) if text else queries.page(after=after)
    following = lines[-1].name if len(lines) == queries.PAGE else ""
    return show(request, "clients", lines=lines, text=text, following=following, after=after)


@provider_only
def client(request: HttpRequest, pk: int) -> HttpResponse:
    """One client: its state, what is still missing, its people and code numbers."""
    line = found(pk)
    people = queries.contacts(pk)
    accounts = queries.users(pk)
    keys = queries.key_set(pk)
    state = ClientState(line.state)
    return show(
        request,
        "client",
        client=line,
        people=people,
        accounts=accounts,
        keys=keys,
        checks=_checks(line, accounts, keys),
        verbs=[(name, words, why_not(CLIENT, state.value, verb.value)) for name, verb, words, _ in _MOVES],
        roles=ROLES,
        secure=[each.value for each in SECURE],
    )


def address(pk: int, anchor: str = "") -> str:
    """The client's page, perhaps at one part of it."""
    return reverse("console:client", args=[pk]) + (f"#{anchor}" if anchor else "")


def found(pk: int) -> Any:
    """The client, or 404."""
    line = queries.one(pk)
    if line is None:
        raise Http404
    return line


def _checks(line: Any, accounts: list[Any], keys: list[Any]) -> list[Check]:
    orderers = sum(each.is_active and Role.CONTACT.value in each.roles for each in accounts)
    uses = {each.use for each in keys}
    return [
        Check(
            Words("MSB-Codenummer mit gültiger Prüfziffer", "code number with a valid check digit"),
            bool(line.participants),
            str(len(line.participants)),
            "codenummern",
        ),
        Check(
            Words("Zwei Ansprechpartner mit getesteter gesicherter Mail", "two contacts with tested secure mail"),
            line.tested >= clients.NEEDED,
            f"{line.tested}/{clients.NEEDED}",
            "ansprechpartner",
        ),
        Check(
            Words("Ein Benutzer, der bestellen darf", "a user who may order"), bool(orderers), str(orderers), "benutzer"
        ),
        Check(
            Words("Schlüsselsatz des Administrators (TLS, SIG, ENC)", "administrator's key set (TLS, SIG, ENC)"),
            {"TLS", "SIG", "ENC"} <= uses,
            f"{len(uses & {'TLS', 'SIG', 'ENC'})}/3",
            "schluessel",
        ),
    ]


# --- what administrators do -------------------------------------------------------------------------------------------


class NewClientForm(Form):
    name = forms.CharField(label=t("Name des Auftraggebers", "Name of the client"), max_length=200)


class ParticipantForm(Form):
    code = forms.CharField(
        label=t("Codenummer", "Code number"),
        max_length=20,
        help_text=t("13 Ziffern; die letzte ist die Prüfziffer.", "13 digits; the last one is the check digit."),
    )
    name = forms.CharField(label=t("Name des Marktpartners", "Name of the market participant"), max_length=200)


@asks
def new(request: HttpRequest) -> HttpResponse:
    """Take a client in."""
    return asking(
        request,
        NewClientForm(given(request)),
        lambda now, d: clients.create(d["name"], actor=actor_of(request)),
        title=Words("Auftraggeber anlegen", "Create a client"),
        back=lambda pk: address(pk) if pk else reverse("console:clients"),
        done=Words("Der Auftraggeber ist angelegt.", "The client is created."),
        lead=Words(
            "Er bestellt, sobald zwei Ansprechpartner mit gesicherter Mail getestet sind.",
            "It orders as soon as two contacts are tested with secure mail.",
        ),
    )


@asks
def participant(request: HttpRequest, pk: int) -> HttpResponse:
    found(pk)
    return asking(
        request,
        ParticipantForm(given(request)),
        lambda now, d: clients.add_participant(pk, d["code"], d["name"], actor=actor_of(request), now=now),
        title=Words("Codenummer eintragen", "Record a code number"),
        back=address(pk, "codenummern"),
        done=Words("Die Codenummer ist eingetragen.", "The code number is recorded."),
    )


_MOVES: tuple[tuple[str, ClientVerb, Words, Callable[..., None]], ...] = (
    ("aussetzen", ClientVerb.SUSPEND, Words("Aussetzen", "Suspend"), clients.suspend),
    ("aufnehmen", ClientVerb.RESUME, Words("Wieder aufnehmen", "Resume"), clients.resume),
    ("beenden", ClientVerb.END, Words("Beenden", "End"), clients.end),
)
_CONSEQUENCES = {
    "aussetzen": Words(
        "Der Auftraggeber kann nichts mehr bestellen, bis Sie ihn wieder aufnehmen. Was läuft, läuft zu Ende.",
        "The client can order nothing until you resume it. What runs goes to its end.",
    ),
    "aufnehmen": Words("Der Auftraggeber kann wieder bestellen.", "The client can order again."),
    "beenden": Words(
        "Der Vertrag ist zu Ende: Der Auftraggeber kann nie wieder bestellen. Das lässt sich nicht zurücknehmen.",
        "The contract is over: the client can never order again. This cannot be undone.",
    ),
}


@asks
def move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Suspend, resume or end a client."""
    line = found(pk)
    chosen = next((each for each in _MOVES if each[0] == name), None)
    if chosen is None:
        raise Http404
    words, verb = chosen[2:]
    return asking(
        request,
        ReasonForm(given(request)),
        lambda now, d: verb(pk, d["reason"], actor=actor_of(request), now=now),
        title=Words(f"{line.name}: {words.de}", f"{line.name}: {words.en}"),
        back=address(pk),
        done=Words("Erledigt.", "Done."),
        lead=_CONSEQUENCES[name],
        danger=name != "aufnehmen",
    )
