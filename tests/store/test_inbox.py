"""Inboxes: what lies in which."""

from datetime import UTC, datetime, timedelta

import pytest
from clientele import clientele

from torwart.adapters.engine import AbsurdEngine
from torwart.processes import ordering
from torwart.store.models import Order, Run, Ticket
from torwart.store.queries.inbox import Inbox, counts, tickets

NOW = datetime.now(UTC)


@pytest.mark.requirement("O-8")
def test_a_run_that_waits_for_its_gateway_lies_where_devices_are_waited_for(db: None) -> None:
    """While its gateway is silent an order's ticket is in "Wartet auf Gerät"; what has ended is not."""
    world = clientele()
    number = ordering.place(AbsurdEngine(), "wake_up", {"gateway": world.gateway}, orderer=world.orderer, now=NOW)
    soon, run = NOW + timedelta(hours=4), Order.objects.get(number=number).run
    assert counts(user=0, soon=soon)[Inbox.DEVICE] == 0

    Run.objects.filter(pk=run.pk).update(state="waiting", waiting_for="device")

    assert [row.order.number for row in tickets(Inbox.DEVICE, user=0, soon=soon)] == [number]
    assert counts(user=0, soon=soon)[Inbox.DEVICE] == 1
    Ticket.objects.update(state="resolved")
    assert counts(user=0, soon=soon)[Inbox.DEVICE] == 0
