"""Benchmark ``api``: orders accepted over the EMT–GWA interface against ``pgbench`` running the same statements.

``torwart api`` is a process of its own, called on its unix socket as the head-end calls it (proof on every request).
The floor's script is what one accepted order has written, recorded: every INSERT of the
order's transaction and of the interface log, with fresh identifiers.
"""

import http.client
import itertools
import json
import os
import re
import secrets
import socket
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import ClientCursor

from torwart.config.bench.harness import Result, at_least, at_most
from torwart.config.bench.runs import pgbench, server
from torwart.config.children import Family

CLIENTS, WORKERS, ROUNDS = 8, 2, 5
SECONDS = 4.0
GATEWAYS = 40_000
"""For the case: ids from 1."""
_OWN, _FLOOR, _EACH = 199_999, 200_000, 25_000
"""The gateway of the recorded order; for the floor: the first id, and how many each client has."""
_ANSWER = 1200
PATH = "/v1/operations/connectivity-test"


def run() -> list[Result]:
    """Accepted orders per second against the floor, and how even the answers come at half that load."""
    with server() as url, _interface(url) as interface:
        script = interface.script()
        floors, cases = [], []
        for number in range(ROUNDS + 1):  # the first is the warm-up
            cases.append(interface.flood(SECONDS))
            floors.append(_floor(url, script, number * _EACH // (ROUNDS + 1)))
        half = statistics.median(cases[1:]) / 2
        times = sorted(itertools.chain.from_iterable(interface.paced(half, SECONDS * 2)))
    p99, median = times[int(len(times) * 0.99)], statistics.median(times)
    return [
        at_least(
            "api",
            f"orders accepted, {CLIENTS} clients, {WORKERS} processes",
            unit="orders/s",
            cases=cases[1:],
            floors=floors[1:],
            floor_what=f"transactions/s of pgbench with the same inserts, {CLIENTS} clients",
            least=0.3,
        ),
        at_most(
            "api",
            f"p99 of an answer at half load ({half:.0f}/s)",
            unit="ms",
            cases=[p99 * 1000],
            floors=[median * 1000],
            floor_what="median in ms",
            most=5,
        ),
    ]


def _floor(url: str, script: Path, first: int) -> float:
    """Each client goes on behind ``first`` of its gateways."""
    arguments = ("-n", "-f", str(script), "-T", str(int(SECONDS)), "-c", str(CLIENTS), "-j", "2", "-D", f"i={first}")
    said = pgbench(url, *arguments)
    return float(next(line for line in said.splitlines() if line.startswith("tps")).split()[2])


class _Interface:
    """A client's system before the process, with gateways enough that each is ordered for once."""

    def __init__(self, socket_path: Path, certificate: bytes, secret: bytes, client: int, directory: Path) -> None:
        self._socket, self._certificate, self._secret = socket_path, certificate, secret
        self._client, self._directory = client, directory
        self._numbers = itertools.count(1)

    def flood(self, seconds: float) -> float:
        """Orders accepted per second with all clients asking as fast as they are answered."""
        began = time.monotonic()
        counts = self._each(lambda caller: sum(1 for _ in caller.until(began + seconds)))
        accepted: int = sum(counts)
        return accepted / (time.monotonic() - began)

    def paced(self, rate: float, seconds: float) -> list[list[float]]:
        """Seconds of each answer, measured from when it should have been asked, at ``rate`` orders per second; the
        clients ask in turn.
        """
        began, pause = time.monotonic() + 0.1, CLIENTS / rate
        count = int(seconds / pause)
        return self._each(lambda caller: list(caller.every(pause, began + caller.number / rate, count)))

    def _each(self, work: Any) -> list[Any]:
        found: list[Any] = [None] * CLIENTS

        def go(number: int) -> None:
            caller = _Caller(self, number)
            found[number] = work(caller)
            caller.close()

        threads = [threading.Thread(target=go, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    def request(self) -> bytes:
        """One order for a gateway nobody has asked for yet."""
        from torwart.wire.peer_proof import prove

        body = json.dumps({"gateway": _device(next(self._numbers)), "reason": "bench"}).encode()
        now = time.time()
        proof = prove(self._secret, method="POST", target=PATH, certificate=self._certificate, at=now)
        lines = [f"POST {PATH} HTTP/1.1", "Host: emt-api", "Content-Type: application/json"]
        lines += [f"Idempotency-Key: {secrets.token_hex(12)}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in proof.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def script(self) -> Path:
        """What one order writes, as a script for pgbench."""
        path = self._directory / "floor.sql"
        path.write_text(_script(self._client))
        path.chmod(0o644)
        return path


class _Caller:
    """One connection of the front to the process."""

    def __init__(self, interface: _Interface, number: int) -> None:
        self._interface, self.number = interface, number
        self._socket = self._connected()

    def _connected(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.connect(str(self._interface._socket))
        return made

    def until(self, end: float) -> Iterator[None]:
        while time.monotonic() < end:
            self._order()
            yield

    def every(self, pause: float, began: float, count: int) -> Iterator[float]:
        for number in range(count):
            due = began + number * pause
            time.sleep(max(0.0, due - time.monotonic()))
            self._order()
            yield time.monotonic() - due

    def close(self) -> None:
        self._socket.close()

    def _order(self) -> None:
        self._socket.sendall(self._interface.request())
        response = http.client.HTTPResponse(self._socket)
        response.begin()
        body = response.read()
        if response.status != 202:
            raise RuntimeError(f"{response.status} {body[:500]!r}")


@contextmanager
def _interface(url: str) -> Iterator[_Interface]:
    from cryptography.hazmat.primitives.serialization import Encoding

    from torwart.services import interface
    from torwart.sim.pki import TestPki
    from torwart.store.models import Client, Contact, Gateway, MarketParticipant
    from torwart.wire.certificate import identify

    certificate = TestPki.create(datetime.now(UTC)).emt.tls.certificate
    client = Client.objects.create(name="Bench", state="active")
    MarketParticipant.objects.create(client=client, code="9905048000007", name="Bench")
    for name in ("Erika", "Max"):
        person = {"first_name": name, "name": "Muster", "phone": "+49 261 1", "mail_state": "tested"}
        Contact.objects.create(client=client, email=f"{name.lower()}@bench.example", **person)
    Gateway.objects.create(pk=_OWN, device_id=_device(_OWN), client=client, state="operational")
    _copy_gateway(1, GATEWAYS, 0)
    _copy_gateway(_FLOOR, _FLOOR + CLIENTS * _EACH, 1_000_000)
    name = identify(certificate).common_name
    interface.couple(client.pk, name, software="bench", software_version="1", actor="bench")
    secret = secrets.token_bytes(32)
    told = {
        "TORWART_DATABASE_URL": url,
        "TORWART_API_SECRET": secret.hex(),
        "TORWART_WEBHOOK_SECRET": secrets.token_hex(32),
        "TORWART_API_CALLS": str(10**9),
        "TORWART_SECRET_KEY": secrets.token_hex(16),
        "DJANGO_SETTINGS_MODULE": "",
    }
    with tempfile.TemporaryDirectory(prefix="torwart-bench-") as directory:
        os.chmod(directory, 0o755)  # noqa: S103  pgbench may run as another user
        family = Family(Path(directory), told)
        path = Path(directory) / "api.sock"
        child = family.start("api", "api", "--socket", str(path), "--workers", str(WORKERS), "--no-webhooks")
        try:
            family.await_ready(child)
            der = certificate.public_bytes(Encoding.DER)
            yield _Interface(path, der, secret, client.pk, Path(directory))
        finally:
            family.stop()


def _copy_gateway(first: int, last: int, offset: int) -> None:
    """Gateways like the one there is, with the ids ``first`` to ``last``."""
    from django.db import connection

    from torwart.store.models import Gateway

    others = [f.column for f in Gateway._meta.concrete_fields if f.column not in ("id", "device_id")]
    columns = ", ".join(f'"{name}"' for name in others)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO store_gateway (id, device_id, {columns}) "  # noqa: S608  our own names
            f"SELECT n, 'EPPC02' || lpad((n + %s)::text, 8, '0'), {columns} "
            "FROM store_gateway, generate_series(%s, %s) AS n WHERE id = %s",
            [offset, first, last, _OWN],
        )


def _device(number: int) -> str:
    return f"EPPC02{number:08d}"


# --- the floor --------------------------------------------------------------------------------------------------------

_UUID = re.compile(r"\b([0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{6})[0-9a-f]{6}\b")


def _script(client: int) -> str:
    """Place one order in this process, take what it writes, and give each repetition identifiers of its own.

    ``:g`` has six digits and is another one each time: it ends order number, keys and UUIDs, and is the gateway's id.
    """
    from django.db import connection, transaction

    from torwart.adapters.engine import AbsurdEngine
    from torwart.processes import ordering
    from torwart.processes.ordering import Orderer
    from torwart.services import interface
    from torwart.services.interface import Answer
    from torwart.store.models import Coupling, MailOut

    taken: list[str] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if re.search(r"\bINSERT\b|absurd\.", sql):
            taken.append(ClientCursor(connection.connection).mogrify(sql, params).strip().rstrip(";") + ";")
        return execute(sql, params, many, context)

    now, number = datetime.now(UTC), ""
    orderer = Orderer(client, None, "bench", "interface:bench", "interface")
    fields = {"gateway": _device(_OWN), "reason": "bench"}

    def place() -> Answer:
        nonlocal number
        number = ordering.place(AbsurdEngine(), "connectivity_test", fields, orderer=orderer, now=now)
        return Answer(202, json.dumps({"id": number, "filled": "x" * _ANSWER}), f"/v1/operations/{number}")

    with connection.execute_wrapper(keep):
        with transaction.atomic():
            interface.once(client, f"bench-{_OWN}", "0" * 64, place, now=now)
        written = len(taken)
        coupling = Coupling.objects.get(client=client)
        caller = interface.Peer(client, "Bench", coupling.pk, coupling.common_name, "", "")
        interface.log(
            caller,
            request_id=uuid.uuid4(),
            at=now,
            method="POST",
            path=PATH,
            key=f"bench-{_OWN}",
            status=202,
            code="",
            milliseconds=1,
            asked="x" * 60,
            answered="x" * _ANSWER,
        )
    mails = [
        str(each) for each in MailOut.objects.filter(ticket__order__number=number).values_list("message_id", flat=True)
    ]
    digits = number.removeprefix("A-")
    sql = ["BEGIN;", *taken[:written], "COMMIT;", *taken[written:]]
    text = "\n".join(sql)
    for mail in map(str, mails):
        text = text.replace(mail, f"{mail[:-1]}:g{mail[-1]}")
    text = _UUID.sub(r"\1:g", text).replace(digits, ":g")
    text = re.sub(rf"(?<![0-9]){_OWN}(?![0-9])", ":g", text)
    return f"\\set i :i + 1\n\\set g {_FLOOR} + :client_id * {_EACH} + :i\n{text}\n"
