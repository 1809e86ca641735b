"""A case: all that is known stands in its place, the clocks are right, and what can be done follows from the tables."""

from datetime import datetime, timedelta
from typing import Any

import console_world
import portal_world
import pytest
from console_world import Office, Shown, Web, get
from django.db import connection
from django.test.utils import CaptureQueriesContext

from torwart.kernel.order_state import ORDER, OrderState, OrderVerb
from torwart.kernel.ticket_state import TICKET, TicketState, TicketVerb
from torwart.services import ticket as tickets
from torwart.store import models

_TICKET_VERBS = {
    "Weiter bearbeiten": TicketVerb.RESUME,
    "Lösen": TicketVerb.RESOLVE,
    "Wieder öffnen": TicketVerb.REOPEN,
    "Schließen": TicketVerb.CLOSE,
}
_ORDER_VERBS = {
    "Termine vorschlagen": OrderVerb.PROPOSE,
    "Auftrag stornieren": OrderVerb.CANCEL,
    "Auftrag ablehnen": OrderVerb.REFUSE,
}


def case(client: Any, number: str, part: str = "") -> Shown:
    return get(client, f"/konsole/vorgang/{number}/{part}")


@pytest.mark.requirement("G-4")
@pytest.mark.parametrize("state", list(TicketState))
def test_buttons_follow_the_ticket_s_table(people: Office, now: datetime, web: Web, state: TicketState) -> None:
    """A verb is a button exactly where the table allows it; a missing one says in which states it would be there."""
    number = console_world.question(portal_world.town(), now)
    models.Ticket.objects.filter(number=number).update(state=state.value)

    shown = case(web(people.operator), number)

    missing = " ".join(shown.all("//details[@class='ko-missing']//li"))
    for words, verb in _TICKET_VERBS.items():
        possible = TICKET.can(state, verb)
        assert (words in shown.actions) == possible, words
        assert (f"{words}:" in missing) == (not possible), words
    asking = shown.all("//*[contains(@class, 'ko-composer')]//form[contains(@action, 'rueckfrage')]/@action")
    assert bool(asking) == TICKET.can(state, TicketVerb.ASK_CLIENT)


@pytest.mark.requirement("G-4")
@pytest.mark.parametrize("state", list(OrderState))
def test_buttons_follow_the_order_s_table(people: Office, now: datetime, web: Web, state: OrderState) -> None:
    """The same for the order of a ticket; trying again is for what has failed, an override for what was refused."""
    town = portal_world.town()
    number = console_world.ordered(town, "connectivity_test", town.gateways[1], now)
    models.Order.objects.update(state=state.value)

    shown = case(web(people.operator), number)

    for words, verb in _ORDER_VERBS.items():
        assert (words in shown.actions) == ORDER.can(state, verb), words
    assert ("Neuer Versuch" in shown.actions) == (state is OrderState.FAILED)
    assert ("Ausnahme beantragen" in shown.actions) == (state is OrderState.REFUSED)


def test_a_question_has_no_verbs_of_orders(people: Office, now: datetime, web: Web) -> None:
    """What makes no sense here is not even named as missing."""
    number = console_world.question(portal_world.town(), now)

    shown = case(web(people.operator), number)

    assert "stornieren" not in " ".join(shown.all("//main//details[@class='ko-missing']"))


@pytest.mark.requirement("T-5")
def test_all_three_clocks_are_shown(people: Office, now: datetime, web: Web) -> None:
    """First answer, next message, resolution: what is kept, what runs, what rests with its reason."""
    town = portal_world.town()
    number = console_world.question(town, now - timedelta(hours=2))  # twenty to nine in Berlin
    client = web(people.operator)

    waiting = case(client, number).all("//div[@class='ko-clock']")
    tickets.answer(number, "Morgen um neun.", user=people.operator.pk, now=now)
    answered = case(client, number).all("//div[@class='ko-clock']")
    tickets.ask_client(number, "Welche Etage?", user=people.operator.pk, now=now)
    asked = case(client, number).all("//div[@class='ko-clock']")

    assert waiting[0] == "Erste Antwort noch 2 h Servicezeit fällig heute 12:40"
    assert waiting[2] == "Lösung noch 22 h Servicezeit fällig Mi 14:40"
    assert answered[0] == "Erste Antwort nach 2 h Servicezeit"
    assert answered[1] == "Nächste Nachricht noch 18 h Servicezeit fällig Mi 10:40"
    assert asked[1] == "Nächste Nachricht ruht"
    assert asked[2] == "Lösung ruht – noch 22 h Servicezeit Welche Etage?"


@pytest.mark.requirement("T-5")
def test_a_resolved_case_says_whether_it_was_in_time(people: Office, now: datetime, web: Web) -> None:
    """The clock is read from the audit trail and compared with the deadline."""
    number = console_world.question(portal_world.town(), now - timedelta(hours=1))
    late = console_world.question(portal_world.town("B", tag="z"), now - timedelta(days=10))
    for each in (number, late):
        tickets.resolve(console_world.AbsurdEngine(), each, "Erledigt.", user=people.operator.pk, now=now)
    client = web(people.operator)

    assert case(client, number).all("//div[@class='ko-clock']")[2] == "Lösung nach 1 h Servicezeit · in der Frist"
    assert "Frist überschritten" in case(client, late).all("//div[@class='ko-clock']")[2]


@pytest.mark.requirement("O-8")
def test_steps_show_attempts_next_try_and_whose_fault(people: Office, now: datetime, web: Web) -> None:
    """Done, waiting and to come, in the words of the process when it was ordered."""
    town = portal_world.town()
    number = console_world.ordered(town, "connectivity_test", town.gateways[2], now - timedelta(hours=2))
    console_world.working(number)

    steps = case(web(people.operator), number).all("//ol[@class='tw-track']/li")

    assert len(steps) == 4
    assert steps[0].startswith("Auftrag angenommen erledigt")
    assert "3 Versuche" in steps[2]
    assert "Das Gateway ruft nicht an. Ursache: beim Gateway" in steps[2]
    assert steps[3].endswith("steht noch aus")


