"""Inboxes: what lies in which."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clientele import clientele

from torwart.adapters.engine import AbsurdEngine
from torwart.processes import ordering
from torwart.store.models import Client, Gateway, Order, Run, Ticket
from torwart.store.queries.inbox import BOUND, ORDER, Inbox, counts, due_until, queue, tickets

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


def _ticket(number: int, subject: str = "Frage", **more: Any) -> Ticket:
    return Ticket.objects.create(number=f"T-{number:09d}", kind="question", subject=subject, opened_at=NOW, **more)


def test_at_risk_is_what_ends_by_then_and_never_what_rests(db: None) -> None:
    """Nearest deadline first; a clock that rests ends behind every other."""
    for number, hours in enumerate((3, 1, 4, 5, None)):
        _ticket(number, due_at=None if hours is None else NOW + timedelta(hours=hours))
    _ticket(9, due_at=NOW, state="resolved")
    soon = NOW + timedelta(hours=4)

    def shown(inbox: Inbox) -> list[str]:
        return [row.number[-1] for row in queue(inbox, user=0, soon=soon).order_by(*ORDER)]

    assert shown(Inbox.AT_RISK) == ["1", "0", "2"]
    assert shown(Inbox.ALL) == ["1", "0", "2", "3", "4"]
    assert counts(user=0, soon=soon)[Inbox.AT_RISK] == 3
    assert [row.number[-1] for row in due_until(soon, 2)] == ["1", "0"]


@pytest.mark.parametrize("others", [3, BOUND + 20])
def test_a_word_finds_what_it_stands_in(db: None, others: int) -> None:
    """In number, subject, client, device id or reference, whether few things have that word or many."""
    client = Client.objects.create(name="Werke am See")
    devices = [
        Gateway.objects.create(device_id=f"ETST77{number:08d}", client=client, state="delivered")
        for number in range(others)
    ]
    orders = [_order(client, number) for number in range(others)]
    _ticket(1, client=client)
    _ticket(2, gateway=devices[0])
    _ticket(3, gateway=devices[-1])
    _ticket(4, order=orders[-1])
    _ticket(5, subject="Zähler (50 %) am Hof: 1.8.0*")
    _ticket(6, gateway=devices[1], state="closed")

    def found(text: str) -> set[str]:
        return {row.number[-1] for row in queue(Inbox.ALL, user=0, soon=NOW, text=text)}

    assert found("am see") == {"1"}
    assert found("etst 77") == {"2", "3"}
    assert found(devices[-1].device_id[4:]) == {"3"}
    assert found("bez-7") == {"4"}
    assert found("t-000000002") == {"2"}
    assert found("ZÄHLER (50 %)") == found("1.8.0*") == {"5"}
    assert found("1.8.0+") == found("1x8") == found(".*") == set()


def _order(client: Client, number: int) -> Order:
    return Order.objects.create(
        number=f"A-{number:09d}", client=client, orderer_name="Anna", channel="form", process="wake_up", fields={},
        summary=[], reference=f"BEZ-7{number:04d}", submitted_at=NOW, planned=False, due_at=NOW, starts_at=NOW,
        withdrawable_until=NOW,
    )  # fmt: skip
