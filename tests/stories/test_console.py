"""A day in the console, in a browser: operator, approver and administrator, each signed in for real."""

import base64
import hashlib
import hmac
import struct
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import browser as support
import console_world
import portal_world
import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from torwart.services import approval as approvals
from torwart.store import models


@pytest.fixture(scope="module", autouse=True)
def engine() -> Iterator[Any]:
    """One Chromium for all, begun before and ended after every database of these tests."""
    with support.engine() as engine:
        yield engine


@pytest.fixture
def chromium(own_database: str, engine: Any) -> Iterator[support.Browser]:
    with support.serving() as site:
        browser = support.Browser(site, engine)
        yield browser
        browser.close()


@pytest.fixture
def day(own_database: str) -> dict[str, Any]:
    """Our people, a client with an overdue order and one that is not, and a request that waits for a decision."""
    now = datetime.now(UTC)
    with transaction.atomic():
        people = console_world.office(now)
        town = portal_world.town()
        late = console_world.ordered(town, "connectivity_test", town.gateways[1], now - timedelta(days=9))
        console_world.question(town, now)
        approval = approvals.request(
            "certificate.revoke",
            f"gateway:{town.gateways[2]}",
            {"gateway": town.gateways[2]},
            "Gerät wurde gestohlen.",
            user=people.operator.pk,
            client=town.client,
            now=now,
        )
    return {"people": people, "town": town, "late": late, "approval": approval}


def code() -> str:
    """RFC 6238 as any authenticator app computes it."""
    digest = hmac.new(base64.b32decode(support.TOTP_SECRET), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1)
    start = digest.digest()[-1] & 15
    return f"{(struct.unpack('>I', digest.digest()[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def sign_in(page: Page, person: Any) -> None:
    """Address, password, code of the app."""
    page.get_by_label("E-Mail-Adresse").fill(person.email)
    page.get_by_label("Passwort", exact=True).fill(support.PASSWORD)
    page.get_by_role("button", name="Anmelden", exact=True).click()
    page.locator("input[name=code]").fill(code())
    page.locator("input[name=code]").press("Enter")
    expect(page.get_by_role("link", name="Vorgänge")).to_be_visible()


def take_by_keyboard(page: Page, number: str) -> None:
    """The most urgent ticket: j to it, a to take it, Enter to open it."""
    page.keyboard.press("g")
    page.keyboard.press("i")
    expect(page.get_by_role("heading", level=1)).to_have_text("Frist gefährdet")
    page.keyboard.press("j")
    expect(page.locator("[data-ko-open]").first).to_be_focused()
    expect(page.locator("[data-ko-open]").first).to_have_text(number)
    page.keyboard.press("a")
    expect(page.get_by_role("status").filter(has_text=f"Übernommen: {number}")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".ko-identity code")).to_have_text(number)


def ask_and_propose(page: Page, number: str) -> None:
    """f opens the question, v the page with free times; what cannot be done is said."""
    page.keyboard.press("f")
    expect(page.locator("textarea:focus")).to_be_visible()
    page.keyboard.type("Ist jemand vor Ort? j k a !")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".ko-wait")).to_contain_text("Ist jemand vor Ort? j k a !")
    page.keyboard.press("v")
    expect(page.get_by_role("heading", level=1)).to_have_text("Termine vorschlagen")
    page.get_by_role("button", name="Termine vorschlagen").click()
    expect(page.locator(".tw-errors")).to_be_focused()
    page.locator("input[name=times]").first.check()
    page.locator("input[name=times]").nth(1).check()
    page.get_by_label("Warum geht der Wunschtermin nicht?").fill("Wartung am Vormittag.")
    page.get_by_role("button", name="Termine vorschlagen").click()
    expect(page.locator(".ko-identity")).to_contain_text("andere Termine vorgeschlagen")
    page.get_by_role("navigation", name="Teile des Vorgangs").get_by_role("link", name="Auftrag").click()
    expect(page.locator(".ko-times li")).to_have_count(2)
    assert support.faults(page) == []
    assert number in page.url


