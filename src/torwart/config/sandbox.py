"""The sandbox's gateways: made on demand, delivered by a signed note, switched on when they are commissioned.

One host works off the wishes of all clients (``services.sandbox``). Its gateways are the simulated ones of ``sim``, in
an event loop of their own; the maker's and the authorities' keys are those of a test PKI, so no head-end of a live
installation lets them in.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import uvloop
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.db import Error, connection

from torwart.adapters.key_store import FileKeyStore
from torwart.config import apart
from torwart.config import site as sites
from torwart.kernel.identifiers import DeviceId, MaLoId, MeLoId
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.process import KEY_SET_MISSING
from torwart.kernel.refusals.sandbox import SANDBOX_NO_HOST
from torwart.rules.precondition import GatewayType
from torwart.rules.sandbox import Behaviour
from torwart.services import administrator, present
from torwart.services import approved_configuration as approved_configurations
from torwart.services import delivery_note as delivery_notes
from torwart.services import emt as emts
from torwart.services import sandbox as verbs
from torwart.services.sandbox import Wish
from torwart.sim.emt import EmtConfig, EmtReceiver
from torwart.sim.gateway.config import Address, GatewayConfig
from torwart.sim.gateway.fault import Fault
from torwart.sim.gateway.fleet import Fleet, FleetConfig
from torwart.sim.gateway.manufacture import device_ids, forge, initial_config, make_device, read_device, write_device
from torwart.sim.pki import Credential, TestPki, Triple
from torwart.sim.pki.files import read_triple, write_triple
from torwart.store.queries import client as clients
from torwart.wire.certificate import Role, Use, common_name, identify, load_certificates

T = TypeVar("T")
_log = logging.getLogger("torwart.sandbox")
_BLOCK, _FIRST = "0D", 60_000_000
"""The numbers of the sandbox's devices: no other simulator uses them."""
ACTOR = "sandbox"
_NOTICE_SECONDS = 1.0
"""Head-ends learn first that a gateway may come, then somebody switches it on: nobody lets a stranger in."""

FAULTS: Mapping[Behaviour, frozenset[Fault]] = {
    Behaviour.GOOD: frozenset(),
    Behaviour.SILENT: frozenset({Fault.SILENT}),
    Behaviour.SLOW: frozenset({Fault.SLOW}),
    Behaviour.BREAKS_MID_UPDATE: frozenset({Fault.REBOOT_IN_WRITE, Fault.REBOOT_IN_FIRMWARE}),
    Behaviour.LOSES_ANSWERS: frozenset({Fault.DROP_BODY}),
    Behaviour.WRONG_CERTIFICATE: frozenset({Fault.WRONG_CERTIFICATE}),
    Behaviour.EXPIRED_CERTIFICATE: frozenset({Fault.EXPIRED_CERTIFICATE}),
    Behaviour.FOREIGN_CERTIFICATE: frozenset({Fault.FOREIGN_CA}),
    Behaviour.WRONG_CLOCK: frozenset({Fault.CLOCK_20S}),
    Behaviour.NO_METER: frozenset({Fault.METER_ABSENT}),
    Behaviour.WRONG_METER_KEY: frozenset({Fault.METER_WRONG_KEY}),
    Behaviour.REFUSES_PROFILE: frozenset({Fault.REFUSE_PROFILE_4XX}),
    Behaviour.FORGETS_PROFILE: frozenset({Fault.FORGET_PROFILE}),
}
_AT_THE_DOOR = FAULTS[Behaviour.WRONG_CERTIFICATE] | FAULTS[Behaviour.EXPIRED_CERTIFICATE] | FAULTS[
    Behaviour.FOREIGN_CERTIFICATE
]  # fmt: skip
"""What shows only when the gateway connects anew."""


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """``pki``: directory of a test PKI; ``keys``, ``key_file``: the installation's key store; ``state``: where the
    devices and their EMTs lie, so that they are there again after a restart; ``emt_service``: where those confirm.
    """

    pki: Path
    keys: Path
    key_file: Path
    state: Path
    management: Address
    admin_service: Address
    ntp: Address
    emt_service: Address
    wake_up: Address = ("127.0.0.1", 0)


