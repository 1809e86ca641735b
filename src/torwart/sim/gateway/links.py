"""Connections the gateway opens: always TLS client, with the certificate it has – or the one a fault makes it show."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from weakref import WeakValueDictionary

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.sim import CONNECT_FAILED
from torwart.kernel.refusals.tls import TLS_BAD_CERTIFICATE, TLS_EXPIRED, TLS_NOT_YET_VALID
from torwart.sim.gateway.config import Address
from torwart.sim.gateway.core import Core
from torwart.sim.gateway.fault import CREDENTIAL_FAULTS, Fault
from torwart.sim.gateway.security_module import ModuleAgreer, ModuleSigner, Standing
from torwart.sim.tls_transport import TlsStream, open_tls
from torwart.wire.certificate import Use, load_certificate
from torwart.wire.cms import Recipient, Suite, ski_of
from torwart.wire.cms.keys import public_key_of
from torwart.wire.tls import Chain, Credentials, Offer, TlsContext, TlsEngine, Verdict, client_context


class Scenario(StrEnum):
    """The WAN communication scenarios a gateway knows (A2 §4, DS2 ch. 14)."""

    MANAGEMENT = "MANAGEMENT"
    ADMIN_SERVICE = "ADMIN-SERVICE"
    INFO_REPORT = "INFO-REPORT"
    NTP = "NTP"


class Links:
    """Opens streams to the GWA's listeners and to EMTs, authenticated by administratively configured certificates.

    Which certificate is shown and who is believed is looked up for each connection anew.
    """

    __slots__ = ("_core",)

    def __init__(self, core: Core) -> None:
        self._core = core

    async def open(self, scenario: Scenario) -> TlsStream:
        """A connection to one of the GWA's own listeners."""
        rules = self._core.memory.rules
        address = {
            Scenario.MANAGEMENT: rules.management,
            Scenario.ADMIN_SERVICE: rules.admin_service,
            Scenario.NTP: rules.ntp,
        }[scenario]
        return await self._connect(rules.gwa_tls, address, rules.server_name)

    async def open_to(self, address: Address, certificates: Collection[bytes], server_name: str = "") -> TlsStream:
        """A connection to an EMT that must show one of ``certificates``."""
        return await self._connect(tuple(certificates), address, server_name)

    async def _connect(self, peers: tuple[bytes, ...], address: Address, server_name: str) -> TlsStream:
        faults = self._core.faults
        if Fault.SILENT in faults:
            raise CONNECT_FAILED(peer=f"{address[0]}:{address[1]}", why="silent")
        engine = self._engine(peers, server_name)
        drop = Fault.DROP_HANDSHAKE in faults
        stream = await open_tls(engine, address, timeout=20.0, abort_after_first_flight=drop)
        try:
            self._check_time(load_certificate(engine.peer[0]))
        except Refusal:
            stream.close()
            raise
        return stream

    def _check_time(self, certificate: x509.Certificate) -> None:
        """In date by the gateway's own clock, unless that is not yet set: then "the validity-time check may be
        waived" (DS2 ch. 14).
        """
        clock = self._core.clock
        if clock.valid and clock.now() > certificate.not_valid_after_utc:
            raise TLS_EXPIRED()
        if clock.valid and clock.now() < certificate.not_valid_before_utc:
            raise TLS_NOT_YET_VALID()

    @property
    def standing(self) -> Standing:
        """The certificates in use: operational ones once they are activated, before that those of the seal."""
        sets = self._core.memory.sets
        if Fault.SEAL_CERTIFICATE in self._core.faults and Standing.SEAL in sets:
            return Standing.SEAL
        return self.real_standing

    # --- content protection with the set in use ---

    def signer(self) -> ModuleSigner:
        standing = self.real_standing
        return ModuleSigner(self._core.module, standing, self._core.memory.sets[standing].ski(Use.SIG))

    def agreer(self) -> ModuleAgreer:
        standing = self.real_standing
        return ModuleAgreer(self._core.module, standing, self._core.memory.sets[standing].ski(Use.ENC))

    def gwa(self) -> Recipient:
        """Whom messages to the GWA are encrypted for."""
        return Recipient.of(load_certificate(self._core.memory.rules.gwa_enc))

    def gwa_signers(self) -> dict[bytes, ec.EllipticCurvePublicKey]:
        """Whose messages are obeyed: only the administratively configured certificate (DS2 §5.2.1)."""
        certificate = load_certificate(self._core.memory.rules.gwa_sig)
        return {ski_of(certificate): public_key_of(certificate)}

    @property
    def suite(self) -> Suite:
        return Suite(self._core.memory.rules.suite)

    @property
    def real_standing(self) -> Standing:
        """The set whose keys protect content, whatever certificate a fault makes the gateway show."""
        return Standing.CURRENT if Standing.CURRENT in self._core.memory.sets else Standing.SEAL

    # --- what is shown ---

    def _engine(self, peers: tuple[bytes, ...], server_name: str) -> TlsEngine:
        core, memory = self._core, self._core.memory
        fault = next((f for f in sorted(core.faults & CREDENTIAL_FAULTS) if f in core.config.fault_credentials), None)
        if fault is not None:
            credential = core.config.fault_credentials[fault]
            credentials = Credentials((credential.certificate_der,), credential.key)
            context = _shared_context(peers, memory.rules.trust, ())
            return TlsEngine(context, server_name=server_name or None, credentials=credentials)
        found = memory.sets[self.standing]
        use = Use.SIG if Fault.WRONG_CERTIFICATE in core.faults else Use.TLS
        context = _shared_context(peers, memory.rules.trust, found.issuers)
        return core.module.tls_engine(self.standing, found.chain(use), context, use=use, server_name=server_name)


# TLS 1.2 only, as gateways in the field speak it (spec/04 §2: 1.3 is recommended, not required).
_OFFER = Offer(maximum="1.2")

_contexts: WeakValueDictionary[tuple[tuple[bytes, ...], ...], TlsContext] = WeakValueDictionary()
"""Contexts by peers, trust and issuers. A context costs 45 KB and holds nothing of a device, so all devices of a
process that believe the same share one; it is gone with its last connection.
"""


def _shared_context(peers: tuple[bytes, ...], trust: tuple[bytes, ...], issuers: tuple[bytes, ...]) -> TlsContext:
    key = (peers, trust, issuers)
    context = _contexts.get(key)
    if context is None:
        nobody = _nobody()
        credentials = Credentials((*nobody.chain, *issuers), nobody.key)
        context = _contexts[key] = client_context(credentials, trust, _pinned(frozenset(peers)), offer=_OFFER)
    return context


@cache
def _nobody() -> Credentials:
    """A certificate for contexts; every connection puts its own in its place."""
    key = ec.generate_private_key(ec.BrainpoolP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    start = datetime(2000, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=1))
    return Credentials((builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER),), key)


def _pinned(allowed: frozenset[bytes]) -> Verdict:
    """DS2 §5.2.1 demands certificates that are configured, "not any certificate that chains"."""

    def judge(chain: Chain) -> Refusal | None:
        return None if chain[0] in allowed else TLS_BAD_CERTIFICATE(why="not the configured certificate of this peer")

    return judge
