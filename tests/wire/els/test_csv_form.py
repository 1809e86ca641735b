"""The CSV form for pilots: the template fits, every mistake is told with row and column, good rows come through."""

import csv
import io
from base64 import b64encode
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire import els
from torwart.wire.els import csv_form

pytestmark = pytest.mark.requirement("P01")

SEALS = {f"SMGW-G-{use}": b64encode(use.encode()).decode() for use in ("TLS", "SIG", "ENC")}


def rows() -> list[dict[str, str]]:
    """The template as a spreadsheet has it, with the certificates it leaves out."""
    table = list(csv.DictReader(io.StringIO(csv_form.template()), delimiter=";"))
    table[0] |= SEALS
    return table


def form(table: list[dict[str, str]], delimiter: str = ";", encoding: str = "utf-8") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, csv_form.COLUMNS, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue().encode(encoding)


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_template_is_read(delimiter: str, encoding: str) -> None:
    """Filled in and saved by any spreadsheet it gives head, carrier and devices, the same as the XML would."""
    note = els.read(form(rows(), delimiter, encoding))
    gateway, meter = note.devices

    assert note.head == els.Head(
        number="LS-2026-0001",
        message_type="ERSTLIEFERUNG",
        created_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        delivered_on=date(2026, 11, 23),
        maker="Musterwerk GmbH",
        maker_flag="PPC",
        operator="Stadtwerke Musterstadt",
        operator_code="9905048000007",
        administrator="Torwart Test",
        order_number="4711",
    )
    assert note.carriers == (els.Carrier("BOX-7", "SAFETYBOX", ("S-100200", "S-100201")),)
    assert isinstance(gateway, els.GatewayItem)
    assert (gateway.id, gateway.carrier, gateway.tls, gateway.secrets) == ("EPPC0211358875", "BOX-7", b"TLS", ())
    assert isinstance(meter, els.MeterItem)
    assert (meter.id, meter.lmn, meter.obis) == ("1EMH0012345678", "HDLC_RS485", ("1-0:1.8.0", "1-0:2.8.0"))


WRONG = [
    (0, "Geraetenummer", "EPPC021135887"),
    (0, "ICCID", "8,949E+18"),
    (0, "SMGW-G-SIG", ""),
    (0, "SMGW-G-ENC", "kein Base64!"),
    (0, "LadungstraegerArt", "KISTE"),
    (1, "LMNAnbindung", "Funk"),
    (1, "Sparte", ""),
    (1, "Eichjahr", "zwanzig"),
    (1, "Produktionsdatum", "31.02.2026"),
    (1, "IMEI", "35123"),
    (1, "FirmwareHashSHA256", "ABC"),
    (1, "Lieferscheinnummer", "LS-2026-0002"),
    (1, "Geraeteart", "Zähler"),
    (1, "HerstellerTyp", "x" * 201),
    (1, "HerstellerTyp", "mME\0"),
    (0, "SiegelNr", "S-1\x1b[2J"),
]


@pytest.mark.parametrize(("at", "column", "text"), WRONG)
def test_a_wrong_cell_is_told_and_stops_no_other_row(at: int, column: str, text: str) -> None:
    """The refusal names row and column as the spreadsheet shows them; the other device is read."""
    table = rows()
    table[at][column] = text
    found = list(els.read(form(table)).devices)

    assert isinstance(found[1 - at], els.Device)
    bad = found[at]
    assert isinstance(bad, els.Unreadable)
    assert bad.refusal.code == "els.cell"
    assert f"Zeile {at + 2}, Spalte {column}:" in bad.refusal.text("de")
    assert f"Row {at + 2}, column {column}:" in bad.refusal.text("en")


def refused(content: bytes, **options: int) -> str:
    with pytest.raises(Refusal) as caught:
        list(els.read(content, **options).devices)
    return caught.value.code


def test_what_cannot_be_a_form_is_refused_whole() -> None:
    """Unknown, missing and doubled columns, no device, a wrong head, other encodings, too much: each by name."""
    good = form(rows())
    heading = good.splitlines()[0]
    assert refused(good.replace(b"OBIS", b"Geheimnis", 1)) == "els.columns"
    assert refused(good.replace(b";Sparte", b";Spart", 1)) == "els.columns"
    assert refused(heading + b"\r\n") == "els.columns"
    assert refused(heading.replace(b"ICCID", b"IMEI") + good[len(heading) :]) == "els.columns"
    assert refused(form(rows(), encoding="utf-16")) == "els.malformed"
    assert refused(good.replace(b"Musterwerk GmbH", "Müller GmbH".encode("latin-1"))) == "els.columns"
    assert refused(good.replace(b"LS-2026-0001", b"")) == "els.cell"
    assert refused(good, limit=100) == "els.too_large"
    assert refused(good + b'"' + b"x" * 200_000) == "els.columns"


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damaged_forms_raise_only_refusals(data: st.DataObject) -> None:
    """Cut or flipped, a form is refused or read, never anything else."""
    good = bytearray(form(rows()))
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = list(els.read(bytes(good[: data.draw(st.integers(200, len(good)))])).devices)
    except Refusal:
        found = []
    assert all(isinstance(item, els.Device | els.Unreadable) for item in found)
