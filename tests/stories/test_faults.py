"""Every fault of the demonstration's cast, one gateway each: the expected state, code, side and step."""

import pytest
from staging import Scene, eventually

from torwart.config.demo.scenario import FAULTS, Part
from torwart.kernel.run_state import RunState
from torwart.services import intake

STEP = {
    "silent": "first_contact",
    "revoked-certificate": "first_contact",
    "foreign-ca": "first_contact",
    "wrong-cn": "first_contact",
    "forget-profile": "meters",
    "clock-20s": "clock",
    "refuse-profile-4xx": "wan",
    "cms-flipped-mac": "first_contact",
    "meter-not-seen": "meters",
    "key-generation-fails": "keys",
}
"""Where each fault stops the commissioning; what is not here is no obstacle."""


@pytest.fixture(scope="module")
def played(scene: Scene) -> dict[str, tuple[str, str]]:
    """All of the cast commissioned at once: fault → (device, run id)."""
    runs = {}
    for part in FAULTS:
        assert part.fault is not None
        device = scene.take(part.fault)
        runs[part.fault.value] = device, scene.order_only(device)
    scene.install(dict(runs.values()))
    return runs


@pytest.mark.requirement("SIM-faults", "P03")
@pytest.mark.parametrize("part", FAULTS, ids=lambda part: part.fault.value)
def test_a_fault_has_its_outcome(scene: Scene, played: dict[str, tuple[str, str]], part: Part) -> None:
    """The run ends or waits as it must, and says whose fault it is and at which step."""
    assert part.fault is not None
    device, run_id = played[part.fault.value]
    waits = part.state == RunState.WAITING
    line = scene.waiting(run_id) if waits else scene.ended(run_id)

    assert (line.state, line.side) == (part.state, part.side), line
    assert not part.code or line.code == part.code
    assert line.step == STEP.get(part.fault.value, "in_operation")
    if part.hint:
        assert eventually(lambda: intake.last_refusal(device, scene.stage.site.pki.now) == part.hint)
