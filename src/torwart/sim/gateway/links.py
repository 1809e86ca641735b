"""Connections the gateway opens: always TLS client, with the certificate it has – or the one a fault makes it show."""

from collections.abc import Callable, Collection
from datetime import datetime
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.sim import CONNECT_FAILED
from torwart.kernel.refusals.tls import TLS_BAD_CERTIFICATE, TLS_EXPIRED, TLS_NOT_YET_VALID
from torwart.sim.gateway.config import Address
from torwart.sim.gateway.core import Core
from torwart.sim.gateway.fault import CREDENTIAL_FAULTS, Fault
from torwart.sim.gateway.security_module import ModuleAgreer, ModuleSigner, Standing
from torwart.sim.pki import Credential
from torwart.sim.tls_transport import TlsStream, open_tls
from torwart.wire.certificate import Use, load_certificate
from torwart.wire.cms import Recipient, Suite, ski_of
from torwart.wire.cms.keys import public_key_of
from torwart.wire.tls import Chain, Credentials, Offer, TlsContext, Verdict, client_context


class Scenario(StrEnum):
    """The WAN communication scenarios a gateway knows (A2 §4, DS2 ch. 14)."""

    MANAGEMENT = "MANAGEMENT"
    ADMIN_SERVICE = "ADMIN-SERVICE"
    INFO_REPORT = "INFO-REPORT"
    NTP = "NTP"


class Links:
    """Opens streams to the GWA's listeners and to EMTs, authenticated by administratively configured certificates.

    The context for the GWA is kept while it is in use and made anew when ``forget`` was called.
    """

    __slots__ = ("_context", "_core", "_shown")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._context: TlsContext | None = None
        self._shown: tuple[object, ...] = ()

    def forget(self) -> None:
        """Drop the kept context; the next connection makes a new one."""
        self._context = None

    async def open(self, scenario: Scenario) -> TlsStream:
        """A connection to one of the GWA's own listeners."""
        rules = self._core.memory.rules
        address = {
            Scenario.MANAGEMENT: rules.management,
            Scenario.ADMIN_SERVICE: rules.admin_service,
            Scenario.NTP: rules.ntp,
        }[scenario]
        return await self._connect(self._gwa_context(), address, rules.server_name)

    async def open_to(self, address: Address, certificates: Collection[bytes], server_name: str = "") -> TlsStream:
        """A connection to an EMT that must show one of ``certificates``."""
        return await self._connect(self._new_context(certificates), address, server_name)

    async def _connect(self, context: TlsContext, address: Address, server_name: str) -> TlsStream:
        if Fault.SILENT in self._core.faults:
            raise CONNECT_FAILED(peer=f"{address[0]}:{address[1]}", why="silent")
        drop = Fault.DROP_HANDSHAKE in self._core.faults
        return await open_tls(
            context, address, server_name=server_name or None, timeout=20.0, abort_after_first_flight=drop
        )

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

    def gwa_signers(self) -> dict[bytes, EllipticCurvePublicKey]:
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

    # --- contexts ---

    def _gwa_context(self) -> TlsContext:
        memory, faults = self._core.memory, self._core.faults
        shown = (self.standing, memory.sets.get(self.standing), faults & _SHOWN, memory.rules.gwa_tls)
        if self._context is None or self._shown != shown:
            self._context = self._new_context(memory.rules.gwa_tls)
            self._shown = shown
        return self._context

    def _new_context(self, peers: Collection[bytes]) -> TlsContext:
        core = self._core
        trust = core.memory.rules.trust
        verdict = _verdict(frozenset(peers), lambda: core.clock.now() if core.clock.valid else None)
        fault = next(iter(core.faults & CREDENTIAL_FAULTS), None)
        if fault is not None and fault in core.config.fault_credentials:
            return client_context(_credentials(core.config.fault_credentials[fault]), trust, verdict, offer=_OFFER)
        use = Use.SIG if Fault.WRONG_CERTIFICATE in core.faults else Use.TLS
        chain = core.memory.sets[self.standing].chain(use)
        return core.module.tls_context(self.standing, chain, trust, verdict, use=use)


_SHOWN = CREDENTIAL_FAULTS | {Fault.WRONG_CERTIFICATE}
_OFFER = Offer(maximum="1.2")


def _credentials(credential: Credential) -> Credentials:
    return Credentials((credential.certificate.public_bytes(Encoding.DER),), credential.key)


def _verdict(allowed: frozenset[bytes], now: Callable[[], datetime | None]) -> Verdict:
    """DS2 §5.2.1 demands certificates that are configured, "not any certificate that chains"; in date by the
    gateway's own clock, unless that is not yet set: then "the validity-time check may be waived" (DS2 ch. 14).
    """

    def judge(chain: Chain) -> Refusal | None:
        if chain[0] not in allowed:
            return TLS_BAD_CERTIFICATE(why="not the configured certificate of this peer")
        at = now()
        certificate = load_certificate(chain[0])
        if at is not None and at > certificate.not_valid_after_utc:
            return TLS_EXPIRED()
        if at is not None and at < certificate.not_valid_before_utc:
            return TLS_NOT_YET_VALID()
        return None

    return judge
