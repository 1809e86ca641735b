"""What a delivery note says, whatever its format (spec: delivery note)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Head:
    """Who delivers what to whom. ``operator_code`` is the metering point operator's 13-digit market code."""

    number: str
    message_type: str
    created_at: datetime
    delivered_on: date
    maker: str
    maker_flag: str
    operator: str
    operator_code: str
    administrator: str
    administrator_code: str = ""
    replaces: str = ""
    order_number: str = ""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A box or bag of the secure supply chain with its seal numbers."""

    number: str
    kind: str
    seals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret for the GWA: CMS AuthEnvelopedData (DER), never clear; ``recipient`` = SHA-256 of the certificate."""

    kind: str
    recipient: bytes
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Device:
    """What every delivered device has. ``id`` is the text as written; identifiers are checked by who imports it."""

    id: str
    maker_type: str
    firmware: str
    article: str = ""
    hardware: str = ""
    firmware_hash: bytes = b""
    approval: str = ""
    calibration_year: str = ""
    produced_on: date | None = None
    secrets: tuple[Secret, ...] = ()


@dataclass(frozen=True, slots=True)
class GatewayItem(Device):
    """A smart meter gateway with its seal certificates (DER)."""

    wan_type: str = ""
    iccid: str = ""
    imei: str = ""
    cc_certificate: str = ""
    initial_configuration: str = ""
    carrier: str = ""
    tls: bytes = b""
    sig: bytes = b""
    enc: bytes = b""
    chain: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class MeterItem(Device):
    """A basic meter: how it is read over the LMN and which registers it has."""

    sector: str = ""
    lmn: str = ""
    obis: tuple[str, ...] = ()
    lmn_certificate: bytes = b""


@dataclass(slots=True)
class Note:
    """A delivery note being read: head and carriers are there, devices come one by one from ``devices``."""

    head: Head
    carriers: tuple[Carrier, ...]
    devices: Iterator[Device] = field(repr=False)
