"""What gateways tell unasked is opened, believed and kept once."""

import uuid

import pytest
from staging import Scene, eventually

from torwart.ports import gateway_link
from torwart.services import intake
from torwart.sim.gateway.fault import Fault
from torwart.store.models import Event, Fact


def _notified(device: str) -> list[Fact]:
    return list(Fact.objects.filter(kind="notify", device=device).order_by("stored_at"))


@pytest.mark.requirement("G-1", "WAN-1.8")
def test_events_of_a_gateway_are_kept_in_its_own_words(scene: Scene) -> None:
    """After commissioning the events the gateway told stand open in our data, each once, none refused."""
    device = scene.in_operation()

    assert eventually(lambda: Event.objects.filter(gateway__device_id=device, event=16001).exists(), 20)
    events = list(Event.objects.filter(gateway__device_id=device))
    assert len(events) == len({event.number for event in events})
    assert [fact.refusal for fact in _notified(device) if fact.refusal] == []


@pytest.mark.requirement("G-1", "SIM-duplicate-events")
def test_an_event_told_twice_is_kept_once(scene: Scene) -> None:
    """The same notification under another fact id changes nothing."""
    device = scene.in_operation()
    assert eventually(lambda: Event.objects.filter(gateway__device_id=device).exists(), 20)
    first = Event.objects.filter(gateway__device_id=device).first()
    assert first is not None
    fact = Fact.objects.get(pk=first.fact)
    again = gateway_link.Fact(
        str(uuid.uuid4()), fact.kind, fact.device, fact.at.isoformat(), fact.details, bytes(fact.body)
    )

    assert intake.take(scene.stage.engine, again, scene.stage.site.keys)
    told = Event.objects.filter(gateway__device_id=device, number=first.number)
    assert [str(event.fact) for event in told] == [str(first.fact)]


@pytest.mark.requirement("G-1", "SIM-cms-wrong-signer")
def test_an_event_with_a_foreign_signature_is_stored_but_not_believed(scene: Scene) -> None:
    """What the gateway's own key has not signed stays closed, with the reason beside it."""
    device = scene.in_operation()
    scene.fault(device, Fault.CMS_WRONG_SIGNER)
    scene.stage.call(scene.stage.fleet.reboot(device))

    assert eventually(lambda: any(fact.refusal for fact in _notified(device)), 20)
    refused = [fact.refusal for fact in _notified(device) if fact.refusal]
    assert all("[cms." in text for text in refused)
