"""The main navigation leads to pages that exist, and shows where one is."""

from typing import Any

import pytest
from django.test import RequestFactory
from django.urls import reverse

from torwart.faces._design import navigation
from torwart.faces._design.navigation import Entry
from torwart.kernel.role import CLIENT, PROVIDER, Role


class Someone:
    is_authenticated = True

    def __init__(self, *roles: Role) -> None:
        self.roles = [role.value for role in roles]


def test_every_entry_has_its_page() -> None:
    """Entries without a page are left out at run time, so here they must be found."""
    entries = list(navigation._all())
    assert entries
    for entry in entries:
        assert reverse(entry.url).startswith("/")


@pytest.mark.requirement("P-2")
def test_one_sees_the_entries_of_ones_roles_and_where_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest address that fits is the current entry."""
    entries = {
        "a": (
            Entry("Konto", "account", "home"),  # type: ignore[arg-type]
            Entry("Sitzungen", "usersessions_list", "devices", CLIENT),  # type: ignore[arg-type]
            Entry("Passwort", "account_change_password", "key", PROVIDER),  # type: ignore[arg-type]
        )
    }
    monkeypatch.setattr(navigation, "_entries", entries)

    def shown(path: str, *roles: Role) -> list[tuple[Any, bool]]:
        request = RequestFactory().get(path)
        request.user = Someone(*roles)  # type: ignore[assignment]
        return [(entry.word, entry.current) for entry in navigation.shown(request)]

    assert shown("/konto/sitzungen/", Role.READER) == [("Konto", False), ("Sitzungen", True)]
    assert shown("/konto/passwort-vergessen/", Role.AUDITOR) == [("Konto", True), ("Passwort", False)]
    assert shown("/barrierefreiheit/", Role.AUDITOR) == [("Konto", False), ("Passwort", False)]
    assert shown("/konto/") == []
