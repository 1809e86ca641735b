"""Webhooks: signed, in order, with patience, never into our own networks (spec/07 point 5)."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from clientele import DEVICE, Clientele, clientele
from django.db import OperationalError
from django.test import override_settings

from torwart.adapters.webhook_out import WebhookCaller, WebhookSender
from torwart.kernel.refusals import Refusal
from torwart.processes import ordering
from torwart.services import interface
from torwart.services import order as orders
from torwart.services import webhook as webhooks
from torwart.store.models import Delivery
from torwart.store.queries import webhook as queries
from torwart.wire.webhook import verify

SECRET = bytes(range(32, 64))
RULES = override_settings(TORWART_WEBHOOK_SECRET=SECRET, TORWART_WEBHOOK_HOSTS=["localhost"])


@dataclass
class Receiver:
    """An endpoint: keeps what comes, answers as told."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    location: str = ""
    trickle: float = 0.0

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = made.answers.pop(0) if made.answers else 204
            self.send_response(status)
            if made.location:
                self.send_header("Location", made.location)
            self.end_headers()
            if made.trickle:
                for _ in range(100):
                    self.wfile.write(b"x")
                    time.sleep(made.trickle)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://localhost:{server.server_port}/hook?x=1"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def world(own_database: str) -> Iterator[Clientele]:
    with RULES:
        made = clientele()
        interface.couple(made.client.pk, "X.EMT", software="", software_version="", actor="test")
        yield made


def place(world: Clientele, now: datetime | None = None, engine: Any = None) -> str:
    from torwart.adapters.engine import AbsurdEngine

    fields = {"gateway": DEVICE, "reason": ""}
    orderer, now = world.orderer, now or datetime.now(UTC)
    return ordering.place(engine or AbsurdEngine(), "wake_up", fields, orderer=orderer, now=now)


def withdraw(world: Clientele, number: str) -> None:
    from torwart.adapters.engine import AbsurdEngine

    orders.withdraw(AbsurdEngine(), number, client=world.client.pk, actor="user:x", now=datetime.now(UTC))


def sender(threads: int = 4) -> WebhookSender:
    return WebhookSender(WebhookCaller(["localhost"]), SECRET, "https://torwart.example/v1", threads=threads)


def add(world: Clientele, url: str) -> str:
    row = webhooks.add(world.client.pk, url, actor="test", now=datetime.now(UTC))
    return str(row.webhook_id)


def test_a_delivery_is_signed_and_the_receiver_can_tell(world: Clientele, receiver: Receiver) -> None:
    """CloudEvent, three headers; our public key verifies it, a changed body, key or time does not."""
    hook = add(world, receiver.url)
    number = place(world)
    sender().work(until_idle=True)
    headers, body = receiver.got[0]
    publics = [key["public"] for key in queries.webhooks(world.client.pk)[0].keys]

    assert receiver.events()[0]["subject"] == number
    assert receiver.events()[0]["type"] == "de.torwart.operation.submitted"
    assert headers["webhook-id"] == receiver.events()[0]["id"]
    now = time.time()
    assert verify(headers, body, publics, now=now)
    assert not verify(headers, body + b" ", publics, now=now)
    assert not verify(headers, body, [publics[0][:-4] + "AAA="], now=now)
    assert not verify(headers, body, publics, now=now + 400)
    assert [line.state for line in queries.deliveries(world.client.pk, hook)] == ["delivered"]


@pytest.mark.requirement("O-8")
def test_events_of_an_order_arrive_in_their_order(world: Clientele, receiver: Receiver) -> None:
    """While the first is refused the second waits; another order's goes on."""
    add(world, receiver.url)
    receiver.answers = [500]
    number = place(world)
    withdraw(world, number)
    sender().work(until_idle=True)
    assert [event["type"].rpartition(".")[2] for event in receiver.events()] == ["submitted"]

    Delivery.objects.filter(state="pending").update(next_attempt_at=datetime.now(UTC))
    sender().work(until_idle=True)
    states = [event["type"].rpartition(".")[2] for event in receiver.events()]
    assert states == ["submitted", "submitted", "withdrawn"]
    first, second = receiver.events()[:2]
    assert first == second, "a repeat is the same event with the same id"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 500, 503])
def test_whatever_is_not_2xx_is_tried_again(world: Clientele, receiver: Receiver, status: int) -> None:
    """Redirects are not followed: they are answers like any other."""
    hook = add(world, receiver.url)
    receiver.answers, receiver.location = [status], "http://169.254.169.254/latest"
    place(world)
    sender().work(until_idle=True)
    line = queries.deliveries(world.client.pk, hook)[0]

    assert (line.state, line.attempts[0].status) == ("pending", status)
    assert line.next_attempt_at > datetime.now(UTC)
    assert len(receiver.got) == 1


