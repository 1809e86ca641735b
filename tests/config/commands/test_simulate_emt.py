"""``torwart simulate emt`` where it cannot begin: it says what is missing, at once and in one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from torwart.sim.pki import TestPki

pytestmark = pytest.mark.requirement("O-7")

SCENARIO = '[[order]]\nprocess = "wake-up"\n'
WITHOUT_CLIENT = """
import sys
sys.modules["torwart_client"] = None
from torwart.config.main import main
main()
"""


def simulate(tmp_path: Path, pki: TestPki, *python: str, scenario: str = SCENARIO) -> subprocess.CompletedProcess[str]:
    pki.write(tmp_path / "pki")
    (tmp_path / "scenario.toml").write_text(scenario)
    options = ("--scenario", tmp_path / "scenario.toml", "--url", "https://localhost:1", "--pki", tmp_path / "pki")
    command = [sys.executable, *python, "simulate", "emt", *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("python", "scenario", "code"),
    [
        (("-c", WITHOUT_CLIENT), SCENARIO, "sim.client_missing"),
        (("-m", "torwart"), SCENARIO, "sim.connect_failed"),
        (("-m", "torwart"), "parallel = 4", "sim.scenario"),
    ],
)
def test_what_hinders_it_is_told(
    tmp_path: Path, pki: TestPki, python: tuple[str, ...], scenario: str, code: str
) -> None:
    """Without torwart-client, without anybody at the address, without orders: exit code 3 and the reason."""
    done = simulate(tmp_path, pki, *python, scenario=scenario)

    assert done.returncode == 3
    assert code in done.stderr
    assert "Traceback" not in done.stderr
