"""A head-end with everything around it: a bus, a worker that stores facts, and peers on real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvloop
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.adapters.bus import InProcessBus, NatsBus, NatsServer
from torwart.headend.config import HeadendConfig, Limits, Scenario
from torwart.headend.server import Headend
from torwart.kernel.refusals import Refusal
from torwart.ports.bus import Bus
from torwart.ports.gateway_link import (
    SUBJECT_FACT,
    SUBJECT_POLICY,
    SUBJECT_POLICY_CHANGED,
    Answer,
    Command,
    Fact,
    Policy,
    command_subject,
)
from torwart.sim.pki import Credential, TestPki
from torwart.wire.cosem import ClientConnection, Request, Response, ServerConnection
from torwart.wire.tls import Credentials, Offer, TlsContext, TlsEngine, client_context

OPEN_POLICY = Policy(version=1, commissioning=None)


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Peer:
    """A gateway or EMT: our TLS client on a plain asyncio stream, everything by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: TlsContext) -> None:
        self.reader, self.writer = reader, writer
        self.engine = TlsEngine(context, server_name="management.example")
        self._plain = b""

    async def shake(self) -> "Peer":
        while not self.engine.handshake():
            await self.flush()
            await self._more()
        await self.flush()
        return self

    async def flush(self) -> None:
        self.writer.write(self.engine.data_to_send())
        await self.writer.drain()

    async def _more(self) -> None:
        data = await self.reader.read(65536)
        if data:
            self.engine.receive_data(data)
        else:
            self.engine.receive_eof()

    async def send(self, data: bytes) -> None:
        self.engine.write(data)
        await self.flush()

    async def read(self) -> bytes:
        """The next plaintext; ``b""`` after close_notify."""
        while not (data := self.engine.read()):
            if self.engine.closed:
                return b""
            await self._more()
        return data

    async def read_exactly(self, count: int) -> bytes:
        while len(self._plain) < count:
            data = await self.read()
            assert data, "ended early"
            self._plain += data
        data, self._plain = self._plain[:count], self._plain[count:]
        return data

    async def ended(self) -> str:
        """Wait for the end: ``""`` with close_notify, else the code of how it broke."""
        try:
            while await self.read():
                pass
        except Refusal as refusal:
            return refusal.code
        except ConnectionError:
            return "reset"
        return ""

    async def close(self) -> None:
        self.engine.close_notify()
        await self.flush()
        self.writer.close()

    async def request(self) -> Request:
        """As HTTP server: the next request of the head-end."""
        http = ServerConnection()
        while (request := http.receive(await self.read())) is None:
            pass
        return request

    async def answer(self, response: Response) -> Request:
        """As HTTP server: serve one request."""
        http = ServerConnection()
        while (request := http.receive(await self.read())) is None:
            pass
        await self.send(http.send(response))
        return request

    async def ask(self, request: Request, host: str = "admin-service.example") -> Response:
        """As HTTP client: one exchange."""
        http = ClientConnection(host)
        await self.send(http.send(request))
        while (response := http.receive(await self.read())) is None:
            pass
        return response


@dataclass
class World:
    """What a story plays with."""

    pki: TestPki
    bus: Bus
    headend: Headend
    policy: Policy
    facts: list[Fact] = field(default_factory=list)
    stores: bool = True
    """Whether the worker stores facts, or fails."""
    nats: NatsServer | None = None
    _peers: list[Peer] = field(default_factory=list)

    async def serve(self) -> None:
        await self.bus.subscribe(SUBJECT_POLICY, self._answer_policy, queue="workers")
        await self.bus.subscribe(SUBJECT_FACT, self._store, queue="workers")

    async def _answer_policy(self, subject: str, payload: bytes) -> bytes:
        return self.policy.encode()

    async def _store(self, subject: str, payload: bytes) -> bytes:
        if not self.stores:
            raise RuntimeError("no database")
        self.facts.append(Fact.decode(payload))
        return b"ok"

    async def change_policy(self, **changes: Any) -> None:
        self.policy = replace(self.policy, version=self.policy.version + 1, **changes)
        await self.bus.publish(SUBJECT_POLICY_CHANGED, b"")
        await self.until(lambda: self.headend.station.gatekeeper.version == self.policy.version)

    def context(self, credential: Credential, shown: Credentials | None = None) -> TlsContext:
        """A caller's TLS with this certificate, or with other credentials ``shown`` in its place."""
        issuer = self._issuer(credential).certificate_der
        mine = shown or Credentials((credential.certificate_der, issuer), credential.key)
        trust = [c.public_bytes(Encoding.DER) for c in self.pki.trust_chain]
        return client_context(mine, trust, lambda chain: None, offer=Offer(maximum="1.2"))

    def _issuer(self, credential: Credential) -> Credential:
        issuer = self.pki.authority(credential.certificate).credential
        try:
            credential.certificate.verify_directly_issued_by(issuer.certificate)
        except InvalidSignature:  # the same names with other keys: the foreign PKI
            return self.pki.foreign.authority(credential.certificate).credential
        return issuer

    async def tcp(self, scenario: Scenario = Scenario.MANAGEMENT) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.headend.ports[scenario])

    async def connect(
        self, credential: Credential, scenario: Scenario = Scenario.MANAGEMENT, *, served: bool = True
    ) -> Peer:
        """Call the head-end; raises what the handshake raises. ``served``: wait until commands reach the peer."""
        before = self.count("connected")
        peer = await (await self.caller(credential, scenario=scenario)).shake()
        if served and scenario is Scenario.MANAGEMENT:
            await self.until(lambda: self.count("connected") > before or not self.stores)
        return peer

    async def caller(
        self, credential: Credential, shown: Credentials | None = None, scenario: Scenario = Scenario.MANAGEMENT
    ) -> Peer:
        """Someone who has called by TCP and can begin the handshake."""
        peer = Peer(*await self.tcp(scenario), self.context(credential, shown))
        self._peers.append(peer)
        return peer

    def count(self, kind: str) -> int:
        return sum(fact.kind == kind for fact in self.facts)

    def told(self, kind: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.kind == kind]

    async def command(self, device: str, command: Command) -> Answer:
        return Answer.decode(await self.bus.request(command_subject(device), command.encode(), timeout=10))

    async def until(self, holds: Callable[[], bool], seconds: float = 5) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not holds():
            assert asyncio.get_running_loop().time() < deadline, "waited in vain"
            await asyncio.sleep(0.005)

    def hang_up(self) -> None:
        for peer in self._peers:
            peer.writer.close()


