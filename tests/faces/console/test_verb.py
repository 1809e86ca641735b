"""The verbs of a case: each does what its button says, nothing typed is lost, nothing impossible is done."""

from datetime import datetime, timedelta
from typing import Any

import console_world
import portal_world
import pytest
from console_world import Office, Shown, Web, get
from django.test import Client

from torwart.services import ticket as tickets
from torwart.store import models


def do(web: Client, number: str, verb: str, **values: Any) -> Shown:
    """Send a verb's form and follow to where it leads."""
    return Shown(web.post(f"/konsole/vorgang/{number}/tun/{verb}/", values, follow=True))


def said(shown: Shown) -> str:
    return shown.one("//div[@id='meldungen']")


@pytest.fixture
def question(people: Office, now: datetime) -> str:
    return console_world.question(portal_world.town(), now - timedelta(hours=1))


@pytest.fixture
def order(people: Office, now: datetime) -> str:
    """The ticket of an order that was just sent."""
    town = portal_world.town()
    return console_world.ordered(town, "connectivity_test", town.gateways[1], now)


def last(number: str) -> Any:
    return models.TicketEntry.objects.filter(ticket__number=number).order_by("-id").first()


@pytest.mark.requirement("C-2")
def test_an_answer_goes_to_the_client(people: Office, question: str, web: Web) -> None:
    """Into the history, as mail, and the first answer's clock stops."""
    shown = do(web(people.operator), question, "antwort", text="Morgen um neun.")

    assert "Die Antwort ist unterwegs." in said(shown)
    assert (last(question).kind, last(question).de) == ("message_out", "Morgen um neun.")
    assert models.MailOut.objects.filter(kind="ticket.answer").count() == 1
    assert models.Ticket.objects.get(number=question).first_answer_at is not None


@pytest.mark.requirement("C-3")
def test_a_call_is_noted_in_two_clicks(people: Office, question: str, web: Web) -> None:
    """One opens the form, where caller and time stand already, one saves; the text is all there is to type."""
    client = web(people.operator)
    composer = get(client, f"/konsole/vorgang/{question}/")
    path = "//details[.//form[contains(@action, 'anruf')]]"
    assert composer.one(f"{path}/summary") == "Anruf notieren"
    assert composer.one(f"{path}//input[@name='caller']/@value") == "Anna Berg"
    assert composer.one(f"{path}//input[@name='at_0']/@value") == "2026-11-23"

    do(client, question, "anruf", caller="Anna Berg", at_0="2026-11-23", at_1="10:15", text="Kommt später.")

    assert (last(question).kind, last(question).author) == ("call", "Anna Berg")
    assert last(question).at.isoformat() == "2026-11-23T09:15:00+00:00"


def test_a_note_stays_inside(people: Office, question: str, web: Web) -> None:
    """Internal, and no mail."""
    do(web(people.operator), question, "notiz", text="Buchhaltung gefragt.")

    assert last(question).internal
    assert not models.MailOut.objects.exists()


@pytest.mark.requirement("T-5")
def test_asking_the_client_lets_the_clock_rest_until_resumed(people: Office, question: str, web: Web) -> None:
    """The reason is shown; going on starts the clock again."""
    client = web(people.operator)
    asked = do(client, question, "rueckfrage", text="Welche Etage?")

    assert "die Frist ruht" in said(asked)
    assert models.Ticket.objects.get(number=question).due_at is None
    assert "Welche Etage?" in asked.one("//p[@class='ko-wait']")

    do(client, question, "fortsetzen")

    assert models.Ticket.objects.get(number=question).due_at is not None


def test_assigning_and_giving_back(people: Office, question: str, web: Web) -> None:
    """To any operator, or to nobody; who is no operator cannot be chosen."""
    client = web(people.operator)
    do(client, question, "zuweisen", user=people.operator.pk)
    assert models.Ticket.objects.get(number=question).assignee_id == people.operator.pk

    wrong = do(client, question, "zuweisen", user=people.auditor.pk)
    assert wrong.status == 422

    do(client, question, "zuweisen", user="")
    assert models.Ticket.objects.get(number=question).assignee_id is None


def test_resolving_reopening_closing(people: Office, question: str, web: Web) -> None:
    """The whole way of a ticket; what the table forbids is answered by the reason."""
    client = web(people.operator)
    states = []
    for verb, values in (("loesen", {"text": "Erledigt."}), ("oeffnen", {}), ("loesen", {"text": "Nun ja."})):
        do(client, question, verb, **values)
        states.append(models.Ticket.objects.get(number=question).state)
    do(client, question, "schliessen")
    impossible = do(client, question, "oeffnen")

    assert states == ["resolved", "open", "resolved"]
    assert impossible.status == 409
    assert "„wieder öffnen“ geht nur im Zustand: gelöst." in impossible.text
    assert models.Ticket.objects.get(number=question).state == "closed"


@pytest.mark.requirement("O-5")
def test_effort_is_billed_with_its_reason(people: Office, question: str, web: Web) -> None:
    """It adds up, and stands in the head of the case."""
    client = web(people.operator)
    do(client, question, "aufwand", minutes=20, reason="Falsche Zählernummer")
    shown = do(client, question, "aufwand", minutes=15, reason="Noch einmal")

    assert "35 Minuten" in shown.one("//dl[@class='ko-facts']")
    assert do(client, question, "aufwand", minutes=0, reason="x").status == 422


