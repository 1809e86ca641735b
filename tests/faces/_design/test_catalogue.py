"""Every component at once: what the catalogue shows is what all pages are made of."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, check_page, faults, person
from django.test import override_settings

import torwart.faces
from torwart.kernel.role import Role

_FACES = Path(torwart.faces.__file__).parent
NOW = datetime.now(UTC)


@pytest.mark.parametrize("query", ["", "?fehler"])
def test_every_component_owes_what_every_page_owes(chromium: Browser, query: str) -> None:
    """With and without errors in the form: axe, both languages, 320 pixels, no script."""
    operator = person("otto@torwart.example", Role.OPERATOR, at=NOW)
    check_page(chromium.open(f"/design/{query}", user=operator))


def test_dark_colours_have_contrast_too(chromium: Browser) -> None:
    """Who prefers the dark sees the same pages with colours that can be read."""
    assert faults(chromium.open("/design/?fehler", dark=True)) == []


def test_errors_are_met_first(chromium: Browser) -> None:
    """The title says it, the summary has the focus, and its links lead into the fields."""
    page = chromium.open("/design/?fehler")
    assert page.title().startswith("Fehler: ")
    assert page.evaluate("document.activeElement.classList.contains('tw-errors')")
    targets = page.eval_on_selector_all(
        ".tw-errors a", "links => links.map(a => document.querySelector(a.hash)?.matches('input, select, textarea'))"
    )
    assert targets == [True] * 9
    page.locator(".tw-errors a").first.click()
    assert page.evaluate("document.activeElement.name") == "meter"


@pytest.mark.requirement("R-1")
@override_settings(TORWART_ENVIRONMENT="live")
def test_live_is_seen_to_be_live_and_has_no_catalogue(visitor: Any) -> None:
    """The two environments cannot be mistaken for each other."""
    page = visitor().get("/konto/anmelden/").content.decode()
    assert "Wirksystem" in page
    assert "Testsystem" not in page
    assert visitor().get("/design/").status_code == 404


def test_no_template_carries_script_or_style() -> None:
    """The content policy forbids both; data for scripts (application/json) is neither."""
    wrong = re.compile(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*(src=|type=\"application/json\"))")
    found = {
        path.name: wrong.findall(path.read_text()) for path in _FACES.rglob("*.html") if wrong.search(path.read_text())
    }
    assert found == {}
