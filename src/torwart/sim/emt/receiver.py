"""The EMT's INFO-REPORT server: takes readings, checks them to the bone, keeps count, and confirms.

Its own decisions, independent of the head-end's: the caller must show a gateway's TLS certificate of the SM-PKI; the
message must be signed by the SIG certificate attached to it, which must be of the same gateway and chain to the trust
(an EMT has no delivery note to know gateways from); every reading must bear the gateway's own signature.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.cms import CMS_SIGNER_UNKNOWN
from torwart.sim.attached import attached_certificate
from torwart.sim.emt.config import Address, Behaviour, EmtConfig
from torwart.sim.emt.confirming import Confirming
from torwart.sim.emt.credentials import tls_credentials
from torwart.sim.http_transport import answer_requests
from torwart.sim.tls_transport import TlsServer, TlsStream
from torwart.wire import cms, readings
from torwart.wire.certificate import Identity, Role, Trust, Use, identify, load_certificate
from torwart.wire.cms.keys import public_key_of
from torwart.wire.cosem import Limits, Request, Response
from torwart.wire.cosem.message import status_of
from torwart.wire.emt_confirmation import Confirmation
from torwart.wire.smgw import READINGS_TARGET
from torwart.wire.tls import Chain, server_context


@dataclass(slots=True)
class Received:
    """All of one contract and meter of one gateway so far. ``last_value`` is the latest raw value per register."""

    device: str
    contract: str
    meter: str
    values: int = 0
    deliveries: int = 0
    first: datetime | None = None
    last: datetime | None = None
    last_value: dict[str, int | None] | None = None


class EmtReceiver:
    """``await start()``, then it receives; ``received`` by (gateway, contract, meter), ``refused`` what it would not
    take, newest last. ``behaviour`` may be changed at any time.
    """

    def __init__(self, config: EmtConfig, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.config = config
        self.behaviour = config.behaviour
        self.received: dict[tuple[str, str, str], Received] = {}
        self.refused: list[Refusal] = []
        self.confirming = Confirming(config)
        self.address: Address = ("127.0.0.1", 0)
        self._now = now
        self._agreer = cms.LocalAgreer(config.credentials.enc.key, config.credentials.enc.certificate)
        known = [load_certificate(der) for der in config.trust]
        self._trust = Trust.of(
            next(c for c in known if c.subject == c.issuer), [c for c in known if c.subject != c.issuer]
        )
        context = server_context(tls_credentials(config), config.trust, self._judge)
        self._server = TlsServer(context, self._serve, refused=self._note)
        self._task: asyncio.Task[None] | None = None

    @property
    def values(self) -> int:
        """Values received in all."""
        return sum(received.values for received in self.received.values())

    def summary(self) -> dict[str, int]:
        """Counts for a person or a program."""
        return {
            "values": self.values,
            "deliveries": sum(received.deliveries for received in self.received.values()),
            "confirmed": self.confirming.accepted,
            "waiting": self.confirming.waiting,
            "refused": len(self.refused),
        }

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> Address:
        self.address = await self._server.start(host, port)
        self._task = asyncio.get_running_loop().create_task(self.confirming.run())
        return self.address

    async def stop(self) -> None:
        await self._server.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # --- receiving ---

    def _judge(self, chain: Chain) -> Refusal | None:
        try:
            self._trust.validate(load_certificate(chain[0]), at=self._now(), role=Role.SMGW, use=Use.TLS)
        except Refusal as refusal:
            return refusal
        return None

    def _note(self, refusal: Refusal) -> None:
        self.refused.append(refusal)
        del self.refused[:-1000]

    async def _serve(self, stream: TlsStream) -> None:
        if self.behaviour is Behaviour.DOWN:
            stream.abort()
            return
        caller = identify(load_certificate(stream.engine.peer[0]))

        async def answer(request: Request) -> Response:
            return await self._answer(caller, request)

        await answer_requests(stream, answer, limits=Limits(body=8 * 2**20))

    async def _answer(self, caller: Identity, request: Request) -> Response:
        if self.behaviour is Behaviour.ERROR_500:
            return Response(500)
        if self.behaviour is Behaviour.SLOW:
            await asyncio.sleep(self.config.slow_seconds)
        if (request.method, request.target.partition("?")[0]) != ("POST", READINGS_TARGET):
            return Response(404)
        try:
            self.take(caller, request.body)
        except Refusal as refusal:
            self._note(refusal)
            return Response(status_of(refusal))
        return Response(204)

    def take(self, caller: Identity, message: bytes) -> None:
        """Open, verify, store, and queue the confirmation; a repeat is confirmed again but not counted twice."""
        key = self._signer_of(caller, message)
        content = cms.open_protected(message, agreer=self._agreer, signers=key).content
        delivered = readings.Readings.from_xml(content)
        public = next(iter(key.values()))
        readings.verify(delivered, DeviceId.parse(caller.name), lambda data, sig: _is_signed(public, data, sig))
        self._store(caller.name, delivered, hashlib.sha256(content).hexdigest())

    def _signer_of(self, caller: Identity, message: bytes) -> dict[bytes, ec.EllipticCurvePublicKey]:
        """The attached SIG certificate of the calling gateway, validated."""
        certificate = attached_certificate(message)
        if certificate is None:
            raise CMS_SIGNER_UNKNOWN(ski="–")
        identity = self._trust.validate(certificate, at=self._now(), role=Role.SMGW, use=Use.SIG)
        if identity.name != caller.name:
            raise CMS_SIGNER_UNKNOWN(ski=identity.ski.hex())
        return {identity.ski: public_key_of(certificate)}

    def _store(self, device: str, delivered: readings.Readings, digest: str) -> None:
        contract = f"{delivered.logical_name}.{delivered.source}.sm"
        for meter in dict.fromkeys(column.meter for column in delivered.columns):
            entries = [(column, entry) for column, entry in delivered if column.meter == meter]
            if not entries:
                continue
            known = self.received.setdefault((device, contract, meter), Received(device, contract, meter))
            first = min(entry.captured_at for _, entry in entries)
            last = max(entry.captured_at for _, entry in entries)
            known.values += sum(known.last is None or entry.captured_at > known.last for _, entry in entries)
            known.deliveries += 1
            known.first = min(first, known.first or first)
            known.last = max(last, known.last or last)
            known.last_value = {str(column.obis_code): entry.value for column, entry in entries}
            self.confirming.add(
                Confirmation(device, contract, meter.upper(), first, last, len(entries), self._now(), digest)
            )


def _is_signed(key: ec.EllipticCurvePublicKey, message: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
