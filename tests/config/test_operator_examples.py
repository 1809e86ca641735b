"""The examples of the operator's guide can be used as they stand."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.adapters.mail import StartTls
from torwart.config import mail_site
from torwart.config.commands import simulate
from torwart.config.mailroom import MailRoomConfig
from torwart.config.wiring import WorkerConfig
from torwart.headend.config import HeadendConfig, Limits, Scenario
from torwart.processes.telling import Patience
from torwart.rules.wake_up import WakeUpLimit
from torwart.sim.pki import TestPki
from torwart.wire.smgw import result_contact
from torwart.wire.tls import Offer

GUIDE = Path(__file__).parents[2] / "docs" / "operator" / "README.md"
BLOCK = re.compile(r"```toml\n# (\S+)[^\n]*\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pki: TestPki) -> Path:
    """The examples as files beside a test PKI laid out as the guide says."""
    directory = tmp_path_factory.mktemp("operator")
    pki.write(directory / "pki")
    chain = pki.chain_of(pki.gwa.tls.certificate)[:2]
    (directory / "gwa-chain.pem").write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in chain))
    for name, text in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        (directory / name).write_text(text)
    return directory


def test_the_guide_has_an_example_of_every_part(place: Path) -> None:
    """Head-end, worker, mail room and the three simulators."""
    assert {path.name for path in place.glob("*.toml")} == {
        "headend.toml",
        "worker.toml",
        "gateways.toml",
        "sub-ca.toml",
        "emt.toml",
        "mailroom.toml",
    }


def test_the_head_end_loads_its_example(place: Path) -> None:
    """Every limit is shown with its default, and all scenarios have a listener."""
    config = HeadendConfig.load(place / "headend.toml")

    assert config.limits == Limits()
    assert config.listeners.keys() == set(Scenario)
    assert config.listeners[Scenario.MANAGEMENT] == ("192.0.2.10", 8443)
    assert (config.metrics, config.name, config.offer.maximum) == (("127.0.0.1", 9470), "north-1", Offer().maximum)
    assert sorted(config.issuers.values()) == [False, True]


def test_the_head_ends_example_shows_every_limit(place: Path) -> None:
    """A limit that is added to the code is added to the guide."""
    shown = tomllib.loads((place / "headend.toml").read_text())["limits"]

    assert set(shown) == {each.name for each in fields(Limits)}


def test_the_worker_loads_its_example(place: Path) -> None:
    """Waits and limits are the defaults; where gateways answer is what the simulated gateways know."""
    config = WorkerConfig.load(place / "worker.toml")

    assert config.patience == Patience()
    assert config.wake_up_limit == WakeUpLimit()
    assert config.network.contact == result_contact("gwa.sm")
    assert config.network.management == ("192.0.2.10", 8443)
    assert config.callbacks == ("192.0.2.11", 8446)
    assert (config.threads, config.lease) == (8, 15.0)
    assert len(config.trust.issuers) == 2
    assert len(config.maker_keys) == 1


def test_the_mail_room_loads_its_example(place: Path) -> None:
    """With a test identity beside it the example makes a desk; its limits of trust are what it says."""
    mail_site.create(place / "made", datetime.now(UTC), deliver_to=25)
    for file in (place / "made").glob("mail-*.pem"):
        file.rename(place / file.name)
    config = MailRoomConfig.load(place / "mailroom.toml")

    assert (config.listen, config.domains, config.imap) == (("127.0.0.1", 2525), ("torwart.example",), None)
    assert (config.sender.host, config.sender.port, config.sender.starttls) == ("127.0.0.1", 25, StartTls.OFFERED)
    assert config.desk().identity.address == "service@torwart.example"
    assert len(config.desk().trust.certificates) == 2


@pytest.mark.parametrize(
    ("name", "command"),
    [("gateways", simulate.gateways), ("sub-ca", simulate.sub_ca), ("emt", simulate.emt_receiver)],
)
def test_a_simulator_knows_the_options_of_its_example(
    place: Path, name: str, command: click.Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every key is an option, every value one it takes, and no required option is missing."""
    monkeypatch.chdir(place)
    example: Mapping[str, Any] = tomllib.loads((place / f"{name}.toml").read_text())

    with command.make_context(name, ["--config", f"{name}.toml"]) as context:
        assert example.keys() <= context.params.keys()
        given = {key for key in example if context.get_parameter_source(key) is click.core.ParameterSource.DEFAULT_MAP}
    assert given == set(example)
