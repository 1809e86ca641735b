"""What a simulated gateway is born with: identity, seal credentials, meters, initial configuration."""

from dataclasses import dataclass, field

from torwart.kernel.identifiers import DeviceId
from torwart.sim.gateway.fault import Fault
from torwart.sim.pki import Credential, Triple

Address = tuple[str, int]
"""Host and port; ports are never implied (spec/04 §1.1: none is fixed by the standard)."""


@dataclass(frozen=True, slots=True)
class InitialConfig:
    """What the maker puts in for the GWA (IKD): whom to call, whom to believe, where to listen.

    Certificates in DER. ``trust``: root and Sub-CAs. ``gwa_tls``: the certificates the head-end's listeners show
    (MANAGEMENT, ADMIN-SERVICE, NTP), in any of which the gateway recognises its administrator. ``wake_up_window``
    in seconds (spec/04 §7 no. 2).
    """

    management: Address
    admin_service: Address
    ntp: Address
    gwa_tls: tuple[bytes, ...]
    gwa_sig: bytes
    gwa_enc: bytes
    trust: tuple[bytes, ...]
    wake_up_window: int = 30
    session_seconds: float = 48 * 3600


@dataclass(frozen=True, slots=True)
class MeterConfig:
    """A meter that hangs on the gateway's LMN. ``key``: its MK0, 16 bytes."""

    device: DeviceId
    key: bytes
    seed: int = 1
    annual_kwh: float = 3500.0
    pv_kwp: float = 0.0


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """One device as it leaves the factory. ``seal``: its Gütesiegel triple with keys.

    ``fault_credentials``: what it shows under the faults of ``CREDENTIAL_FAULTS`` that are to be played.
    ``drift_ppm`` and ``clock_offset`` (seconds) tell how wrong its clock is when it is first switched on.
    """

    device: DeviceId
    seal: Triple
    initial: InitialConfig
    meters: tuple[MeterConfig, ...] = ()
    faults: frozenset[Fault] = frozenset()
    fault_credentials: dict[Fault, Credential] = field(default_factory=dict)
    drift_ppm: float = 5.0
    clock_offset: float = 3.0
    calibration_log_capacity: int = 1000
    system_log_capacity: int = 1500
