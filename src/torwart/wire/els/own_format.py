"""Our delivery-note format 1.0: XML by ``els-1.0.xsd``, read as a stream and validated while it is read."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree

from torwart.kernel.refusals.els import ELS_MALFORMED, ELS_TOO_LARGE
from torwart.wire.els.note import Carrier, Device, GatewayItem, Head, MeterItem, Note, Secret

NAMESPACE = "urn:torwart:els:1.0"
MAX_BYTES = 200 * 1024 * 1024
"""Default size limit of a note (spec: delivery note, hardening)."""

_Q = "{" + NAMESPACE + "}"
_NSMAP: Any = {None: NAMESPACE}
_DEVICE_TAGS = (_Q + "SMGW", _Q + "Zaehler", _Q + "Steuereinrichtung")


@cache
def schema() -> etree.XMLSchema:
    """The format's schema, compiled once."""
    return etree.XMLSchema(etree.parse(str(Path(__file__).with_name("els-1.0.xsd"))))


class _Bounded:
    """A stream that refuses to give more than ``limit`` bytes."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream, self._limit, self._given = stream, limit, 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size if size >= 0 else 65536)
        self._given += len(data)
        if self._given > self._limit:
            raise ELS_TOO_LARGE(size=self._given, limit=self._limit)
        return data


def read(source: bytes | BinaryIO, *, limit: int = MAX_BYTES) -> Note:
    """Start reading a note. Raises ``els.malformed`` here or while ``devices`` is consumed, ``els.too_large`` likewise.

    DTDs, entities and network access are off; what breaks the schema is refused with its line.
    """
    stream = BytesIO(source) if isinstance(source, bytes) else source
    items = _items(_events(_Bounded(stream, limit)))
    head: Head | None = None
    carriers: list[Carrier] = []
    for item in items:
        if isinstance(item, Head):
            head = item
        elif isinstance(item, Carrier):
            carriers.append(item)
        elif head is not None:
            rest = (device for device in items if isinstance(device, Device))
            return Note(head, tuple(carriers), chain((item,), rest))
    raise ELS_MALFORMED(line=0, why="Kopf / Geraete")


def _items(elements: Iterator[Any]) -> Iterator[Head | Carrier | Device]:
    """What the schema cannot say (e.g. 31 February in a leap second) fails in the conversion: same refusal."""
    for element in elements:
        try:
            if element.tag == _Q + "Kopf":
                item: Head | Carrier | Device = _head(element)
            elif element.tag == _Q + "Ladungstraeger":
                item = _carrier(element)
            else:
                item = _device(element)
        except (ValueError, OverflowError) as error:
            raise ELS_MALFORMED(line=element.sourceline or 0, why=str(error)) from None
        yield item


def _events(stream: _Bounded) -> Iterator[etree._Element]:
    tags = (_Q + "Kopf", _Q + "Ladungstraeger", *_DEVICE_TAGS)
    try:
        for _, element in etree.iterparse(
            stream,
            events=("end",),
            tag=tags,
            schema=schema(),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
        ):
            if element.getroottree().docinfo.doctype:
                raise ELS_MALFORMED(line=1, why="DOCTYPE")
            yield element
            _forget(element)
    except etree.XMLSyntaxError as error:
        raise ELS_MALFORMED(line=error.lineno or 0, why=error.msg) from None


def _forget(element: Any) -> None:
    """Free what was read, so that memory stays flat."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _text(element: Any, *path: str) -> str:
    found = element.find("/".join(_Q + p for p in path))
    return (found.text or "").strip() if found is not None else ""


def _head(element: Any) -> Head:
    return Head(
        number=_text(element, "Lieferscheinnummer"),
        message_type=_text(element, "Nachrichtentyp"),
        created_at=_instant(_text(element, "Erstellzeitpunkt")),
        delivered_on=date.fromisoformat(_text(element, "Lieferdatum")[:10]),
        maker=_text(element, "Hersteller", "Name"),
        maker_flag=_text(element, "Hersteller", "FLAG"),
        operator=_text(element, "Messstellenbetreiber", "Name"),
        operator_code=_text(element, "Messstellenbetreiber", "Codenummer"),
        administrator=_text(element, "GatewayAdministrator", "Name"),
        administrator_code=_text(element, "GatewayAdministrator", "Codenummer"),
        replaces=_text(element, "ErsetztLieferscheinnummer"),
        order_number=_text(element, "Bestellnummer"),
    )


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _carrier(element: Any) -> Carrier:
    seals = tuple((s.text or "").strip() for s in element.findall(_Q + "SiegelNr"))
    return Carrier(_text(element, "LadungstraegerNr"), _text(element, "Art"), seals)


def _secrets(element: Any) -> tuple[Secret, ...]:
    return tuple(
        Secret(s.get("art"), bytes.fromhex(s.get("empfaengerZertifikat")), b64decode(s.text or ""))
        for s in element.findall(_Q + "Geheimnis")
    )


def _common(element: Any) -> dict[str, Any]:
    produced = _text(element, "Produktionsdatum")
    return {
        "id": element.get("id"),
        "maker_type": _text(element, "HerstellerTyp"),
        "firmware": _text(element, "Firmwareversion"),
        "article": _text(element, "Artikelnummer"),
        "hardware": _text(element, "Hardwareversion"),
        "firmware_hash": bytes.fromhex(_text(element, "FirmwareHashSHA256")),
        "approval": _text(element, "Bauartzulassung"),
        "calibration_year": _text(element, "Eichjahr"),
        "produced_on": date.fromisoformat(produced[:10]) if produced else None,
        "secrets": _secrets(element),
    }


