"""Fixtures of pages: a served site, a browser, and people who have accounts."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import browser as support
import pytest

NOW = datetime.now(UTC)


@pytest.fixture(scope="session")
def _engine() -> Iterator[Any]:
    with support.engine() as engine:
        yield engine


@pytest.fixture
def site(own_database: str) -> Iterator[support.Site]:
    """The web, served on the test's own database."""
    with support.serving() as site:
        yield site


@pytest.fixture
def chromium(site: support.Site, _engine: Any) -> Iterator[support.Browser]:
    """A browser on ``site``: ``chromium.open(path, user=…)``."""
    browser = support.Browser(site, _engine)
    yield browser
    browser.close()
