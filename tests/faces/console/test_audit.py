"""The audit trail for auditors: found by subject, person, action and day; verified; taken along (M-4)."""

from datetime import datetime, timedelta

import pytest
from console_world import Office, Web, get
from django.db import connection
from django.test.utils import CaptureQueriesContext

from torwart.services import audit
from torwart.services.audit_export import verify_export
from torwart.store import models

TRAIL = "/konsole/pruefpfad/"


@pytest.fixture
def entries(people: Office, now: datetime) -> None:
    """Four entries of which each search finds some."""
    for days, actor, action, subject in (
        (0, "user:otto@torwart.example", "ticket.noted", "ticket:T-1"),
        (1, "user:anna@example.org", "ticket.message", "ticket:T-1"),
        (2, "run:0815", "act.intended", "gateway:E1"),
        (40, "user:otto@torwart.example", "gateway.block", "gateway:E1"),
    ):
        audit.append(actor=actor, action=action, subject=subject, payload={"why": "<b>"}, at=now - timedelta(days=days))


@pytest.mark.requirement("M-4")
@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ({"woran": "ticket:T-1"}, ["ticket.message", "ticket.noted"]),
        ({"woran": "ticket:T"}, []),
        ({"wer": "user:otto", "was": "ticket"}, ["ticket.noted"]),
        ({"wer": "run:", "was": "act"}, ["act.intended"]),
        ({"woran": "gateway:E1"}, ["act.intended"]),
        ({"woran": "gateway:E1", "von": "2026-10-01"}, ["gateway.block", "act.intended"]),
        ({"woran": "gateway:E1", "von": "2026-10-14", "bis": "2026-10-14"}, ["gateway.block"]),
        ({"woran": "ticket:T-1", "bis": "22.11.2026"}, ["ticket.message"]),
    ],
)
def test_entries_are_found(people: Office, entries: None, web: Web, query: dict[str, str], actions: list[str]) -> None:
    """Newest first; without days the last thirty, the last day whole."""
    shown = get(web(people.auditor), TRAIL, **query)

    assert shown.all("//main//tbody/tr/th") == actions


def test_a_day_that_is_none_is_said_at_its_field(people: Office, entries: None, web: Web) -> None:
    """And nothing is searched by it."""
    shown = get(web(people.auditor), TRAIL, von="gestern")

    assert "Geben Sie ein Datum ein" in shown.one("//*[@class='ko-error']")


@pytest.mark.requirement("M-4")
def test_the_chain_is_verified(people: Office, entries: None, web: Web) -> None:
    """Intact it says so with number and hash; after a change past the program it says that, loudly."""
    audit.link_pending()
    client = web(people.auditor)
    good = client.post(TRAIL + "pruefen/").content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE store_auditentry SET actor = 'user:nobody' WHERE action = 'gateway.block'")
        cursor.execute("SET session_replication_role = origin")
    bad = client.post(TRAIL + "pruefen/").content.decode()

    assert "Die Kette ist unversehrt" in good
    assert "Die Kette ist gebrochen" in bad


@pytest.mark.requirement("M-4")
def test_the_export_convinces_a_stranger(people: Office, entries: None, web: Web) -> None:
    """Every line of it, with nothing but the file."""
    audit.link_pending()

    answer = web(people.auditor).get(TRAIL + "export/")

    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert verify_export(lines).intact
    assert len(lines) == models.AuditLink.objects.count()


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_asks_the_same_however_long(people: Office, now: datetime, web: Web, count: int) -> None:
    """Five questions to the database."""
    for _ in range(count):
        audit.append(actor="user:a", action="x.y", subject="only:these", at=now)
    client = web(people.auditor)
    client.get("/konsole/tasten/")

    with CaptureQueriesContext(connection) as queries:
        shown = get(client, TRAIL, woran="only:these")

    assert len(shown.all("//main//tbody/tr")) == count
    assert len(queries) == 5, [each["sql"][:90] for each in queries]