class SandboxHost:
    """``start``, then ``work`` until ``stop``. Django must be up, on the sandbox's database."""

    def __init__(self, config: SandboxConfig) -> None:
        if not settings.TORWART_SANDBOX:
            raise SANDBOX_NO_HOST()
        self.config = config
        apart.require_anchor(load_certificates((config.pki / "chain.pem").read_bytes())[0])
        self.pki = TestPki.load(config.pki)
        self.keys = FileKeyStore.open(apart.require_directory(config.keys), key_file=config.key_file)
        self._behaviours: dict[str, Behaviour] = {}
        self._prepared: dict[int, TestPki] = {}
        self._receivers: dict[int, EmtReceiver] = {}
        self._ended = threading.Event()
        self._loop = uvloop.new_event_loop()
        fleet = FleetConfig((), config.wake_up, config.state, forge=partial(forge, self.pki))
        self.fleet = Fleet(fleet)

    def start(self) -> "SandboxHost":
        """Set up what is there; gateways that had power have it again."""
        threading.Thread(target=self._loop.run_forever, name="sandbox", daemon=True).start()
        self._call(self.fleet.start(power=False))
        kind = GatewayType(sites.GATEWAY_TYPE, sites.FIRMWARE)
        if not approved_configurations.known(kind, sites.METER_TYPE):
            approved_configurations.certify(sites.CC_CERTIFICATE, kind, actor=ACTOR)
            approved_configurations.approve(kind, sites.METER_TYPE, actor=ACTOR)
        for wish in verbs.standing():
            self._emt(wish.client)
            device = read_device(self.config.state / wish.device, self._initial(self._of_client(wish.client)))
            self._call(self._set_up(device))
            self._follow(wish)
        return self

    def work(self, *, pause: float = 0.2) -> None:
        """Follow wishes as they come. A database that is away is asked again."""
        looked = 0.0
        while not self._ended.is_set():
            try:
                busy = self._work_off(verbs.wishes())
                if time.monotonic() - looked > 1.0:
                    verbs.seen({state.device: state.connected for state in self._call(self._states())})
                    looked = time.monotonic()
            except Error as error:
                _log.warning("the database does not answer: %s", error)
                connection.close()
                busy = False
            if not busy:
                self._ended.wait(pause)

    def stop(self) -> None:
        self._ended.set()

    def close(self) -> None:
        """Power off; memories are kept."""
        with contextlib.suppress(TimeoutError):
            self._call(self.fleet.stop())
            for receiver in self._receivers.values():
                self._call(receiver.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)

    # --- following wishes ---

    def _work_off(self, wishes: Sequence[Wish]) -> bool:
        wanted = [wish for wish in wishes if wish.state == "wanted"]
        for client, group in groupby(sorted(wanted, key=lambda wish: wish.client), key=lambda wish: wish.client):
            self._make(client, list(group))
        for wish in wishes:
            if wish.state != "wanted":
                self._follow(wish)
        return bool(wishes)

    def _make(self, client: int, wishes: Sequence[Wish]) -> None:
        """Manufacture gateways and deliver them to the client; what is refused is told at each."""
        try:
            pki = self._of_client(client)
            devices = [self._device(pki, wish) for wish in wishes]
            refused = self._delivered(client, pki, devices)
            emt = self._emt(client)
        except Refusal as refusal:
            for wish in wishes:
                verbs.failed(wish.pk, f"{refusal.code}: {refusal.text('de')}", wish.revision)
            return
        for wish, device in zip(wishes, devices, strict=True):
            if str(device.device) in refused:
                verbs.failed(wish.pk, refused[str(device.device)], wish.revision)
                continue
            self._call(self._set_up(device))
            self._call(self._behave(str(device.device), wish.behaviour))
            fields = self._fields(wish, device, emt)
            verbs.made(wish.pk, str(device.device), fields["meters"], fields, wish.revision)

    def _device(self, pki: TestPki, wish: Wish) -> GatewayConfig:
        """A new device, or the one of this number that lies there from before a crash."""
        (number,) = device_ids(1, maker=pki.maker, block=_BLOCK, first=_FIRST + wish.pk)
        directory = self.config.state / str(number)
        if (directory / "device.json").exists():
            return read_device(directory, self._initial(pki))
        made = make_device(pki, DeviceId(number), self._initial(pki), meters=wish.meters)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_device(directory, made)
        return made

    def _delivered(self, client: int, pki: TestPki, devices: Sequence[GatewayConfig]) -> dict[str, str]:
        """Import the maker's signed note for these devices; which were refused, and why."""
        site = sites.Site(self.config.state, pki, "", client)
        owner = clients.one(client)
        assert owner is not None
        code = next((code for code, _ in owner.participants), sites.OPERATOR_CODE)
        about = {"operator": owner.name, "operator_code": code}
        number = f"SBX-{devices[0].device}-{time.time_ns():x}"
        report = delivery_notes.import_note(
            sites.signed_note(site, devices, number=number, **about),
            client=client,
            keys=self.keys,
            trust=pki.trust,
            makers=[pki.gwh.sig.certificate],
            at=present.real(),
            actor=ACTOR,
        )
        return {row.device: f"{row.code}: {row.de}" for row in report.devices if row.result == "refused"}

    def _emt(self, client: int) -> str:
        """The client's own receiver of readings, running and among its EMTs; a certificate serves one client alone."""
        name = f"Sandbox-EMT {client}"
        if client not in self._receivers:
            directory = self.config.state / f"emt-{client}"
            if not directory.exists():
                write_triple(directory, self.pki.issue_triple(Role.EMT, name))
                (directory / "port").write_text("0")
            triple = read_triple(directory, common_name(Role.EMT, name))
            host, port = self.config.wake_up[0], int((directory / "port").read_text())
            receiver = EmtReceiver(self._receiving(triple))
            _, port = self._call(receiver.start(host, port))
            (directory / "port").write_text(str(port))
            self._receivers[client] = receiver
            emts.register(client, name, f"{host}:{port}", triple.certificates, actor=ACTOR)
        return name

    def _receiving(self, triple: Triple) -> EmtConfig:
        """An EMT of the test PKI that confirms to the head-end what it has taken."""
        chain = tuple(c.public_bytes(Encoding.DER) for c in self.pki.chain_of(triple.tls.certificate)[1:])
        trust = tuple(c.public_bytes(Encoding.DER) for c in self.pki.trust_chain)
        return EmtConfig(triple, chain, trust, self.config.emt_service, (self.pki.gwa.tls.certificate_der,))

    def _fields(self, wish: Wish, device: GatewayConfig, emt: str) -> dict[str, Any]:
        """What an order to commission this gateway can say."""
        host, port = self.fleet.wake_up_address
        ((_, fields),) = sites.orders([device], emt, f"{host}:{port}")
        number = _FIRST + wish.pk
        malos = [MaLoId.complete(f"5{number % 1_000_000:06d}{meter:03d}") for meter in range(len(device.meters))]
        at = present.now().replace(microsecond=0).isoformat()
        return {**fields, "melo": MeLoId.parse(f"DE00036056068{number:020d}"), "malos": malos, "install_at": at}

    def _follow(self, wish: Wish) -> None:
        """Behaviour and power as wished, or away with it."""
        device, on = wish.device, wish.on
        if device in self.fleet.gateways:
            if wish.state == "retired":
                self._call(self.fleet.remove(device))
            else:
                self._call(self._behave(device, wish.behaviour))
                self._call(self._power(device, on))
        verbs.applied(wish.pk, wish.revision, powered=on)

    # --- in the fleet's loop ---

    async def _set_up(self, device: GatewayConfig) -> None:
        self.fleet.add(device)

    async def _behave(self, device: str, behaviour: Behaviour) -> None:
        wanted = FAULTS[behaviour]
        before = self._behaviours.get(device, Behaviour.GOOD)
        for fault in Fault:
            if fault in FAULTS[before] | wanted:
                self.fleet.set_fault(device, fault, fault in wanted)
        self._behaviours[device] = behaviour
        anew = before != behaviour and bool(_AT_THE_DOOR & (FAULTS[before] | wanted))
        if anew and self.fleet.states(device)[0].powered:
            await self.fleet.reboot(device)

    async def _power(self, device: str, on: bool) -> None:
        powered = self.fleet.states(device)[0].powered
        if on and not powered:
            await asyncio.sleep(_NOTICE_SECONDS)
            self.fleet.power_on(device)
        elif powered and not on:
            await self.fleet.power_off(device)

    async def _states(self) -> Iterable[Any]:
        return self.fleet.states()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    # --- what a client's gateways are born with ---

    def _initial(self, pki: TestPki) -> Any:
        config = self.config
        return initial_config(pki, management=config.management, admin_service=config.admin_service, ntp=config.ntp)

    def _of_client(self, client: int) -> TestPki:
        """The PKI with the client's own GWA keys, which are made if it has none yet."""
        if client not in self._prepared:
            pki = copy(self.pki)
            try:
                own = {use: administrator.key(self.keys, client, use).certificate for use in (Use.SIG, Use.ENC)}
            except Refusal as refusal:
                if refusal.kind is not KEY_SET_MISSING:
                    raise
                own = self._key_set(client)
            sig, enc = (Credential(own[use], None) for use in (Use.SIG, Use.ENC))
            pki.gwa = Triple(self.pki.gwa.tls, sig, enc)
            self._prepared[client] = pki
        return self._prepared[client]

    def _key_set(self, client: int) -> dict[Use, Any]:
        """Test keys for a client that has none: made in the key store, certified by the test PKI."""
        public = {use: self.keys.generate(administrator.label(client, use, 1)) for use in (Use.SIG, Use.ENC)}
        tls = self.pki.gwa.tls.certificate.public_key()
        made = self.pki.issue_triple(Role.GWA, self.pki.name, public_keys={**public, Use.TLS: tls})  # type: ignore[dict-item]
        for use in public:
            certificate = made.of(use).certificate
            administrator.register(self.keys, client, certificate, identify(certificate).sequence, use)
        return {use: made.of(use).certificate for use in public}
