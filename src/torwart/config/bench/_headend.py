"""What the benchmarks ``handshake`` and ``held`` share: a fleet's certificates, a head-end and an nginx as processes
of their own with the same chain and the same demands, and what the kernel says they used.
"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from torwart.adapters.bus import InProcessBus, NatsBus
from torwart.config.commands.headend import SystemClock, raise_open_files
from torwart.headend.config import HeadendConfig, Limits, Scenario
from torwart.headend.server import Headend
from torwart.ports.bus import Bus
from torwart.ports.gateway_link import SUBJECT_FACT, SUBJECT_POLICY, Answer, Command, Policy, command_subject
from torwart.sim.pki import TestPki
from torwart.wire.certificate import Use
from torwart.wire.tls import Credentials, Offer, TlsContext, client_context

REVOKED = 50_000
"""Serial numbers on the Sub-CA's list while we measure."""
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
TLS_1_2 = Offer(maximum="1.2", suites=("ECDHE-ECDSA-AES128-GCM-SHA256",), groups=("brainpoolP256r1",))

_NGINX_CONFIG = """
worker_processes 1; daemon off; pid {here}/nginx.pid; error_log {here}/error.log crit; user root;
events {{ worker_connections 20000; }}
http {{
  access_log off; client_header_timeout 600s; keepalive_timeout 600s;
  client_body_temp_path {here}; proxy_temp_path {here}; fastcgi_temp_path {here}; uwsgi_temp_path {here};
  scgi_temp_path {here};
  server {{
    listen 127.0.0.1:{port} ssl backlog=4096;
    ssl_certificate {here}/chain.pem; ssl_certificate_key {here}/key.pem;
    ssl_client_certificate {here}/trust.pem; ssl_verify_client on; ssl_verify_depth 3;
    ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256; ssl_ecdh_curve brainpoolP256r1;
    ssl_session_cache off; ssl_session_tickets off;
    return 204;
  }}
}}
"""