Story = Callable[[World], Awaitable[None]]
Play = Callable[..., None]


def make_config(pki: TestPki, **options: Any) -> HeadendConfig:
    chain = (pki.gwa.tls.certificate_der, pki.sub_ca.certificate.public_bytes(Encoding.DER))
    return HeadendConfig.of(
        credentials=Credentials(chain, pki.gwa.tls.key),
        root=pki.root.certificate,
        sub_cas=[pki.sub_ca.certificate],
        seal_cas=[pki.seal_ca.certificate],
        listeners=dict.fromkeys(Scenario, ("127.0.0.1", 0)),
        clock_is_trusted=options.pop("clock_is_trusted", True),
        **options,
    )


@pytest.fixture
def play(pki: TestPki) -> Play:
    """Plays a story against a running head-end with a worker; ``limits`` and other options shape the head-end."""

    @asynccontextmanager
    async def world(
        policy: Policy | None, own: TestPki | None, limits: dict[str, Any], **options: Any
    ) -> AsyncIterator[World]:
        bus = InProcessBus()
        config = make_config(
            own or pki, limits=Limits(**{"drain_seconds": 3.0, "fact_seconds": 2.0, **limits}), **options
        )
        headend = Headend(config, bus, SystemClock())
        made = World(own or pki, bus, headend, policy or OPEN_POLICY)
        if policy is not None:
            await made.serve()
        await headend.start()
        try:
            if policy is not None:
                await asyncio.wait_for(headend.ready.wait(), 5)
            yield made
        finally:
            made.hang_up()
            await headend.drain()
            await bus.close()

    def run(
        story: Story,
        *,
        policy: Policy | None = OPEN_POLICY,
        pki: TestPki | None = None,
        limits: dict[str, Any] | None = None,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop,
        **options: Any,
    ) -> None:
        async def main() -> None:
            async with asyncio.timeout(40):
                async with world(policy, pki, limits or {}, **options) as made:
                    await story(made)

        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(main())

    return run


@pytest.fixture(scope="session")
def fresh_pki() -> Callable[[], TestPki]:
    """Makes a PKI of a test's own, for those that revoke."""
    return lambda: TestPki.create(datetime.now(UTC))


@pytest.fixture
def headend_pair(pki: TestPki) -> Callable[..., None]:
    """Plays a story with two head-ends of one NATS server, each with its own bus connection and one common worker."""

    async def main(story: Callable[[Any, Any], Awaitable[None]]) -> None:
        nats = await asyncio.to_thread(NatsServer)
        worlds: list[World] = []
        for name in ("one", "two"):
            bus = await NatsBus.connect(nats.url)
            headend = Headend(
                make_config(pki, name=name, limits=Limits(drain_seconds=1, fact_seconds=1)), bus, SystemClock()
            )
            world = World(pki, bus, headend, OPEN_POLICY)
            world.nats = nats
            await world.serve()
            await headend.start()
            await asyncio.wait_for(headend.ready.wait(), 5)
            worlds.append(world)
        worlds[1].facts = worlds[0].facts
        try:
            await story(*worlds)
        finally:
            for world in worlds:
                world.hang_up()
                await world.headend.drain()
                await world.bus.close()
            worlds[0].nats.stop()

    def run(story: Callable[[Any, Any], Awaitable[None]]) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main(story))

    return run


@pytest.fixture
def config_file(pki: TestPki) -> Callable[..., Path]:
    """Writes a head-end's TOML file with all it names into a directory."""

    def write(directory: Path, extra: str = "", limits: str = "") -> Path:
        for name, pem in (
            ("chain", pki.gwa.tls.certificate_pem + pki.sub_ca.credential.certificate_pem),
            ("key", pki.gwa.tls.key_pem),
            ("root", pki.root.credential.certificate_pem),
            ("sub", pki.sub_ca.credential.certificate_pem),
            ("seal", pki.seal_ca.credential.certificate_pem),
        ):
            (directory / f"{name}.pem").write_bytes(pem)
        path = directory / "headend.toml"
        path.write_text(f"""
[headend]
name = "north-1"
clock_is_trusted = true
metrics = "127.0.0.1:0"
{extra}
[listen]
MANAGEMENT = "127.0.0.1:0"
NTP = "[::1]:0"
[tls]
chain = "chain.pem"
key = "key.pem"
root = "root.pem"
sub_cas = ["sub.pem"]
seal_cas = ["seal.pem"]
[limits]
idle_seconds = 60
{limits}
""")
        return path

    return write


@pytest.fixture
def headend_config(pki: TestPki) -> Callable[..., HeadendConfig]:
    """Makes a head-end's configuration on the shared PKI."""
    return lambda **options: make_config(pki, **options)
