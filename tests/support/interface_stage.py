"""A small installation with the EMT–GWA interface: head-end with EMT-API, ``torwart api``, worker, webhooks."""

import http.client
import json
import os
import secrets
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from django.db import transaction
from staging import Scene, devices

from torwart.config import site as sites
from torwart.config.children import Child
from torwart.config.demo.stage import Stage
from torwart.services import client as clients
from torwart.services import interface
from torwart.sim.pki import Credential, TestPki
from torwart.store.models import Contact
from torwart.wire.certificate import identify

ENVIRONMENT = {
    "TORWART_WITHDRAWAL_SECONDS": "1",
    "TORWART_WEBHOOK_HOSTS": "localhost",
    "TORWART_API_CALLS": "100000",
    "TORWART_WEBHOOK_SECRET": secrets.token_hex(32),
}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class System:
    """A client's own system: Python's HTTP and TLS with an EMT certificate, one connection a call."""

    address: tuple[str, int]
    context: ssl.SSLContext

    def call(self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str) -> Answer:
        connection = http.client.HTTPSConnection(*self.address, context=self.context, timeout=60)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            given["Idempotency-Key"] = key
        if body is not None:
            given["Content-Type"] = "application/json"
        try:
            connection.request(method, path, None if body is None else json.dumps(body), given)
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, told, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Any:
        answer = self.call("GET", path, **headers)
        assert answer.status == 200, answer
        return answer.json()

    def order(self, process: str, fields: Any, *, key: str) -> Any:
        answer = self.call("POST", f"/v1/operations/{process}", fields, key=key)
        assert answer.status == 202, answer
        return answer.json()


def tls_context(directory: Path, pki: TestPki, shown: Credential, name: str = "emt") -> ssl.SSLContext:
    """TLS 1.2 with brainpool, showing ``shown`` and trusting the SM-PKI root; also written as PEM files."""
    chain, key, root = (directory / f"{name}.{part}" for part in ("chain.pem", "key.pem", "root.pem"))
    chain.write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in pki.chain_of(shown.certificate)[:2]))
    key.touch(mode=0o600)
    key.write_bytes(shown.key_pem)
    root.write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ecdh_curve("brainpoolP256r1")
    context.load_cert_chain(chain, key)
    context.load_verify_locations(root)
    context.check_hostname = False  # certificates of the SM-PKI name parties, not hosts
    return context


class InterfaceStage(Stage):
    """A stage whose head-end also has EMT-API, before a process of its own."""

    @property
    def socket(self) -> Path:
        return self.directory / "api.sock"

    def start_headend(self) -> None:
        config = sites.write_headend(self.site, ports=self.site.ports, api=self.socket)
        child = self.family.start("headend", "headend", "--config", str(config), "--bus", self.nats.url)
        self.family.await_ready(child)
        self.site.ports = dict(child.facts["ports"])

    def start_api(self, *options: str) -> Child:
        os.environ["TORWART_API_SECRET"] = (self.directory / "api.secret").read_text()
        child = self.family.start("api", "api", "--socket", str(self.socket), *options)
        return self.family.await_ready(child)


@dataclass
class Inbox:
    """Where webhooks come in; ``answers``: statuses for the next ones, then 204."""

    url: str
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def events(self, subject: str = "") -> list[dict[str, Any]]:
        found = [json.loads(body) for _, body in list(self.got)]
        return [event for event in found if not subject or event["subject"] == subject]


@contextmanager
def inbox() -> Iterator[Inbox]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(made.answers.pop(0) if made.answers else 204)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Inbox(f"http://localhost:{server.server_port}/hook")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


def orderable(client: int) -> None:
    """Two contacts with tested mail: without them a client orders nothing (P-3)."""
    for name in ("Erika", "Max"):
        Contact.objects.create(
            client_id=client,
            first_name=name,
            name="Muster",
            phone="+49 261 1",
            email=f"{name.lower()}@musterstadt.example",
            mail_state="tested",
        )
    with transaction.atomic():
        assert clients.activate_if_ready(client, now=datetime.now(UTC))


@contextmanager
def interface_scene(directory: Path, database: str, *, count: int, options: Sequence[str] = ()) -> Iterator[Scene]:
    """The whole of it, the site's EMT coupled as the client's own system; ``scene.system()`` is that system."""
    before = {name: os.environ.get(name) for name in (*ENVIRONMENT, "TORWART_API_SECRET")}
    os.environ.update(ENVIRONMENT)
    scene = Scene(directory, devices(count), database=database)
    worker = scene.stage.worker
    scene.stage = InterfaceStage(directory, scene.stage.parts, workers=1, worker=worker, database=database)
    try:
        scene.start()
        stage = scene.stage
        stage.start_api(*options)
        orderable(stage.site.client)
        name = identify(stage.site.pki.emt.tls.certificate).common_name
        interface.couple(stage.site.client, name, software="Testsystem", software_version="1.0", actor="test")
        yield scene
    finally:
        scene.stage.stop()
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def system(scene: Scene, credential: Credential | None = None, *, name: str = "emt") -> System:
    """The client's system, or whoever shows another certificate."""
    site = scene.stage.site
    context = tls_context(site.directory, site.pki, credential or site.pki.emt.tls, name)
    return System(("127.0.0.1", site.ports["EMT-API"]), context)
