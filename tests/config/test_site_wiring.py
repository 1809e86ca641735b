"""The configuration files a site writes are the ones its processes read; a wrong one is refused by name."""

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from torwart.config import site as sites
from torwart.config.wiring import WorkerConfig
from torwart.headend.config import HeadendConfig, Scenario
from torwart.kernel.refusals import Refusal
from torwart.processes.definition import process
from torwart.services import administrator
from torwart.sim.gateway.manufacture import device_ids, initial_config, make_device
from torwart.wire.certificate import Role, Use, identify

PORTS = {"MANAGEMENT": 1001, "ADMIN-SERVICE": 1002, "NTP": 1003, "EMT-SERVICE": 1004}
NOWHERE = ("127.0.0.1", 1)


@pytest.fixture
def site(own_database: str, tmp_path: Path) -> sites.Site:
    site = sites.create(tmp_path / "site", database=own_database)
    site.ports = dict(PORTS)
    return site


def _worker(site: sites.Site) -> Path:
    return sites.write_worker(
        site,
        bus="nats://127.0.0.1:4222",
        ca_url="https://127.0.0.1:1/x",
        crl_url="http://127.0.0.1:2/crl",
        callbacks="127.0.0.1:0",
        patience={"gateway": (1.0, 2.0), "gateway_total": 60.0},
        wake_ups=5,
    )


def test_a_written_site_can_be_read_by_its_processes(site: sites.Site) -> None:
    """Head-end and worker configurations load; addresses, trust, patience and limits are the ones written."""
    headend = HeadendConfig.load(sites.write_headend(site, ports=PORTS))
    worker = WorkerConfig.load(_worker(site))

    assert {s.value: port for s, (_, port) in headend.listeners.items()} == PORTS
    assert headend.listeners[Scenario.NTP] == worker.network.ntp
    assert (worker.patience.gateway, worker.patience.gateway_total) == ((1.0, 2.0), 60.0)
    assert (worker.wake_up_limit.count, worker.callbacks) == (5, ("127.0.0.1", 0))
    assert headend.credentials.chain[0] in worker.network.tls
    made = make_device(
        site.pki, device_ids(1)[0], initial_config(site.pki, management=NOWHERE, admin_service=NOWHERE, ntp=NOWHERE)
    )
    tls = made.seal.tls.certificate
    assert worker.trust.validate(tls, at=datetime.now(UTC), role=Role.SMGW, use=Use.TLS, seal=True).name == made.device


@pytest.mark.requirement("MsbG-52")
def test_the_keys_of_the_client_are_in_the_key_store_only(site: sites.Site) -> None:
    """SIG and ENC keys sign and agree through the store; no file of the site shows them."""
    for use in (Use.SIG, Use.ENC):
        key = administrator.key(site.keys, site.client, use)
        assert identify(key.certificate).use is use
        assert key.label in site.keys.labels(f"client-{site.client}.gwa.")
    assert administrator.key(site.keys, site.client, Use.SIG).sign(b"x")
    own = [administrator.key(site.keys, site.client, use).certificate.public_key() for use in (Use.SIG, Use.ENC)]
    files = [path for path in site.directory.rglob("*.key.pem") if "gwa" in path.name]
    shown = [load_pem_private_key(path.read_bytes(), None).public_key() for path in files]
    assert files
    assert not [key for key in own if key in shown]


def test_a_client_without_keys_is_refused_by_name(site: sites.Site) -> None:
    """Nothing is signed for a client that has no key set."""
    with pytest.raises(Refusal) as refused:
        administrator.key(site.keys, site.client + 99, Use.SIG)

    assert (refused.value.code, str(site.client + 99) in refused.value.text("de")) == ("process.key_set_missing", True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("[network]", "[netz]"),
        lambda text: text.replace('management = "127.0.0.1:1001"', 'management = "here"'),
        lambda text: text.replace('directory = "keys"', "directory = 3"),
        lambda text: text.replace("gateway_total", "gatewaytotal"),
        lambda text: text.replace('bundle = "pki/chain.pem"', 'bundle = "pki/nothing.pem"'),
        lambda text: text + "]",
        lambda text: "",
    ],
)
def test_a_wrong_worker_configuration_is_refused(site: sites.Site, damage: Callable[[str], str]) -> None:
    """Missing sections, misspelt options, unreadable files: refused with the file's name before anything starts."""
    path = _worker(site)
    changed = damage(path.read_text())
    assert changed != path.read_text()
    path.write_text(changed)
    with pytest.raises(Refusal) as refused:
        WorkerConfig.load(path)

    assert refused.value.code == "installation.configuration"
    assert path.name in refused.value.text("en")


def test_orders_of_a_site_pass_the_forms_checks(site: sites.Site) -> None:
    """What the demonstration orders is what a client could have typed: every check digit right."""
    initial = initial_config(site.pki, management=NOWHERE, admin_service=NOWHERE, ntp=NOWHERE)
    made = [make_device(site.pki, device, initial, meters=2) for device in device_ids(5)]

    for device, fields in sites.orders(made, "Stadtwerk", "127.0.0.1:7711"):
        checked = process("commissioning").check(fields)
        assert (checked["gateway"], len(checked["malos"])) == (device, 2)


def test_files_of_a_site_are_toml(site: sites.Site) -> None:
    """What is written parses, patience included."""
    assert tomllib.loads(_worker(site).read_text())["patience"] == {"gateway": [1.0, 2.0], "gateway_total": 60.0}