def _device(element: Any) -> Device:
    common = _common(element)
    certificates: dict[str, list[bytes]] = {}
    for found in element.findall(_Q + "Zertifikat"):
        certificates.setdefault(found.get("typ"), []).append(b64decode(found.text or ""))
    if element.tag == _Q + "SMGW":
        return GatewayItem(
            **common,
            wan_type=_text(element, "WANTyp"),
            iccid=_text(element, "ICCID"),
            imei=_text(element, "IMEI"),
            cc_certificate=_text(element, "CCZertifikat"),
            initial_configuration=_text(element, "InitialeKonfigurationId"),
            carrier=_text(element, "LadungstraegerNr"),
            tls=certificates.get("SMGW-G-TLS", [b""])[0],
            sig=certificates.get("SMGW-G-SIG", [b""])[0],
            enc=certificates.get("SMGW-G-ENC", [b""])[0],
            chain=tuple(certificates.get("CA-KETTE", [])),
        )
    if element.tag == _Q + "Zaehler":
        return MeterItem(
            **common,
            sector=_text(element, "Sparte"),
            lmn=_text(element, "LMNAnbindung"),
            obis=tuple((o.text or "").strip() for o in element.findall(_Q + "OBIS")),
            lmn_certificate=certificates.get("MTR-LMN-TLS", [b""])[0],
        )
    return Device(**common)


def write(head: Head, carriers: Iterable[Carrier], devices: Iterable[Device], out: BinaryIO) -> None:
    """Write a note, device by device; what makers' systems do (the simulated maker uses it)."""
    with etree.xmlfile(out, encoding="utf-8") as xml:
        xml.write_declaration()
        with xml.element(_Q + "ElektronischerLieferschein", schemaVersion="1.0", nsmap=_NSMAP):
            xml.write(_head_element(head))
            for carrier in carriers:
                xml.write(_carrier_element(carrier))
            with xml.element(_Q + "Geraete"):
                for device in devices:
                    xml.write(_device_element(device))


def _element(name: str, children: Iterable[tuple[str, str]] = (), **attributes: str) -> Any:
    element = etree.Element(_Q + name, attributes, nsmap=_NSMAP)
    for tag, text in children:
        if text:
            etree.SubElement(element, _Q + tag).text = text
    return element


def _head_element(head: Head) -> Any:
    element = _element(
        "Kopf",
        [
            ("Lieferscheinnummer", head.number),
            ("Nachrichtentyp", head.message_type),
            ("ErsetztLieferscheinnummer", head.replaces),
            ("Erstellzeitpunkt", head.created_at.astimezone(UTC).isoformat()),
            ("Bestellnummer", head.order_number),
            ("Lieferdatum", head.delivered_on.isoformat()),
        ],
    )
    element.append(_element("Hersteller", [("Name", head.maker), ("FLAG", head.maker_flag)]))
    element.append(_element("Messstellenbetreiber", [("Name", head.operator), ("Codenummer", head.operator_code)]))
    element.append(
        _element("GatewayAdministrator", [("Name", head.administrator), ("Codenummer", head.administrator_code)])
    )
    return element


def _carrier_element(carrier: Carrier) -> Any:
    seals = [("SiegelNr", seal) for seal in carrier.seals]
    return _element("Ladungstraeger", [("LadungstraegerNr", carrier.number), ("Art", carrier.kind), *seals])


def _common_children(device: Device) -> list[tuple[str, str]]:
    return [
        ("HerstellerTyp", device.maker_type),
        ("Artikelnummer", device.article),
        ("Hardwareversion", device.hardware),
        ("Firmwareversion", device.firmware),
        ("FirmwareHashSHA256", device.firmware_hash.hex().upper()),
        ("Bauartzulassung", device.approval),
        ("Eichjahr", device.calibration_year),
        ("Produktionsdatum", device.produced_on.isoformat() if device.produced_on else ""),
    ]


def _device_element(device: Device) -> Any:
    children = _common_children(device)
    certificates: list[tuple[str, bytes]] = []
    name = "Steuereinrichtung"
    if isinstance(device, GatewayItem):
        name = "SMGW"
        children += [
            ("WANTyp", device.wan_type),
            ("ICCID", device.iccid),
            ("IMEI", device.imei),
            ("CCZertifikat", device.cc_certificate),
            ("InitialeKonfigurationId", device.initial_configuration),
            ("LadungstraegerNr", device.carrier),
        ]
        certificates = [("SMGW-G-TLS", device.tls), ("SMGW-G-SIG", device.sig), ("SMGW-G-ENC", device.enc)]
        certificates += [("CA-KETTE", der) for der in device.chain]
    elif isinstance(device, MeterItem):
        name = "Zaehler"
        children += [("Sparte", device.sector), ("LMNAnbindung", device.lmn), *(("OBIS", o) for o in device.obis)]
        certificates = [("MTR-LMN-TLS", device.lmn_certificate)] if device.lmn_certificate else []
    element = _element(name, children, id=device.id)
    for kind, der in certificates:
        etree.SubElement(element, _Q + "Zertifikat", typ=kind).text = b64encode(der).decode()
    for secret in device.secrets:
        child = etree.SubElement(
            element, _Q + "Geheimnis", art=secret.kind, empfaengerZertifikat=secret.recipient.hex().upper()
        )
        child.text = b64encode(secret.envelope).decode()
    return element
