"""Clients: taken in, their code numbers, suspended and ended (P-1, P-3)."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from torwart.kernel.refusals import Refusal
from torwart.services import client as clients
from torwart.store.models import AuditEntry, Client, MarketParticipant
from torwart.store.queries import client as queries

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
CODE = "9905048000007"


@pytest.mark.requirement("P-1")
def test_a_code_number_belongs_to_one_client(db: None) -> None:
    """Recorded once, again harmlessly; another client is refused without learning whose it is."""
    ours, theirs = clients.create("Stadtwerk", actor="test"), clients.create("Nachbarwerke", actor="test")

    for _ in range(2):
        assert clients.add_participant(ours, CODE, "Stadtwerk Netz", actor="test", now=NOW) == CODE
    with pytest.raises(Refusal) as no:
        clients.add_participant(theirs, CODE, "wir", actor="test", now=NOW)

    assert no.value.code == "contact.participant_taken"
    assert "Stadtwerk" not in no.value.text("de") + no.value.text("en")
    assert MarketParticipant.objects.get().client_id == ours
    with pytest.raises(Refusal):
        clients.add_participant(theirs, "9905048000008", "falsche Prüfziffer", actor="test", now=NOW)


@pytest.mark.requirement("P-3")
def test_a_client_is_suspended_resumed_and_ended(db: None) -> None:
    """Each step by the table, with its reason in the trail; an ended client does not come back."""
    client = clients.create("Stadtwerk", actor="test")
    with pytest.raises(Refusal, check=lambda no: no.code == "state.not_allowed"):
        clients.suspend(client, "noch nicht aktiv", actor="test", now=NOW)
    Client.objects.filter(pk=client).update(state="active")

    clients.suspend(client, "offene Rechnung", actor="test", now=NOW)
    assert Client.objects.get().state == "suspended"
    clients.resume(client, "bezahlt", actor="test", now=NOW)
    assert Client.objects.get().state == "active"
    clients.end(client, "gekündigt", actor="test", now=NOW)
    with pytest.raises(Refusal, check=lambda no: no.code == "state.not_allowed"):
        clients.resume(client, "doch nicht", actor="test", now=NOW)
    with pytest.raises(Refusal, check=lambda no: no.code == "contact.client_unknown"):
        clients.end(10**9, "wen?", actor="test", now=NOW)

    entries = AuditEntry.objects.filter(client_id=client).order_by("id").values_list("action", "payload")
    assert [(action, payload.get("reason")) for action, payload in entries] == [
        ("client.created", None),
        ("client.suspended", "offene Rechnung"),
        ("client.active", "bezahlt"),
        ("client.ended", "gekündigt"),
    ]


def test_the_list_asks_twice_whatever_its_length(db: None) -> None:
    """One page of clients costs two queries with one client and with three, and goes on after a name."""
    for count, name in enumerate(("A-Werk", "B-Werk", "C-Werk"), 1):
        clients.add_participant(
            clients.create(name, actor="test"), ["9905048000007", "9900001000002", "9900002000001"][count - 1], name,
            actor="test", now=NOW,
        )  # fmt: skip
        with CaptureQueriesContext(connection) as asked:
            page = queries.page()
        assert (len(asked), len(page)) == (2, count)

    assert [line.name for line in queries.page(after="A-Werk", size=1)] == ["B-Werk"]
    assert (page[0].contacts, page[0].tested, page[0].participants) == (0, 0, (("9905048000007", "A-Werk"),))
    assert queries.one(10**9) is None
