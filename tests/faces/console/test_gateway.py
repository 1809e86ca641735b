"""The fleet and the file of a gateway: filters, lights, certificates, profiles wanted against actual, starting work."""

from datetime import datetime, timedelta
from typing import Any

import console_world
import portal_world
import pytest
from console_world import Office, Shown, Web, get
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from torwart.services import present
from torwart.store import models
from torwart.store.queries import fleet

FLEET = "/konsole/gateways/"


@pytest.fixture
def town(people: Office, monkeypatch: Any) -> portal_world.Town:
    """A client with one gateway in stock, one that calls and one that is silent; the clock is the real one."""
    monkeypatch.setattr(present, "now", lambda: portal_world.NOW + timedelta(minutes=1))
    return portal_world.town()


def listed(web: Any, **query: Any) -> list[str]:
    return [each.replace(" ", "") for each in get(web, FLEET, **query).tickets]


@pytest.mark.requirement("G-1")
def test_the_fleet_is_narrowed_by_what_one_looks_for(people: Office, town: portal_world.Town, web: Web) -> None:
    """Client, state, firmware, part of an id, of a meter's or a location's; silent, expiring, blocked."""
    portal_world.town("Andere", tag="b")
    stock, calling, silent = town.gateways
    models.Gateway.objects.filter(device_id=silent).update(firmware="9.9.9")
    models.Gateway.objects.filter(device_id=stock).update(state="blocked", blocked_at=portal_world.NOW)
    soon = portal_world.NOW + timedelta(days=20)
    models.Certificate.objects.filter(gateway__device_id=calling, seal=False).update(not_after=soon)
    meter = models.Meter.objects.get(gateway__device_id=calling)
    client = web(people.operator)

    assert listed(client, auftraggeber=town.client) == [silent, calling, stock]
    assert listed(client, auftraggeber=town.client, zustand="operational") == [silent, calling]
    assert listed(client, firmware="9.9.9") == [silent]
    assert listed(client, q=calling[3:].lower()) == [calling]
    assert calling in listed(client, q=calling[-2:])
    assert listed(client, q=meter.device_id) == [calling]
    assert calling in listed(client, q=meter.melo[-8:])
    assert listed(client, auffaellig="gesperrt") == [stock]
    assert listed(client, auffaellig="laeuft-ab") == [calling]
    assert listed(client, auffaellig="schweigt", auftraggeber=town.client) == [silent]
    assert listed(client, auftraggeber="x", zustand="?", auffaellig="?", q="\0") == listed(client)


def test_the_light_of_each_row_says_why(people: Office, town: portal_world.Town, web: Web) -> None:
    """The worst that is known decides, in a word beside the colour."""
    rows = get(web(people.operator), FLEET).all("//main//tbody/tr/td[1]")

    assert rows == ["meldet sich nicht", "in Ordnung", "geliefert"]


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_asks_the_same_however_long(people: Office, web: Web, count: int) -> None:
    """Eight questions to the database."""
    portal_world.town(gateways=count)
    client = web(people.operator)
    client.get("/konsole/tasten/")

    with CaptureQueriesContext(connection) as queries:
        shown = get(client, FLEET)

    assert len(shown.tickets) == count
    assert len(queries) == 8, [each["sql"][:90] for each in queries]


def test_firmwares_are_listed_once_each(people: Office, town: portal_world.Town) -> None:
    """Without reading the whole fleet."""
    models.Gateway.objects.filter(device_id=town.gateways[0]).update(firmware="")
    models.Gateway.objects.filter(device_id=town.gateways[1]).update(firmware="2.0")

    assert fleet.firmwares() == ["1.4.2", "2.0"]


