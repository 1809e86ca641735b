"""``torwart simulate emt`` beside a real installation: it sees every order through, and finds what did not come."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emt_scenario import commissioning, fitters, written
from interface_stage import interface_scene
from staging import Scene

from torwart.config import site as sites

pytestmark = pytest.mark.requirement("O-7", "O-2")


@pytest.fixture(scope="module")
def stage(stage_database_apart: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with interface_scene(tmp_path_factory.mktemp("emt"), stage_database_apart, count=2) as scene:
        yield scene


def simulate(scene: Scene, scenario: Path, report: Path, port: int) -> tuple[int, str, dict[str, Any]]:
    """``torwart simulate emt`` as a process of its own: exit code, what it shows, its report."""
    site = scene.stage.site
    options = {
        "--scenario": scenario,
        "--url": scene.stage.api_url,
        "--pki": site.pki_dir,
        "--listen": f"127.0.0.1:{port}",
        "--confirm": f"127.0.0.1:{site.ports['EMT-SERVICE']}",
        "--report": report,
    }
    command = [sys.executable, "-m", "torwart", "simulate", "emt", *(str(x) for pair in options.items() for x in pair)]
    told = {**os.environ, "TORWART_LANGUAGE": "en"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=told)
    assert report.exists(), done.stderr
    return done.returncode, done.stdout, json.loads(report.read_text())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_command_orders_and_sees_every_order_through(stage: Scene, tmp_path: Path) -> None:
    """A commissioning with its readings, a test, a planned one, two refused; webhooks turned away; then what is
    expected wrongly is found, and the command says so by its exit code.
    """
    stage.turn()
    device, port = stage.take(), free_port()
    sites.register_emt(stage.stage.site, f"127.0.0.1:{port}")
    head = "parallel = 2\nseconds = 60\n[faults]\ntwice = 1.0\nmalformed = 1.0\nwebhooks = { after = 2, count = 1 }\n"
    orders = [
        commissioning(stage, device, readings=True),
        {"process": "connectivity-test", "gateways": device[:6] + "*", "says": "grün"},
        {"process": "wake-up", "gateways": [device], "in_days": 7, "expect": "planned"},
        {"process": "delivery-note-import", "refused": "order.not_over_interface"},
        {"process": "wake-up", "gateways": ["EPPC0299999999"], "refused": "process.gateway_unknown"},
    ]
    scenario = tmp_path / "day.toml"
    scenario.write_text(written(orders, head), encoding="utf-8")
    with fitters(stage):
        code, shown, report = simulate(stage, scenario, tmp_path / "report.json", port)

    assert (code, report["verified"]) == (0, True), shown
    assert (report["placed"], report["refused"], report["faults"]["twice"], report["faults"]["malformed"]) == (
        3,
        2,
        3,
        3,
    )
    assert report["readings"]["gateways"] == 1
    assert report["readings"]["values"] > 0
    assert report["webhooks"]["turned_away"] == 1
    assert report["events"] == report["webhooks"]["told"] > 6
    assert "Every order ended as told" in shown

    wrong = [{"process": "connectivity-test", "gateways": [device], "expect": "failed"}]
    scenario.write_text(written([*wrong, {"process": "incident", "refused": "no.such"}]), encoding="utf-8")
    code, shown, report = simulate(stage, scenario, tmp_path / "wrong.json", port)
    assert (code, report["as_told"], [each["ok"] for each in report["each"]]) == (1, 0, [False, False])
    assert "expected failed, is done" in shown