@pytest.mark.requirement("T-3", "T-6")
def test_times_are_offered_from_real_capacity(people: Office, order: str, web: Web) -> None:
    """Free hours to tick and one of one's own; the client gets them all, the order waits."""
    client = web(people.operator)
    form = get(client, f"/konsole/vorgang/{order}/tun/termine/")
    offered = form.all("//input[@name='times']/@value")
    assert len(offered) == 8

    shown = do(
        client,
        order,
        "termine",
        times=offered[:2],
        other_0="2026-12-01",
        other_1="10:00",
        reason="Wartung.",
    )

    assert "Die Termine sind vorgeschlagen" in said(shown)
    proposal = models.Proposal.objects.get()
    wanted = {*map(datetime.fromisoformat, offered[:2]), datetime.fromisoformat("2026-12-01T10:00:00+01:00")}
    assert set(proposal.times) == wanted
    assert models.Order.objects.get().state == "proposed"


def test_a_proposal_without_times_or_outside_service_hours_is_said_at_the_form(
    people: Office, order: str, web: Web
) -> None:
    """Nothing typed is lost."""
    client = web(people.operator)

    nothing = do(client, order, "termine", reason="Wartung.")
    past = do(client, order, "termine", other_0="2026-11-20", other_1="10:00", reason="Wartung.")

    assert (nothing.status, past.status) == (422, 422)
    assert "Wählen Sie mindestens einen Termin." in nothing.text
    assert "Wartung." in past.one("//textarea[@name='reason']")
    assert past.all("//div[@role='alert']//li") != []
    assert not models.Proposal.objects.exists()


@pytest.mark.requirement("O-10")
def test_an_order_is_cancelled_with_its_reason(people: Office, order: str, web: Web) -> None:
    """Order, ticket, run and mail in one stroke."""
    shown = do(web(people.operator), order, "stornieren", reason="Auf Wunsch von Frau Berg.")

    assert "Der Auftrag ist storniert." in said(shown)
    assert models.Order.objects.get().state == "cancelled"
    assert models.Run.objects.get().state == "cancelled"
    assert models.MailOut.objects.filter(kind="order.cancelled").exists()


def test_an_order_is_refused_with_its_reason(people: Office, order: str, web: Web) -> None:
    """The client gets it; afterwards an override can be asked for."""
    client = web(people.operator)
    do(client, order, "ablehnen", reason="Dieses Gerät prüfen wir nicht aus der Ferne.")

    assert models.Order.objects.get().state == "refused"
    assert "Ausnahme beantragen" in get(client, f"/konsole/vorgang/{order}/").actions


def test_a_failed_order_is_tried_again_as_a_new_one(people: Office, order: str, now: datetime, web: Web) -> None:
    """History never changes: the failed one stays, a new one with the same entries runs."""
    models.Order.objects.update(state="failed")
    models.Run.objects.update(state="failed")

    do(web(people.operator), order, "nochmal")

    first, again = models.Order.objects.order_by("id")
    assert (first.state, again.state) == ("failed", "submitted")
    assert first.fields == again.fields


@pytest.mark.requirement("P-1")
def test_a_strangers_question_is_given_to_a_client_once(people: Office, now: datetime, web: Web) -> None:
    """From then on it is the client's for good."""
    first, second = portal_world.town(), portal_world.town("Energie Süd", tag="b")
    number = tickets.open_question(client=None, contact=None, subject="Angebot", text="Bitte um Rückruf", now=now)
    client = web(people.operator)

    do(client, number, "zuordnen", client=first.client)
    again = do(client, number, "zuordnen", client=second.client)

    assert again.status == 409
    assert models.Ticket.objects.get(number=number).client_id == first.client
    assert models.AuditEntry.objects.filter(action="ticket.adopted", client=first.client).count() == 1


def test_what_is_refused_keeps_what_was_typed(people: Office, question: str, web: Web, monkeypatch: Any) -> None:
    """A no of the services stands at the form, with the text still in it."""
    monkeypatch.setattr("torwart.services.ticket.rows.LONGEST_TEXT", 3)

    shown = do(web(people.operator), question, "antwort", text="Viel zu lang")

    assert shown.status == 422
    assert shown.one("//textarea[@name='text']").strip() == "Viel zu lang"
    assert "höchstens 3 Zeichen" in shown.one("//div[@role='alert']")


def test_a_verb_without_a_token_is_not_done(people: Office, question: str) -> None:
    """Another site cannot make an operator act."""
    client = Client(headers={"host": "localhost"}, enforce_csrf_checks=True)
    client.force_login(people.operator)

    answer = client.post(f"/konsole/vorgang/{question}/tun/notiz/", {"text": "x"})

    assert answer.status_code == 403
    assert last(question).kind == "message_in"


def test_an_attended_order_ends_with_the_operators_verdict(
    people: Office, question: str, now: datetime, web: Web
) -> None:
    """Its ticket can be resolved although the order is open; the run hears of it."""
    town = portal_world.town("Verdikt", tag="v")
    number = console_world.ordered(town, "connectivity_test", town.gateways[1], now)
    row = models.Order.objects.get(number="A" + number[1:])
    models.Order.objects.filter(pk=row.pk).update(state="in_progress", wording={**row.wording, "attended": True})

    do(web(people.operator), number, "loesen", text="Kabel war lose, jetzt fest.")

    assert tickets.verdict(number) == {"text": "Kabel war lose, jetzt fest.", "by": people.operator.full_name}


def test_unknown_verbs_are_not_found(people: Office, question: str, web: Web) -> None:
    """Neither nonsense nor a verb of orders on a question."""
    client = web(people.operator)

    assert client.get(f"/konsole/vorgang/{question}/tun/zaubern/").status_code == 404
    assert client.get(f"/konsole/vorgang/{question}/tun/stornieren/").status_code == 404
