"""Runs whose workers are killed at chosen points, and what must be true of them all the same."""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from staging import SHORT, Scene, devices, eventually

from torwart.kernel.run_state import RunState
from torwart.processes.definition import process
from torwart.services import audit
from torwart.store.models import Certificate, Exchange, Fact, Profile, ReadingConfirmation, Run
from torwart.wire.profiles import EvaluationProfile

WORKERS = 4
LEASE = 1.0
ALIKE: Mapping[str, Any] = {"tafs": ["1", "7"], "han": "yes"}
"""Ordered for all gateways, so that all runs come to the same points."""
_BY_CHANCE = re.compile(
    r" (wait|wake|resumed|result|opened|client told)( |$)|^(clock|meters|in force|last values) pause|^pair |"
    r"^revoke > policy|^first value since|^change "
)
"""Points that depend on who is faster: not every run comes to them."""


class Ordeal:
    """A scene whose workers die as planned. Every worker has one thread, so that each kill hits one run."""

    def __init__(self, directory: Path, count: int, **stage: Any) -> None:
        self.directory = directory
        program = (sys.executable, str(Path(__file__).with_name("doomed_worker.py")))
        worker = {"patience": SHORT, "lease": LEASE, "threads": 1}
        self.scene = Scene(
            directory / "stage", devices(count), workers=WORKERS, worker=worker, program=program, **stage
        )

    @contextmanager
    def running(self) -> Iterator["Ordeal"]:
        os.environ["TORWART_DOOM"] = str(self.directory)
        try:
            self.scene.start()
            yield self
        finally:
            del os.environ["TORWART_DOOM"]
            self.scene.stage.stop()

    def points(self, story: str, device: str) -> list[str]:
        """The points an uninterrupted run has come to, each once, in order; without those that depend on chance."""
        noted = (self.directory / f"{story}-{device}.points").read_text().splitlines()
        return [point for point in dict.fromkeys(noted) if not _BY_CHANCE.search(point)]

    def play(self, story: str, plan: Mapping[str, str], seconds: float, **fields: Any) -> list[str]:
        """One run per device of ``plan`` (device → point at which its worker dies), all at once; their ids."""
        known = self.directory / "plan.json"
        plans = json.loads(known.read_text()) if known.exists() else {}
        plans |= {f"{story}/{device}": point for device, point in plan.items()}
        (self.directory / "plan.new").write_text(json.dumps(plans))
        (self.directory / "plan.new").replace(known)
        scene = self.scene
        if story == "commissioning":
            runs = {device: scene.order_only(device, **ALIKE) for device in plan}
            scene.install(runs)
        else:
            runs = {device: scene.order(story, device, **fields) for device in plan}
        return [scene.ended(run_id, seconds).run_id for run_id in runs.values()]

    def survived(self, story: str, plan: Mapping[str, str], ids: Sequence[str]) -> None:
        """Every run was killed as planned and has succeeded all the same, each step done once, told once."""
        lines = [self.scene.line(run_id) for run_id in ids]
        unfinished = {plan[line.gateway]: line for line in lines if line.state != RunState.SUCCEEDED}
        assert not unfinished, unfinished
        alive = [p for d, p in plan.items() if not (self.directory / f"{story}-{d}.killed").exists()]
        assert not alive, alive
        steps = tuple(step.name for step in process(story).steps)
        for run_id, line in zip(ids, lines, strict=True):
            where = plan[line.gateway]
            assert line.steps == tuple(name for name in steps if name in line.steps), where
            states = Run.objects.get(run_id=run_id).steps.values_list("state", flat=True)
            assert set(states) == {"done"}, where
            told = [action for _, action, p in self.scene.audited(line.gateway) if f"run:{run_id}" in _ or p.get("run")]
            assert told.count("run.succeeded") == 1, where


def change_of(scene: Scene) -> dict[str, Any]:
    """Order fields of a tariff change, alike for all gateways: as soon as it can be there."""
    return {
        "metering_point": "",
        "tafs": ["2"],
        "switch_times": ["1 Mo-Fr 17:00-20:00"],
        "default_stage": "2",
        "emts": [scene.stage.site.emt],
        "valid_from": "2026-01-01T00:00:00+01:00",
        "permission_ground": "contract",
        "permission_by": "Stadtwerk Musterstadt",
    }


def changed_once(scene: Scene, device: str, where: str) -> None:
    """The gateway holds the new evaluations and nothing of the old, each began once, and our data say the same."""
    memory = scene.gateway(device).core.memory
    held = {p.container_id for p in memory.profiles.values() if isinstance(p, EvaluationProfile)}
    rows = Profile.objects.filter(gateway__device_id=device, kind="evaluation")
    assert held == set(rows.filter(state="active").values_list("name", flat=True)), where
    assert [name.startswith("01005e318022.taf2-") for name in held] == [True], (where, held)
    assert not rows.filter(state="wanted").exists(), where
    (new,) = [p for p in memory.profiles.values() if isinstance(p, EvaluationProfile)]
    assert new.valid_until is None, where
    assert set(memory.starts) == {new.id}, where


def nothing_twice(scene: Scene, device: str, *where: str) -> None:
    """Of everything irreversible there is one: sets issued, certificates switched, moves, facts, confirmations.

    ``where``: the points at which workers died, one for each set the gateway must have. Keys may be made once more
    than needed, and only where a kill hit the making itself.
    """
    events, sets = scene.events(device), len(where)
    spare = sum(point.startswith("generate asked") for point in where)
    assert len(scene.issued(device)) == sets, where
    assert events["certificates_activated"] == sets, where
    assert sets <= events["keys_generated"] <= sets + spare, (where, events["keys_generated"])
    assert events["seal_retired"] == 1, where
    moves = Counter(action for _, action, _ in scene.audited(device) if action.startswith("gateway."))
    assert not {move: times for move, times in moves.items() if times > 1}, (where, moves)
    serials = [c.serial_number for triple in scene.issued(device) for c in triple]
    ours = Certificate.objects.filter(gateway__device_id=device, seal=False).values_list("serial", flat=True)
    assert sorted(serials) == sorted(int(serial, 16) for serial in ours), where
    confirmed = ReadingConfirmation.objects.filter(gateway__device_id=device).values_list("fact", flat=True)
    assert len(set(confirmed)) == len(confirmed) >= 1, where
    assert Fact.objects.filter(id__in=confirmed).count() == len(confirmed), where
    assert Exchange.objects.filter(gateway__device_id=device, purpose="import certificates").exists(), where


def trail_is_intact() -> bool:
    """The audit chain holds to its last entry."""
    return eventually(lambda: audit.link_pending() == 0 and not audit.verify().pending) and audit.verify().intact
