"""Our delivery-note format 1.0: XML by ``els-1.0.xsd``, validated and then read, both as a stream.

Theory of operation
- Two passes over a seekable file. The first holds it to the schema (libxml2 while it parses; no tree is kept), the
  second makes items of it. So a broken note is refused before anything of it is used, and memory is flat.
- libxml2 tells schema errors of a stream only at its end and without a line. For the answer to the maker a third pass
  then looks for the element at fault and validates that one alone.
- Between two items at most ``_STRIDE`` bytes may stand, so that no flood of unknown elements fills the memory before
  the verdict on them is known. DTDs, entities, comments, processing instructions and the network are off.
"""

from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree

from torwart.kernel.identifiers.base import shown
from torwart.kernel.refusals.els import ELS_MALFORMED, ELS_TOO_LARGE
from torwart.wire.els.note import (
    MAX_BYTES,
    Carrier,
    ControlItem,
    Device,
    GatewayItem,
    Head,
    Item,
    MeterItem,
    Note,
    Secret,
    Unreadable,
    collected,
)

NAMESPACE = "urn:torwart:els:1.0"
SCHEMA_FILE = Path(__file__).with_name("els-1.0.xsd")
EXAMPLE_FILE = Path(__file__).with_name("els-1.0-beispiel.xml")

_Q = "{" + NAMESPACE + "}"
_NSMAP: Any = {None: NAMESPACE}
_HEAD, _CARRIER = _Q + "Kopf", _Q + "Ladungstraeger"
_GATEWAY, _METER, _CONTROL = _Q + "SMGW", _Q + "Zaehler", _Q + "Steuereinrichtung"
_ITEMS = (_HEAD, _CARRIER, _GATEWAY, _METER, _CONTROL)
_STRIDE = 2 * 2**20
_SKIP = len(_Q)


@cache
def schema() -> etree.XMLSchema:
    """The format's schema, compiled once."""
    return etree.XMLSchema(etree.parse(str(SCHEMA_FILE)))


def read(source: bytes | BinaryIO, *, limit: int = MAX_BYTES) -> Note:
    """Validate a note and start reading it; ``source`` must be seekable. Raises ``els.malformed``, ``els.too_large``.

    All that the schema forbids is refused here, with its line. A device the schema allows and the calendar does not
    comes out of ``devices`` as ``Unreadable``.
    """
    stream = BytesIO(source) if isinstance(source, bytes) else source
    start = stream.tell()
    _validate(stream, limit)
    stream.seek(start)
    return collected(_items(stream, limit))


def _validate(stream: BinaryIO, limit: int) -> None:
    start = stream.tell()
    try:
        for _ in _elements(stream, limit, schema()):
            pass
    except etree.XMLSyntaxError as error:
        stream.seek(start)
        raise _located(stream, limit) or _malformed(error) from None


def _located(stream: BinaryIO, limit: int) -> Exception | None:
    """The refusal with line and element, if the fault lies within one head, carrier or device."""
    try:
        for element in _elements(stream, limit):
            if not schema().validate(element):
                log: Any = schema().error_log  # its stub does not know that it is a sequence
                return ELS_MALFORMED(line=log[0].line or element.sourceline or 0, why=_told(element, log[0].message))
    except etree.XMLSyntaxError as error:
        return _malformed(error)
    return None


def _malformed(error: etree.XMLSyntaxError) -> Exception:
    return ELS_MALFORMED(line=error.lineno or 0, why=_plain(error.msg or "XML"))


def _told(element: Any, message: str) -> str:
    name = element.tag[_SKIP:]
    device = element.get("id")
    return f"{name} {shown(device)}: {_plain(message)}" if device else f"{name}: {_plain(message)}"


def _plain(message: str) -> str:
    """What libxml2 says, without our namespace and as one short line."""
    line = " ".join(message.replace(_Q, "").split())
    return line if len(line) <= 300 else line[:299] + "…"


