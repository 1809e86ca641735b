"""A head-end just big enough for one gateway or EMT: made of codecs only, it shares nothing with the product's own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals import Refusal
from torwart.sim.emt import EmtConfig, EmtReceiver
from torwart.sim.gateway import (
    Fault,
    Fleet,
    FleetConfig,
    Gateway,
    MeterConfig,
    Timeline,
    device_ids,
    initial_config,
    make_device,
)
from torwart.sim.gateway.manufacture import forge
from torwart.sim.http_transport import HttpCaller, answer_requests
from torwart.sim.pki import TestPki
from torwart.sim.tls_transport import TlsServer, TlsStream
from torwart.wire import cms, ntp
from torwart.wire.certificate import Role, identify, load_certificate
from torwart.wire.cms.keys import public_key_of
from torwart.wire.cosem import Request, Response
from torwart.wire.crmf import parse_package
from torwart.wire.profiles import CommunicationProfile, Endpoint, EvaluationProfile, MeterProfile, Peer
from torwart.wire.profiles import Scenario as ProfileScenario
from torwart.wire.profiles.evaluation import Assignment
from torwart.wire.smgw import Event, Question, RequestOrder, Smgw, told
from torwart.wire.tls import Chain, Credentials, server_context
from torwart.wire.wakeup import build, plain_signer

T = TypeVar("T")


@dataclass
class Session:
    """A gateway's MANAGEMENT connection as the head-end sees it."""

    device: str
    certificate: x509.Certificate
    stream: TlsStream
    caller: HttpCaller
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self) -> None:
        self.caller.close()
        self.over.set()


@dataclass
class Posted:
    """A POST of a gateway on ADMIN-SERVICE, opened."""

    device: str
    request: Request
    content: bytes


@dataclass
class SmallHeadEnd:
    """Listeners MANAGEMENT, ADMIN-SERVICE, NTP and EMT-SERVICE on free ports, and the GWA's keys in one place.

    ``knows``: the certificates of gateways by device, as they are handed over (SIG to believe, ENC to write to).
    """

    __test__ = False

    pki: TestPki
    knows: dict[str, tuple[x509.Certificate, x509.Certificate]] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    session_count: int = 0
    posted: list[Posted] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    asked_time: int = 0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    time_off: timedelta = timedelta()
    admin_status: int = 204
    emt_posts: list[Request] = field(default_factory=list)
    emt_status: int = 204
    shown: list[bytes] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        trust = [c.public_bytes(Encoding.DER) for c in self.pki.trust_chain]
        own = self.pki.gwa.tls
        chain = tuple(c.public_bytes(Encoding.DER) for c in self.pki.chain_of(own.certificate)[:2])
        context = server_context(Credentials(chain, own.key), trust, self._judge)
        self.signer = cms.LocalSigner(self.pki.gwa.sig.key, self.pki.gwa.sig.certificate)
        self.agreer = cms.LocalAgreer(self.pki.gwa.enc.key, self.pki.gwa.enc.certificate)
        handlers = (self._management, self._admin_service, self._ntp, self._emt_service)
        self._servers = [
            TlsServer(context, handler, handshake_seconds=3, refused=self._refused) for handler in handlers
        ]
        self.management, self.admin_service, self.ntp, self.emt_service = [await s.start() for s in self._servers]

    async def stop(self) -> None:
        for server in self._servers:
            await server.stop()

    # --- waiting ---

    async def until(self, condition: Callable[[], object], seconds: float = 8.0) -> None:
        """Wait until something the head-end saw makes ``condition`` true."""
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                try:
                    await asyncio.wait_for(self.changed.wait(), 0.05)
                except TimeoutError:
                    continue

    async def connected(self, device: str, *, after: int = 0) -> Session:
        """The session of a gateway; ``after``: not before this many sessions have been opened in all."""
        await self.until(lambda: device in self.sessions and self.session_count > after)
        return self.sessions[device]

    def _judge(self, chain: Chain) -> Refusal | None:
        """Everyone who chains is let in; the product's head-end is stricter, here it is to be seen what is shown."""
        self.shown.append(chain[0])
        return None

    def _refused(self, refusal: Refusal) -> None:
        self.refused.append(refusal)
        self.changed.set()

    # --- talking to a gateway ---

    async def exchange(self, device: str, question: Question[T], *, timeout: float = 10.0) -> Response:
        """One protected exchange, the answer as it came."""
        _, enc = self.knows[device]
        request = question.protected(
            lambda body: cms.protect(body, signer=self.signer, recipient=cms.Recipient.of(enc))
        )
        return await self.sessions[device].caller.exchange(request, timeout=timeout)

    async def ask(self, device: str, question: Question[T], *, timeout: float = 10.0) -> T:
        """One exchange by the object model; the gateway's refusal is raised."""
        response = await self.exchange(device, question, timeout=timeout)
        return question.answer(response, lambda body: self.opened(device, body))

    def opened(self, device: str, message: bytes) -> bytes:
        sig = self.knows[device][0]
        signers = {cms.ski_of(sig): public_key_of(sig)}
        return cms.open_protected(message, agreer=self.agreer, signers=signers).content

    # --- listeners ---

    async def _management(self, stream: TlsStream) -> None:
        certificate = load_certificate(stream.engine.peer[0])
        device = identify(certificate).name
        session = Session(device, certificate, stream, HttpCaller(stream, device.lower() + ".sm"))
        self.sessions[device] = session
        self.session_count += 1
        self.changed.set()
        while stream.open and not session.over.is_set():
            try:
                await asyncio.wait_for(session.over.wait(), 0.05)
            except TimeoutError:
                continue
        if self.sessions.get(device) is session:
            del self.sessions[device]
        self.changed.set()

    async def _admin_service(self, stream: TlsStream) -> None:
        device = identify(load_certificate(stream.engine.peer[0])).name

        async def answer(request: Request) -> Response:
            if device not in self.knows:
                return Response(403)
            if self.admin_status == 204:
                self.posted.append(Posted(device, request, self.opened(device, request.body)))
            self.changed.set()
            return Response(self.admin_status)

        await answer_requests(stream, answer)

    async def _ntp(self, stream: TlsStream) -> None:
        request = await stream.read_exactly(ntp.PACKET_SIZE)
        now = self.clock() + self.time_off
        self.asked_time += 1
        await stream.write(ntp.answer(request, server=ntp.Server(now), received_at=now, now=now))
        await stream.read()

    async def _emt_service(self, stream: TlsStream) -> None:
        async def answer(request: Request) -> Response:
            self.emt_posts.append(request)
            self.changed.set()
            return Response(self.emt_status)

        await answer_requests(stream, answer)


