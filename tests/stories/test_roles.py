"""Who may open what: docs/conformance/roles.md, drawn from every address of the web by asking it in every role (P-2).

Whoever changes roles or adds a page writes it anew: ``TORWART_WRITE=1 pytest tests/stories/test_roles.py``.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import isolation
import pytest
from django.db import transaction
from isolation import NOW, ROLES, Visitor

from torwart.config.installation import django_setup
from torwart.services import present

_PAGE = Path(__file__).parents[2] / "docs" / "conformance" / "roles.md"
_HEAD = """# Roles: who may open what

Written by `TORWART_WRITE=1 pytest tests/stories/test_roles.py`, which asks every address of the web in every role; the
same test compares. **see**: the page opens (GET); **do**: a form of it is taken or answered (POST); empty: answered as
if there were no such address, or led to the sign-in. Client roles are asked about things of their own client; what
belongs to another does not exist for them (`tests/stories/test_isolation.py`).

| address | anonymous | contact | reader | operator | approver | auditor | administrator |
|---|---|---|---|---|---|---|---|
"""
Row = tuple[str, Mapping[str, str]]


@pytest.fixture(scope="module")
def rows(_session_database: str) -> Iterator[list[Row]]:
    """Every address with what each role can do there."""
    django_setup(_session_database, migrated=False)
    patch = pytest.MonkeyPatch()
    patch.setattr(present, "now", lambda: NOW)
    with transaction.atomic():
        try:
            yield _asked()
        finally:
            transaction.set_rollback(True)
            patch.undo()


def _asked() -> list[Row]:
    world = isolation.world()
    visitors = {role: Visitor(person) for role, person in world.people.items()}
    found = []
    for name, pattern in isolation.addresses():
        path = isolation.path_of(name, world.own)
        found.append((f"/{pattern}", {role: _word(visitor, path) for role, visitor in visitors.items()}))
    return found


def _word(visitor: Visitor, path: str) -> str:
    """A page that answers a POST as it answers a GET does nothing with it, nor does one that only hands out a file."""
    seen, sent = visitor.ask("GET", path), visitor.ask("POST", path)
    file = "attachment" in sent.headers.get("Content-Disposition", "")
    does = sent.found and not file and (sent.status, sent.body) != (seen.status, seen.body)
    return ", ".join(word for word, true in (("see", seen.found), ("do", does)) if true)


@pytest.mark.requirement("P-2")
def test_the_page_says_who_may_open_what(rows: list[Row]) -> None:
    """The page lists every address of the web with all its roles as they are."""
    lines = [f"| `{path}` | " + " | ".join(words[role] for role in ROLES) + " |" for path, words in rows]
    page = _HEAD + "\n".join(lines) + "\n"
    if os.environ.get("TORWART_WRITE"):
        _PAGE.write_text(page, encoding="utf-8")
    assert _PAGE.read_text(encoding="utf-8") == page


@pytest.mark.requirement("P-2")
def test_sides_and_duties_are_kept_apart(rows: list[Row]) -> None:
    """Clients' people have no place in the console nor ours in the portal; readers order nothing; auditors change
    nothing but may check the chain; administrators touch neither tickets nor gateways; nobody unknown gets past the
    sign-in.
    """
    for path, words in rows:
        if path.startswith("/konsole/"):
            assert not words["contact"] + words["reader"] + words["anonymous"], path
            assert "do" not in words["auditor"] or path.endswith("pruefen/"), path
        if path.startswith("/portal/"):
            assert not any(words[role] for role in ROLES if role not in isolation.CLIENT_ROLES), path
        if "bestellen/entwurf" in path:
            assert not words["reader"], path
        if path.startswith(("/konsole/vorgang/", "/konsole/gateways/")):
            assert "do" not in words["administrator"], path
