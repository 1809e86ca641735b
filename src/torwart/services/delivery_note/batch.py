"""Some devices of a delivery note at a time: every check in the order of the catalogue, then rows and secrets.

A device falls out at its first refusal; what it has not passed is not asked. Rows are written in a savepoint: if
somebody else has taken one of these numbers meanwhile, the batch looks again and writes what is left.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import IntegrityError, connection, transaction

from torwart.kernel.identifiers import DeviceId
from torwart.kernel.identifiers.base import shown
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.els import (
    ELS_CARRIER,
    ELS_CC_UNKNOWN,
    ELS_CERTIFICATE_USED,
    ELS_KIND,
    ELS_TAKEN,
    ELS_TWICE,
    ELS_TYPE_UNKNOWN,
)
from torwart.services.delivery_note import rows, seals
from torwart.services.delivery_note.seals import Seal
from torwart.services.delivery_note.secrets import Opened, SecretKeeper
from torwart.store.models import ApprovedConfiguration, CcCertificate, DeliveryNote
from torwart.wire import els
from torwart.wire.certificate import Series

_SIZE = 2000
"""Devices a batch: enough that statements cost little, few enough that they fit into 10 MB."""
_OWNERS = """
SELECT device_id, client_id FROM store_gateway WHERE device_id = ANY(%s)
UNION ALL SELECT device_id, client_id FROM store_meter WHERE device_id = ANY(%s)
UNION ALL SELECT device_id, client_id FROM store_custody WHERE device_id = ANY(%s)
"""
_TOLD = "SELECT device_id FROM store_deliverynoteitem WHERE note_id = %s AND device_id = ANY(%s)"
_USED = """
SELECT issuer, serial FROM store_certificate JOIN unnest(%s::text[], %s::text[]) AS new (issuer, serial)
 USING (issuer, serial)
"""


@dataclass(slots=True)
class Counts:
    """How many devices of the note were imported, known before, refused."""

    imported: int = 0
    known: int = 0
    refused: int = 0


@dataclass(slots=True)
class _Entry:
    """One device on its way through the checks. ``device``: empty until its number is known to be one."""

    position: int
    item: els.Item
    device: DeviceId | str = ""
    refusal: Refusal | None = None
    known: bool = False
    seals: Sequence[Seal] = ()
    secrets: Opened = ()

    @property
    def fresh(self) -> bool:
        """Nothing stands against it so far, and it is not ours yet."""
        return self.refusal is None and not self.known

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the key store by kind of secret; of several of one kind the first."""
        if not self.secrets:
            return {}
        kinds = (secret.kind for secret in getattr(self.item, "secrets", ()))
        found: dict[str, str] = {}
        for kind, (label, _) in zip(kinds, self.secrets, strict=True):
            found.setdefault(kind, label)
        return found

    @property
    def told(self) -> Sequence[object]:
        """The row of its result."""
        written = self.device or shown(self.item.id)
        if self.refusal is None:
            return (self.position, written, els.kind(self.item), "known" if self.known else "imported", "", "", "")
        texts = (self.refusal.code, self.refusal.text("de"), self.refusal.text("en"))
        return (self.position, written, els.kind(self.item), "refused", *texts)