@dataclass
class World:
    """A head-end, one or more gateways, and an EMT if asked for, all in one event loop."""

    __test__ = False

    pki: TestPki
    head_end: SmallHeadEnd
    fleet: Fleet
    device: DeviceId
    timeline: Timeline
    emt: EmtReceiver | None = None

    @property
    def gateway(self) -> Gateway:
        return self.fleet.gateways[str(self.device)]

    @property
    def meter(self) -> MeterConfig:
        return self.gateway.core.config.meters[0]

    @property
    def smgw(self) -> Smgw:
        return Smgw(self.device)

    async def ask(self, question: Question[T], *, timeout: float = 10.0) -> T:
        return await self.head_end.ask(str(self.device), question, timeout=timeout)

    async def connected(self, *, after: int = 0) -> Session:
        return await self.head_end.connected(str(self.device), after=after)

    async def synchronised(self) -> None:
        await self.head_end.until(lambda: self.gateway.core.clock.valid)

    async def commission(self) -> None:
        """From the seal to operational certificates, as P03 does it."""
        await self.connected()
        await self.synchronised()
        await self.ask(self.smgw.generate_key_pairs())
        package = parse_package(await self.ask(self.smgw.certificate_request(RequestOrder("SM-Test-PKI-DE", "GWA", 1))))
        triple = self.pki.issue_triple(Role.SMGW, str(self.device), public_keys=package.public_keys)
        await self.ask(self.smgw.import_certificates([c.certificate_der for c in triple]))
        before = self.head_end.session_count
        await self.ask(self.smgw.activate_certificates())
        await self.connected(after=before)
        self.head_end.knows[str(self.device)] = triple.sig.certificate, triple.enc.certificate
        await self.ask(self.smgw.retire_seal())

    def meter_profile(self, key: bytes | None = None) -> MeterProfile:
        registers = (ObisCode("1-0:1.8.0"), ObisCode("1-0:2.8.0"), ObisCode("1-0:16.7.0"))
        return MeterProfile.with_key(self.meter.device, registers, key or self.meter.key)

    def emt_profile(self, **changes: object) -> CommunicationProfile:
        assert self.emt is not None
        tls, sig, enc = (credential.certificate_der for credential in self.pki.emt)
        peer = Peer((Endpoint(*self.emt.address),), (tls,), sig, enc)
        return CommunicationProfile("emt-1", ProfileScenario.INFO_REPORT, peer, **changes)  # type: ignore[arg-type]

    def contract(self, taf: int = 7, **changes: object) -> EvaluationProfile:
        values: dict[str, object] = {
            "id": f"taf{taf}-1",
            "tariff_use_case": taf,
            "tariff_id": "T-1",
            "usage_point": "51238696781",
            "valid_from": datetime(2026, 1, 1, tzinfo=UTC),
            "assignment": (Assignment(self.meter.device, ObisCode("1-0:1.8.0")),),
            "recipient": ("emt-1",),
            "consumer": "consumer-1",
        }
        return EvaluationProfile(**{**values, **changes})  # type: ignore[arg-type]

    async def measure(self, *contracts: EvaluationProfile) -> None:
        """Meter profile, pairing, EMT and contracts."""
        await self.ask(self.smgw.write_profile(self.meter_profile()))
        await self.ask(self.smgw.pair_meter(self.meter.device))
        await self.ask(self.smgw.write_profile(self.emt_profile()))
        for contract in contracts:
            await self.ask(self.smgw.write_profile(contract))

    def events(self) -> list[Event]:
        """What the gateway has told the GWA, in order of arrival."""
        said = [told(p.request.target, dict(p.request.headers), p.content) for p in self.head_end.posted]
        return [event for event in said if isinstance(event, Event)]

    async def told(self, number: int) -> Event:
        """The first event of this number, when it has come."""
        await self.head_end.until(lambda: any(event.event == number for event in self.events()))
        return next(event for event in self.events() if event.event == number)

    def wake_up(self, at: datetime | None = None) -> bytes:
        signer = plain_signer(self.head_end.signer.sign, ec.BrainpoolP256R1())
        return build(self.device, at or self.timeline.now(), sign_plain=signer)


