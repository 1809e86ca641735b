"""Profiles on the gateway: checked, written as a whole or not at all, read back without secrets, put into force."""

from collections.abc import Callable

from torwart.kernel.refusals.cosem import COSEM_NOT_ALLOWED, HTTP_MALFORMED
from torwart.sim.gateway.core import Core
from torwart.sim.gateway.event import EventKind
from torwart.sim.gateway.fault import Fault
from torwart.sim.gateway.management import Reboot
from torwart.wire.certificate import Use, identify, load_certificate
from torwart.wire.cosem import tree
from torwart.wire.cosem.resources import ActionResult, application_error
from torwart.wire.cosem.uri import Address
from torwart.wire.profiles import (
    AdministratorProfile,
    CommunicationProfile,
    EvaluationProfile,
    MeterProfile,
    Profile,
    Scenario,
    WakeUpProfile,
    parse_profile,
)


class ProfileStore:
    """``changed`` is called after each write and deletion, once what was written is in force,
    ``unpair`` for a meter whose profile is deleted."""

    __slots__ = ("_changed", "_core", "_unpair")

    def __init__(self, core: Core, changed: Callable[[], None], unpair: Callable[[str], None]) -> None:
        self._core = core
        self._unpair = unpair
        self._changed = changed

    def read(self, path: str) -> tree.Container:
        """The container as the GWA may see it: write-only members are left out."""
        profile = self._core.memory.profiles[path]
        return tree.Container(profile.container_id, foreign=profile.without_secrets().to_xml())

    def write(self, address: Address, content: tree.Node | None) -> None:
        """Create or replace; whatever is refused leaves everything as it was."""
        core = self._core
        self._play_faults(address)
        if not isinstance(content, tree.Container) or content.foreign is None:
            raise application_error(ActionResult.TYPE_UNMATCHED, "a profile container is expected")
        profile = parse_profile(content.foreign)
        if profile.address != address:
            raise application_error(ActionResult.SCOPE_VIOLATED, f"{profile.container_id} does not belong here")
        self._check(profile)
        if Fault.FORGET_PROFILE in core.faults:
            return
        core.memory.profiles[address.path] = profile
        self._put_into_force(profile)
        core.log(EventKind.PROFILE_WRITTEN, profile.container_id, profile.digest[:16])
        self._changed()

    def _play_faults(self, address: Address) -> None:
        core = self._core
        if Fault.REBOOT_IN_WRITE in core.faults:
            core.faults.discard(Fault.REBOOT_IN_WRITE)
            raise Reboot
        if Fault.REFUSE_PROFILE_4XX in core.faults:
            core.log(EventKind.PROFILE_REFUSED, address.path, "400")
            raise HTTP_MALFORMED(why="this device refuses every profile")
        if Fault.REFUSE_PROFILE_COSEM in core.faults:
            core.log(EventKind.PROFILE_REFUSED, address.path, ActionResult.READ_WRITE_DENIED.name)
            raise application_error(ActionResult.READ_WRITE_DENIED, "this device refuses every profile")

    def delete(self, address: Address) -> None:
        """Delete one that nothing else needs."""
        core = self._core
        profile = core.memory.profiles[address.path]
        user = self._user_of(profile)
        if user is not None:
            why = f"{user.container_id} uses it; delete that first"
            raise COSEM_NOT_ALLOWED(method="DELETE", path=f"{address.path}: {why}", allowed="GET, PUT")
        del core.memory.profiles[address.path]
        if isinstance(profile, MeterProfile):
            self._unpair(str(profile.meter))
        core.log(EventKind.PROFILE_DELETED, profile.container_id)
        self._changed()

    def _user_of(self, profile: Profile) -> EvaluationProfile | None:
        """An evaluation profile that needs ``profile``."""
        for other in self._core.memory.profiles.values():
            if not isinstance(other, EvaluationProfile):
                continue
            meters = {assigned.meter for assigned in other.assignment}
            if isinstance(profile, MeterProfile) and profile.meter in meters:
                return other
            if isinstance(profile, CommunicationProfile) and profile.id in other.recipient:
                return other
        return None

    # --- what must fit ---

    def _check(self, profile: Profile) -> None:
        if isinstance(profile, CommunicationProfile):
            _check_uses(Use.TLS, profile.peer.tls_certificates)
            _check_uses(Use.SIG, (profile.peer.signature_certificate,))
            _check_uses(Use.ENC, (profile.peer.encryption_certificate,))
        elif isinstance(profile, AdministratorProfile):
            _check_uses(Use.TLS, profile.tls_certificates)
            _check_uses(Use.SIG, (profile.signature_certificate,))
            _check_uses(Use.ENC, (profile.encryption_certificate,))
            _check_uses(Use.CA, profile.trust)
        elif isinstance(profile, EvaluationProfile):
            self._check_evaluation(profile)

    def _check_evaluation(self, profile: EvaluationProfile) -> None:
        """What an evaluation needs must be there: its meters' profiles and its recipients'."""
        held = self._core.memory.profiles.values()
        registers = {p.meter: p.values for p in held if isinstance(p, MeterProfile)}
        for assigned in profile.assignment:
            if assigned.obis_code not in registers.get(assigned.meter, ()):
                why = f"no meter profile with {assigned.obis_code} of {assigned.meter}"
                raise application_error(ActionResult.OBJECT_UNDEFINED, why)
        reports = {p.id for p in held if isinstance(p, CommunicationProfile) and p.scenario is Scenario.INFO_REPORT}
        for recipient in profile.recipient:
            if recipient not in reports:
                raise application_error(ActionResult.OBJECT_UNDEFINED, f"no communication profile {recipient}")

    # --- what it changes at once ---

    def _put_into_force(self, profile: Profile) -> None:
        memory = self._core.memory
        if isinstance(profile, AdministratorProfile):
            memory.change_rules(
                gwa_tls=profile.tls_certificates,
                gwa_sig=profile.signature_certificate,
                gwa_enc=profile.encryption_certificate,
                trust=profile.trust,
                report_level=profile.report_level,
            )
        elif isinstance(profile, WakeUpProfile):
            memory.change_rules(
                wake_up_window=profile.window,
                wake_up_sig=profile.signature_certificate,
                wake_up_active=profile.active,
            )
        elif isinstance(profile, CommunicationProfile) and profile.scenario in _LISTENER:
            endpoint = profile.peer.addresses[0]
            memory.change_rules(**{_LISTENER[profile.scenario]: (endpoint.host, endpoint.port)})
            if profile.scenario is Scenario.MANAGEMENT:
                memory.change_rules(
                    session_seconds=float(profile.session_limit),
                    suite=profile.suite.value,
                    server_name=profile.peer.sni or "",
                )
            elif profile.scenario is Scenario.ADMIN_SERVICE:
                memory.change_rules(contact=profile.contact or "")


_LISTENER = {
    Scenario.MANAGEMENT: "management",
    Scenario.ADMIN_SERVICE: "admin_service",
    Scenario.NTP_TLS: "ntp",
}


def _check_uses(use: Use, certificates: tuple[bytes | None, ...]) -> None:
    """One key of the triple is never used for another's purpose (DS2 §5.2.1)."""
    for der in certificates:
        if der is not None and identify(load_certificate(der)).use is not use:
            raise application_error(ActionResult.TYPE_UNMATCHED, f"a certificate that is none for {use}")
