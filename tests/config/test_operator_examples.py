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
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import connection

from torwart.adapters.mail import StartTls
from torwart.config.commands import simulate
from torwart.config.mailroom import MailRoomConfig
from torwart.config.wiring import WorkerConfig
from torwart.headend.config import HeadendConfig, Limits, Scenario
from torwart.processes.telling import Patience
from torwart.rules.wake_up import WakeUpLimit
from torwart.sim.mailbox import MailCa
from torwart.sim.pki import TestPki
from torwart.wire.smgw import result_contact
from torwart.wire.tls import Offer

GUIDE = Path(__file__).parents[2] / "docs" / "operator" / "README.md"
SOURCE = Path(simulate.__file__).parents[2]
OURS_ALONE = {"TORWART_PARENT_PIPE", "TORWART_PLAN_AFRESH", "TORWART_API_RATE", "TORWART_BDEW_TLS"}
"""What our processes tell each other, and names of settings made of variables."""
BLOCK = re.compile(r"```toml\n# (\S+)[^\n]*\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pki: TestPki) -> Path:
    """The examples as files beside a test PKI laid out as the guide says."""
    directory = tmp_path_factory.mktemp("operator")
    pki.write(directory / "pki")
    chain = pki.chain_of(pki.gwa.tls.certificate)[:2]
    (directory / "gwa-chain.pem").write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in chain))
    (directory / "api.secret").write_text("5e" * 32 + "\n")
    _write_mail(directory)
    for name, text in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        (directory / name).write_text(text)
    return directory


def _write_mail(directory: Path) -> None:
    """The mail room's certificates, keys, trust and password, under the names of the guide."""
    ca = MailCa.create(datetime.now(UTC))
    for use in ("sign", "encrypt"):
        own = ca.issue("service@gwa.example.org", use=use)
        chain = b"".join(each.public_bytes(Encoding.PEM) for each in (own.certificate, *own.chain))
        (directory / f"mail-{use}.pem").write_bytes(chain)
        key = own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (directory / f"mail-{use}.key").write_bytes(key)
    (directory / "mail-roots.pem").write_bytes(ca.root.certificate.public_bytes(Encoding.PEM))
    (directory / "mail-issuing.pem").write_bytes(ca.issuing.certificate.public_bytes(Encoding.PEM))
    (directory / "mail-ca.crl").write_bytes(ca.crl().public_bytes(Encoding.DER))
    (directory / "imap.password").write_text("secret\n")


def test_the_guide_has_an_example_of_every_part(place: Path) -> None:
    """Head-end, worker, mail room and the three simulators."""
    assert {path.name for path in place.glob("*.toml")} == {
        "headend.toml",
        "worker.toml",
        "mailroom.toml",
        "gateways.toml",
        "sub-ca.toml",
        "emt.toml",
    }


def test_the_head_end_loads_its_example(place: Path) -> None:
    """Every limit is shown with its default, and all scenarios have a listener."""
    config = HeadendConfig.load(place / "headend.toml")

    assert config.limits == Limits()
    assert config.listeners.keys() == set(Scenario)
    assert config.listeners[Scenario.MANAGEMENT] == ("192.0.2.10", 8443)
    assert (config.metrics, config.name, config.offer.maximum) == (("127.0.0.1", 9470), "north-1", Offer().maximum)
    assert sorted(config.issuers.values()) == [False, True]
    assert config.api is not None
    assert (config.api.socket, config.api.secret) == (place / "api.sock", bytes.fromhex("5e" * 32))


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


@pytest.mark.requirement("S-MAIL-1", "C-2")
def test_the_mail_room_loads_its_example(place: Path) -> None:
    """Both ways in, one way out; certificates, keys and lists fit together."""
    config = MailRoomConfig.load(place / "mailroom.toml")
    desk = config.desk()

    assert (desk.identity.address, config.domains) == ("service@gwa.example.org", ("gwa.example.org",))
    assert (len(desk.trust.certificates), len(desk.trust.intermediates), len(desk.trust.crls)) == (1, 1, 1)
    assert config.listen == ("127.0.0.1", 2525)
    assert config.imap is not None
    assert (config.imap.server, config.imap.password, config.imap.tls) == ("imap.example.org:993", "secret", "implicit")
    assert (config.sender.server, config.sender.starttls) == ("127.0.0.1:25", StartTls.OFFERED)


def test_the_guide_names_every_variable_of_the_environment() -> None:
    """What the program reads is described, and nothing is described that it does not read."""
    named = re.compile(r"TORWART_[A-Z_]+[A-Z]")
    read = {name for path in SOURCE.rglob("*.py") for name in named.findall(path.read_text(encoding="utf-8"))}
    described = set(named.findall(GUIDE.read_text(encoding="utf-8")))

    assert {name for name in read if not name.startswith("TORWART_BENCH_")} - OURS_ALONE == described


@pytest.mark.usefixtures("db")
def test_every_question_to_the_database_can_be_asked() -> None:
    """Tables and columns are called like that."""
    questions = re.findall(r"`(SELECT [^`]+)`", GUIDE.read_text(encoding="utf-8"))

    assert len(questions) > 6
    with connection.cursor() as cursor:
        for question in questions:
            cursor.execute(question)


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
