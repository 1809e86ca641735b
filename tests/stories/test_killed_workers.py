"""A worker dies in the middle of everything that cannot be undone; nothing is lost, nothing happens twice.

The compact form of tests/chaos: the points around irreversible acts, all others are tried there.
"""

from collections.abc import Iterator

import pytest
from killing import ALIKE, Ordeal, change_of, changed_once, nothing_twice, trail_is_intact

IRREVERSIBLE = ("generate asked >", "request certificates >", "import >", "activate >", "switched", "retire seal >")
ENDS = ("enter reserved begin", "package asked end", "enter in_operation begin", "succeeded end")
RENEWING = ("activate >", "request certificates >", "switched")
CHANGING = (
    *("write > exchange 2", "write end", "change", "enter removed end"),
    *("remove > exchange 1", "remove > exchange 3", "remove end", "enter proven"),
)
REMOVING = ("wipe >", "delete begin", "revoke >", "enter out")


@pytest.fixture(scope="module")
def ordeal(stage_database_apart: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ordeal]:
    """An installation of its own: four workers that die on command."""
    with Ordeal(tmp_path_factory.mktemp("ordeal"), 60, database=stage_database_apart).running() as ordeal:
        ordeal.scene.turn()
        yield ordeal


@pytest.mark.requirement("SIM-killed", "P03", "P10", "P11", "P16")
def test_no_irreversible_act_is_lost_or_done_twice(ordeal: Ordeal) -> None:
    """P03, P16, P11 and P10 with a SIGKILL before and after each call of an irreversible act and around it."""
    scene = ordeal.scene
    first = scene.in_operation(**ALIKE)
    points = ordeal.points("commissioning", first)
    chosen = [point for point in points if point.startswith(IRREVERSIBLE) or point in ENDS]
    plan = {scene.take(): point for point in chosen}
    ordeal.survived("commissioning", plan, ordeal.play("commissioning", plan, 60))
    for device, where in plan.items():
        nothing_twice(scene, device, where)

    scene.play("renewal", first)
    renewing = [p for p in ordeal.points("renewal", first) if p.startswith(RENEWING)]
    renewed = dict(zip(plan, renewing, strict=False))
    ordeal.survived("renewal", renewed, ordeal.play("renewal", renewed, 60))
    for device, where in renewed.items():
        nothing_twice(scene, device, plan[device], where)

    scene.play("profile_change", first, **change_of(scene))
    changing = [p for p in ordeal.points("profile_change", first) if p.startswith(CHANGING)]
    changed = dict(zip(plan, changing, strict=False))
    ordeal.survived("profile_change", changed, ordeal.play("profile_change", changed, 60, **change_of(scene)))
    for device, where in changed.items():
        changed_once(scene, device, where)

    scene.remove(first, "return")
    removing = [p for p in ordeal.points("removal", first) if p.startswith(REMOVING)]
    removed = dict(zip(plan, removing, strict=False))
    fields = {"whereabouts": "return", "removed_at": "2026-11-24T09:30+01:00"}
    ordeal.survived("removal", removed, ordeal.play("removal", removed, 60, **fields))
    listed = scene.revoked()
    for device in removed:
        assert [listed.count(c.serial_number) for c in scene.issued(device)[-1]] == [1, 1, 1]
    assert min(len(plan) - 15, len(renewed) - 5, len(removed) - 9, len(changed) - 11) >= 0
    assert trail_is_intact()