class Fleet:
    """A test PKI and the TLS contexts of ``count`` gateways; they share one key pair, their certificates differ."""

    def __init__(self, count: int) -> None:
        self.pki = pki = TestPki.create(datetime.now(UTC))
        self.devices = [f"EPPC02{number:08d}" for number in range(count)]
        first = pki.operational_triple(self.devices[0])
        keys = {use: first.of(use).key.public_key() for use in (Use.TLS, Use.SIG, Use.ENC)}
        self.key = first.tls.key
        self.certificates = [
            pki.operational_triple(device, public_keys=keys).tls.certificate_der for device in self.devices
        ]
        self.sub_ca = pki.sub_ca.credential.certificate_der

    def context(self, index: int) -> TlsContext:
        mine = Credentials((self.certificates[index], self.sub_ca), self.key)
        trust = [c.public_bytes(Encoding.DER) for c in self.pki.trust_chain]
        return client_context(mine, trust, lambda chain: None, offer=TLS_1_2)

    def policy(self) -> Policy:
        issuer = self.pki.sub_ca.certificate.subject.rfc4514_string()
        return Policy(version=1, revoked={issuer: [f"{n:x}" for n in range(REVOKED)]}, commissioning=[])

    def write(self, here: Path) -> None:
        """The server's side as PEM files."""
        pki = self.pki
        (here / "chain.pem").write_bytes(pki.gwa.tls.certificate_pem + pki.sub_ca.credential.certificate_pem)
        (here / "key.pem").write_bytes(pki.gwa.tls.key_pem)
        (here / "root.pem").write_bytes(pki.root.credential.certificate_pem)
        (here / "sub.pem").write_bytes(pki.sub_ca.credential.certificate_pem)
        (here / "trust.pem").write_bytes((here / "root.pem").read_bytes() + (here / "sub.pem").read_bytes())

    def write_callers(self, here: Path) -> None:
        """The gateways' side: one key, their certificates after each other, authorities."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (here / "key.pem").write_bytes(key)
        (here / "gateways.json").write_text(json.dumps([der.hex() for der in self.certificates]))
        (here / "authorities.json").write_text(
            json.dumps([c.public_bytes(Encoding.DER).hex() for c in self.pki.trust_chain[:2]])
        )


@dataclass
class Server:
    """A running server: the process that serves, and where. ``ask`` speaks to a head-end's control line."""

    pid: int
    port: int
    process: "subprocess.Popen[str]"

    def ask(self, question: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def cpu_seconds(self) -> float:
        """User and system time of the process, all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_kib(self) -> int:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024


@contextlib.contextmanager
def headend(fleet: Fleet, *, bus: str = "") -> Iterator[Server]:
    """A head-end process with an in-process bus and a worker that stores nothing; with ``bus`` over NATS."""
    with tempfile.TemporaryDirectory(prefix="torwart-bench-") as directory:
        here = Path(directory)
        fleet.write(here)
        (here / "policy").write_bytes(fleet.policy().encode())
        command = [sys.executable, "-m", "torwart.config.bench._headend", directory, bus]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            yield Server(process.pid, port, process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(30)


@contextlib.contextmanager
def nginx(fleet: Fleet) -> Iterator[Server]:
    """nginx with one worker, the same chain, suite and curve, and verification of the client up to the root."""
    assert NGINX is not None
    with tempfile.TemporaryDirectory(prefix="torwart-bench-") as directory:
        here = Path(directory)
        fleet.write(here)
        port = _free_port()
        (here / "nginx.conf").write_text(_NGINX_CONFIG.format(here=here, port=port))
        process = subprocess.Popen(
            [NGINX, "-p", directory, "-c", str(here / "nginx.conf")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield Server(_only_child(process.pid), port, process)
        finally:
            process.terminate()
            process.wait(30)


@contextlib.contextmanager
def callers(fleet: Fleet, server: Server) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds a connection of every gateway of the fleet; yielded once all are held."""
    with tempfile.TemporaryDirectory(prefix="torwart-bench-") as directory:
        fleet.write_callers(Path(directory))
        command = [sys.executable, "-m", "torwart.config.bench._callers", directory, str(server.port)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if process.stdout.readline().strip() != "held":
                raise RuntimeError("the callers were not let in")
            yield process
        finally:
            process.stdin.close()
            process.wait(60)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _only_child(pid: int) -> int:
    """The worker of an nginx master, once it is there."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.02)
    raise RuntimeError("nginx has no worker")


# --- the head-end's process ------------------------------------------------------------------------------------


async def _serve(here: Path, bus_url: str) -> None:
    """Serve until standard input ends; each line ``command`` sends one command to every device of the fleet."""
    bus: Bus = await NatsBus.connect(bus_url) if bus_url else InProcessBus()
    policy = (here / "policy").read_bytes()

    async def answer_policy(subject: str, payload: bytes) -> bytes:
        return policy

    async def store(subject: str, payload: bytes) -> bytes:
        return b"ok"

    await bus.subscribe(SUBJECT_POLICY, answer_policy)
    await bus.subscribe(SUBJECT_FACT, store)
    server = Headend(_config(here), bus, SystemClock())
    await server.start()
    await server.ready.wait()
    print(server.ports[Scenario.MANAGEMENT], flush=True)
    while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
        print(await _control(server, bus, line), flush=True)
    await server.drain()
    await bus.close()


async def _control(server: Headend, bus: Bus, line: str) -> str:
    devices = [s.peer.device for s in server.station.sessions if s.peer is not None and s.is_open]
    if line == "open":
        return str(len(devices))
    command = Command("GET", "/cosem", timeout=60).encode()

    async def one(device: str) -> bool:
        return Answer.decode(await bus.request(command_subject(device), command, timeout=90)).status == 200

    return str(sum(await asyncio.gather(*(one(device) for device in devices))))


def _config(here: Path) -> HeadendConfig:
    def read(name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate((here / name).read_bytes())

    credentials = Credentials.from_pem((here / "chain.pem").read_bytes(), (here / "key.pem").read_bytes())
    return unlimited(credentials, read("root.pem"), read("sub.pem"))


def unlimited(credentials: Credentials, root: x509.Certificate, sub_ca: x509.Certificate) -> HeadendConfig:
    """A head-end that turns nobody away: the load comes from one address and few devices."""
    rates = Limits(certificate_rate=1e6, certificate_burst=10**6, address_rate=1e6, address_burst=10**6)
    return HeadendConfig.of(
        credentials=credentials,
        root=root,
        sub_cas=[sub_ca],
        seal_cas=[],
        listeners={Scenario.MANAGEMENT: ("127.0.0.1", 0)},
        limits=replace(rates, drain_seconds=1),
        offer=TLS_1_2,
    )


if __name__ == "__main__":
    raise_open_files()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(Path(sys.argv[1]), sys.argv[2]))
