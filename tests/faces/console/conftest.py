"""Fixtures of the console: the provider's people, and somebody's browser without a window."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import console_world
import pytest
from console_world import Web
from django.test import Client, override_settings

from torwart.services import present

MONDAY = datetime(2026, 11, 23, 9, 40, tzinfo=UTC)
"""Twenty to eleven in Berlin, within service hours."""


@pytest.fixture(autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Nobody signs in by password here, so none has to be hashed slowly."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The present of all pages, on a working day."""
    monkeypatch.setattr(present, "now", lambda: MONDAY)
    return MONDAY


@pytest.fixture
def people(db: None, now: datetime) -> console_world.Office:
    """One person of each role of the provider."""
    return console_world.office(now)


@pytest.fixture
def web() -> Web:
    """A browser without a window, signed in as the person given."""

    def signed_in(person: Any) -> Client:
        client = Client(headers={"host": "localhost"})
        client.force_login(person)
        return client

    return signed_in