@pytest.mark.requirement("G-1")
def test_a_gateway_s_page_tells_its_life(people: Office, town: portal_world.Town, web: Web) -> None:
    """Master data, states since when, certificates, what differs from what is wanted, events."""
    device = town.gateways[1]
    console_world.file_of(device, portal_world.NOW)

    shown = get(web(people.auditor), f"{FLEET}{device}/")

    assert shown.one("//h1").replace(" ", "") == device
    lanes = shown.all("//figure//tbody/tr/td[2]")
    assert lanes[:6] == [
        "geliefert",
        "für Inbetriebnahme reserviert",
        "erster Kontakt geprüft",
        "personalisiert (Wirkzertifikate)",
        "WAN ok",
        "in Betrieb",
    ]
    profiles = shown.all("//section[h2[starts-with(text(), 'Profile')]]//li")
    assert [each.split(" ")[0] for each in profiles] == ["emt-1", "management", "taf7-1emh"]
    assert "noch nicht zurückgelesen" in profiles[0]
    assert "wie gewünscht" in profiles[1]
    assert "weicht ab" in profiles[2]
    assert "Zähler nicht erreichbar" in shown.text


def test_a_difference_is_shown_line_against_line(people: Office, town: portal_world.Town, web: Web) -> None:
    """Wanted and actual, and nothing but what differs stands out."""
    device = town.gateways[1]
    console_world.file_of(device, portal_world.NOW)

    shown = get(web(people.operator), f"{FLEET}{device}/profil/taf7-1emh/")

    assert shown.all("//span[@class='ko-diff__wanted']") == ["− <cycle>900</cycle>"]
    assert shown.all("//span[@class='ko-diff__actual']") == ["+ <cycle>3600</cycle>"]
    assert web(people.operator).get(f"{FLEET}{device}/profil/gibt-es-nicht/").status_code == 404


@pytest.mark.parametrize("device", ["E1", "EPPC0299999999", "'; DROP", "%00"])
def test_a_device_nobody_has_is_not_found(people: Office, web: Web, device: str) -> None:
    """Whatever stands in its place."""
    assert web(people.operator).get(f"{FLEET}{device}/").status_code == 404


def test_the_horizon_counts_sets_by_week_and_owner(people: Office, town: portal_world.Town, web: Web) -> None:
    """Gateways, market partners, contacts; what has ended is said first."""
    today = timezone.localdate()
    monday = today + timedelta(days=7 - today.weekday())
    gateways = models.Certificate.objects.filter(gateway__device_id=town.gateways[1], state="active")
    gateways.update(not_after=datetime.combine(monday, datetime.min.time(), timezone.get_default_timezone()))
    models.Certificate.objects.filter(gateway__device_id=town.gateways[2], seal=False).update(
        not_after=portal_world.NOW - timedelta(days=1)
    )

    shown = get(web(people.operator), f"{FLEET}zertifikate/")

    rows = shown.all("//figure//tbody/tr")
    assert f"{monday:%d.%m.%Y} Gateways 1" in rows
    assert any(row.endswith("S/MIME der Ansprechpartner 2") for row in rows)
    assert "3 Zertifikate in Gebrauch sind abgelaufen." in shown.text


# --- starting a process -----------------------------------------------------------------------------------------------


def test_only_what_asks_little_is_started_here(people: Office, town: portal_world.Town, web: Web) -> None:
    """Renewal, wake-up and test; a commissioning has its order."""
    client = web(people.operator)
    shown = get(client, f"{FLEET}{town.gateways[1]}/")

    assert set(shown.actions) >= {"SMGW-Wirkzertifikate erneuern", "Weckruf (Wake-Up)", "Kommunikationstest"}
    assert client.get(f"{FLEET}{town.gateways[1]}/starten/commissioning/").status_code == 404


@pytest.mark.requirement("G-10")
def test_a_started_process_runs_and_is_followed(people: Office, town: portal_world.Town, web: Web) -> None:
    """One run, in the operator's name, and the page of it; a second one waits its turn."""
    client = web(people.operator)
    address = f"{FLEET}{town.gateways[1]}/starten/wake_up/"

    shown = Shown(client.post(address, {"reason": "Meldet sich nicht"}, follow=True))
    second = Shown(client.post(address, {"reason": "Noch einmal"}))

    assert "Der Prozess läuft." in shown.text
    assert shown.one("//h1") == "Weckruf (Wake-Up)"
    run = models.Run.objects.get()
    assert run.parameters["reason"] == "Meldet sich nicht"
    entry = models.AuditEntry.objects.get(action="wake_up.ordered")
    assert entry.actor.endswith(":otto.keller@torwart.example")
    assert second.status == 422
    assert second.one("//input[@name='reason']/@value") == "Noch einmal"
