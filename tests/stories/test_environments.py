"""Nothing of the test system reaches what is live: real processes of both environments are held against each other."""

import http.client
import os
import re
import secrets
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import torwart_client as client
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import connections

from torwart.adapters.bus import NatsServer
from torwart.config import site as sites
from torwart.config.children import Family
from torwart.config.installation import django_setup
from torwart.services import client as clients
from torwart.services import interface
from torwart.sim.emt.files import EmtFiles
from torwart.sim.pki import Credential, TestPki, pki
from torwart.wire.certificate import Role, identify
from torwart.wire.peer_proof import prove

pytestmark = [pytest.mark.requirement("O-7"), pytest.mark.requirement("R-1")]
_SANDBOX_DEVICE = "EPPC0D60000001"


def told(environment: str, database: str = "", **more: str) -> dict[str, str]:
    """The environment variables of a process."""
    base = {name: value for name, value in os.environ.items() if not name.startswith("TORWART_")}
    given = {"TORWART_ENVIRONMENT": environment, "TORWART_SECRET_KEY": "only for tests", **more}
    return {**base, **given, **({"TORWART_DATABASE_URL": database} if database else {})}


def refused(variables: dict[str, str], *arguments: str | Path) -> str:
    """The code a ``torwart`` process refuses to start with."""
    command = [sys.executable, "-m", "torwart", *map(str, arguments)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (3, 4), (done.returncode, done.stdout, done.stderr)
    return re.findall(r"\[([a-z_.]+)\]", done.stderr)[-1]


@pytest.fixture(scope="module")
def databases(
    database_server: str, stage_database_apart: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """One database that a process of the test system has used first, and one that a live process has."""
    found, fresh = {}, psycopg.conninfo.conninfo_to_dict(stage_database_apart)["dbname"]
    with psycopg.connect(database_server.format("postgres"), autocommit=True) as connection:
        for environment in ("test", "live"):
            name = f"apart_{environment}_{os.getpid()}"
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {fresh}")
            found[environment] = database_server.format(name)
            state = tmp_path_factory.mktemp(environment)
            variables = told(environment, found[environment], TORWART_STATE=str(state))
            command = [sys.executable, "-m", "torwart", "migrate"]
            subprocess.run(command, env=variables, check=True, capture_output=True)
        yield found
        connections.close_all()
        for environment in found:
            connection.execute(f"DROP DATABASE apart_{environment}_{os.getpid()} WITH (FORCE)")


@pytest.fixture(scope="module")
def live_pki() -> TestPki:
    """A PKI whose root is named like the one of the live system."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pki, "_ROOT", "SM-Root.CA")
        patch.setattr(pki, "ORGANISATION", "SM-PKI-DE")
        return TestPki.create(datetime.now(UTC), name="Echt")


@pytest.fixture(scope="module")
def test_pki() -> TestPki:
    return TestPki.create(datetime.now(UTC))


def site(directory: Path, made: TestPki) -> sites.Site:
    """The files of an installation that trusts this PKI."""
    directory.mkdir(parents=True, exist_ok=True)
    key = directory / "keys.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(32))
    found = sites.Site(directory, made, "", ports={"MANAGEMENT": 1, "ADMIN-SERVICE": 1, "NTP": 1, "EMT-SERVICE": 1})
    made.write(found.pki_dir)
    sites.write_headend(found)
    return found


def worker(found: sites.Site, bus: str = "nats://127.0.0.1:1") -> Path:
    return sites.write_worker(found, bus=bus, ca_url="https://127.0.0.1:1", crl_url="http://127.0.0.1:1")


OTHER = {"test": "live", "live": "test"}


@pytest.mark.parametrize("environment", ["test", "live"])
@pytest.mark.parametrize(
    "arguments", [("migrate",), ("web", "--port", "0"), ("api", "--socket", "/tmp/nowhere.sock"), ("audit", "verify")]
)
def test_a_database_belongs_to_the_environment_that_used_it_first(
    databases: dict[str, str], environment: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """A process of the other environment refuses to start on it, whatever it is for."""
    variables = told(environment, databases[OTHER[environment]], TORWART_STATE=str(tmp_path))
    assert refused(variables, *arguments) == "environment.database"


def test_trust_anchors_are_of_the_own_environment(
    databases: dict[str, str], live_pki: TestPki, test_pki: TestPki, tmp_path: Path
) -> None:
    """Head-end and worker refuse roots of the SM-Test-PKI in live, and the live root in test."""
    made = {"live": live_pki, "test": test_pki}
    for environment in ("test", "live"):
        foreign = site(tmp_path / environment, made[OTHER[environment]])
        headend = sites.write_headend(foreign)
        variables = told(environment, databases[environment], TORWART_STATE=str(tmp_path / f"{environment}-state"))
        assert refused(variables, "headend", "--config", headend) == "environment.trust"
        assert refused(variables, "worker", "--config", worker(foreign)) == "environment.trust"


def test_keys_and_secrets_are_of_the_own_environment(
    databases: dict[str, str], live_pki: TestPki, test_pki: TestPki, tmp_path: Path
) -> None:
    """A key store and a state directory that one environment has used are refused by the other."""
    ours = site(tmp_path / "live", live_pki)
    (ours.directory / "keys").mkdir()
    (ours.directory / "keys" / "ENVIRONMENT").write_text("test\n")
    variables = told("live", databases["live"], TORWART_STATE=str(tmp_path / "state-live"))
    assert refused(variables, "worker", "--config", worker(ours)) == "environment.directory"

    state = tmp_path / "state-test"
    used = told("test", databases["test"], TORWART_STATE=str(state))
    program = "from torwart.config.installation import secret; print(secret('api').hex())"
    subprocess.run([sys.executable, "-c", program], env=used, check=True, capture_output=True)
    assert (state / "ENVIRONMENT").read_text() == "test\n"
    variables = told("live", databases["live"], TORWART_STATE=str(state))
    assert refused(variables, "api", "--socket", tmp_path / "api.sock") == "environment.directory"


@pytest.mark.parametrize("arguments", [("migrate",), ("web", "--port", "0"), ("api", "--socket", "/tmp/nowhere.sock")])
def test_live_is_no_sandbox(databases: dict[str, str], arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Asked to be one it refuses to start."""
    variables = told("live", databases["live"], TORWART_STATE=str(tmp_path), TORWART_SANDBOX="1")
    assert refused(variables, *arguments) == "environment.sandbox"


def test_the_sandbox_host_works_on_a_sandbox_only(
    databases: dict[str, str], test_pki: TestPki, live_pki: TestPki, tmp_path: Path
) -> None:
    """On a live database, in a live process, with live roots or where no sandbox is it refuses to start."""
    ours = site(tmp_path / "test", test_pki)
    config = sites.write_sandbox(ours)
    command = ("simulate", "sandbox", "--config", config)
    on, state = {"TORWART_SANDBOX": "1"}, {"TORWART_STATE": str(tmp_path / "state")}
    assert refused(told("test", databases["live"], **on, **state), *command) == "environment.database"
    assert refused(told("live", databases["live"], **on), *command) == "environment.sandbox"
    assert (
        refused(told("live", databases["live"], TORWART_STATE=str(tmp_path / "live-state")), *command) == "sandbox.live"
    )
    assert refused(told("test", databases["test"], **state), *command) == "sandbox.live"
    foreign = sites.write_sandbox(site(tmp_path / "live", live_pki))
    variables = told("test", databases["test"], **on, **state)
    assert refused(variables, "simulate", "sandbox", "--config", foreign) == "environment.trust"


def test_a_live_head_end_turns_sandbox_gateways_away(
    databases: dict[str, str], live_pki: TestPki, test_pki: TestPki, tmp_path: Path
) -> None:
    """In TLS, by an alert, whatever the service: the test PKI's certificates lead to nobody the live system trusts."""
    django_setup(databases["live"], migrated=False)
    ours = site(tmp_path, live_pki)
    config = sites.write_headend(ours, api=tmp_path / "nobody.sock")
    variables = told("live", databases["live"], TORWART_STATE=str(tmp_path / "state"))
    with running_bus() as bus:
        family = Family(tmp_path / "logs", variables)
        try:
            child = family.start("headend", "headend", "--config", str(config), "--bus", bus)
            ports = family.await_ready(child).facts["ports"]
            family.await_ready(family.start("worker", "worker", "--config", str(worker(ours, bus))))
            files = tmp_path / "own"
            wait_for(lambda: handshake(ports["EMT-API"], files, live_pki, live_pki, live_pki.emt.tls) == "")
            shown = {
                "MANAGEMENT": test_pki.operational_triple(_SANDBOX_DEVICE).tls,
                "ADMIN-SERVICE": test_pki.seal_triple(_SANDBOX_DEVICE).tls,
                "EMT-SERVICE": test_pki.emt.tls,
                "EMT-API": test_pki.emt.tls,
            }
            told_why = {
                service: handshake(ports[service], tmp_path / service, live_pki, test_pki, credential)
                for service, credential in shown.items()
            }
        finally:
            family.stop()
    assert all("alert unknown ca" in why for why in told_why.values()), told_why
    assert child.log.read_text().count("why=tls.unknown_ca") == len(shown)


def wait_for(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.3)


def handshake(port: int, files: Path, trusted: TestPki, issuer: TestPki, shown: Credential) -> str:
    """Why a TLS 1.2 handshake that shows this certificate does not come about, by Python's TLS; ``""``: it does."""
    made = EmtFiles.write(files, issuer, shown)
    made.root.write_bytes(trusted.root.certificate.public_bytes(Encoding.PEM))
    context = client.tls_context(certificate=made.chain, key=made.key, trust=made.root)
    context.check_hostname = False
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as plain:
            context.wrap_socket(plain, server_hostname="localhost").close()
    except (ssl.SSLError, ConnectionError) as error:
        return str(error)
    return ""


class running_bus:  # noqa: N801  reads as what it is
    """A NATS server while it lasts."""

    def __enter__(self) -> str:
        self._server = NatsServer()
        return self._server.url

    def __exit__(self, *_: object) -> None:
        self._server.stop()


def test_live_has_no_sandbox_addresses(databases: dict[str, str], live_pki: TestPki, tmp_path: Path) -> None:
    """They answer like any address there is not; and a proof made with the test system's secret proves nothing."""
    django_setup(databases["live"], migrated=False)
    mine = clients.create("Echte Stadtwerke", actor="test")
    name = identify(live_pki.emt.tls.certificate).common_name
    interface.couple(mine, name, software="S", software_version="1", actor="test")
    secret = secrets.token_bytes(32)
    variables = told("live", databases["live"], TORWART_STATE=str(tmp_path), TORWART_API_SECRET=secret.hex())
    path = tmp_path / "api.sock"
    family = Family(tmp_path / "logs", variables)
    try:
        family.await_ready(family.start("api", "api", "--socket", str(path)))
        certificate = live_pki.emt.tls.certificate_der
        unknown = called(path, secret, certificate, "GET", "/v1/nonsense/clock")
        assert unknown[0] == 404
        for method, where in (
            ("GET", "/v1/sandbox/clock"),
            ("POST", "/v1/sandbox/clock"),
            ("POST", "/v1/sandbox/gateways"),
            ("POST", "/v1/sandbox/reset"),
        ):
            status, body = called(path, secret, certificate, method, where)
            assert (status, body["code"]) == (404, unknown[1]["code"])
        assert called(path, secret, certificate, "GET", "/v1/capabilities")[1]["sandbox"] is None
        assert called(path, secrets.token_bytes(32), certificate, "GET", "/v1/capabilities")[0] == 401
    finally:
        family.stop()


def called(path: Path, secret: bytes, certificate: bytes, method: str, target: str) -> tuple[int, Any]:
    """One call over the unix socket, with the proof the front would add."""
    import json

    connection = http.client.HTTPConnection("localhost", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    headers = prove(secret, method=method, target=target, certificate=certificate, at=time.time())
    headers["Content-Type"] = "application/json"
    try:
        connection.request(method, target, b"{}" if method == "POST" else None, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_the_names_of_the_roots_tell(live_pki: TestPki, test_pki: TestPki) -> None:
    """Every authority and every end-user certificate of the test PKI bears its name (spec/04 §3.1)."""
    assert identify(test_pki.root.certificate).common_name == "SM-Test-Root.CA"
    shown = test_pki.operational_triple(_SANDBOX_DEVICE).tls.certificate
    assert identify(shown).organisation == "SM-Test-PKI-DE"
    assert identify(shown).role is Role.SMGW
    assert identify(live_pki.root.certificate).common_name == "SM-Root.CA"