def test_after_three_days_a_delivery_is_dead_and_can_be_sent_again(world: Clientele, receiver: Receiver) -> None:
    """A day of downtime loses nothing; what is given up is visible, and resending brings it."""
    hook = add(world, receiver.url)
    receiver.answers = [503] * 100
    place(world)
    now = datetime.now(UTC)
    tries = 0
    while due := webhooks.due(now):
        tries += 1
        for each in due:
            webhooks.told(each.delivery, status=503, why="", answer="", milliseconds=1, now=now)
        following = Delivery.objects.filter(state="pending").values_list("next_attempt_at", flat=True).first()
        now = following or now
    spent = now - datetime.now(UTC)

    assert timedelta(days=2, hours=12) < spent <= timedelta(days=3)
    assert 10 < tries < 40
    assert queries.webhooks(world.client.pk)[0].dead == 1
    receiver.answers = []
    assert webhooks.resend(world.client.pk, hook, None, actor="test", now=datetime.now(UTC)) == 1
    sender().work(until_idle=True)
    assert queries.deliveries(world.client.pk, hook)[0].state == "delivered"


def test_gone_is_believed_at_once(world: Clientele, receiver: Receiver) -> None:
    """410: nobody is there any more."""
    hook = add(world, receiver.url)
    receiver.answers = [410]
    place(world)
    sender().work(until_idle=True)
    assert queries.deliveries(world.client.pk, hook)[0].state == "dead"


def test_a_rotated_key_signs_beside_the_one_before_for_a_week(world: Clientele, receiver: Receiver) -> None:
    """Receivers with either key can verify; after the week only the new one signs."""
    hook = add(world, receiver.url)
    old = queries.webhooks(world.client.pk)[0].keys[0]["public"]
    webhooks.rotate(world.client.pk, hook, actor="test", now=datetime.now(UTC))
    new = queries.webhooks(world.client.pk)[0].keys[0]["public"]
    place(world)
    sender().work(until_idle=True)
    headers, body = receiver.got[0]
    now = time.time()

    assert old != new
    assert verify(headers, body, [old], now=now)
    assert verify(headers, body, [new], now=now)
    webhooks.test(world.client.pk, hook, actor="test", now=datetime.now(UTC))
    late = webhooks.due(datetime.now(UTC) + webhooks.OVERLAP + timedelta(seconds=1))
    assert len(late[0].keys) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://10.1.2.3/",
        "https://192.168.1.1/",
        "https://172.16.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://[fec0::1]/",
        "https://[::7f00:1]/",
        "https://[2001:0:7f00:1::80ff:fffe]/",
        "https://[64:ff9b:1::7f00:1]/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://localhost./",
        "https://127.0.0.1.:443/",
        "https://224.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://no-such-host.invalid/",
    ],
)
def test_nothing_inside_is_ever_called(url: str) -> None:
    """Private, loopback, link-local, multicast, carrier and mapped addresses, however they are spelled."""
    told = WebhookCaller().post(url, b"{}", {})

    assert told.status is None
    assert told.why.startswith("webhook.address"), told.why


def test_a_name_is_asked_once_and_one_address_inside_spoils_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever changes what a name means between check and call gains nothing: what was checked is what is called."""
    asked: list[str] = []
    told = {"rebind.example": [["192.0.43.10"], ["127.0.0.1"]], "mixed.example": [["192.0.43.10", "10.0.0.1"]]}
    real = socket.getaddrinfo

    def answer(host: str, port: int, *more: Any, **others: Any) -> Any:
        if host not in told:
            return real(host, port, *more, **others)
        asked.append(host)
        addresses = told[host].pop(0) if len(told[host]) > 1 else told[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    reached: list[str] = []

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        reached.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    monkeypatch.setattr(socket, "create_connection", connect)
    assert WebhookCaller().post("https://rebind.example/", b"{}", {}).status is None
    assert WebhookCaller().post("https://mixed.example/", b"{}", {}).why.startswith("webhook.address")
    assert (asked, reached) == (["rebind.example", "mixed.example"], ["192.0.43.10"])


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https://user:secret@example.org/",
        "https://example.org/#x",
        "https:///x",
        "https://①②⑦.0.0.1/",
        "https://exa mple.org/",
        "https://example.org/\r\nX: y",
        "javascript:alert(1)",
        "https://example.org:99999/",
        "http://localhost:1/",
    ],
)
def test_an_address_that_cannot_be_a_target_is_refused_when_it_is_set_up(world: Clientele, url: str) -> None:
    """Only https to a name, unless the installation allows the host by name."""
    with override_settings(TORWART_WEBHOOK_HOSTS=[]), pytest.raises(Refusal) as refused:
        add(world, url)
    assert refused.value.code == "webhook.url"


def test_a_receiver_that_trickles_does_not_hold_a_sender(
    world: Clientele, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call has an end, however slowly the answer comes."""
    monkeypatch.setattr("torwart.adapters.webhook_out.SECONDS", 0.5)
    receiver.trickle = 0.2
    began = time.monotonic()
    WebhookCaller(["localhost"]).post(receiver.url, b"{}", {})

    assert time.monotonic() - began < 5


