"""A contact's day in the portal, with a browser and without JavaScript: order, send, withdraw, follow to the end."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import browser as support
import pytest
from django.test import Client as Visitor
from django.test import override_settings
from playwright.sync_api import Page, expect
from staging import Scene

from torwart.kernel.role import Role
from torwart.rules.service_time import CALENDAR
from torwart.services import client as clients
from torwart.store.models import Client, Contact, MarketParticipant, Order

PERSON = "anna.berg@stadtwerke.example"


@pytest.fixture(scope="module")
def contact(scene: Scene) -> Any:
    """The stage's client with two tested contacts, one of whom has an account."""
    client = scene.stage.site.client
    for first_name, email in (("Anna", PERSON), ("Bernd", "bernd@stadtwerke.example")):
        Contact.objects.get_or_create(
            client_id=client,
            email=email,
            defaults={"first_name": first_name, "name": "Berg", "phone": "+49 261 1", "mail_state": "tested"},
        )
    Client.objects.filter(pk=client).update(state="active")
    if not MarketParticipant.objects.filter(client_id=client).exists():
        clients.add_participant(client, "9900000000002", "Stadtwerke", actor="test", now=datetime.now(UTC))
    return support.person(PERSON, Role.CONTACT, client=client, at=datetime.now(UTC))


@pytest.fixture(scope="module")
def chromium(contact: Any) -> Iterator[support.Browser]:
    with support.engine() as engine, support.serving() as site:
        browser = support.Browser(site, engine)
        yield browser
        browser.close()


def _save(page: Page) -> None:
    page.get_by_role("button", name="Speichern und weiter").click()


