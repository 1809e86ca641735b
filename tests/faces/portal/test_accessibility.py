"""Every page of the portal in a real browser: axe finds nothing, nothing is cut off, with no, one and many rows."""

from typing import Any

import browser as support
import pytest
from django.db import transaction
from portal_world import Town, filled, town

_THOROUGH = ("start", "draft_check", "order")


@pytest.fixture
def world(own_database: str) -> tuple[Town, dict[str, str]]:
    """A client with many of everything, and the address of every kind of page."""
    with transaction.atomic():
        return filled()


@pytest.mark.requirement("O-1", "O-8")
def test_every_page_with_many_rows(world: tuple[Town, dict[str, str]], chromium: Any) -> None:
    """Also in the states a page can be in: errors, questions, what waits, what failed."""
    owner, pages = world
    page = chromium.open("/portal/", user=owner.contact)
    for name, address in pages.items():
        page.goto(page.url.partition("/portal")[0] + address)
        assert page.locator("h1").count() == 1, name
        assert support.faults(page) == [], name
        support._fits(page)
    assert page.noise == []


@pytest.mark.requirement("O-1", "O-8")
def test_the_pages_people_live_on_owe_everything(world: tuple[Town, dict[str, str]], chromium: Any) -> None:
    """Both languages, 320 pixels, 200 % zoom, silence of the console, and they stand without JavaScript."""
    owner, pages = world
    for name in _THOROUGH:
        support.check_page(chromium.open(pages[name], user=owner.contact))


def test_every_list_without_a_row(own_database: str, chromium: Any) -> None:
    """Empty lists say what will stand there; a client being set up sees what is to be done."""
    with transaction.atomic():
        new = town("Neuwerk", tag="n", active=False, gateways=0)
    page = chromium.open("/portal/", user=new.contact)
    for path in ("", "auftraege/", "vorgaenge/", "geraete/", "geraete/freigaben/", "ansprechpartner/", "bestellen/"):
        page.goto(page.url.partition("/portal")[0] + "/portal/" + path)
        assert support.faults(page) == [], path
        support._fits(page)
    assert page.noise == []