class _Bounded:
    """A stream that gives at most ``limit`` bytes, and at most ``_STRIDE`` without ``step`` between them."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream, self._limit, self._given, self._stepped = stream, limit, 0, 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size if size >= 0 else 65536)
        self._given += len(data)
        if self._given > self._limit:
            raise ELS_TOO_LARGE(size=self._given, limit=self._limit)
        if self._given - self._stepped > _STRIDE:
            raise ELS_MALFORMED(line=0, why=f"{_STRIDE} Byte ohne Gerät / without a device")
        return data

    def step(self) -> None:
        self._stepped = self._given


def _elements(stream: BinaryIO, limit: int, validator: etree.XMLSchema | None = None) -> Iterator[Any]:
    """Head, carriers and devices as elements, each forgotten when the next one is asked for."""
    bounded = _Bounded(stream, limit)
    parsed = etree.iterparse(
        bounded,
        events=("end",),
        tag=_ITEMS,
        schema=validator,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    first = True
    for _, element in parsed:
        if first and element.getroottree().docinfo.doctype:
            raise ELS_MALFORMED(line=1, why="DOCTYPE")
        first = False
        bounded.step()
        yield element
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _items(stream: BinaryIO, limit: int) -> Iterator[Head | Carrier | Item]:
    """What the schema cannot say fails in the conversion: of a device it is told, of the head it is refused."""
    try:
        for element in _elements(stream, limit):
            yield _item(element)
    except etree.XMLSyntaxError as error:
        raise _malformed(error) from None


def _item(element: Any) -> Head | Carrier | Item:
    make = _MAKERS[element.tag]
    try:
        return make(element)
    except (ValueError, OverflowError) as error:
        refusal = ELS_MALFORMED(line=element.sourceline or 0, why=_told(element, str(error)))
        if element.tag in (_HEAD, _CARRIER):
            raise refusal from None
        return Unreadable(element.get("id"), refusal)


def _texts(element: Any) -> dict[str, str]:
    """The children that have nothing but text, by local name."""
    return {child.tag[_SKIP:]: (child.text or "").strip() for child in element}


def _head(element: Any) -> Head:
    own = _texts(element)
    maker, operator, administrator = (
        _texts(element.find(_Q + party)) for party in ("Hersteller", "Messstellenbetreiber", "GatewayAdministrator")
    )
    return Head(
        number=own["Lieferscheinnummer"],
        message_type=own["Nachrichtentyp"],
        created_at=_instant(own["Erstellzeitpunkt"]),
        delivered_on=date.fromisoformat(own["Lieferdatum"][:10]),
        maker=maker["Name"],
        maker_flag=maker["FLAG"],
        operator=operator["Name"],
        operator_code=operator["Codenummer"],
        administrator=administrator["Name"],
        administrator_code=administrator.get("Codenummer", ""),
        replaces=own.get("ErsetztLieferscheinnummer", ""),
        order_number=own.get("Bestellnummer", ""),
    )


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _carrier(element: Any) -> Carrier:
    seals = tuple((s.text or "").strip() for s in element.findall(_Q + "SiegelNr"))
    own = _texts(element)
    return Carrier(own["LadungstraegerNr"], own["Art"], seals)


# What one child of a device element tells: the field it fills, and how its text is read. These run for every child
# of every device, so they are tables and one loop, not searches by name.
_Table = dict[str, tuple[str, Callable[[str], Any]]]
_COMMON: _Table = {
    "HerstellerTyp": ("maker_type", str.strip),
    "Artikelnummer": ("article", str.strip),
    "Hardwareversion": ("hardware", str.strip),
    "Firmwareversion": ("firmware", str.strip),
    "FirmwareHashSHA256": ("firmware_hash", bytes.fromhex),
    "Bauartzulassung": ("approval", str.strip),
    "Eichjahr": ("calibration_year", str.strip),
    "Produktionsdatum": ("produced_on", lambda text: date.fromisoformat(text.strip()[:10])),
}
_OF_GATEWAY: _Table = {
    "WANTyp": ("wan_type", str.strip),
    "ICCID": ("iccid", str.strip),
    "IMEI": ("imei", str.strip),
    "CCZertifikat": ("cc_certificate", str.strip),
    "InitialeKonfigurationId": ("initial_configuration", str.strip),
    "LadungstraegerNr": ("carrier", str.strip),
}
_OF_METER: _Table = {"Sparte": ("sector", str.strip), "LMNAnbindung": ("lmn", str.strip)}
_CERTIFICATE, _SECRET, _OBIS = _Q + "Zertifikat", _Q + "Geheimnis", _Q + "OBIS"
_CERTIFICATES = {"SMGW-G-TLS": "tls", "SMGW-G-SIG": "sig", "SMGW-G-ENC": "enc", "MTR-LMN-TLS": "lmn_certificate"}


def _fields(element: Any, table: _Table) -> dict[str, Any]:
    fields: dict[str, Any] = {"id": element.get("id")}
    secrets: list[Secret] = []
    for child in element:
        tag, text = child.tag, child.text or ""
        known = table.get(tag)
        if known is not None:
            fields[known[0]] = known[1](text)
        elif tag == _CERTIFICATE:
            _take_certificate(fields, child.get("typ"), a2b_base64(text))
        elif tag == _SECRET:
            recipient = bytes.fromhex(child.get("empfaengerZertifikat"))
            secrets.append(Secret(child.get("art"), recipient, a2b_base64(text)))
        else:
            fields["obis"] = (*fields.get("obis", ()), text.strip())
    if secrets:
        fields["secrets"] = tuple(secrets)
    return fields


def _take_certificate(fields: dict[str, Any], kind: str, der: bytes) -> None:
    name = _CERTIFICATES.get(kind)
    if name is None:
        fields["chain"] = (*fields.get("chain", ()), der)
    elif name in fields:
        raise ValueError(f"{kind} doppelt / twice")
    else:
        fields[name] = der


def _qualified(*tables: _Table) -> _Table:
    return {_Q + name: entry for table in tables for name, entry in table.items()}


_GATEWAY_TABLE, _METER_TABLE = _qualified(_COMMON, _OF_GATEWAY), _qualified(_COMMON, _OF_METER)
_CONTROL_TABLE = _qualified(_COMMON)


def _gateway(element: Any) -> GatewayItem:
    item = GatewayItem(**_fields(element, _GATEWAY_TABLE))
    if missing := [kind for kind in ("TLS", "SIG", "ENC") if not getattr(item, kind.lower())]:
        raise ValueError(f"SMGW-G-{missing[0]} fehlt / is missing")
    return item


_MAKERS: dict[str, Callable[[Any], Head | Carrier | Device]] = {
    _HEAD: _head,
    _CARRIER: _carrier,
    _GATEWAY: _gateway,
    _METER: lambda element: MeterItem(**_fields(element, _METER_TABLE)),
    _CONTROL: lambda element: ControlItem(**_fields(element, _CONTROL_TABLE)),
}


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
