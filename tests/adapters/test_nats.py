"""Our client of the NATS protocol: what it reads and writes, how it shows who it is, over TLS and without."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from torwart.adapters.bus import NatsBus, NatsServer
from torwart.adapters.bus import nats_wire as wire
from torwart.kernel.refusals import Refusal

SAID = (
    b'INFO {"headers":true}\r\n+OK\r\nPING\r\nPONG\r\n'
    b"MSG gw.a.cmd 7 _INBOX.1.2 6\r\na\r\nb\0c\r\n"
    b"MSG quiet 8 0\r\n\r\n"
    b"HMSG _INBOX.1.3 0 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"
    b"-ERR 'Authorization Violation'\r\n"
)
READ = [
    wire.Info({"headers": True}),
    wire.Ping(),
    wire.Pong(),
    wire.Message("gw.a.cmd", 7, "_INBOX.1.2", b"", b"a\r\nb\0c"),
    wire.Message("quiet", 8, "", b"", b""),
    wire.Message("_INBOX.1.3", 0, "", b"NATS/1.0 503\r\n\r\n", b""),
    wire.Failed("Authorization Violation"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1000])
def test_what_a_server_says_is_read_however_it_is_cut(size: int) -> None:
    """TCP knows no messages: every cut gives the same."""
    reader = wire.Reader()
    found = [said for at in range(0, len(SAID), size) for said in reader.feed(SAID[at : at + size])]

    assert found == READ


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n", b"MSG a b\r\n", b"INFO {\r\n", b"x" * 70_000])
def test_what_is_no_server_is_said_to_be_none(data: bytes) -> None:
    """Another protocol, or a line without an end, is an error and fills no memory."""
    with pytest.raises(ValueError):
        wire.Reader().feed(data)


@pytest.mark.parametrize("subject", ["", "a b", "a\r\nPUB b 0", "a\tb", "a\nb"])
def test_no_subject_can_carry_a_second_command(subject: str) -> None:
    """Whatever gets into a subject, it stays one word."""
    for write in (
        lambda: wire.pub(subject, "", b""),
        lambda: wire.sub(subject, "", 1),
        lambda: wire.sub("a", subject or " ", 1),
    ):
        with pytest.raises(ValueError):
            write()


def test_a_header_block_tells_status_and_fields() -> None:
    """503 says that nobody serves a subject; a field that a handler failed."""
    assert wire.fields(b"NATS/1.0 503\r\nNats-Subject: x\r\n\r\n") == ("503", {"Nats-Subject": "x"})
    assert wire.fields(b"NATS/1.0\r\nTorwart-Failed: gateway.busy\r\n\r\n") == ("", {"Torwart-Failed": "gateway.busy"})


def test_a_server_that_asks_who_we_are_is_told() -> None:
    """User and password of the URL, percent-encoded, open the bus; a wrong one is bus.unavailable."""
    with NatsServer(options=["--user", "torwart", "--pass", "p@ss:word"]) as server:
        asyncio.run(_meets(f"nats://torwart:p%40ss%3Aword@127.0.0.1:{server.port}"))
        with pytest.raises(Refusal) as caught:
            asyncio.run(_meets(f"nats://torwart:other@127.0.0.1:{server.port}"))
    assert caught.value.code == "bus.unavailable"


def test_the_bus_goes_over_tls_and_believes_only_its_authority(tmp_path: Path) -> None:
    """With a context the connection is TLS before anything of ours is said; a foreign certificate ends it."""
    certificate, key = _self_signed(tmp_path)
    options = ["--tls", "--tlscert", str(certificate), "--tlskey", str(key)]
    with NatsServer(options=options) as server:
        url = f"tls://127.0.0.1:{server.port}"
        asyncio.run(_meets(url, ssl.create_default_context(cafile=str(certificate))))
        with pytest.raises(Refusal) as caught:
            asyncio.run(_meets(url))
    assert caught.value.code == "bus.unavailable"


async def _meets(url: str, tls: ssl.SSLContext | None = None) -> None:
    """Two ends of the bus at ``url`` answer each other."""

    async def echo(_subject: str, payload: bytes) -> bytes:
        return payload

    one = await NatsBus.connect(url, tls=tls, timeout=3)
    try:
        await one.subscribe("echo", echo)
        assert await one.request("echo", b"x" * 100_000, timeout=3) == b"x" * 100_000
    finally:
        await one.close()


def test_more_messages_than_handlers_at_once_all_find_their_turn() -> None:
    """A burst beyond the limit of handlers waits and loses nothing."""

    async def story(url: str) -> None:
        seen: list[bytes] = []
        go = asyncio.Event()

        async def slow(_subject: str, payload: bytes) -> None:
            await go.wait()
            seen.append(payload)

        bus = await NatsBus.connect(url)
        await bus.subscribe("burst", slow)
        for number in range(1000):
            await bus.publish("burst", b"%d" % number)
        await asyncio.sleep(0.1)
        assert seen == []
        go.set()
        await _until(lambda: len(seen) == 1000)
        assert set(seen) == {b"%d" % number for number in range(1000)}
        await bus.close()

    with NatsServer() as server:
        asyncio.run(story(server.url))


async def _until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not reached():
            await asyncio.sleep(0.01)


def _self_signed(directory: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bus")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = directory / "bus.pem", directory / "bus.key"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, secret
