"""Fixtures of pages: visitors without a browser, a served site, a browser, people who have accounts."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import browser as support
import pytest
from django.test import Client

NOW = datetime.now(UTC)
Visitor = Callable[..., Client]


@pytest.fixture
def visitor(db: None) -> Visitor:
    """``visitor(user)``: a browser's requests without the browser, signed in as ``user`` if one is given; in what
    follows the test's own transaction holds everything. ``address``: where the requests come from.
    """

    def visit(user: Any = None, *, address: str = "127.0.0.1") -> Client:
        client = Client(SERVER_NAME="localhost", REMOTE_ADDR=address)
        if user is not None:
            client.force_login(user)
        return client

    return visit


@pytest.fixture(scope="module")
def _engine() -> Iterator[Any]:
    """Playwright keeps an event loop in this thread while it runs, in the way of every test that wants its own."""
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
