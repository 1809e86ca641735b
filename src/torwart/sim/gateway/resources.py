"""The gateway's resource tree: the object model of ``torwart.wire.smgw`` bound to the parts that do the work."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.cosem import COSEM_NOT_ALLOWED, COSEM_TOO_SLOW
from torwart.sim.gateway.cms_fault import protect_with
from torwart.sim.gateway.documents import log_document
from torwart.sim.gateway.event import EventKind
from torwart.sim.gateway.log import LogKind
from torwart.wire.cms import open_protected
from torwart.wire.cosem import Query, Request, Response, tree
from torwart.wire.cosem.resources import (
    LATER,
    ActionResult,
    Binding,
    BoundObjects,
    Bundle,
    Device,
    Instance,
    Later,
    Reply,
    application_error,
)
from torwart.wire.cosem.server import ResourceServer
from torwart.wire.cosem.uri import Address, Level, ObjectId
from torwart.wire.profiles import MeterProfile
from torwart.wire.smgw import table
from torwart.wire.smgw.model import (
    ClockReading,
    ContractState,
    ContractStatus,
    DeviceStatus,
    LmnDevice,
    LogFill,
    OperatingState,
    SelfTest,
    SendOrder,
)
from torwart.wire.smgw.values import to_data

if TYPE_CHECKING:
    from torwart.sim.gateway.gateway import Gateway

SIGNAL_DBM = -71
_NO_OBJECTS: Mapping[ObjectId, Instance] = {}


class Resources:
    """Answers the GWA's requests. It implements ``torwart.wire.cosem.resources.Tree`` over the gateway's own state."""

    __slots__ = ("_gateway", "_server", "self_test", "started_at")

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self.self_test: SelfTest | None = None
        self.started_at = gateway.core.timeline.now()
        self._server = ResourceServer(
            self, hosts=[self.management], unprotect=self._unprotect, protect=self._protect, contact=self._contact()
        )

    def _contact(self) -> str:
        return self._gateway.core.memory.rules.contact

    def answer(self, request: Request) -> Response:
        """The response to a request of the GWA; ``Reboot`` passes through."""
        response = self._server.handle(request)
        if response.status in (422, 403):
            self._gateway.core.log(EventKind.MESSAGE_REFUSED, str(response.status))
        return response

    # --- content protection: end to end between GWA and gateway (DS2 ch. 5) ---

    def _unprotect(self, message: bytes) -> bytes:
        links = self._gateway.links
        return open_protected(message, agreer=links.agreer(), signers=links.gwa_signers()).content

    def _protect(self, document: bytes) -> bytes:
        core, links = self._gateway.core, self._gateway.links
        return protect_with(core.faults, document, signer=links.signer(), recipient=links.gwa(), suite=links.suite)

    # --- Tree ---

    @property
    def management(self) -> str:
        return self._gateway.core.config.device.host

    @property
    def devices(self) -> Mapping[str, Device]:
        """The management device, and one logical device per profile, as real gateways name their containers."""
        found: dict[str, Device] = {self.management: _Objects(BoundObjects(BINDINGS, self._gateway))}
        for path, profile in self._gateway.core.memory.profiles.items():
            address = profile.address
            assert address.object_id is not None
            device = found.setdefault(address.device, _Objects(_NO_OBJECTS))
            if isinstance(device, _Objects):
                device.bundles[address.object_id] = _ProfileBundle(self._gateway, path, address)
        return found

    @property
    def containers(self) -> Mapping[ObjectId, Bundle]:
        return {}

    def create(self, address: Address, content: tree.Node | None) -> None:
        if address.level is not Level.DEVICE_CONTAINER:
            raise application_error(ActionResult.SCOPE_VIOLATED, "only profile containers can be created")
        self._gateway.profiles.write(address, content)

    def delete(self, address: Address) -> None:
        if address.level is not Level.DEVICE_CONTAINER:
            raise COSEM_NOT_ALLOWED(method="DELETE", path=address.path, allowed="GET")
        self._gateway.profiles.delete(address)

    def late(self, reply: Reply, result: tree.MethodResponse) -> None:
        """Bring the result of a slow act to the GWA."""
        self._gateway.reporter.bring(self._server.notification(reply, result))


class _Objects:
    """A logical device: its objects, and profile containers added one by one."""

    __slots__ = ("bundles", "objects")

    def __init__(self, objects: Mapping[ObjectId, Instance]) -> None:
        self.objects = objects
        self.bundles: dict[ObjectId, Bundle] = {}

    @property
    def containers(self) -> Mapping[ObjectId, Bundle]:
        return self.bundles


@dataclass(frozen=True, slots=True)
class _ProfileBundle:
    gateway: "Gateway"
    path: str
    address: Address

    def read(self) -> tree.Container:
        return self.gateway.profiles.read(self.path)

    def write(self, content: tree.Container) -> None:
        self.gateway.profiles.write(self.address, content)


# --- what the objects show ---


def _clock(gateway: "Gateway", _: Query) -> ClockReading:
    core = gateway.core
    return ClockReading(core.clock.now(), core.clock.valid, gateway.time.last_sync)


def _time(gateway: "Gateway", _: Query) -> datetime:
    return gateway.core.clock.now()


def _state(gateway: "Gateway") -> OperatingState:
    """Spec/04 §1.13: metering stopped by a full log is Secure State Application, an invalid time Measurement."""
    if gateway.metering.stopped:
        return OperatingState.SECURE_APPLICATION
    return OperatingState.NORMAL if gateway.core.clock.valid else OperatingState.SECURE_MEASUREMENT


def _status(gateway: "Gateway", query: Query) -> DeviceStatus:
    core = gateway.core
    fills = tuple(LogFill(name, len(log), log.capacity) for name, log in core.memory.logs.items())
    return DeviceStatus(
        core.config.device,
        gateway.firmware.firmware,
        _state(gateway),
        gateway.links.standing,
        _clock(gateway, query),
        gateway.resources.started_at,
        bool(core.memory.starts) and not gateway.metering.stopped,
        SIGNAL_DBM,
        gateway.resources.self_test,
        fills,
    )


def _lmn(gateway: "Gateway", _: Query) -> tuple[LmnDevice, ...]:
    """Meters that are configured and meters that are merely heard."""
    configured = {p.meter for p in gateway.core.memory.profiles.values() if isinstance(p, MeterProfile)}
    heard = {DeviceId.parse(meter.device) for meter in gateway.metering.meters.values() if meter.seen}
    return tuple(_lmn_device(gateway, meter) for meter in sorted(configured | heard))


def _lmn_device(gateway: "Gateway", meter: DeviceId) -> LmnDevice:
    memory, device = gateway.core.memory, gateway.metering.meters.get(str(meter))
    profile = next((p for p in memory.profiles.values() if isinstance(p, MeterProfile) and p.meter == meter), None)
    paired = str(meter) in memory.pairings
    seen = device is not None and device.seen
    last = memory.series[str(meter)].last if str(meter) in memory.series else None
    present = gateway.metering.read_now(str(meter)) if paired else None
    return LmnDevice(
        meter,
        configured=profile is not None,
        paired=paired,
        seen=seen,
        com_type=profile.com_type.value if profile else "",
        last_value=last.at if last else None,
        status_word=present.status.to_bytes(8, "big") if present else None,
        error="" if seen else "not seen",
    )


def _contracts(gateway: "Gateway", _: Query) -> tuple[ContractStatus, ...]:
    memory, now = gateway.core.memory, gateway.core.clock.now()
    rows = []
    for profile in gateway.contracts.profiles:
        over = profile.valid_until is not None and profile.valid_until <= now
        running = profile.id in memory.starts and not over
        state = ContractState.ARCHIVE if over else ContractState.RUNNING if running else ContractState.READY
        sent_at = [at for key, at in memory.sent_at.items() if key.partition("/")[0] == profile.id]
        rows.append(
            ContractStatus(
                profile.id,
                profile.tariff_use_case,
                state,
                max(sent_at, default=None),
                memory.sent_count.get(profile.id, 0),
                gateway.delivery.errors.get(profile.id, ""),
            )
        )
    return tuple(rows)


# --- what they do ---


def _run_self_test(gateway: "Gateway", _: Reply | None) -> SelfTest:
    """Module unlocked, keys of the set in use present, calibration log not full, time valid."""
    core = gateway.core
    problems = []
    if not core.module.unlocked or not core.module.has(gateway.links.real_standing):
        problems.append("security module")
    if core.memory.logs[LogKind.CALIBRATION].full:
        problems.append("calibration log full")
    if not core.clock.valid:
        problems.append("time invalid")
    why = ", ".join(problems)
    core.log(EventKind.SELF_TEST_FAILED, why) if problems else core.log(EventKind.SELF_TEST_PASSED)
    gateway.resources.self_test = SelfTest(not problems, core.clock.now(), why)
    return gateway.resources.self_test


def _restart(gateway: "Gateway") -> None:
    gateway.core.after(0.5, gateway.reboot_soon)


def _pair(gateway: "Gateway", meter: DeviceId, _: Reply | None) -> LmnDevice:
    """Pair with the key of the meter's profile."""
    profiles = gateway.core.memory.profiles.values()
    profile = next((p for p in profiles if isinstance(p, MeterProfile) and p.meter == meter), None)
    if profile is None or profile.extension.key is None:
        raise application_error(ActionResult.OBJECT_UNDEFINED, f"no meter profile with a key for {meter}")
    if not profile.active:
        raise application_error(ActionResult.OBJECT_UNAVAILABLE, f"the profile of {meter} is not active")
    if not gateway.metering.pair(str(meter), profile.extension.key):
        device = gateway.metering.meters.get(str(meter))
        why = "does not take its key" if device is not None and device.seen else "is not seen on the LMN"
        raise application_error(ActionResult.HARDWARE_FAULT, f"{meter} {why}")
    gateway.changed()
    return _lmn_device(gateway, meter)


