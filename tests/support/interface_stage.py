"""A small installation with the EMT–GWA interface: head-end with EMT-API, ``torwart api``, worker, webhooks."""

import http.client
import json
import os
import secrets
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from staging import Scene, devices

from torwart.config.demo.scenario import Part
from torwart.services import client as clients
from torwart.services import interface
from torwart.sim.emt.files import EmtFiles
from torwart.sim.emt.hooks import HookServer
from torwart.sim.pki import Credential, TestPki
from torwart.store.models import Contact
from torwart.wire.certificate import identify

ENVIRONMENT = {
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
    """TLS as a client's system speaks it, showing ``shown``; its files lie under ``directory`` by ``name``."""
    return EmtFiles.write(directory / name, pki, shown).context()


@contextmanager
def inbox() -> Iterator[HookServer]:
    """Where webhooks come in; nothing is verified until it knows keys."""
    server = HookServer().start()
    try:
        yield server
    finally:
        server.stop()


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
def interface_scene(
    directory: Path, database: str, *, count: int = 0, parts: Sequence[Part] = (), grace: float = 1, **stage: Any
) -> Iterator[Scene]:
    """The whole of it with ``count`` gateways that behave well, or ``parts``; the site's EMT coupled as the client's
    own system, which ``system(scene)`` is. ``grace``: seconds an order can be withdrawn.
    """
    told = {**ENVIRONMENT, "TORWART_WITHDRAWAL_SECONDS": str(grace)}
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    scene = Scene(directory, parts or devices(count), database=database, api=True, **stage)
    try:
        scene.start()
        site = scene.stage.site
        orderable(site.client)
        name = identify(site.pki.emt.tls.certificate).common_name
        interface.couple(site.client, name, software="Testsystem", software_version="1.0", actor="test")
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
