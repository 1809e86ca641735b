"""What README and guides call an address of the web is one."""

import re
from pathlib import Path

import pytest
from django.urls import Resolver404, resolve

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_ADDRESS = re.compile(r"`(/(?:portal|konsole|konto|schnittstelle|design)/[a-z0-9/-]*)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_address_leads_somewhere(page: Path) -> None:
    """Whoever types it finds a page, not nothing."""
    for address in _ADDRESS.findall(page.read_text(encoding="utf-8")):
        try:
            resolve(address)
        except Resolver404:
            pytest.fail(f"{address}: no such page")