@dataclass(slots=True)
class Importer:
    """Takes the devices of one note in; ``carriers``: number → id of those the note lists."""

    note: DeliveryNote
    carriers: dict[str, int]
    secrets: SecretKeeper
    series: Series
    at: datetime
    counts: Counts = field(default_factory=Counts)
    _types: "_Types | None" = None

    def take(self, devices: Iterator[els.Item]) -> Counts:
        """All devices of the note, to the last."""
        position = 0
        while batch := [_Entry(position + n, item) for n, item in enumerate(islice(devices, _SIZE), start=1)]:
            position += len(batch)
            self._batch(batch)
        return self.counts

    def _batch(self, batch: list[_Entry]) -> None:
        for entry in batch:
            _attempt(entry, self.name)
        self._refuse_twice(batch)
        self._look(batch)
        for check in (self.seal, self.type, self.open):
            for entry in batch:
                _attempt(entry, check)
        self._store(batch)
        self._keep_secrets(batch)
        for entry in batch:
            self.counts.refused += entry.refusal is not None
            self.counts.known += entry.known and entry.refusal is None
            self.counts.imported += entry.fresh

    # --- the checks of one device, in their order ---

    def name(self, entry: _Entry) -> None:
        """The number is a device id and one of its kind."""
        if isinstance(entry.item, els.Unreadable):
            raise entry.item.refusal
        device = DeviceId.parse(entry.item.id)
        gateway = isinstance(entry.item, els.GatewayItem)
        if gateway is not device.is_gateway and not isinstance(entry.item, els.ControlItem):
            raise ELS_KIND(device=device, kind=els.kind(entry.item))
        entry.device = device

    def seal(self, entry: _Entry) -> None:
        """A gateway's quality-seal certificates."""
        if isinstance(entry.item, els.GatewayItem):
            entry.seals = seals.check(DeviceId(entry.device), entry.item, self.series)

    def type(self, entry: _Entry) -> None:
        """Type, firmware and CC certificate are known, and the carrier is one of the note's."""
        if self._types is None:
            self._types = _Types.known()
        self._types.require(entry.item, entry.device)
        if isinstance(entry.item, els.GatewayItem) and entry.item.carrier and entry.item.carrier not in self.carriers:
            raise ELS_CARRIER(device=entry.device, carrier=entry.item.carrier)

    def open(self, entry: _Entry) -> None:
        """Its secrets can be opened."""
        if isinstance(entry.item, els.Device) and entry.item.secrets:
            entry.secrets = self.secrets.open(DeviceId(entry.device), entry.item.secrets)

    # --- what the store knows of a batch ---

    def _refuse_twice(self, batch: Iterable[_Entry]) -> None:
        fresh = [entry for entry in batch if entry.fresh]
        seen = {device for (device,) in _asked(_TOLD, self.note.pk, [str(entry.device) for entry in fresh])}
        for entry in fresh:
            if entry.device in seen:
                entry.refusal = ELS_TWICE(device=entry.device)
            seen.add(str(entry.device))

    def _look(self, batch: Iterable[_Entry]) -> None:
        """Whose the numbers are now."""
        fresh = {entry.device: entry for entry in batch if entry.fresh}
        ids = [str(device) for device in fresh]
        for device, owner in _asked(_OWNERS, ids, ids, ids):
            if owner == self.note.client_id:
                fresh[device].known = True
            else:
                fresh[device].refusal = ELS_TAKEN(what=device)

    def _refuse_used(self, batch: Iterable[_Entry]) -> None:
        """A CA gives a serial number once: a second certificate with it is refused, whoever brings it."""
        sealed = [entry for entry in batch if entry.fresh and entry.seals]
        numbers = [seal.number for entry in sealed for seal in entry.seals]
        taken = set(_asked(_USED, *map(list, zip(*numbers, strict=True)))) if numbers else set()
        for entry in sealed:
            for seal in entry.seals:
                if seal.number in taken:
                    entry.refusal = ELS_CERTIFICATE_USED(device=entry.device, use=seal.use.value)
                taken.add(seal.number)

    # --- storing ---

    def _store(self, batch: list[_Entry], tries: int = 3) -> None:
        self._refuse_used(batch)
        try:
            with transaction.atomic():
                self._write(batch)
        except IntegrityError:
            if tries == 1:
                raise
            self._look(batch)  # somebody else was faster with one of these numbers
            self._store(batch, tries - 1)

    def _write(self, batch: list[_Entry]) -> None:
        fresh = [(str(entry.device), entry) for entry in batch if entry.fresh]
        new = [(device, entry.item, entry.labels) for device, entry in fresh if isinstance(entry.item, els.Device)]
        gateways = (
            (device, entry.item, entry.seals, entry.labels)
            for device, entry in fresh
            if isinstance(entry.item, els.GatewayItem)
        )
        rows.gateways(self.note, list(gateways))
        rows.meters(self.note, [(d, item, labels) for d, item, labels in new if isinstance(item, els.MeterItem)])
        rows.custodies(self.note, self.carriers, self.at, new)
        rows.items(self.note.pk, (entry.told for entry in batch))

    def _keep_secrets(self, batch: list[_Entry]) -> None:
        self.secrets.keep(entry.secrets for entry in batch if entry.fresh)
        for entry in batch:
            if entry.refusal is not None and entry.refusal.kind is not ELS_TWICE and entry.device:
                self.secrets.forget(DeviceId(entry.device), getattr(entry.item, "secrets", ()))


@dataclass(frozen=True, slots=True)
class _Types:
    """What may come: gateway types with firmware, their CC certificates, and meter types of approved configurations."""

    gateways: frozenset[tuple[str, str]]
    certificates: frozenset[tuple[str, str, str]]
    meters: frozenset[str]

    @classmethod
    def known(cls) -> "_Types":
        approved = list(ApprovedConfiguration.objects.values_list("gateway_type", "firmware", "meter_type"))
        certified = list(CcCertificate.objects.values_list("gateway_type", "firmware", "number"))
        return cls(
            frozenset((kind, firmware) for kind, firmware, _ in (*approved, *certified)),
            frozenset(certified),
            frozenset(meter for _, _, meter in approved),
        )

    def require(self, item: els.Item, device: str) -> None:
        """Refuse a device of a type nobody has approved, or a gateway whose CC certificate nobody has proven to us.

        Whether approval and certificate are in force is asked when the device is commissioned (P03).
        """
        if isinstance(item, els.GatewayItem):
            if (item.maker_type, item.firmware) not in self.gateways:
                raise ELS_TYPE_UNKNOWN(device=device, model=item.maker_type, firmware=item.firmware)
            if (item.maker_type, item.firmware, item.cc_certificate) not in self.certificates:
                raise ELS_CC_UNKNOWN(
                    device=device,
                    certificate=item.cc_certificate or "–",
                    model=item.maker_type,
                    firmware=item.firmware,
                )
        elif isinstance(item, els.MeterItem) and item.maker_type not in self.meters:
            raise ELS_TYPE_UNKNOWN(device=device, model=item.maker_type, firmware=item.firmware)


def _asked(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def _attempt(entry: _Entry, check: Callable[[_Entry], None]) -> None:
    if entry.fresh:
        try:
            check(entry)
        except Refusal as refusal:
            entry.refusal = refusal