@pytest.fixture
def head_end(pki: TestPki) -> Callable[[], AbstractAsyncContextManager[SmallHeadEnd]]:
    """A context manager that gives a running ``SmallHeadEnd``."""

    @asynccontextmanager
    async def running() -> AsyncIterator[SmallHeadEnd]:
        made = SmallHeadEnd(pki)
        await made.start()
        try:
            yield made
        finally:
            await made.stop()

    return running


Making = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture
def world(pki: TestPki) -> Making:
    """A context manager that gives a running ``World``."""

    @asynccontextmanager
    async def running(
        *faults: Fault, own_pki: TestPki | None = None, emt: bool = False, state: Path | None = None, power: bool = True
    ) -> AsyncIterator[World]:
        used = own_pki or pki
        broken: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: broken.append(context))
        head_end = SmallHeadEnd(used)
        await head_end.start()
        timeline = Timeline()
        head_end.clock = timeline.now
        (device,) = device_ids(1)
        addresses = {"management": head_end.management, "admin_service": head_end.admin_service, "ntp": head_end.ntp}
        initial = initial_config(used, **addresses)
        made = make_device(used, device, initial, faults=faults)
        head_end.knows[str(device)] = made.seal.sig.certificate, made.seal.enc.certificate
        forge_here = partial(forge, used)
        fleet = Fleet(FleetConfig((made,), state=state, forge=forge_here), timeline)
        receiver = await emt_receiver(used, head_end) if emt else None
        await fleet.start(power=power)
        try:
            yield World(used, head_end, fleet, device, timeline, receiver)
        finally:
            await fleet.stop()
            if receiver is not None:
                await receiver.stop()
            await head_end.stop()
        # A task of the simulation that died of anything but a fault is a fault of ours.
        assert broken == []

    return running


async def emt_receiver(pki: TestPki, head_end: SmallHeadEnd) -> EmtReceiver:
    trust = tuple(c.public_bytes(Encoding.DER) for c in pki.trust_chain)
    chain = (pki.sub_ca.certificate.public_bytes(Encoding.DER),)
    receiver = EmtReceiver(
        EmtConfig(
            pki.emt,
            chain,
            trust,
            confirm_to=head_end.emt_service,
            confirm_peer=(pki.gwa.tls.certificate_der,),
            slow_seconds=30,
            first_pause=0.05,
        )
    )
    await receiver.start()
    return receiver