@pytest.mark.requirement("P-2", "P-3", "P-4", "T-3", "T-5", "T-6", "C-3", "O-8")
def test_a_day_in_the_console(day: dict[str, Any], chromium: support.Browser) -> None:
    """The operator signs in with the app's code, takes the most urgent ticket by keyboard, asks the client, notes a
    call, proposes times; the approver decides a request; the administrator takes a client in and invites a person.
    """
    people, number = day["people"], day["late"]
    page = chromium.open("/konsole/")
    sign_in(page, people.operator)
    take_by_keyboard(page, number)
    page.keyboard.press("c")
    page.get_by_label("Was wurde gesagt?").fill("Frau Berg bittet um Eile.")
    page.get_by_role("button", name="Speichern").last.click()
    expect(page.locator(".ko-entry--call")).to_contain_text("Frau Berg bittet um Eile.")
    ask_and_propose(page, number)
    page.goto(page.url.partition("/konsole")[0] + f"/konsole/freigaben/{day['approval']}/")
    expect(page.get_by_text("Sie haben das selbst beantragt")).to_be_visible()
    assert [each for each in page.noise if "422" not in each] == []  # type: ignore[attr-defined]

    page = chromium.open("/konsole/freigaben/")
    sign_in(page, people.approver)
    page.get_by_role("link", name="Freigabe: certificate.revoke").click()
    page.get_by_label("Freigeben").check()
    page.get_by_label("Bemerkung").fill("Anzeige liegt vor.")
    page.get_by_role("button", name="Entscheiden").click()
    expect(page.locator("main")).to_contain_text("Frieda Sommer")

    page = chromium.open("/konsole/auftraggeber/")
    sign_in(page, people.administrator)
    page.keyboard.press("n")
    page.get_by_label("Name des Auftraggebers").fill("Gemeindewerke Neuwied")
    page.get_by_role("button", name="Auftraggeber anlegen").click()
    page.get_by_role("link", name="Benutzer einladen").click()
    for label, text in (("Vorname", "Petra"), ("Name", "Neu"), ("E-Mail-Adresse", "petra@neuwied.example")):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Ansprechpartner: darf Aufträge erteilen").check()
    page.get_by_role("button", name="Benutzer einladen").click()
    expect(page.locator("#benutzer")).to_contain_text("eingeladen")

    order = models.Order.objects.get(number="A" + number[1:])
    assert order.state == "proposed"
    assert order.ticket.assignee_id == people.operator.pk
    assert models.Approval.objects.get(pk=day["approval"]).decided_by_id == people.approver.pk
    assert models.MailOut.objects.filter(kind="account.link", address="petra@neuwied.example").exists()


@pytest.mark.requirement("O-8")
def test_the_same_work_is_done_without_javascript(day: dict[str, Any], chromium: support.Browser) -> None:
    """Take, note, ask: every action is a form."""
    number = day["late"]
    page = chromium.open("/konsole/", user=day["people"].operator, javascript=False)

    page.get_by_label(f"{number} auswählen").check()
    page.get_by_role("button", name="Ausgewählte übernehmen").click()
    page.get_by_role("link", name=number).click()
    page.locator("summary", has_text="Rückfrage").click()
    page.get_by_label("Rückfrage an den Auftraggeber").fill("Welche Etage?")
    page.get_by_role("button", name="Senden").last.click()
    expect(page.locator(".ko-wait")).to_contain_text("Welche Etage?")


def test_keys_can_be_switched_off(day: dict[str, Any], chromium: support.Browser) -> None:
    """WCAG 2.1.4: single keys do nothing once somebody has said so, on this computer."""
    page = chromium.open("/konsole/tasten/", user=day["people"].operator)
    page.get_by_label("Tastenkürzel auf diesem Rechner ausschalten").check()
    page.goto(page.url.replace("tasten/", ""))
    page.keyboard.press("j")

    assert page.evaluate("document.activeElement === document.body")
