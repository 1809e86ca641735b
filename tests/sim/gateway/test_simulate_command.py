"""``torwart simulate``: what it prints, what it refuses, and that a fleet is remembered."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from torwart.config.commands.simulate import command
from torwart.kernel.refusals import Refusal
from torwart.sim.pki import TestPki

pytestmark = pytest.mark.requirement("SIM-fleet")

NOBODY = ["--management", "127.0.0.1:1", "--admin-service", "127.0.0.1:1", "--ntp", "127.0.0.1:1"]


@pytest.fixture
def disk(pki: TestPki, tmp_path: Path) -> Path:
    pki.write(tmp_path / "pki")
    return tmp_path


def gateways(disk: Path, *options: str) -> Result:
    arguments = ["gateways", "--pki", str(disk / "pki"), "--state", str(disk / "state"), *NOBODY]
    return CliRunner().invoke(command, [*arguments, "--every", "0.1", "--seconds", "0.4", *options])


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_fleet_tells_where_it_is_and_how_it_is(disk: Path) -> None:
    """First the addresses, then counts; faults go to whom they were meant for."""
    first, *_, last = lines(gateways(disk, "--count", "4", "--json", "--fault", "silent=50%", "--fault", "late"))

    assert {"wake_up", "control", "gateways"} == set(first)
    assert (last["gateways"], last["powered"], last["faults"]) == (4, 4, {"silent": 2, "late": 4})


def test_devices_are_made_once(disk: Path) -> None:
    """A second run finds the devices of the first, and makes only those that are missing."""
    gateways(disk, "--count", "2", "--json")
    files = {path: path.read_bytes() for path in disk.glob("state/*/*.pem")}
    assert len(files) == 12
    gateways(disk, "--count", "3", "--json")

    assert {path: path.read_bytes() for path in files} == files
    assert len(list(disk.glob("state/*/device.json"))) == 3


def test_options_come_from_a_file_too(disk: Path) -> None:
    """A TOML file sets what the command line leaves open."""
    (disk / "fleet.toml").write_text('count = 2\nfault = ["silent"]\n')
    *_, last = lines(gateways(disk, "--config", str(disk / "fleet.toml"), "--json"))

    assert (last["gateways"], last["faults"]) == (2, {"silent": 2})


def test_people_get_a_sentence(disk: Path) -> None:
    """Without --json the last state is printed in words."""
    result = gateways(disk)

    assert result.exit_code == 0
    assert "gateways 1" in result.stdout


@pytest.mark.parametrize("fault", ["no-such-fault", "silent=many%", "silent=EPPC0299999998"])
def test_unknown_faults_are_refused(disk: Path, fault: str) -> None:
    """What cannot be switched on is named, before anything runs."""
    result = gateways(disk, "--fault", fault)

    assert isinstance(result.exception, Refusal)
    assert result.exception.code in ("sim.fleet_config", "sim.fleet_unknown")


def test_an_emt_receiver_runs(disk: Path) -> None:
    """It says where it listens and what it has received."""
    arguments = ["emt-receiver", "--pki", str(disk / "pki"), "--seconds", "0.2", "--every", "0.1", "--json"]
    first, *_, last = lines(CliRunner().invoke(command, arguments))

    assert first["listen"].startswith("127.0.0.1:")
    assert last["values"] == 0


def test_addresses_are_checked() -> None:
    """An address without port is refused as usage, not as a crash."""
    result = CliRunner().invoke(command, ["emt-receiver", "--pki", ".", "--listen", "localhost"])

    assert result.exit_code == 2