@pytest.mark.requirement("P-1")
def test_a_slow_endpoint_holds_up_nobody_else(world: Clientele, receiver: Receiver) -> None:
    """However much waits for it, it gets a quarter of the threads; other endpoints are served meanwhile (P-1)."""
    slow = socket.create_server(("127.0.0.1", 0))  # takes connections, never answers
    add(world, f"http://localhost:{slow.getsockname()[1]}/")
    add(world, receiver.url)
    numbers = [place(world)]
    for _ in range(5):
        withdraw(world, numbers[-1])
        numbers.append(place(world))
    working = sender(threads=4)
    thread = threading.Thread(target=working.work, kwargs={"pause": 0.05}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 5
    while len(receiver.got) < 11 and time.monotonic() < deadline:
        time.sleep(0.05)
    working.stop()
    slow.close()

    assert len(receiver.got) == 11
    thread.join(25)


def test_a_sender_goes_on_after_the_database_was_away(world: Clientele, receiver: Receiver) -> None:
    """A lost connection is logged and looked at again; what is due is delivered then."""
    from django.db import connection

    add(world, receiver.url)
    place(world)
    working = sender()
    claim, failures = webhooks.due, [OperationalError("server closed the connection")]

    def due(*given: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop()
        return claim(*given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(webhooks, "due", due)
        thread = threading.Thread(target=working.work, kwargs={"pause": 0.05}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 5
        while not receiver.got and time.monotonic() < deadline:
            time.sleep(0.05)
        working.stop()
        thread.join(5)

    assert connection.ensure_connection() is None
    assert len(receiver.got) == 1


def test_a_certificate_nobody_vouches_for_is_no_answer(tmp_path: Any, openssl: Any) -> None:
    """TLS to the endpoint is verified; a self-signed one is told as unreachable."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        url = f"https://localhost:{server.server_port}/"
        untrusted = WebhookCaller(["localhost"]).post(url, b"{}", {})
        trusted = WebhookCaller(["localhost"], ssl.create_default_context(cafile=certificate)).post(url, b"{}", {})
    finally:
        server.shutdown()
        server.server_close()

    assert untrusted.status is None
    assert "certificate verify failed" in untrusted.why
    assert trusted.status == 501


@pytest.mark.requirement("P-1")
def test_a_client_sees_and_touches_only_its_own_webhooks(world: Clientele, receiver: Receiver) -> None:
    """Another client's endpoint does not exist for it (P-1)."""
    hook = add(world, receiver.url)
    other = clientele("Andernort", gateway="EPPC0200000777", code="").client.pk
    assert queries.webhook(other, hook) is None
    assert queries.deliveries(other, hook) == []
    for verb in (
        lambda: webhooks.rotate(other, hook, actor="x", now=datetime.now(UTC)),
        lambda: webhooks.remove(other, hook, actor="x", now=datetime.now(UTC)),
        lambda: webhooks.resend(other, hook, None, actor="x", now=datetime.now(UTC)),
        lambda: webhooks.test(other, hook, actor="x", now=datetime.now(UTC)),
    ):
        with pytest.raises(Refusal) as refused:
            verb()
        assert refused.value.code == "webhook.unknown"


def test_two_senders_deliver_each_event_once(world: Clientele, receiver: Receiver) -> None:
    """Senders share the work; a claim keeps the other away."""
    from torwart.store.models import Gateway

    add(world, receiver.url)
    for number in range(12):
        device = f"EPPC02000002{number:02d}"
        Gateway.objects.create(device_id=device, client=world.client, state="operational")
        from torwart.adapters.engine import AbsurdEngine

        ordering.place(AbsurdEngine(), "wake_up", {"gateway": device}, orderer=world.orderer, now=datetime.now(UTC))
    both = [threading.Thread(target=sender(3).work, kwargs={"until_idle": True}) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(20)

    ids = [event["id"] for event in receiver.events()]
    assert len(ids) == len(set(ids)) == 12
