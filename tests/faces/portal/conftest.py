"""A client with people and devices, and its contact and reader signed in without a browser."""

from collections.abc import Callable

import pytest
from django.test import Client
from portal_world import Town, town


@pytest.fixture
def home(db: None) -> Town:
    """The client the tests look through."""
    return town()


@pytest.fixture
def contact(home: Town, visitor: Callable[..., Client]) -> Client:
    """Who may order."""
    return visitor(home.contact)


@pytest.fixture
def reader(home: Town, visitor: Callable[..., Client]) -> Client:
    """Who sees everything and orders nothing."""
    return visitor(home.reader)


@pytest.fixture
def neighbour(home: Town) -> Town:
    """Another client that has everything too, so that something could leak."""
    return town("Nachbarwerke", tag="b")
