"""The composition root: ports to adapters, processes to the engine, facts to the intake. Nothing is decided here."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from torwart.adapters.bus import BlockingBus, NatsBus
from torwart.adapters.engine import AbsurdEngine, Tuning
from torwart.adapters.gateway_link import BusGatewayLink
from torwart.adapters.key_store import FileKeyStore
from torwart.adapters.sm_pki import CallbackReceiver, SmPkiClient, TlsIdentity
from torwart.config import apart
from torwart.kernel.refusals.installation import CONFIGURATION_INVALID
from torwart.ports.bus import Bus
from torwart.ports.gateway_link import SUBJECT_FACT, SUBJECT_POLICY, Fact
from torwart.processes.definition import catalogue
from torwart.processes.telling import Patience, World, story_of
from torwart.rules.wake_up import WakeUpLimit
from torwart.services import certificate as certificates
from torwart.services import intake, policy, present, revocation
from torwart.services.profile import Network
from torwart.wire.certificate import Trust, load_certificates
from torwart.wire.cms import ski_of

T = TypeVar("T")


class SystemClock:
    """``ports.Clock``: the machine's."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """What a worker is told at its start (TOML; relative paths are relative to the file).

    ``makers``: SIG certificates of the makers whose delivery notes we take. ``callbacks``: where the Sub-CA calls
    back, ``None``: another worker takes the callbacks.
    """

    bus: str
    key_directory: Path
    key_file: Path
    root: x509.Certificate
    sub_cas: list[x509.Certificate]
    seal_cas: list[x509.Certificate]
    makers: list[x509.Certificate]
    ca_url: str
    ca_crl_url: str
    ca_identity: TlsIdentity
    network: Network
    callbacks: tuple[str, int] | None = None
    threads: int = 8
    lease: float = 15.0
    patience: Patience = field(default_factory=Patience)
    wake_up_limit: WakeUpLimit = field(default_factory=WakeUpLimit)

    @property
    def trust(self) -> Trust:
        return Trust.of(self.root, self.sub_cas, self.seal_cas)

    @property
    def maker_keys(self) -> Mapping[bytes, EllipticCurvePublicKey]:
        keys = {ski_of(maker): maker.public_key() for maker in self.makers}
        return {ski: key for ski, key in keys.items() if isinstance(key, EllipticCurvePublicKey)}

    @classmethod
    def load(cls, path: Path) -> "WorkerConfig":
        try:
            return _from_toml(tomllib.loads(path.read_text()), path.parent)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise CONFIGURATION_INVALID(path=path, why=f"{type(error).__name__}: {error}") from error


def _from_toml(document: dict[str, Any], here: Path) -> WorkerConfig:
    def pem(names: list[str]) -> list[x509.Certificate]:
        return [found for name in names for found in load_certificates((here / name).read_bytes())]

    keys, trust, ca, gwa = document["keys"], document["trust"], document["ca"], document["network"]
    root, sub_cas, seal_cas = pem([trust["root"]])[0], pem(trust["sub_cas"]), pem(trust.get("seal_cas", []))
    believed = tuple(c.public_bytes(Encoding.DER) for c in (root, *sub_cas))
    identity = TlsIdentity.from_files(here / ca["chain"], here / ca["key"], here / trust["bundle"])
    waits = {
        name: tuple(value) if isinstance(value, list) else float(value)
        for name, value in document.get("patience", {}).items()
    }
    options = document.get("worker", {})
    callbacks = options.get("callbacks")
    return WorkerConfig(
        bus=document["bus"]["url"],
        key_directory=here / keys["directory"],
        key_file=here / keys["key_file"],
        root=root,
        sub_cas=sub_cas,
        seal_cas=seal_cas,
        makers=pem(trust.get("makers", [])),
        ca_url=ca["url"],
        ca_crl_url=ca["crl_url"],
        ca_identity=identity,
        network=Network(
            management=_address(gwa["management"]),
            admin_service=_address(gwa["admin_service"]),
            ntp=_address(gwa["ntp"]),
            tls=tuple(c.public_bytes(Encoding.DER) for c in pem(gwa["tls"])),
            trust=believed,
            contact=gwa["contact"],
        ),
        callbacks=_address(callbacks) if callbacks else None,
        threads=int(options.get("threads", 8)),
        lease=float(options.get("lease", 15.0)),
        wake_up_limit=_wake_up_limit(document.get("wake_up", {})),
        patience=Patience(**waits),  # type: ignore[arg-type]  # a wrong kind fails where it is used first
    )


def _wake_up_limit(table: dict[str, Any]) -> WakeUpLimit:
    default = WakeUpLimit()
    return WakeUpLimit(
        int(table.get("count", default.count)),
        timedelta(seconds=table.get("period", default.period.total_seconds())),
        timedelta(seconds=table.get("gap", default.gap.total_seconds())),
    )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


class Worker:
    """One worker process: tells stories, takes facts, serves the policy, receives the Sub-CA's callbacks.

    ``connect`` makes the bus (by default NATS at ``config.bus``); Django must be up (``installation.django_setup``).
    """

    def __init__(self, config: WorkerConfig, connect: Callable[[], Any] | None = None) -> None:
        self.config = config
        self.clock = SystemClock()
        apart.require_anchor(config.root)
        self.keys = FileKeyStore.open(apart.require_directory(config.key_directory), key_file=config.key_file)
        sandbox = bool(settings.TORWART_SANDBOX)
        # Waits are service time; what the stories show and believe outside is protocol time (``self.clock``).
        self.engine = AbsurdEngine(clock=present.Clock() if sandbox else None, tuning=Tuning(lease=config.lease))
        self.bus = BlockingBus.start(connect or self._nats)
        self.world = World(
            link=BusGatewayLink(self.bus),
            keys=self.keys,
            ca=SmPkiClient(config.ca_url, config.ca_identity, crl_url=config.ca_crl_url),
            clock=self.clock,
            network=config.network,
            trust=config.trust,
            patience=config.patience,
            wake_up_limit=config.wake_up_limit,
            makers=config.makers,
            ahead=present.ahead if sandbox else None,
        )
        for process in catalogue().values():
            self.engine.register(process.name, story_of(process, self.world))
        self.receiver: CallbackReceiver | None = None

    async def _nats(self) -> Bus:
        return await NatsBus.connect(self.config.bus, name="worker")

    def start(self) -> None:
        """Take facts and callbacks and serve the policy from now on."""
        self.bus.subscribe(SUBJECT_FACT, self._fact, queue="workers")
        self.bus.subscribe(SUBJECT_POLICY, self._policy, queue="workers")
        if self.config.callbacks is not None:
            host, port = self.config.callbacks
            self.receiver = CallbackReceiver(self.config.ca_identity, self._called_back, host=host, port=port).start()
        self.world.link.policy_changed()

    def work(self) -> None:
        """Tell stories until ``stop``."""
        self.engine.work(threads=self.config.threads)

    def stop(self) -> None:
        self.engine.stop()

    def close(self) -> None:
        if self.receiver is not None:
            self.receiver.stop()
        self.bus.close()

    def refresh_revocations(self) -> bool:
        """Fetch the CRL and follow it (daily, and after each revocation); ``True`` if it brought anything new."""
        return revocation.refresh(self.world.ca, self.config.trust, self.world.link, self.clock.now())

    def _fact(self, _subject: str, payload: bytes) -> bytes:
        fact = Fact.decode(payload)
        _steady(lambda: intake.take(self.engine, fact, self.keys))
        return b"ok"

    def _policy(self, _subject: str, _payload: bytes) -> bytes:
        return _steady(policy.current).encode()

    def _called_back(self, message_id: str | None, status: str, ders: tuple[bytes, ...]) -> bool:
        if message_id is None:
            return True  # an announcement of new certificates: each is asked for by whoever needs it
        return _steady(lambda: certificates.called_back(self.engine, message_id, status, "", list(ders)))


def _steady(do: Callable[[], T]) -> T:
    """``do``, and once more on a new connection if the database had been away: what is done so may be repeated."""
    try:
        return do()
    except (OperationalError, InterfaceError):
        connection.close()
        return do()
