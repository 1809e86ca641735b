"""The CSV form for pilots: one row a device, without secrets, the head repeated in every row.

Cells are separated by semicolon, comma or tab (whichever the heading has), text is UTF-8. The file is signed by the
maker like any other. A row that is wrong does not stop the others: it comes out as ``Unreadable`` with a refusal that
names row and column, counted as spreadsheets count.
"""

import csv
import io
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, BinaryIO

from torwart.kernel.identifiers.base import shown
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.els import ELS_CELL, ELS_COLUMNS, ELS_TOO_LARGE
from torwart.kernel.words import Words
from torwart.wire.els.note import (
    MAX_BYTES,
    MAX_CARRIERS,
    Carrier,
    ControlItem,
    Device,
    GatewayItem,
    Head,
    Item,
    MeterItem,
    Note,
    Unreadable,
)

GATEWAY, METER, CONTROL = "SMGW", "Zaehler", "Steuereinrichtung"
_KINDS: dict[str, type[Device]] = {GATEWAY: GatewayItem, METER: MeterItem, CONTROL: ControlItem}
_ALL = (GATEWAY, METER, CONTROL)
_LONGEST_LINE = 2**16
_DELIMITERS = ";,\t"
_ROUNDED = re.compile(r"\d([.,]\d+)?E\+?\d+", re.I)


class _Cell(ValueError):
    """What is wrong with a cell."""

    def __init__(self, de: str, en: str) -> None:
        super().__init__(en)
        self.words = Words(de, en)


def _text(text: str) -> str:
    if len(text) > 200:
        raise _Cell("höchstens 200 Zeichen", "at most 200 characters")
    return text


def _number(text: str) -> str:
    if _ROUNDED.fullmatch(text):
        raise _Cell(
            f"„{text}“ hat die Tabellenkalkulation gerundet; formatieren Sie die Spalte als Text",
            f"“{text}” was rounded by the spreadsheet; format the column as text",
        )
    if len(text) > 64:
        raise _Cell("höchstens 64 Zeichen", "at most 64 characters")
    return text


def _matching(pattern: str, de: str, en: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise _Cell(f"„{shown(text)}“ ist nicht {de}", f"“{shown(text)}” is not {en}")
        return text

    return read


def _one_of(*allowed: str) -> Callable[[str], str]:
    return _matching("|".join(map(re.escape, allowed)), " / ".join(allowed), " / ".join(allowed))


def _day(text: str) -> date:
    """2026-11-23 or 23.11.2026."""
    german = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text, re.ASCII)
    try:
        return date(*map(int, reversed(german.groups()))) if german else date.fromisoformat(text)
    except ValueError:
        raise _Cell(
            f"„{shown(text)}“ ist kein Datum wie 2026-11-23", f"“{shown(text)}” is no date like 2026-11-23"
        ) from None


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        day = _day(text)
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _hash(text: str) -> bytes:
    return bytes.fromhex(
        _matching("[0-9A-Fa-f]{64}", "ein SHA-256 in 64 Hexziffern", "a SHA-256 in 64 hex digits")(text)
    )


def _der(text: str) -> bytes:
    try:
        der = b64decode(text, validate=True)
    except ValueError:
        der = b""
    if not der or len(der) > 4096:
        raise _Cell("kein Zertifikat (DER in Base64)", "no certificate (DER in Base64)")
    return der


