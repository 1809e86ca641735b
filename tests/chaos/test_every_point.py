"""Workers are killed with SIGKILL at every step boundary and around every call of every port (spec: faults)."""

from collections.abc import Iterator

import pytest
from killing import ALIKE, Ordeal, change_of, changed_once, nothing_twice, trail_is_intact

GATEWAYS = 230


@pytest.fixture(scope="module")
def ordeal(stage_database_apart: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ordeal]:
    with Ordeal(tmp_path_factory.mktemp("ordeal"), GATEWAYS, database=stage_database_apart).running() as ordeal:
        ordeal.scene.turn()
        yield ordeal


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.requirement("SIM-killed", "P03", "P10", "P11", "P16")
def test_a_run_survives_a_kill_at_any_point(ordeal: Ordeal) -> None:
    """One gateway per point of P03, then of P16, P11 and P10: all succeed, and nothing irreversible happens twice."""
    scene = ordeal.scene
    first = scene.in_operation(**ALIKE)
    points = ordeal.points("commissioning", first)
    assert len(points) >= 100
    plan = {scene.take(): point for point in points}
    ordeal.survived("commissioning", plan, ordeal.play("commissioning", plan, 300))
    for device, where in plan.items():
        nothing_twice(scene, device, where)

    scene.play("renewal", first)
    renewed = dict(zip(plan, ordeal.points("renewal", first), strict=False))
    ordeal.survived("renewal", renewed, ordeal.play("renewal", renewed, 300))
    for device, where in renewed.items():
        nothing_twice(scene, device, plan[device], where)

    scene.play("profile_change", first, **change_of(scene))
    changed = dict(zip(plan, ordeal.points("profile_change", first), strict=False))
    ordeal.survived("profile_change", changed, ordeal.play("profile_change", changed, 300, **change_of(scene)))
    for device, where in changed.items():
        changed_once(scene, device, where)

    scene.remove(first, "return")
    removed = dict(zip(plan, ordeal.points("removal", first), strict=False))
    fields = {"whereabouts": "return", "removed_at": "2026-11-24T09:30+01:00"}
    ordeal.survived("removal", removed, ordeal.play("removal", removed, 300, **fields))
    listed = scene.revoked()
    for device in removed:
        assert [listed.count(c.serial_number) for c in scene.issued(device)[-1]] == [1, 1, 1]
    assert len(set(listed)) == len(listed)
    assert trail_is_intact()
