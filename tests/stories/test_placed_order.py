"""An order from the portal's form to the gateway in operation: real gateways, head-end, workers, Sub-CA and EMT."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from staging import Scene

from torwart.kernel.order_state import OPEN
from torwart.processes import ordering
from torwart.processes.ordering import Header, Orderer
from torwart.services import evidence
from torwart.store.models import Client, Contact, MailOut, Order, Step

WHO = "Erika Muster"


@pytest.fixture(scope="module")
def orderer(scene: Scene) -> Orderer:
    """The stage's client may order: two contacts with tested mail."""
    client = scene.stage.site.client
    for number in range(2):
        Contact.objects.get_or_create(
            client_id=client,
            email=f"kontakt{number}@stadtwerke.example",
            defaults={"first_name": "E", "name": "M", "phone": "1", "mail_state": "tested"},
        )
    Client.objects.filter(pk=client).update(state="active")
    return Orderer(client, None, WHO, "user:erika")


def place(scene: Scene, orderer: Orderer, device: str, **changes: object) -> str:
    return ordering.place(
        scene.stage.engine,
        "commissioning",
        scene.fields(device, **changes),
        orderer=orderer,
        header=Header(reference="Los 7"),
        now=datetime.now(UTC),
        grace=timedelta(seconds=0.5),
    )


def ended(number: str, seconds: float = 60) -> Order:
    deadline = time.monotonic() + seconds
    open_states = {state.value for state in OPEN}
    while (order := Order.objects.select_related("run", "ticket").get(number=number)).state in open_states:
        assert time.monotonic() < deadline, (order.state, order.run)
        time.sleep(0.05)
    return order


@pytest.mark.requirement("O-2", "O-3", "O-8", "P03")
def test_an_order_goes_into_operation_and_the_client_reads_so(scene: Scene, orderer: Orderer) -> None:
    """Placed, begun after the time for withdrawing, told step by step, in operation: order, ticket and mails say so,
    and the evidence holds the conversation with the gateway.
    """
    device = scene.take()
    number = place(scene, orderer, device)
    run_id = str(Order.objects.select_related("run").get(number=number).run.run_id)  # type: ignore[union-attr]
    scene.install({device: run_id})
    order = ended(number)

    assert (order.state, order.ticket.state, order.run.state) == ("done", "resolved", "succeeded")  # type: ignore[union-attr]
    kinds = set(MailOut.objects.filter(ticket=order.ticket).values_list("kind", flat=True))
    assert kinds == {"order.placed", "order.done"}
    result = MailOut.objects.filter(ticket=order.ticket, kind="order.done").first()
    assert result is not None
    assert "[x] In Betrieb" in result.text
    assert "Erster Messwert beim EMT" in result.text
    found = evidence.bundle(number, orderer.client)
    assert len(found.steps) == 15
    assert len(found.exchanges) > 20
    assert evidence.as_pdf(found).startswith(b"%PDF")


@pytest.mark.requirement("O-10", "P03")
def test_a_cancelled_commissioning_frees_the_devices(scene: Scene, orderer: Orderer) -> None:
    """While the gateway is silent the client cancels: the reservation is free, and the next order goes through."""
    device = scene.take()
    number = place(scene, orderer, device)
    run = Order.objects.select_related("run").get(number=number).run
    assert run is not None
    scene.until(str(run.run_id), lambda line: "first_contact" in line.steps)
    stays = ordering.cancel(
        scene.stage.engine,
        number,
        client=orderer.client,
        actor="user:erika",
        reason="Einbau verschoben",
        now=datetime.now(UTC),
    )
    assert stays == []  # the reservation is given back
    assert ended(number).state == "cancelled"

    again = place(scene, orderer, device)
    run_again = Order.objects.select_related("run").get(number=again).run
    assert run_again is not None
    scene.install({device: str(run_again.run_id)})
    assert ended(again).state == "done"
    assert Step.objects.filter(run=run).exclude(state__in=("done", "failed")).count() == 0
