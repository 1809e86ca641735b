"""A tariff change ordered in the portal: its pages come from the process's one definition, like those of any other."""

from datetime import timedelta
from typing import Any

import browser as support
import pytest
from django.db import transaction
from django.utils import timezone
from portal_world import Town, town

from torwart.services import emt as emts
from torwart.sim.pki import TestPki
from torwart.store import models
from torwart.wire.certificate import Role

RECIPIENT = "Energie Koblenz Vertrieb"


@pytest.fixture
def owner(own_database: str, pki: TestPki) -> Town:
    with transaction.atomic():
        made = town()
        triple = pki.issue_triple(Role.EMT, "Energie Koblenz.EMT")
        emts.register(made.client, RECIPIENT, "127.0.0.1:1", triple.certificates, actor="test")
    return made


def onward(page: Any) -> None:
    page.get_by_role("button", name="Speichern und weiter").click()


@pytest.mark.requirement("P11", "O-1", "O-2")
def test_a_tariff_change_from_the_form_to_its_order(owner: Town, chromium: Any) -> None:
    """Gateway, tariff with its stages, recipients and begin, permission; no page asks for the time again."""
    device = owner.gateways[1]
    page = chromium.open(f"/portal/bestellen/profile_change/?geraet={device}", user=owner.contact)
    assert support.faults(page) == []
    page.get_by_role("button", name="Jetzt ausfüllen").click()
    assert support.faults(page) == []
    assert not page.get_by_role("link", name="Termin", exact=True).count()
    _fill(page)
    assert support.faults(page) == []
    support._fits(page)
    shown = page.locator("main").inner_text()
    assert "1 Mo-Fr 17:00-20:00, 3 Mo-So 00:00-05:00" in shown
    assert "Geplant" in shown
    page.get_by_role("button", name="senden").click()
    (order,) = models.Order.objects.filter(process="profile_change")
    assert (order.gateway.device_id, order.planned) == (device, True)
    assert order.starts_at == order.requested_at - timedelta(hours=6)
    page.goto(f"{page.url.partition('/portal')[0]}/portal/auftraege/{order.number}/")
    assert support.faults(page) == []
    assert page.noise == []


def _fill(page: Any) -> None:
    """All pages, the first one wrong at first."""
    page.get_by_role("link", name="Tarif und Auswertung", exact=True).click()
    page.get_by_label("TAF 2: zeitvariabler Tarif").check()
    page.get_by_label("Schaltzeiten").fill("1 Mo-Fr 17:00-20:00\n3 Mo-So 00:00-25:00")
    onward(page)
    assert "ist keine Schaltzeit" in page.locator("main").inner_text()
    assert support.faults(page) == []
    page.get_by_label("Schaltzeiten").fill("1 Mo-Fr 17:00-20:00\n3 Mo-So 00:00-05:00")
    page.get_by_label("Tarifstufe zu allen anderen Zeiten").fill("2")
    onward(page)
    page.get_by_label(RECIPIENT).check()
    begin = (timezone.localtime() + timedelta(days=14)).date()
    page.locator("[name=valid_from_0]").fill(begin.isoformat())
    page.locator("[name=valid_from_1]").fill("00:00")
    onward(page)
    page.get_by_label("Vertrag mit dem Anschlussnutzer").check()
    page.get_by_label("Wer die Berechtigung erteilt hat").fill(RECIPIENT)
    onward(page)
    onward(page)  # code number, reference, remark: nothing to say