def _fill(page: Page, fields: dict[str, Any]) -> None:
    """Every page of the form, as a person goes through them; only what is not filled in already."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Messstelle")
    page.get_by_label("Messlokation (MeLo)").fill("DE000")
    _save(page)
    expect(page.locator(".tw-errors")).to_be_focused()
    expect(page.locator(".tw-errors a").first).to_have_attribute("href", "#id_melo")
    assert support.faults(page) == []
    page.get_by_label("Messlokation (MeLo)").fill(fields["melo"])
    page.get_by_label("Marktlokationen (MaLo)").fill("\n".join(fields["malos"]))
    page.get_by_label("Einbauort").fill(fields["address"])
    _save(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Gerät und Zähler")
    page.get_by_label("Zähler", exact=True).fill("\n".join(fields["meters"]))
    page.get_by_label("LTE").check()
    page.get_by_label("Adresse für Weckrufe").fill(fields["wan_address"])
    _save(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Profile und EMT")
    page.get_by_label("TAF 7").check()
    page.get_by_label(fields["emts"][0]).check()
    page.get_by_role("radio", name="nein").check()
    _save(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Einbau vor Ort")
    installed = datetime.now(CALENDAR.zone) - timedelta(minutes=5)
    page.get_by_label("Tag").fill(f"{installed:%Y-%m-%d}")
    page.get_by_label("Uhrzeit (Berlin)").fill(f"{installed:%H:%M}")
    page.get_by_label("Monteur", exact=True).fill("Erika Muster")
    page.get_by_label("Telefon des Monteurs").fill("+49 261 123456")
    _save(page)


@pytest.mark.requirement("O-1", "O-2", "O-3", "O-8", "O-10", "T-6")
def test_a_contact_orders_withdraws_follows_and_keeps_the_evidence(
    scene: Scene, chromium: support.Browser, contact: Any
) -> None:
    """Signs in, orders a commissioning through all pages, checks, sends; withdraws another; sees the first one reach
    operation without touching the page; downloads the evidence.
    """
    device, other = scene.take(), scene.take()
    page = chromium.open("/")
    page.get_by_label("E-Mail-Adresse").fill(PERSON)
    page.get_by_label("Passwort", exact=True).fill(support.PASSWORD)
    page.get_by_role("button", name="Anmelden", exact=True).click()
    expect(page.get_by_role("heading", name="Guten Tag")).to_be_visible()

    page.get_by_role("link", name="Auftrag erteilen").first.click()
    page.get_by_role("link", name="Inbetriebnahme Messstelle").click()
    page.get_by_role("button", name="Jetzt ausfüllen").click()
    page.get_by_role("link", name="Gerät und Lieferschein", exact=True).click()
    page.get_by_label("SMGW-ID").press_sequentially(device[-6:])
    page.get_by_role("button", name=device).click()
    _fill(page, scene.fields(device))

    expect(page.get_by_role("heading", level=1)).to_have_text("Termin")
    page.get_by_label("Zu einem Wunschtermin").check()
    page.get_by_label("Tag").fill("2027-03-01")
    page.get_by_label("Uhrzeit (Berlin)").fill("10:00")
    expect(page.locator("#vorschau")).to_contain_text("geplant")
    page.get_by_label("So bald wie möglich").check()
    expect(page.locator("#vorschau")).to_contain_text("Ungeplant: ohne Wunschtermin")
    _save(page)
    page.get_by_label("Ihre Referenz").fill("Projekt Nord")
    _save(page)

    expect(page.get_by_role("heading", level=1)).to_have_text("Bitte prüfen")
    expect(page.locator(".po-answers")).to_contain_text("Projekt Nord")
    expect(page.locator(".po-answers")).to_contain_text(device)
    assert support.faults(page) == []
    with override_settings(TORWART_WITHDRAWAL_SECONDS=2):
        page.get_by_role("button", name="Auftrag senden").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Ihr Auftrag ist bei uns")
    number = page.locator(".tw-copy--large code").inner_text()
    page.get_by_role("link", name="Auftrag verfolgen").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Inbetriebnahme")
    address = page.url

    _withdraw_another(page, other)
    page.goto(address)
    run = Order.objects.select_related("run").get(number=number).run
    assert run is not None
    scene.install({device: str(run.run_id)})
    expect(page.locator("#stand")).to_contain_text("15 von 15 erledigt", timeout=60_000)
    expect(page.locator("#stand .tw-state").first).to_have_text("erledigt")
    with page.expect_download() as download:
        page.get_by_role("link", name="Nachweis als PDF").click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    page.get_by_role("link", name=device).first.click()
    expect(page.locator("h1")).to_contain_text(device)
    expect(page.get_by_text("in Betrieb").first).to_be_visible()
    assert page.noise == []  # type: ignore[attr-defined]


def _withdraw_another(page: Page, device: str) -> None:
    """Another order, sent and taken back within the minute."""
    page.get_by_role("link", name="Geräte", exact=True).click()
    page.get_by_label("Teil der Geräte-ID").fill(device)
    page.get_by_role("button", name="Anzeigen").click()
    page.get_by_role("link", name=device).click()
    page.get_by_role("link", name="Weckruf").click()
    page.get_by_role("button", name="Jetzt ausfüllen").click()
    page.get_by_role("link", name="Weiter mit").click()
    for _ in range(5):
        if page.get_by_label("So bald wie möglich").count():
            page.get_by_label("So bald wie möglich").check()
        if page.get_by_role("heading", name="Bitte prüfen").count():
            break
        _save(page)
    page.get_by_role("button", name="Auftrag senden").click()
    expect(page.locator("[data-po-left]")).to_contain_text("Sekunden")
    page.get_by_role("button", name="Auftrag zurückziehen").click()
    expect(page.locator("#meldungen")).to_contain_text("Es hatte nichts begonnen")


@pytest.mark.requirement("O-1", "O-2", "O-8", "O-10")
def test_the_same_way_without_javascript(scene: Scene, contact: Any) -> None:
    """Plain requests and redirects: choose, fill in, check the time, send, follow by reloading, withdraw, evidence."""
    device = scene.take()
    visitor = Visitor(SERVER_NAME="localhost", enforce_csrf_checks=True)
    visitor.force_login(contact)
    page = _post(visitor, "/portal/bestellen/wake_up/", geraet=device)
    draft = str(page.redirect_chain[-1][0])
    _post(visitor, f"{draft}seite/geraet/", gateway=device)
    _post(visitor, f"{draft}seite/order/", reason="Test vor Ort")
    checked = _post(visitor, f"{draft}seite/termin/", when="asap", vorschau="1")
    assert "Ungeplant: ohne Wunschtermin" in checked.content.decode()
    _post(visitor, f"{draft}seite/termin/", when="asap")
    sent = _post(visitor, f"{draft}pruefen/", geplant="nein")
    number = re.search(r"A-[0-9]{9}", sent.redirect_chain[-1][0])[0]  # type: ignore[index]
    assert number in sent.content.decode()
    followed = visitor.get(f"/portal/auftraege/{number}/").content.decode()
    assert "steht noch aus" in followed
    assert f'href="/portal/auftraege/{number}/">aktualisieren' in followed
    assert visitor.get(f"/portal/auftraege/{number}/nachweis.json").json()["number"] == number
    taken = _post(visitor, f"/portal/auftraege/{number}/zurueckziehen/", at=f"/portal/auftraege/{number}/gesendet/")

    assert "Es hatte nichts begonnen" in taken.content.decode()
    assert Order.objects.get(number=number).state == "withdrawn"


def _post(visitor: Visitor, address: str, *, at: str = "", **values: str) -> Any:
    """Send the form that stands at ``at`` (by default the address itself), with its token, and follow."""
    page = visitor.get(at or address).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token, page[:200]
    return visitor.post(address, {"csrfmiddlewaretoken": token[1], **values}, follow=True)
