"""Inboxes: each has one meaning, the nearest deadline comes first, and taking is one click."""

from datetime import datetime, timedelta
from typing import Any

import console_world
import portal_world
import pytest
from console_world import Office, Web, get
from django.db import connection
from django.test.utils import CaptureQueriesContext

from torwart.services import ticket as tickets
from torwart.store import models
from torwart.store.queries import inbox as queries
from torwart.store.queries.inbox import Inbox


def numbers(client: Any, name: str, **query: str) -> list[str]:
    """The tickets of an inbox in the order shown."""
    return get(client, f"/konsole/korb/{name}/", **query).tickets


@pytest.mark.requirement("G-4", "T-5")
def test_each_inbox_holds_what_its_name_says(people: Office, now: datetime, web: Web) -> None:
    """At risk, unassigned, mine, waiting for client, device or time, all open: nothing else, nearest deadline first."""
    found = console_world.busy_day(people, now)
    client = web(people.operator)

    assert numbers(client, "frist") == [found["late"]]
    assert numbers(client, "mir") == [found["mine"]]
    assert sorted(numbers(client, "auftraggeber")) == sorted([found["asked"], found["proposed"]])
    assert numbers(client, "geraet") == [found["device"]]
    assert numbers(client, "termin") == []
    everything = numbers(client, "offen")
    assert len(everything) == 8
    assert everything[:3] == [found["late"], found["device"], found["urgent"]]
    assert set(numbers(client, "frei")) == set(everything) - {found["mine"]}
    assert client.get("/konsole/korb/nirgends/").status_code == 404


def test_a_resolved_ticket_lies_in_no_inbox(people: Office, now: datetime, web: Web) -> None:
    """What is settled is out of the way."""
    town = portal_world.town()
    number = console_world.question(town, now)
    models.Ticket.objects.filter(number=number).update(state="resolved")

    assert all(numbers(web(people.operator), inbox.value) == [] for inbox in Inbox)


def test_counting_stops_where_nobody_cares(people: Office, now: datetime, web: Web, monkeypatch: Any) -> None:
    """From the bound on the tab says so instead of counting on."""
    monkeypatch.setattr(queries, "BOUND", 2)
    town = portal_world.town()
    for _ in range(3):
        console_world.question(town, now)

    shown = get(web(people.operator), "/konsole/")

    assert shown.all("//nav[@aria-label='Eingangskörbe']//a")[-1] == "Alle offenen 99+"


def test_the_filter_finds_number_subject_client_and_device(people: Office, now: datetime, web: Web) -> None:
    """Part of any of them, whatever its case."""
    found = console_world.busy_day(people, now)
    device = found["towns"][1].gateways[1]
    client = web(people.operator)

    for text in ("mittelrhein", "ZUGANG", device[-4:], found["urgent"][-5:]):
        hits = numbers(client, "offen", q=text)
        assert set(hits) & {found["urgent"], found["proposed"]}, text
        assert found["late"] not in hits, text


@pytest.mark.requirement("G-4")
def test_taking_is_one_click_for_one_or_many(people: Office, now: datetime, web: Web) -> None:
    """Each ticket is assigned and audited; the page led back to is one of ours."""
    town = portal_world.town()
    both = [console_world.question(town, now), console_world.question(town, now)]

    answer = web(people.operator).post(
        "/konsole/uebernehmen/", {"vorgang": both, "zurueck": "https://evil.example/konsole/"}
    )

    assert answer.headers["Location"] == "/konsole/"
    assert {t.assignee_id for t in models.Ticket.objects.filter(number__in=both)} == {people.operator.pk}
    assert models.AuditEntry.objects.filter(action="ticket.assigned").count() == 2


def test_nothing_selected_is_said(people: Office, web: Web) -> None:
    """Pressing the button without a selection changes nothing and says so."""
    page = web(people.operator).post("/konsole/uebernehmen/", follow=True)

    assert "Kein Vorgang ist ausgewählt." in page.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_asks_the_same_however_long(people: Office, now: datetime, web: Web, count: int) -> None:
    """Six questions to the database for the whole page, two of them for session and person."""
    town = portal_world.town(gateways=count)
    for gateway in town.gateways:
        console_world.ordered(town, "connectivity_test", gateway, now - timedelta(hours=2))
    client = web(people.operator)
    client.get("/konsole/tasten/")

    with CaptureQueriesContext(connection) as asked:
        shown = get(client, "/konsole/korb/offen/")

    assert len(shown.tickets) == count
    assert len(asked) == 6, [each["sql"][:90] for each in asked]


@pytest.mark.requirement("G-4")
def test_the_picture_shows_what_is_due_today(people: Office, now: datetime, web: Web) -> None:
    """One row a ticket that is due by closing time, and the same in words."""
    found = console_world.busy_day(people, now)

    shown = get(web(people.operator), "/konsole/")

    assert shown.all("//figure//tbody/tr/td[1]") == [found["late"]]
    assert shown.one("//figure/figcaption") == "Ein Vorgang mit Frist bis heute Abend, davon 1 überfällig."
    assert shown.one("//figure//*[local-name()='title']") == "Fristen heute"


def test_pages_follow_each_other_without_gaps(people: Office, now: datetime, web: Web) -> None:
    """Every open ticket stands on exactly one page, those that rest last."""
    town = portal_world.town()
    opened = [console_world.question(town, now - timedelta(minutes=place)) for place in range(53)]
    tickets.ask_client(opened[0], "Wo?", user=people.operator.pk, now=now)
    client = web(people.operator)

    first = get(client, "/konsole/korb/offen/")
    rest = get(client, "/konsole/korb/offen/" + first.one("//a[@rel='next']/@href"))

    shown = first.tickets + rest.tickets
    assert sorted(shown) == sorted(opened)
    assert shown[-1] == opened[0]