def _unpair(gateway: "Gateway", meter: DeviceId) -> None:
    gateway.metering.unpair(str(meter))
    gateway.changed()


def _send_now(gateway: "Gateway", order: SendOrder, reply: Reply | None) -> Later:
    """Deliver at once; it takes longer than an answer may, so the result always comes later."""
    profile = gateway.contracts.find(order.contract)
    if profile is None:
        raise application_error(ActionResult.OBJECT_UNDEFINED, f"no contract {order.contract}")
    if reply is None:
        raise COSEM_TOO_SLOW(retry_after=None)

    async def send() -> None:
        try:
            count = await gateway.delivery.send_now(profile, order.since, order.until)
        except Refusal as refusal:
            failure = tree.MethodResponse(int(ActionResult.TEMPORARY_FAILURE), to_data(refusal.code))
            gateway.resources.late(reply, failure)
        else:
            gateway.resources.late(reply, tree.MethodResponse(data=to_data(count)))

    gateway.core.spawn(send())
    return LATER


def _wipe(gateway: "Gateway", consumer: str) -> None:
    gateway.contracts.wipe_consumer(consumer)


def _log(kind: LogKind) -> Binding:
    spec = {
        LogKind.SYSTEM: table.SYSTEM_LOG,
        LogKind.CALIBRATION: table.CALIBRATION_LOG,
        LogKind.CONSUMER: table.CONSUMER_LOG,
    }[kind]

    def show(gateway: "Gateway", query: Query) -> bytes:
        core = gateway.core
        return log_document(core.config.device, core.memory.logs[kind], query)

    def clear(gateway: "Gateway") -> None:
        gateway.core.memory.logs[kind].clear()
        gateway.metering.resume()

    return spec.bind({}, {"clear": clear} if spec.methods else {}, show)


