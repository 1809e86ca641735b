"""P41: an incident is diagnosed by an operator in the ticket; the run waits for the verdict (M-2)."""

from datetime import timedelta

import pytest
from clientele import DEVICE, clientele, staff
from order_desk import Desk, desk

from torwart.kernel.role import Role
from torwart.processes import ordering
from torwart.processes.definition import process
from torwart.services import ticket as tickets
from torwart.store.models import Gateway, Meter, Run, User

pytestmark = [pytest.mark.requirement("P41")]
FIELDS = {
    "object": "gateway",
    "name": DEVICE,
    "symptom": "lights",
    "description": "TLS-Leuchte aus\nseit gestern",
    "since": "24.11.2026 09:30",
}


@pytest.fixture
def shop(own_database: str) -> Desk:
    made = desk()
    made.register(process("incident"))
    return made


@pytest.fixture
def operator(shop: Desk) -> User:
    return staff("Anna", Role.OPERATOR)


@pytest.mark.requirement("M-2")
def test_the_verdict_ends_the_order(shop: Desk, operator: User) -> None:
    """The operator's text is the result: order done, ticket resolved, client told; not a moment before."""
    number = shop.played("incident", **FIELDS)
    ticket = f"T{number[1:]}"
    assert shop.states(number) == ("in_progress", "open", "running")
    shop.on(days=2)
    tickets.ask_client(ticket, "Leuchtet die Power-LED?", user=operator.pk, now=shop.clock.time)
    shop.work()
    assert shop.states(number) == ("in_progress", "waiting_client", "running")
    tickets.add_message(
        ticket, "Ja.", client=shop.people.client.pk, author="Erika", actor="user:e", now=shop.clock.on(hours=1)
    )
    tickets.resolve(shop.engine, ticket, "Antenne getauscht.", user=operator.pk, now=shop.clock.time)
    shop.work()

    assert shop.states(number) == ("done", "resolved", "succeeded")
    text = shop.mails("order.done")[0].text
    assert "Antenne getauscht." in text
    assert "Op Anna" in text
    assert "TLS-Leuchte aus" in text


def test_a_verdict_while_the_client_is_asked_ends_it_too(shop: Desk, operator: User) -> None:
    """Resolved while the clock rests: all three end."""
    number = shop.played("incident", **FIELDS)
    ticket = f"T{number[1:]}"
    tickets.ask_client(ticket, "?", user=operator.pk, now=shop.clock.time)
    tickets.resolve(shop.engine, ticket, "Von selbst behoben.", user=operator.pk, now=shop.clock.on(hours=1))
    shop.work()
    assert shop.states(number) == ("done", "resolved", "succeeded")


def test_the_ticket_names_the_gateway_but_the_run_does_not_hold_it(shop: Desk) -> None:
    """While an incident is open other processes can work on the device."""
    number = shop.played("incident", **FIELDS)
    assert shop.ticket(number).gateway == Gateway.objects.get()
    assert Run.objects.get().gateway is None
    other = shop.played()
    assert shop.states(other)[0] == "done"


@pytest.mark.requirement("O-5", "P-1")
def test_the_object_is_checked_by_its_kind(shop: Desk) -> None:
    """A gateway needs a gateway's number, which must be the client's; anything else may go without."""
    stranger = clientele("Nachbarwerke", gateway="EPPC0200000002", code="")
    Meter.objects.create(device_id="1EMH0000000001", client=stranger.client, state="delivered")
    cases = {
        ("gateway", ""): ["process.field_missing"],
        ("gateway", "1EMH0000000001"): ["process.field_invalid"],
        ("gateway", "EPPC0200000002"): ["process.gateway_unknown"],
        ("gateway", "EPPC0200000009"): ["process.gateway_unknown"],
        ("meter", "1EMH0000000001"): ["process.meter_unknown"],
        ("melo", "DE1"): ["identifier.length"],
        ("other", ""): [],
        ("other", "Portal"): [],
        ("gateway", "e ppc 02 0000 0001"): [],
    }
    for (kind, name), codes in cases.items():
        found = ordering.examine(
            "incident",
            {**FIELDS, "object": kind, "name": name},
            client=shop.people.client.pk,
            now=shop.clock.time,
        )
        assert [r.code for r in (*found.errors.values(), *found.unmet)] == codes, (kind, name)


def test_without_a_verdict_it_ends_as_our_fault(shop: Desk) -> None:
    """Ninety days without an answer of ours is a failure of ours, and is told so."""
    number = shop.played("incident", **FIELDS)
    shop.on(days=90, minutes=1)
    assert shop.states(number) == ("failed", "resolved", "failed")
    assert "Die Ursache liegt bei uns" in shop.mails("order.failed")[0].text


@pytest.mark.requirement("T-5")
def test_an_incident_is_attended(shop: Desk) -> None:
    """People do it: due within 24 service hours, a wish at night is refused."""
    number = shop.place("incident", **FIELDS)
    order = shop.order(number)
    assert order.wording["attended"] is True
    assert order.due_at - order.submitted_at > timedelta(hours=24)
