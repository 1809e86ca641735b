"""What the GWA does to the gateway's keys and certificates (Security Setup of the object model)."""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from torwart.kernel.refusals import Refusal
from torwart.sim.gateway.certificates import checked_set
from torwart.sim.gateway.core import Core
from torwart.sim.gateway.event import EventKind
from torwart.sim.gateway.links import Links
from torwart.sim.gateway.security_module import KEY_USES, SecurityModule, Standing
from torwart.wire.certificate import Role, Subject, Use, common_name, load_certificate
from torwart.wire.cosem.resources import ActionResult, application_error
from torwart.wire.crmf import add_outer_signature, build_package
from torwart.wire.smgw.model import CertificateEntry, RequestOrder


class CredentialDesk:
    """``renew`` makes the gateway connect anew, because the set in use changed."""

    __slots__ = ("_core", "_links", "_renew")

    def __init__(self, core: Core, links: Links, renew: Callable[[], None]) -> None:
        self._core = core
        self._links = links
        self._renew = renew

    def entries(self) -> tuple[CertificateEntry, ...]:
        """All certificates the gateway holds of itself."""
        return tuple(
            CertificateEntry(standing, use.value, found.own[use])
            for standing, found in sorted(self._core.memory.sets.items())
            for use in KEY_USES
        )

    def generate(self) -> None:
        core = self._core
        try:
            core.module.generate()
        except Refusal as refusal:
            core.log(EventKind.KEYS_FAILED)
            raise application_error(ActionResult.HARDWARE_FAULT, refusal.text("en")) from refusal
        core.memory.sets.pop(Standing.NEXT, None)
        core.log(EventKind.KEYS_GENERATED)

    def request(self, order: RequestOrder) -> bytes:
        """The request package for the waiting keys, with the outer signature of the set now in use: the operational
        one for a renewal, the seal certificates for the first set (it proves that the maker's device asks).
        """
        core, device = self._core, str(self._core.config.device)
        if not core.module.has(Standing.NEXT):
            raise application_error(ActionResult.OBJECT_UNAVAILABLE, "no waiting key pairs; generate them first")
        name = common_name(Role.SMGW, device)
        subject = Subject(name, order.organisation, order.sequence, order.unit, order.country)
        package = build_package(subject, {use: _Waiting(core.module, use) for use in KEY_USES})
        used = Standing.CURRENT if order.renewal else Standing.SEAL
        if used not in core.memory.sets or (used is Standing.SEAL and Standing.CURRENT in core.memory.sets):
            raise application_error(ActionResult.OBJECT_UNAVAILABLE, f"no set {used} to sign the request with")
        chain = [load_certificate(der) for der in core.memory.sets[used].chain(Use.SIG)]
        package = add_outer_signature(package, signer=self._links.signer(), chain=chain)
        core.log(EventKind.REQUEST_MADE)
        return package

    def take(self, certificates: tuple[bytes, ...]) -> None:
        """Install certificates beside the waiting keys, if they are what they should be."""
        core = self._core
        try:
            core.memory.sets[Standing.NEXT] = checked_set(
                certificates,
                device=str(core.config.device),
                module=core.module,
                trust=core.memory.rules.trust,
                at=core.clock.now() if core.clock.valid else None,
            )
        except Refusal as refusal:
            core.log(EventKind.CERTIFICATES_REFUSED, refusal.code)
            raise application_error(ActionResult.TYPE_UNMATCHED, refusal.text("en")) from refusal
        core.log(EventKind.CERTIFICATES_INSTALLED)

    def activate(self) -> None:
        """The waiting set is the one in use from now on; the keys it replaces are destroyed."""
        core = self._core
        if Standing.NEXT not in core.memory.sets:
            raise application_error(ActionResult.OBJECT_UNAVAILABLE, "no certificates to activate")
        core.module.activate()
        core.memory.sets[Standing.CURRENT] = core.memory.sets.pop(Standing.NEXT)
        core.log(EventKind.CERTIFICATES_ACTIVATED)
        self._renew()

    def remove(self, standing: Standing) -> None:
        """Destroy a set; the one in use cannot be, unless another could take its place."""
        core = self._core
        if standing is self._links.real_standing:
            raise application_error(ActionResult.READ_WRITE_DENIED, f"the {standing} set is in use")
        core.module.destroy(standing)
        core.memory.sets.pop(standing, None)
        core.log(EventKind.SEAL_RETIRED if standing is Standing.SEAL else EventKind.KEYS_DESTROYED)


class _Waiting:
    """A waiting key of the module as ``torwart.wire.crmf.KeyHolder``."""

    def __init__(self, module: SecurityModule, use: Use) -> None:
        self._module = module
        self._use = use

    @property
    def public_key(self) -> EllipticCurvePublicKey:
        return self._module.public_key(Standing.NEXT, self._use)

    def sign(self, message: bytes) -> bytes:
        return self._module.sign(Standing.NEXT, self._use, message)
