"""The whole way of an account in a real browser: invited, joined, secured twice, locked."""

import base64
import hashlib
import hmac
import re
import struct
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from browser import PASSWORD, Browser, Site, check_page, faults, person
from playwright.sync_api import Page, expect

from torwart.kernel.role import Role
from torwart.services import user as users
from torwart.store.models import Access, AuditEntry

NOW = datetime.now(UTC)


def totp(secret: str) -> str:
    """RFC 6238 as any authenticator app computes it."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def fingerprint(page: Page) -> None:
    """A device with a fingerprint reader, whose owner always puts the finger on it."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def sign_out(page: Page) -> None:
    page.locator(".tw-menu summary").click()
    page.get_by_role("button", name="Abmelden").click()
    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("E-Mail-Adresse").fill(email)
    page.get_by_label("Passwort", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Anmelden", exact=True).click()


def choose_password(page: Page) -> None:
    page.get_by_label("Neues Passwort", exact=True).fill(PASSWORD)
    page.get_by_label("Neues Passwort noch einmal").fill(PASSWORD)
    page.get_by_role("button", name="Passwort speichern").click()


@pytest.mark.requirement("P-4")
def test_from_the_invitation_to_the_passkey(chromium: Browser, site: Site) -> None:
    """An operator joins, must set up a second factor, uses app and emergency codes, then a passkey alone."""
    invitation = users.invite(
        email="otto@torwart.example", name="Keller", first_name="Otto", roles=[Role.OPERATOR], client=None,
        actor="user:admin@torwart.example", at=datetime.now(UTC),
    )  # fmt: skip
    page = chromium.open(invitation.path)
    assert invitation.path.split("/")[-2] not in page.url  # the token is not left in the address
    choose_password(page)
    expect(page.get_by_text("Ihr Passwort ist gespeichert")).to_be_visible()

    sign_in(page, "otto@torwart.example")
    expect(page.get_by_text("Richten Sie zuerst einen zweiten Faktor ein")).to_be_visible()
    page.get_by_role("link", name="App mit Codes").click()
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Bestätigen").click()
    secret = page.locator(".tw-copy code").inner_text()
    page.get_by_label("Code").fill(totp(secret))
    page.get_by_role("button", name="App aktivieren").click()
    expect(page.get_by_role("heading", name="Notfallcodes")).to_be_visible()
    codes = page.locator(".tw-codes code").all_inner_texts()
    assert len(set(codes)) == 10

    sign_out(page)
    sign_in(page, "otto@torwart.example")
    page.get_by_label("Code").fill(codes[0])  # an emergency code …
    page.get_by_role("button", name="Anmelden", exact=True).click()
    expect(page.locator(".tw-menu__name")).to_have_text("Otto Keller")
    sign_out(page)
    sign_in(page, "otto@torwart.example")
    page.get_by_label("Code").fill(codes[0])  # … works once
    page.get_by_role("button", name="Anmelden", exact=True).click()
    expect(page.locator(".tw-errors").get_by_text("Dieser Code stimmt nicht")).to_be_visible()
    page.get_by_label("Code").fill(totp(secret))
    page.get_by_role("button", name="Anmelden", exact=True).click()
    expect(page.locator(".tw-menu__name")).to_have_text("Otto Keller")

    fingerprint(page)
    page.goto(site.url + "/konto/zweiter-faktor/passkeys/neu/")
    if page.get_by_role("button", name="Bestätigen").is_visible():
        page.get_by_label("Passwort").fill(PASSWORD)
        page.get_by_role("button", name="Bestätigen").click()
    page.get_by_label("Name des Passkeys").fill("Laptop im Büro")
    page.get_by_role("button", name="Passkey anlegen").click()
    page.wait_for_url("**/zweiter-faktor/")
    page.goto(site.url + "/konto/zweiter-faktor/passkeys/")
    expect(
        page.get_by_role("cell", name="Laptop im Büro").or_(page.get_by_text("Laptop im Büro")).first
    ).to_be_visible()

    sign_out(page)
    page.get_by_role("button", name="Mit Passkey anmelden").click()
    expect(page.locator(".tw-menu__name")).to_have_text("Otto Keller")
    assert page.noise == []  # type: ignore[attr-defined]
    said = [entry.action for entry in AuditEntry.objects.filter(action__startswith="user.").order_by("id")]
    assert said == ["user.invited", "user.joined", *["user.second_factor_added"] * 3]
    assert Access.objects.filter(what="sign_in").count() == 4


@pytest.mark.requirement("P-4")
def test_a_thief_is_thrown_out(chromium: Browser, site: Site) -> None:
    """The person reports, and the thief's next click meets a closed door."""
    anna = person("anna@torwart.example", Role.OPERATOR, at=NOW)
    thief = chromium.open("/konto/", user=anna)
    here = chromium.open("/konto/", user=anna)
    here.get_by_role("link", name="Zugangsdaten bekannt geworden?").first.click()
    here.get_by_role("button", name="Ja, Konto sofort sperren").click()
    expect(here.get_by_role("heading", name="Dieses Konto ist gesperrt")).to_be_visible()
    thief.reload()
    expect(thief.get_by_role("heading", name="Anmelden")).to_be_visible()


def test_errors_stand_at_the_field_and_nothing_typed_is_lost(chromium: Browser) -> None:
    """Also without a password manager: the address stays, the password does not."""
    page = chromium.open("/konto/anmelden/")
    sign_in(page, "keine Adresse")
    summary = page.locator(".tw-errors")
    expect(summary.get_by_role("link")).to_have_text(re.compile("Geben Sie eine E-Mail-Adresse ein"))
    expect(page.get_by_label("E-Mail-Adresse")).to_have_value("keine Adresse")
    expect(page.get_by_label("Passwort", exact=True)).to_have_value("")
    assert page.title().startswith("Fehler: ")


PUBLIC = ["/konto/anmelden/", "/konto/passwort-vergessen/", "/konto/gesperrt/", "/barrierefreiheit/"]
PERSONAL = ["", "sitzungen/", "zweiter-faktor/", "zugangsdaten-melden/"]
ALIKE = ["passwort/", "bestaetigen/", "abmelden/", "zweiter-faktor/notfallcodes/", "zweiter-faktor/passkeys/"]


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_owe_what_every_page_owes(chromium: Browser, path: str) -> None:
    check_page(chromium.open(path))


@pytest.fixture
def otto(own_database: str) -> Any:
    otto = person("otto@torwart.example", Role.OPERATOR, Role.APPROVER, at=NOW)
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    RecoveryCodes.activate(otto)
    return otto


def test_personal_pages_owe_what_every_page_owes(chromium: Browser, site: Site, otto: Any) -> None:
    """One after the other; those that are made like others are only looked at by axe."""
    page = chromium.open("/konto/", user=otto)
    for path in PERSONAL:
        page.goto(f"{site.url}/konto/{path}")
        check_page(page)
    for path in ALIKE:
        page.goto(f"{site.url}/konto/{path}")
        assert faults(page) == []


def test_pages_behind_a_second_proof_owe_it_too(chromium: Browser, site: Site, otto: Any) -> None:
    """Setting up a passkey, removing the app, new codes."""
    page = chromium.open("/konto/bestaetigen/?next=/konto/", user=otto)
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Bestätigen").click()
    for path in ("app/entfernen/", "passkeys/neu/", "notfallcodes/neu/"):
        page.goto(f"{site.url}/konto/zweiter-faktor/{path}")
        assert faults(page) == []
    check_page(page)


def test_a_page_that_does_not_exist_helps_on(chromium: Browser) -> None:
    check_page(chromium.open("/gibt/es/nicht/"), status=404)
