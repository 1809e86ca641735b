"""The published list of what may be ordered and operated (O-6, KL 4.3)."""

from dataclasses import dataclass
from datetime import datetime

from torwart.rules.validity import Validity
from torwart.store.models import ApprovedConfiguration, CcCertificate


@dataclass(frozen=True, slots=True)
class Approved:
    """A gateway type with firmware × a basic meter type. ``certificates``: number and validity of its CC certificates.

    ``in_force``: approved now and with a CC certificate that is valid now, so that it can be ordered.
    """

    gateway_type: str
    firmware: str
    meter_type: str
    validity: Validity
    certificates: tuple[tuple[str, Validity], ...]
    in_force: bool


def published(now: datetime, *, text: str = "") -> list[Approved]:
    """All approved configurations by type, firmware and meter type; two queries. ``text``: part of a type's name."""
    certificates: dict[tuple[str, str], list[tuple[str, Validity]]] = {}
    for row in CcCertificate.objects.order_by("number"):
        validity = Validity(row.valid_from, row.valid_until)
        certificates.setdefault((row.gateway_type, row.firmware), []).append((row.number, validity))
    rows = ApprovedConfiguration.objects.order_by("gateway_type", "firmware", "meter_type")
    wanted = text.casefold()
    return [
        _approved(row, tuple(certificates.get((row.gateway_type, row.firmware), ())), now)
        for row in rows
        if wanted in f"{row.gateway_type} {row.firmware} {row.meter_type}".casefold()
    ]


def _approved(row: ApprovedConfiguration, certificates: tuple[tuple[str, Validity], ...], now: datetime) -> Approved:
    validity = Validity(row.valid_from, row.valid_until)
    certified = any(each.covers(now) for _, each in certificates)
    return Approved(
        row.gateway_type, row.firmware, row.meter_type, validity, certificates, validity.covers(now) and certified
    )