def _several(text: str) -> tuple[str, ...]:
    """Values separated by blanks."""
    return tuple(_number(each) for each in text.split())


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what field it fills, of which kinds of device, how its text is read. ``needed``: must not be empty."""

    name: str
    field: str
    read: Callable[[str], Any] = _number
    kinds: tuple[str, ...] = _ALL
    needed: bool = False


HEAD = (
    Column("Lieferscheinnummer", "number", needed=True),
    Column("Erstellzeitpunkt", "created_at", _instant, needed=True),
    Column("Lieferdatum", "delivered_on", _day, needed=True),
    Column("Bestellnummer", "order_number"),
    Column("Hersteller", "maker", _text, needed=True),
    Column("FLAG", "maker_flag", _matching("[A-Z]{3}", "drei Großbuchstaben", "three capitals"), needed=True),
    Column("Messstellenbetreiber", "operator", _text, needed=True),
    Column("Codenummer", "operator_code", needed=True),
    Column("GatewayAdministrator", "administrator", _text, needed=True),
)
KIND = Column("Geraeteart", "kind", _one_of(*_ALL), needed=True)
CARRIER = (
    Column("LadungstraegerNr", "number", kinds=(GATEWAY,)),
    Column(
        "LadungstraegerArt",
        "kind",
        _one_of("SAFETYBOX", "SKYBOX", "MONTEURBOX", "SIEGELKARTON", "SONSTIGE"),
        kinds=(GATEWAY,),
    ),
    Column("SiegelNr", "seals", _several, kinds=(GATEWAY,)),
)
DEVICE = (
    Column(
        "Geraetenummer",
        "id",
        _matching("[0-9A-Za-z]{14}", "eine Geräte-ID aus 14 Zeichen", "a device id of 14 characters"),
        needed=True,
    ),
    Column("HerstellerTyp", "maker_type", _text, needed=True),
    Column("Firmwareversion", "firmware", needed=True),
    Column("Artikelnummer", "article"),
    Column("Hardwareversion", "hardware"),
    Column("FirmwareHashSHA256", "firmware_hash", _hash),
    Column("Bauartzulassung", "approval"),
    Column("Eichjahr", "calibration_year", _matching(r"\d{4}", "ein Jahr wie 2026", "a year like 2026")),
    Column("Produktionsdatum", "produced_on", _day),
    Column("WANTyp", "wan_type", kinds=(GATEWAY,)),
    Column("ICCID", "iccid", kinds=(GATEWAY,)),
    Column("IMEI", "imei", kinds=(GATEWAY,)),
    Column("CCZertifikat", "cc_certificate", kinds=(GATEWAY,)),
    Column("LadungstraegerNr", "carrier", kinds=(GATEWAY,)),
    Column("SMGW-G-TLS", "tls", _der, kinds=(GATEWAY,), needed=True),
    Column("SMGW-G-SIG", "sig", _der, kinds=(GATEWAY,), needed=True),
    Column("SMGW-G-ENC", "enc", _der, kinds=(GATEWAY,), needed=True),
    Column("Sparte", "sector", kinds=(METER,), needed=True),
    Column("LMNAnbindung", "lmn", _one_of("HDLC_RS485", "WMBUS"), kinds=(METER,), needed=True),
    Column("OBIS", "obis", _several, kinds=(METER,)),
)
COLUMNS = tuple(dict.fromkeys(column.name for column in (*HEAD, KIND, *DEVICE, *CARRIER)))
"""Names of the heading, in the order of the template; a file may have them in any order."""


def template() -> str:
    """The heading and a row for each kind of device, to begin with; certificates are left out."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    for row in _EXAMPLES:
        writer.writerow({**_EXAMPLE_HEAD, **row})
    return out.getvalue()


