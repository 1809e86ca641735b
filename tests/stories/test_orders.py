"""Orders that must not begin, and what their clients are told."""

import pytest
from staging import Scene

from torwart.kernel.refusals import Refusal
from torwart.services import client as clients
from torwart.services import run as runs
from torwart.store.models import Run

UNKNOWN = "EPPC0299999999"


def _order(scene: Scene, device: str, *, client: int) -> Refusal:
    with pytest.raises(Refusal) as refused:
        runs.order(
            scene.stage.engine,
            code="P22",
            story="connectivity_test",
            gateway=device,
            fields={},
            actor="test",
            client=client,
        )
    return refused.value


@pytest.mark.requirement("O-4")
def test_a_commissioning_before_the_import_names_the_delivery_note(scene: Scene) -> None:
    """A gateway nobody has delivered is refused with what to do."""
    with pytest.raises(Refusal) as refused:
        scene.stage.order("commissioning", UNKNOWN, {**scene.fields(scene.take()), "gateway": UNKNOWN})

    assert refused.value.code == "process.gateway_unknown"
    assert "Lieferschein" in refused.value.text("de")
    assert "delivery note" in refused.value.text("en")


@pytest.mark.requirement("P-1")
def test_a_gateway_of_another_client_is_refused_like_an_unknown_one(scene: Scene) -> None:
    """Who asks for a stranger's gateway learns nothing, not even that it exists."""
    stranger = clients.create("Nachbarwerke", actor="test")
    device = scene.take()
    foreign = _order(scene, device, client=stranger)
    unknown = _order(scene, UNKNOWN, client=stranger)

    assert foreign.code == unknown.code == "process.gateway_unknown"
    assert foreign.text("de").replace(device, "X") == unknown.text("de").replace(UNKNOWN, "X")
    assert foreign.side == unknown.side


@pytest.mark.requirement("P-2")
def test_a_busy_gateway_takes_no_second_order(scene: Scene) -> None:
    """While one run has the gateway the next order is refused and names that run."""
    device = scene.take()
    run_id = scene.order_only(device)
    refused = _order(scene, device, client=scene.stage.site.client)

    assert refused.code == "process.gateway_busy"
    assert run_id in refused.text("de")
    assert Run.objects.filter(gateway__device_id=device).count() == 1


@pytest.mark.requirement("O-4")
def test_an_unknown_meter_is_named_before_anything_starts(scene: Scene) -> None:
    """The meter's delivery note is missing: the order is refused, says which meter, and no run exists."""
    device = scene.take()
    with pytest.raises(Refusal) as refused:
        scene.order_only(device, meters=["1EMH0099999999"])

    assert (refused.value.code, refused.value.side) == ("process.meter_unknown", "client")
    assert "1EMH0099999999" in refused.value.text("de")
    assert not Run.objects.filter(gateway__device_id=device).exists()


@pytest.mark.requirement("P03", "P13")
def test_an_unknown_emt_is_named_before_anything_starts(scene: Scene) -> None:
    """A recipient that the client has not created is refused when ordering, and no run exists."""
    device = scene.take()
    with pytest.raises(Refusal) as refused:
        scene.order_only(device, emts=["Niemand AG"])

    assert (refused.value.code, refused.value.side) == ("precondition.emt_unknown", "client")
    assert "Niemand AG" in refused.value.text("de")
    assert not Run.objects.filter(gateway__device_id=device).exists()
