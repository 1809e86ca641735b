"""What our gateway's objects say, as plain dataclasses: status, clock, certificates, meters, contracts, firmware.

The object model of real gateways (DIN VDE V 0418-63-8) is not at hand: these are ours. Operating states follow
spec/04 §1.13 (a maker's published states), contract states spec/04 §1.6.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from torwart.kernel.identifiers import DeviceId


class OperatingState(StrEnum):
    """Normal operation and the secure states (spec/04 §1.13)."""

    NORMAL = "normal"
    SECURE_BOOT = "secure_boot"
    SECURE_APPLICATION = "secure_application"
    SECURE_CONNECTIVITY = "secure_connectivity"
    SECURE_MEASUREMENT = "secure_measurement"


class Standing(StrEnum):
    """Which of its three certificate sets: the maker's seal, the operational set in use, or the next one."""

    SEAL = "seal"
    CURRENT = "current"
    NEXT = "next"


class LogKind(StrEnum):
    """The three logs (spec/04 §1.8)."""

    SYSTEM = "system"
    CALIBRATION = "calibration"
    CONSUMER = "consumer"


class ContractState(StrEnum):
    """State of an evaluation at the consumer interface (spec/04 §1.6)."""

    READY = "ready"
    RUNNING = "running"
    ARCHIVE = "archive"


class ImageState(StrEnum):
    """Progress of a firmware transfer, after image_transfer_status of class 18 (recalled)."""

    IDLE = "idle"
    TRANSFER = "transfer"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    VERIFICATION_FAILED = "verification_failed"
    ACTIVATING = "activating"
    ACTIVATED = "activated"
    ACTIVATION_FAILED = "activation_failed"


@dataclass(frozen=True, slots=True)
class Firmware:
    """``digest``: SHA-256 over the active image; ``inactive_version``: what lies in the other partition."""

    version: str
    digest: bytes
    inactive_version: str = ""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The gateway's time as it believes it, and whether it believes it."""

    at: datetime
    valid: bool
    last_sync: datetime | None = None


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Result of a self-test; ``why`` names what failed."""

    passed: bool
    at: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class LogFill:
    log: LogKind
    entries: int = field(metadata={"cosem": "double-long-unsigned"})
    capacity: int = field(metadata={"cosem": "double-long-unsigned"})


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """Everything a look at the device tells. ``signal_strength`` in dBm; ``standing``: the set TLS now uses."""

    device: DeviceId
    firmware: Firmware
    state: OperatingState
    standing: Standing
    clock: ClockReading
    started_at: datetime
    metering: bool
    signal_strength: int | None = field(default=None, metadata={"cosem": "integer"})
    self_test: SelfTest | None = None
    logs: tuple[LogFill, ...] = ()

    @property
    def time_valid(self) -> bool:
        return self.clock.valid


@dataclass(frozen=True, slots=True)
class CertificateEntry:
    """One certificate the gateway holds of itself. ``use``: TLS, SIG or ENC."""

    standing: Standing
    use: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class RequestOrder:
    """What the GWA tells the gateway for its certificate request: the parts of the subject it cannot know.

    ``renewal``: the outer signature is the still valid operational SIG key's (spec/04 §3.5), else the seal's.
    """

    organisation: str
    unit: str
    sequence: int = field(metadata={"cosem": "long-unsigned"})
    renewal: bool = False
    country: str = "DE"


@dataclass(frozen=True, slots=True)
class LmnDevice:
    """A device on the LMN, configured or merely heard. ``seen``: it answered lately; ``status_word``: 8 octets."""

    meter: DeviceId
    configured: bool
    paired: bool
    seen: bool
    com_type: str = ""
    last_value: datetime | None = None
    status_word: bytes | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class ContractStatus:
    """An evaluation. ``last_sent`` and ``sent``: the last delivery and the values delivered in all."""

    contract: str
    tariff_use_case: int = field(metadata={"cosem": "unsigned"})
    state: ContractState
    last_sent: datetime | None = None
    sent: int = field(default=0, metadata={"cosem": "double-long-unsigned"})
    error: str = ""


@dataclass(frozen=True, slots=True)
class SendOrder:
    """Send readings of a contract at once (TAF 6): of ``since`` to ``until``, open ends as the contract has them."""

    contract: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ImageStart:
    """``identifier``: the firmware's version text; ``size`` in octets."""

    identifier: str
    size: int = field(metadata={"cosem": "double-long-unsigned"})


@dataclass(frozen=True, slots=True)
class ImageBlock:
    """Block ``number`` counts from 0; every block but the last has the size the gateway asks for."""

    number: int = field(metadata={"cosem": "double-long-unsigned"})
    octets: bytes


@dataclass(frozen=True, slots=True)
class ImageActivation:
    """When the verified image becomes active; ``None``: at once."""

    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ImageStatus:
    """``missing``: number of the first block not yet there."""

    state: ImageState
    identifier: str
    block_size: int = field(metadata={"cosem": "double-long-unsigned"})
    missing: int = field(metadata={"cosem": "double-long-unsigned"})
    why: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """What the gateway tells its GWA unasked (Notify, A2 Tabelle 5). ``number`` grows by one: gaps and repeats show.

    ``level`` INFO, WARNING, ERROR or FATAL; ``event`` and ``vendor`` as in the log entry ``record_number``.
    """

    device: DeviceId
    number: int
    at: datetime
    seconds_index: int
    level: str
    vendor: str
    event: int = field(metadata={"cosem": "double-long-unsigned"})
    text: str
    log: LogKind = LogKind.SYSTEM
    record_number: int = 0
    success: bool = True
    subject: str = ""
    parameters: tuple[str, ...] = ()