def read(source: bytes | BinaryIO, *, limit: int = MAX_BYTES) -> Note:
    """Start reading; ``source`` is seekable. Refuses ``els.columns`` a wrong heading, ``els.cell`` a wrong head."""
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    start = stream.tell()
    if stream.seek(0, io.SEEK_END) - start > limit:
        raise ELS_TOO_LARGE(size=stream.tell() - start, limit=limit)
    carriers: dict[str, Carrier] = {}
    head: Head | None = None
    for row in _rows(stream, start):
        head = head or _head(row)
        _take_carrier(row, carriers)
    if head is None:
        raise ELS_COLUMNS(why_de="unter der Kopfzeile steht kein Gerät", why_en="there is no device under the heading")
    first, devices = head, _rows(stream, start)
    return Note(head, tuple(carriers.values()), (_item(row, first) for row in devices))


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: cells by name of column. ``number``: as spreadsheets count, the heading being 1."""

    number: int
    cells: dict[str, str]
    broken: _Cell | None = None

    def value(self, column: Column) -> Any:
        """What the cell says; refuses ``els.cell``. ``None`` if it is empty and may be."""
        text = self.cells.get(column.name, "")
        try:
            if self.broken:
                raise self.broken
            if not text.isprintable():
                raise _Cell("enthält Steuerzeichen", "has control characters")
            if not text and column.needed:
                raise _Cell("hier muss etwas stehen", "this must not be empty")
            return column.read(text) if text else None
        except _Cell as wrong:
            raise self.refusal(column.name, wrong.words) from None

    def values(self, columns: tuple[Column, ...]) -> dict[str, Any]:
        found = ((column.field, self.value(column)) for column in columns)
        return {field: value for field, value in found if value is not None}

    def refusal(self, column: str, why: Words) -> Refusal:
        return ELS_CELL(row=self.number, column=column, why_de=why.de, why_en=why.en)


def _rows(stream: BinaryIO, start: int) -> Iterator[_Row]:
    stream.seek(start)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="strict", newline="")
    try:
        heading, reader = _heading(text)
        for number, cells in enumerate(reader, start=2):
            if any(cell.strip() for cell in cells):
                yield _row(number, heading, cells)
    except (csv.Error, UnicodeDecodeError) as error:
        why = f"{type(error).__name__}: {error}"
        raise ELS_COLUMNS(why_de=why, why_en=why) from None
    finally:
        with suppress(ValueError):  # whoever stops in the middle may have closed the file already
            text.detach()


def _row(number: int, heading: list[str], cells: list[str]) -> _Row:
    wrong = None
    if len(cells) > len(heading) and any(cell.strip() for cell in cells[len(heading) :]):
        wrong = _Cell("die Zeile hat mehr Zellen als die Kopfzeile", "the row has more cells than the heading")
    return _Row(number, {name: cell.strip() for name, cell in zip(heading, cells, strict=False)}, wrong)


def _heading(text: io.TextIOWrapper) -> tuple[list[str], Iterator[list[str]]]:
    """The names of the columns and the rows under them."""
    lines = iter(lambda: _line(text), "")
    first = next(lines, "")
    delimiter = max(_DELIMITERS, key=first.count)
    heading = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    _require_columns(heading)
    return heading, csv.reader(lines, delimiter=delimiter, strict=True)


def _require_columns(heading: list[str]) -> None:
    needed = [column.name for column in (*HEAD, KIND, *DEVICE) if column.needed]
    for name in heading:
        if name not in COLUMNS:
            given = shown(name)
            raise ELS_COLUMNS(why_de=f"die Spalte „{given}“ gibt es nicht", why_en=f"there is no column “{given}”")
    for name in (*needed, *heading):
        if heading.count(name) != 1:
            raise ELS_COLUMNS(
                why_de=f"die Spalte „{name}“ muss einmal vorkommen", why_en=f"column “{name}” must stand there once"
            )


def _line(text: io.TextIOWrapper) -> str:
    line = text.readline(_LONGEST_LINE)
    if len(line) == _LONGEST_LINE:
        raise csv.Error(f"line longer than {_LONGEST_LINE}")
    return line


def _head(row: _Row) -> Head:
    return Head(message_type="ERSTLIEFERUNG", **row.values(HEAD))


def _take_carrier(row: _Row, carriers: dict[str, Carrier]) -> None:
    """Carriers stand in the rows of their devices; a row that is wrong there is told when it is read as a device."""
    try:
        values = row.values(CARRIER)
    except Refusal:
        return
    number = values.get("number", "")
    if not number or len(carriers) >= MAX_CARRIERS:
        return
    known = carriers.get(number, Carrier(number, values.get("kind", "SONSTIGE")))
    seals = tuple(dict.fromkeys((*known.seals, *values.get("seals", ()))))
    carriers[number] = Carrier(number, known.kind, seals)


def _item(row: _Row, head: Head) -> Item:
    try:
        return _device(row, head)
    except Refusal as refusal:
        return Unreadable(shown(row.cells.get("Geraetenummer", "")), refusal)


def _device(row: _Row, head: Head) -> Device:
    if _head(row) != head:
        different = next(column for column in HEAD if row.value(column) != (getattr(head, column.field) or None))
        raise row.refusal(
            different.name,
            Words("alle Zeilen müssen denselben Wert haben", "all rows must have the same value"),
        )
    kind = row.value(KIND)
    row.values(CARRIER)
    for column in (*DEVICE, *CARRIER):
        if kind not in column.kinds and row.cells.get(column.name):
            raise row.refusal(column.name, Words(f"gehört nicht zu: {kind}", f"does not belong to: {kind}"))
    return _KINDS[kind](**row.values(tuple(column for column in DEVICE if kind in column.kinds)))


_EXAMPLE_HEAD = {
    "Lieferscheinnummer": "LS-2026-0001",
    "Erstellzeitpunkt": "2026-11-20T10:30:00+01:00",
    "Lieferdatum": "2026-11-23",
    "Bestellnummer": "4711",
    "Hersteller": "Musterwerk GmbH",
    "FLAG": "PPC",
    "Messstellenbetreiber": "Stadtwerke Musterstadt",
    "Codenummer": "9905048000007",
    "GatewayAdministrator": "Torwart Test",
}
_EXAMPLES = (
    {
        "Geraeteart": GATEWAY,
        "Geraetenummer": "EPPC0211358875",
        "HerstellerTyp": "SMGW G3",
        "Firmwareversion": "3.4.1",
        "WANTyp": "LTE",
        "CCZertifikat": "BSI-DSZ-CC-0919",
        "LadungstraegerNr": "BOX-7",
        "LadungstraegerArt": "SAFETYBOX",
        "SiegelNr": "S-100200 S-100201",
    },
    {
        "Geraeteart": METER,
        "Geraetenummer": "1EMH0012345678",
        "HerstellerTyp": "mME BZ3",
        "Firmwareversion": "1.0",
        "Sparte": "Strom",
        "LMNAnbindung": "HDLC_RS485",
        "OBIS": "1-0:1.8.0 1-0:2.8.0",
    },
)
