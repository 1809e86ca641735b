"""A stranger's question becomes a client's, once and for good (P-1)."""

from datetime import UTC, datetime

import clientele
import pytest

from torwart.kernel.refusals import Refusal
from torwart.kernel.role import Role
from torwart.services import adoption
from torwart.services import ticket as tickets
from torwart.store import models

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)


@pytest.fixture
def stranger(db: None) -> str:
    return tickets.open_question(client=None, contact=None, subject="Angebot", text="Hallo", now=NOW)


@pytest.mark.requirement("P-1")
def test_only_a_ticket_of_nobody_is_given_away(stranger: str) -> None:
    """What one client has seen never becomes another's; an unknown number is refused alike."""
    operator = clientele.staff("Otto", Role.OPERATOR)
    first = clientele.clientele()
    second = clientele.clientele("Zweite", gateway="EPPC0200000002", code="")
    adoption.adopt(stranger, first.client.pk, user=operator.pk, now=NOW)

    for number in (stranger, "T-000000000"):
        with pytest.raises(Refusal) as refused:
            adoption.adopt(number, second.client.pk, user=operator.pk, now=NOW)
        assert refused.value.code == "adoption.known"
    row = models.Ticket.objects.get(number=stranger)
    assert row.client_id == first.client.pk
    entry = models.AuditEntry.objects.get(action="ticket.adopted")
    assert (entry.client_id, entry.actor) == (first.client.pk, f"user:{operator.email}")
    assert models.TicketEntry.objects.filter(ticket=row, internal=True).count() == 1


@pytest.mark.requirement("P-1")
def test_a_client_that_has_ended_gets_none(stranger: str) -> None:
    """Nor one that does not exist."""
    operator = clientele.staff("Otto", Role.OPERATOR)
    ended = clientele.clientele()
    models.Client.objects.filter(pk=ended.client.pk).update(state="ended")

    for client in (ended.client.pk, 0):
        with pytest.raises(Refusal) as refused:
            adoption.adopt(stranger, client, user=operator.pk, now=NOW)
        assert refused.value.code == "adoption.client"
