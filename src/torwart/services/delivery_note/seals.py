"""Quality-seal certificates (Gütesiegel) of a gateway: from a trusted maker's CA, for this device, in date (P01)."""

from dataclasses import dataclass
from hashlib import sha256

from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals.els import ELS_IDENTITY
from torwart.wire import els
from torwart.wire.certificate import Checked, Series, Use


@dataclass(frozen=True, slots=True)
class Seal:
    """A checked seal certificate. ``number``: issuer and serial number, as the store writes them."""

    use: Use
    checked: Checked
    number: tuple[str, str]
    der: bytes

    @property
    def fingerprint(self) -> str:
        return sha256(self.der).hexdigest()


def check(device: DeviceId, item: els.GatewayItem, series: Series) -> tuple[Seal, ...]:
    """The three seal certificates of a gateway, or the refusal of the first that is not good."""
    written = (Use.TLS, item.tls), (Use.SIG, item.sig), (Use.ENC, item.enc)
    return tuple(_seal(device, der, use, series) for use, der in written)


def _seal(device: DeviceId, der: bytes, use: Use, series: Series) -> Seal:
    checked = series.validate(der, use)
    # A gateway's common name is canonical here: the device id in upper case and ".SMGW".
    if checked.common_name != f"{device}.SMGW":
        raise ELS_IDENTITY(device=device, use=use.value, name=checked.common_name)
    return Seal(use, checked, (checked.issuer, f"{checked.serial:x}"), der)
