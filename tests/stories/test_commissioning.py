"""P03 as the customer tells it: a fitter hangs up a gateway, and a while later its readings arrive."""

import pytest
from staging import Scene

from torwart.kernel.gateway_state import GatewayState
from torwart.processes.commissioning import STEPS
from torwart.processes.definition import process
from torwart.store.models import Gateway, Meter, Run


@pytest.mark.requirement("P03")
def test_a_new_gateway_gets_into_operation_step_by_step(scene: Scene) -> None:
    """From the order to the first value at the EMT every step of the catalogue is seen, in its order, once."""
    device = scene.take(meters=2)
    line = scene.ended(scene.commission(device))

    assert line.state == "succeeded", line
    assert line.steps == tuple(step.name for step in STEPS)
