"""The maker: devices with seal certificates and meters, from a test PKI; written to a directory and read back."""

import json
import os
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.identifiers import DeviceId
from torwart.sim.gateway.config import Address, GatewayConfig, InitialConfig, MeterConfig
from torwart.sim.gateway.fault import CREDENTIAL_FAULTS, Fault
from torwart.sim.pki import Credential, TestPki, Triple
from torwart.sim.pki import Fault as Forgery
from torwart.sim.pki.files import read_triple, write_file, write_triple
from torwart.wire.certificate import Role, Use, common_name

_FORGERIES = {
    Fault.EXPIRED_CERTIFICATE: Forgery.EXPIRED,
    Fault.REVOKED_CERTIFICATE: Forgery.REVOKED,
    Fault.FOREIGN_CA: Forgery.FOREIGN_CA,
}
_OTHER_NUMBER = 99_999_999
_ROOF_SHARE = 0.3
_DEVICE = "device.json"


def initial_config(
    pki: TestPki, *, management: Address, admin_service: Address, ntp: Address, wake_up_window: int = 30
) -> InitialConfig:
    """What the GWA of this PKI has put into its devices."""
    tls, sig, enc = (credential.certificate_der for credential in pki.gwa)
    trust = tuple(certificate.public_bytes(Encoding.DER) for certificate in pki.trust_chain)
    return InitialConfig(management, admin_service, ntp, (tls,), sig, enc, trust, wake_up_window)


def device_ids(count: int, *, maker: str = "PPC", block: str = "02", first: int = 1) -> list[DeviceId]:
    """``count`` gateway numbers of a maker in a row."""
    return [DeviceId.parse(f"E{maker}{block}{number:08d}") for number in range(first, first + count)]


def make_device(
    pki: TestPki, device: DeviceId, initial: InitialConfig, *, meters: int = 1, faults: Iterable[Fault] = ()
) -> GatewayConfig:
    """A new device with its own household: what its number gives as seed, so the same number is the same house."""
    chance = random.Random(str(device))  # noqa: S311 -- households, no secrets
    number = int(str(device)[6:])
    made = tuple(
        MeterConfig(
            DeviceId.parse(f"1EMH{index:02d}{number:08d}"),
            os.urandom(16),
            seed=chance.randrange(1 << 30),
            annual_kwh=round(chance.lognormvariate(8.05, 0.45)),
            pv_kwp=round(chance.uniform(4, 14), 1) if chance.random() < _ROOF_SHARE else 0.0,
        )
        for index in range(meters)
    )
    wanted = frozenset(faults)
    forged = {fault: forge(pki, device, fault) for fault in wanted & CREDENTIAL_FAULTS}
    return GatewayConfig(
        device,
        pki.seal_triple(str(device)),
        initial,
        made,
        wanted,
        forged,
        drift_ppm=round(chance.gauss(0, 8), 2),
        clock_offset=round(chance.gauss(0, 4), 2),
    )


def forge(pki: TestPki, device: DeviceId, fault: Fault) -> Credential:
    """The wrong TLS certificate a device shows under one of ``CREDENTIAL_FAULTS``."""
    if fault is Fault.WRONG_CN:
        other = f"{str(device)[:6]}{_OTHER_NUMBER:08d}"
        return pki.operational_triple(other).of(Use.TLS)
    return pki.faulty_triple(_FORGERIES[fault], Role.SMGW, str(device)).of(Use.TLS)


# --- on disk -------------------------------------------------------------------------------------------------------


def write_device(directory: Path, config: GatewayConfig) -> None:
    """Seal triple as PEM and ``device.json``, both in the device's own directory; keys readable by their owner only."""
    write_triple(directory, config.seal)
    about = {
        "device": str(config.device),
        "drift_ppm": config.drift_ppm,
        "clock_offset": config.clock_offset,
        "meters": [
            {
                "device": str(meter.device),
                "mk0": meter.key.hex(),
                "seed": meter.seed,
                "annual_kwh": meter.annual_kwh,
                "pv_kwp": meter.pv_kwp,
            }
            for meter in config.meters
        ],
    }
    write_file(directory / _DEVICE, json.dumps(about, indent=1).encode(), secret=True)


def read_device(directory: Path, initial: InitialConfig) -> GatewayConfig:
    """What ``write_device`` wrote."""
    about = json.loads((directory / _DEVICE).read_text())
    meters = tuple(
        MeterConfig(
            DeviceId.parse(meter["device"]),
            bytes.fromhex(meter["mk0"]),
            meter["seed"],
            meter["annual_kwh"],
            meter["pv_kwp"],
        )
        for meter in about["meters"]
    )
    seal: Triple = read_triple(directory, common_name(Role.SMGW, about["device"]))
    return GatewayConfig(
        DeviceId.parse(about["device"]),
        seal,
        initial,
        meters,
        drift_ppm=about["drift_ppm"],
        clock_offset=about["clock_offset"],
    )


def devices_in(state: Path, initial: InitialConfig) -> Iterator[GatewayConfig]:
    """All devices that were written below ``state``, by number."""
    for path in sorted(state.glob(f"*/{_DEVICE}")):
        yield read_device(path.parent, initial)
