"""What an installation has used it remembers: directory, database, root; and the sandbox's behaviours are faults."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from torwart.config import apart
from torwart.config.sandbox import FAULTS
from torwart.kernel.refusals import Refusal
from torwart.rules.sandbox import Behaviour
from torwart.services import installation
from torwart.sim.pki import TestPki

pytestmark = pytest.mark.requirement("R-1", "O-7")


def refused(code: str, do: object, *arguments: object) -> None:
    with pytest.raises(Refusal) as refusal:
        do(*arguments)  # type: ignore[operator]
    assert refusal.value.code == code


def test_a_directory_remembers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first to use it decides; the other environment is refused, the same one is not."""
    monkeypatch.setenv("TORWART_ENVIRONMENT", "live")
    kept = apart.require_directory(tmp_path / "keys")
    assert apart.require_directory(kept) == kept
    monkeypatch.setenv("TORWART_ENVIRONMENT", "test")
    refused("environment.directory", apart.require_directory, kept)
    assert (kept / apart.MARK).read_text() == "live\n"


def test_a_database_remembers(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It belongs to the environment that asked first."""
    monkeypatch.setenv("TORWART_ENVIRONMENT", "live")
    apart.require_database()
    apart.require_database()
    monkeypatch.setenv("TORWART_ENVIRONMENT", "test")
    refused("environment.database", apart.require_database)
    assert installation.environment("test") == "live"


def test_a_root_says_its_environment(pki: TestPki, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test PKI's is taken in test only, and nothing without an environment."""
    apart.require_anchor(pki.root.certificate)
    monkeypatch.setenv("TORWART_ENVIRONMENT", "live")
    refused("environment.trust", apart.require_anchor, pki.root.certificate)
    monkeypatch.setenv("TORWART_ENVIRONMENT", "Live")
    refused("environment.unknown", apart.require_anchor, pki.root.certificate)


def test_a_sandbox_is_a_test_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for anywhere else it is refused."""
    monkeypatch.setenv("TORWART_SANDBOX", "1")
    assert apart.sandbox()
    monkeypatch.setenv("TORWART_ENVIRONMENT", "live")
    refused("environment.sandbox", apart.sandbox)


def test_every_behaviour_is_made_of_faults() -> None:
    """Each is something a simulated gateway can do, and no two are the same."""
    assert FAULTS.keys() == set(Behaviour)
    assert len(set(FAULTS.values())) == len(FAULTS)
    assert TestPki.create(datetime.now(UTC)).root.identity.common_name == "SM-Test-Root.CA"
