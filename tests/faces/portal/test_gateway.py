"""Devices: found, judged, told with their whole life."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from portal_world import NOW, Town

from torwart.store.models import Carrier, Certificate, Custody, Event, Gateway, HandOver, Profile, ProfileReading


def _text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.mark.requirement("G-1")
def test_devices_are_found_by_fragment_location_state_and_trouble(home: Town, contact: Client, neighbour: Town) -> None:
    """Part of the id or of the metering location; silent ones; certificates that end; never a neighbour's."""
    stock, good, silent = home.gateways
    Certificate.objects.filter(gateway__device_id=good, use="TLS", seal=False).update(not_after=NOW + timedelta(days=9))

    def found(query: str) -> list[str]:
        return re.findall(r'geraete/(E[A-Z0-9]{13})/"', _text(contact.get(f"/portal/geraete/{query}")))

    assert found("") == [stock, good, silent]
    assert found(f"?suche={good[6:]}") == found(f"?suche={good.lower()}") == [good]
    melo = Gateway.objects.get(device_id=silent).meters.get().melo
    assert found(f"?suche={melo[2:20]}") == [good, silent]
    assert found(f"?suche={melo}") == found("?ansicht=stumm") == [silent]
    assert found("?zustand=delivered") == [stock]
    assert found("?ansicht=ablauf") == [good]
    assert found(f"?suche={neighbour.gateways[0]}") == found("?suche=%25") == []


@pytest.mark.requirement("G-1", "G-2")
def test_a_device_tells_its_life(home: Town, contact: Client) -> None:
    """State with its light, life line with its table, certificates, meters, profiles compared, events, supply chain."""
    device = home.gateways[2]
    gateway = Gateway.objects.get(device_id=device)
    for name, read in (("p1", "a"), ("p2", "b"), ("p3", None)):
        Profile.objects.create(
            gateway=gateway, kind="wan", name=name, version=1, state="active", content=b"x", digest="a" * 64
        )
        if read:
            ProfileReading.objects.create(gateway=gateway, name=name, content=b"x", digest=read * 64)
    Event.objects.create(
        gateway=gateway,
        number=1,
        at=NOW,
        level="WARNING",
        vendor="x",
        event=1,
        text="Deckel geöffnet",
        log="system",
        record_number=1,
        success=True,
        fact="00000000-0000-0000-0000-000000000001",
    )
    carrier = Carrier.objects.create(note=gateway.delivery_note, number="BOX-7", kind="SAFETYBOX", seals=["S1"])
    custody = Custody.objects.create(
        device_id=device,
        client_id=home.client,
        note=gateway.delivery_note,
        carrier=carrier,
        kind="SMGW",
        holder="Lager Nord",
        since=NOW,
    )
    HandOver.objects.create(custody=custody, giver="PPC", holder="Lager Nord", person="E. Muster", at=NOW, actor="x")
    page = _text(contact.get(f"/portal/geraete/{device}/"))

    for said in ("meldet sich nicht", "Lebenslinie", "in Betrieb", "wie gewünscht", "weicht ab", "noch nicht gelesen"):
        assert said in page, said
    for said in ("Deckel geöffnet", "BOX-7", "S1", "PPC → Lager Nord", "Gütesiegel", "Wirkzertifikat", "51238696806"):
        assert said in page, said
    assert "<title>Lebenslinie von" in page
    assert page.count("personalisiert (Wirkzertifikate)") == 1


@pytest.mark.requirement("O-1")
def test_ordering_begins_at_the_device(home: Town, contact: Client, reader: Client) -> None:
    """Each process that is about a gateway can be ordered from its page, by those who may order."""
    page = f"/portal/geraete/{home.gateways[1]}/"
    links = re.findall(r'href="(/portal/bestellen/[a-z_]+/\?geraet=[A-Z0-9]+)"', _text(contact.get(page)))

    assert "/portal/bestellen/commissioning/" in {link.split("?")[0] for link in links}
    assert all(contact.get(link).status_code == 200 for link in links)
    assert "/portal/bestellen/" not in _text(reader.get(page))