_ALL = (
    table.LOGICAL_DEVICE_NAME.bind({"value": lambda gateway, _: gateway.core.config.device.host}),
    table.CLOCK.bind({"time": _time, "reading": _clock}),
    table.FIRMWARE.bind({"value": lambda gateway, _: gateway.firmware.firmware}),
    table.STATUS.bind({"value": _status}),
    table.DEVICE.bind(
        {"self_test": lambda gateway, _: gateway.resources.self_test},
        {"self_test": _run_self_test, "restart": _restart},
    ),
    table.SECURITY.bind(
        {"certificates": lambda gateway, _: gateway.credentials.entries()},
        {
            "generate_key_pairs": lambda gateway, _: gateway.credentials.generate(),
            "certificate_request": lambda gateway, order, _: gateway.credentials.request(order),
            "import_certificates": lambda gateway, certificates: gateway.credentials.take(certificates),
            "remove_certificates": lambda gateway, standing: gateway.credentials.remove(standing),
            "activate_certificates": lambda gateway: gateway.credentials.activate(),
        },
    ),
    table.LMN.bind({"devices": _lmn}, {"pair": _pair, "unpair": _unpair}),
    table.CONTRACTS.bind({"contracts": _contracts}, {"send_now": _send_now, "wipe_consumer": _wipe}),
    table.IMAGE.bind(
        {"status": lambda gateway, _: gateway.firmware.status},
        {
            "initiate": lambda gateway, start: gateway.firmware.initiate(start),
            "block": lambda gateway, block: gateway.firmware.block(block),
            "verify": lambda gateway, _: gateway.firmware.verify(),
            "activate": lambda gateway, order, _: gateway.firmware.activate(order),
        },
    ),
    _log(LogKind.SYSTEM),
    _log(LogKind.CALIBRATION),
    _log(LogKind.CONSUMER),
)

BINDINGS: dict[ObjectId, Binding] = {binding.id: binding for binding in _ALL}
"""One table for all devices; the objects come into being while a request touches them."""
