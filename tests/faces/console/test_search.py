"""One field for everything: exact numbers lead there, the rest is listed, and keys have their page."""

from datetime import datetime

import console_world
import pytest
from console_world import Office, Web, get

from torwart.faces.console.verb import VERBS
from torwart.store import models


def test_a_number_or_device_leads_there(people: Office, now: datetime, web: Web) -> None:
    """A ticket's or its order's number, also when it is over, with or without hyphen; a whole device id."""
    found = console_world.busy_day(people, now)
    client = web(people.operator)
    models.Ticket.objects.filter(number=found["late"]).update(state="closed")
    device = found["towns"][0].gateways[1]

    for text in (found["late"], "A" + found["late"][1:], found["late"].lower()):
        assert client.get("/konsole/suche/", {"q": text}).headers["Location"] == f"/konsole/vorgang/{found['late']}/"
    assert client.get("/konsole/suche/", {"q": device.lower()}).headers["Location"] == f"/konsole/gateways/{device}/"


def test_the_rest_is_listed(people: Office, now: datetime, web: Web) -> None:
    """The few best of each kind."""
    console_world.busy_day(people, now)
    client = web(people.operator)

    shown = get(client, "/konsole/suche/", q="mittelrhein")

    assert shown.all("//main//h2") == ["Offene Vorgänge", "Auftraggeber"]
    assert get(client, "/konsole/suche/", q="EPPC02").all("//main//h2") == ["Offene Vorgänge", "Gateways"]


@pytest.mark.parametrize("text", ["", "\0", "'; DROP TABLE", "%", "x" * 5000])
def test_whatever_is_looked_for_there_is_an_answer(people: Office, web: Web, text: str) -> None:
    """Nothing found is an answer too."""
    assert get(web(people.operator), "/konsole/suche/", q=text).all("//main//h2") == []


def test_the_keys_are_listed_as_they_are(people: Office, web: Web) -> None:
    """Each key once at a case, as the verbs have them."""
    keys = [verb.key for verb in VERBS.values() if verb.key]
    shown = get(web(people.auditor), "/konsole/tasten/")

    assert len(set(keys)) == len(keys)
    assert set(keys) <= set(shown.all("//kbd"))
    assert not set(keys) & {"j", "k", "x", "a", "u", "g", "/", "?"}
