"""How the devices of a delivery note become rows: one ``COPY`` a table and batch."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from torwart.kernel.gateway_state import GatewayState
from torwart.services.delivery_note.seals import Seal
from torwart.store.copying import copy, next_ids
from torwart.store.models import Certificate, Custody, DeliveryNote, DeliveryNoteItem, Gateway, Meter
from torwart.wire import els
from torwart.wire.certificate import Role

NewGateway = tuple[str, els.GatewayItem, Sequence[Seal], dict[str, str]]
"""Device id, what the note says, seal certificates, and the labels of its secrets by kind."""
NewMeter = tuple[str, els.MeterItem, dict[str, str]]
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_KEYS = {"HDLC_RS485": "LMN_MK0", "WMBUS": "OMS_AES_KEY"}
"""Which secret opens the meter, by how it is read."""


def gateways(note: DeliveryNote, new: Sequence[NewGateway]) -> None:
    """Gateways in state "delivered", each with its three seal certificates."""
    ids = next_ids(Gateway, len(new))
    columns = ("id", "device_id", "client_id", "state", "maker", "model", "firmware", "cc_certificate")
    copy(
        Gateway,
        (*columns, "delivery_note_id", "wan", "details"),
        (_gateway(pk, note, *each) for pk, each in zip(ids, new, strict=True)),
    )
    seals = ((pk, seal) for pk, (_, _, seals, _) in zip(ids, new, strict=True) for seal in seals)
    copy(Certificate, _CERTIFICATE, (_certificate(note.client_id, pk, seal) for pk, seal in seals))


def _gateway(
    pk: int, note: DeliveryNote, device: str, item: els.GatewayItem, _seals: object, labels: dict[str, str]
) -> Sequence[Any]:
    details = {
        **_details(item, labels),
        "initial_configuration": item.initial_configuration,
        "carrier": item.carrier,
    }
    wan = {"type": item.wan_type, "iccid": item.iccid, "imei": item.imei}
    state = GatewayState.DELIVERED.value
    known = (pk, device, note.client_id, state, note.maker, item.maker_type, item.firmware, item.cc_certificate)
    return (*known, note.pk, _json(wan), _json(details))


def _details(item: els.Device, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "article": item.article,
        "hardware": item.hardware,
        "firmware_hash": item.firmware_hash.hex(),
        "approval": item.approval,
        "calibration_year": item.calibration_year,
        "produced_on": item.produced_on.isoformat() if item.produced_on else "",
        "secrets": labels,
    }


_CERTIFICATE = (
    *("client_id", "gateway_id", "owner", "role", "use", "sequence", "seal", "issuer", "serial", "ski"),
    *("fingerprint", "not_before", "not_after", "state", "der"),
)


def _certificate(client: int, gateway: int, seal: Seal) -> Sequence[Any]:
    checked = seal.checked
    whose = (client, gateway, checked.common_name, Role.SMGW.value, seal.use.value, checked.sequence, True)
    what = (*seal.number, checked.ski.hex(), seal.fingerprint, checked.not_before, checked.not_after)
    return (*whose, *what, "active", seal.der)


def meters(note: DeliveryNote, new: Iterable[NewMeter]) -> None:
    """Meters in state "delivered", each with the label of the key that opens it."""
    columns = ("device_id", "client_id", "state", "lmn", "key_label", "details")
    copy(Meter, columns, (_meter(note, *each) for each in new))


def _meter(note: DeliveryNote, device: str, item: els.MeterItem, labels: dict[str, str]) -> Sequence[Any]:
    details = {
        **_details(item, labels),
        "model": item.maker_type,
        "firmware": item.firmware,
        "sector": item.sector,
        "obis": item.obis,
        "certificate": item.lmn_certificate.hex(),
    }
    lmn = "wireless" if item.lmn == "WMBUS" else "hdlc"
    return (device, note.client_id, "delivered", lmn, labels.get(_KEYS.get(item.lmn, ""), ""), _json(details))


def custodies(
    note: DeliveryNote,
    carriers: dict[str, int],
    since: datetime,
    new: Iterable[tuple[str, els.Device, dict[str, str]]],
) -> None:
    """Where each new device is: in its carrier, held by its maker until somebody takes it over."""
    columns = ("device_id", "client_id", "note_id", "carrier_id", "kind", "details", "holder", "since")
    copy(Custody, columns, (_custody(note, carriers, since, *each) for each in new))


def _custody(
    note: DeliveryNote, carriers: dict[str, int], since: datetime, device: str, item: els.Device, labels: dict[str, str]
) -> Sequence[Any]:
    carrier = carriers.get(item.carrier) if isinstance(item, els.GatewayItem) else None
    details = {}
    if isinstance(item, els.ControlItem):  # it has no other row of its own
        details = {**_details(item, labels), "model": item.maker_type, "firmware": item.firmware}
    return (device, note.client_id, note.pk, carrier, els.kind(item), _json(details), note.maker, since)


def items(note: int, told: Iterable[Sequence[Any]]) -> None:
    """What became of each device: position, device, kind, result, code, de, en."""
    columns = ("note_id", "position", "device_id", "kind", "result", "code", "de", "en")
    copy(DeliveryNoteItem, columns, ((note, *each) for each in told))