@pytest.mark.requirement("O-8")
def test_everything_said_is_there_and_internal_notes_are_marked(people: Office, now: datetime, web: Web) -> None:
    """Who, on which way, when; hostile text is text."""
    number = console_world.question(portal_world.town(), now - timedelta(hours=1), subject="<b>Hallo</b>")
    tickets.note(number, "<script>alert(1)</script>", user=people.operator.pk, now=now)
    tickets.call(number, "Frau Berg", now, "Ruft morgen wieder an.", user=people.operator.pk, now=now)

    shown = case(web(people.operator), number)

    entries = shown.all("//ol[@class='ko-talk']/li")
    assert [each.split(" ")[0] for each in entries] == ["Anna", "Otto", "Frau"]
    assert "intern" in entries[1]
    assert "Anruf" in entries[2]
    assert "<script>" not in shown.text
    assert "<b>Hallo" not in shown.text


@pytest.mark.requirement("O-2", "O-8")
def test_the_order_is_shown_as_the_client_saw_it(people: Office, now: datetime, web: Web) -> None:
    """The rows of the check page, the times proposed and the client's answer."""
    found = console_world.busy_day(people, now)

    shown = case(web(people.operator), found["proposed"], "auftrag/")

    rows = dict(zip(shown.all("//section//dt"), shown.all("//section//dd"), strict=True))
    assert rows["Prozess"] == "Kommunikationstest"
    assert rows["Grund"] == "Zähler meldet nichts"
    assert "Am Wunschtermin ist Wartung." in shown.text
    assert len(shown.all("//ul[@class='ko-times']/li")) == 2


@pytest.mark.requirement("O-8")
def test_the_transcript_is_a_ladder_and_a_table_without_secrets(people: Office, now: datetime, web: Web) -> None:
    """A wake-up expects no answer; a refused and a lost message stand out; heads are as redacted."""
    town = portal_world.town()
    number = console_world.ordered(town, "wake_up", town.gateways[2], now - timedelta(hours=2))
    console_world.working(number)

    shown = case(web(people.operator), number, "protokoll/")

    assert shown.one("//figure/figcaption") == "4 Nachrichten, davon 2 ohne gute Antwort."
    assert [row.split(" ")[0] for row in shown.all("//main//table//tr/th[@scope='row']")] == ["WU", "GET", "PUT", "GET"]
    assert "authorization: …" in shown.text


@pytest.mark.requirement("O-8")
def test_files_are_saved_and_never_shown(people: Office, now: datetime, web: Web) -> None:
    """An attachment called like a page comes as bytes to save, under a harmless name; another ticket has it not."""
    town = portal_world.town()
    number, other = console_world.question(town, now), console_world.question(town, now)
    pk = tickets.attach(
        number, name='../"a".html', media_type="text/html", content=b"<script>", digest="0" * 64, now=now
    )
    client = web(people.operator)

    answer = client.get(f"/konsole/vorgang/{number}/datei/{pk}/")

    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="__a_.html"'
    assert client.get(f"/konsole/vorgang/{other}/datei/{pk}/").status_code == 404


@pytest.mark.requirement("O-8")
@pytest.mark.parametrize("kind", ["pdf", "json"])
def test_the_evidence_can_be_taken_along(people: Office, now: datetime, web: Web, kind: str) -> None:
    """Both forms of it; a question has none."""
    town = portal_world.town()
    number = console_world.ordered(town, "connectivity_test", town.gateways[1], now)
    client = web(people.auditor)

    content = client.get(f"/konsole/vorgang/{number}/nachweis.{kind}").content

    assert content.startswith(b"%PDF" if kind == "pdf" else b"{")
    question = console_world.question(town, now)
    assert client.get(f"/konsole/vorgang/{question}/nachweis.{kind}").status_code == 404


@pytest.mark.parametrize("number", ["T-123456789", "T-12", "A", "T-' OR 1=1", "0" * 200])
def test_a_number_nobody_has_is_not_found(people: Office, web: Web, number: str) -> None:
    """Wrong check digits, wrong lengths and worse."""
    assert web(people.operator).get(f"/konsole/vorgang/{number}/").status_code == 404


def test_a_case_asks_the_same_however_much_was_said(people: Office, now: datetime, web: Web) -> None:
    """Nine questions to the database with the queue beside it, for one entry or thirty."""
    number = console_world.question(portal_world.town(), now - timedelta(hours=1))
    client = web(people.operator)
    client.get("/konsole/tasten/")
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            case(client, number, "?korb=offen")
        counts.append(len(asked))
        for place in range(30):
            tickets.note(number, f"Notiz {place}", user=people.operator.pk, now=now)

    assert counts == [9, 9], [each["sql"][:100] for each in asked]


def test_the_queue_stands_beside_the_case(people: Office, now: datetime, web: Web) -> None:
    """Opened from an inbox the case keeps it at hand, and says which one it is of them."""
    found = console_world.busy_day(people, now)

    shown = get(web(people.operator), f"/konsole/vorgang/{found['device']}/", korb="offen")

    beside = shown.all("//nav[contains(@class, 'ko-beside')]//li//strong")
    assert len(beside) == 8
    assert shown.one("//nav[contains(@class, 'ko-beside')]//a[@aria-current]//strong") == found["device"]
    assert shown.all("//nav[@aria-label='Teile des Vorgangs']//a/@href")[1].endswith("/auftrag/?korb=offen")
