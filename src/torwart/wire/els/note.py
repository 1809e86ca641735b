"""What a delivery note says, whatever its format (spec: delivery note)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain
from typing import BinaryIO, Protocol

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.els import ELS_MALFORMED

MAX_BYTES = 200 * 1024 * 1024
"""Default size limit of a note (spec: delivery note, hardening)."""

MAX_CARRIERS = 10_000
"""Carriers are kept while the devices are read, so their number has a limit; devices have none."""


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


@dataclass(frozen=True, slots=True)
class ControlItem(Device):
    """A control unit (Steuereinrichtung); it has nothing that every device does not have."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A device the note names and its format could not read; ``refusal`` says why."""

    id: str
    refusal: Refusal


Item = Device | Unreadable

_KINDS: dict[type, str] = {GatewayItem: "SMGW", MeterItem: "Zaehler", ControlItem: "Steuereinrichtung"}


def kind(item: Item) -> str:
    """``SMGW``, ``Zaehler`` or ``Steuereinrichtung``, as in the note; empty if it could not be read."""
    return _KINDS.get(type(item), "")


@dataclass(slots=True)
class Note:
    """A delivery note being read: head and carriers are there, devices come one by one from ``devices``."""

    head: Head
    carriers: tuple[Carrier, ...]
    devices: Iterator[Item] = field(repr=False)


class Format(Protocol):
    """A form that delivery notes come in. ``read`` validates the whole before it answers; memory stays flat."""

    def read(self, source: bytes | BinaryIO, *, limit: int = MAX_BYTES) -> Note:
        """Start reading; ``source`` is seekable. Raises ``els.malformed`` or ``els.too_large``."""
        ...


def collected(items: Iterator[Head | Carrier | Item]) -> Note:
    """A note from its parts in their order: head, carriers, devices."""
    head: Head | None = None
    carriers: dict[str, Carrier] = {}
    for item in items:
        if isinstance(item, Head):
            head = item
        elif isinstance(item, Carrier):
            if item.number in carriers or len(carriers) == MAX_CARRIERS:
                raise ELS_MALFORMED(line=0, why=f"Ladungstraeger {item.number}: {len(carriers)} + 1")
            carriers[item.number] = item
        elif head is not None:
            rest = (each for each in items if not isinstance(each, Head | Carrier))
            return Note(head, tuple(carriers.values()), chain((item,), rest))
    raise ELS_MALFORMED(line=0, why="Kopf / Geraete")
