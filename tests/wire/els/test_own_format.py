"""The delivery-note format: written by us, judged by its schema, read back unchanged, hostile input refused by name."""

import contextlib
import io
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from torwart.kernel.refusals import Refusal
from torwart.wire import els
from torwart.wire.els.own_format import schema

HEAD = els.Head(
    number="LS-2026-0001",
    message_type="ERSTLIEFERUNG",
    created_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    delivered_on=date(2026, 11, 23),
    maker="Musterwerk GmbH",
    maker_flag="PPC",
    operator="Stadtwerke Musterstadt",
    operator_code="9905048000007",
    administrator="Torwart Test GWA",
)
GATEWAY = els.GatewayItem(
    id="EPPC0211358875",
    maker_type="SMGW G3",
    firmware="3.4.1",
    firmware_hash=b"\x01" * 32,
    wan_type="LTE",
    cc_certificate="BSI-DSZ-CC-0919",
    carrier="BOX-7",
    tls=b"tls",
    sig=b"sig",
    enc=b"enc",
    chain=(b"sub", b"root"),
    secrets=(els.Secret("SM_PIN", b"\x02" * 32, b"cms"),),
)
METER = els.MeterItem(
    id="1EMH0012345678",
    maker_type="mME eBZD",
    firmware="1.0",
    sector="Strom",
    lmn="HDLC_RS485",
    obis=("1-0:1.8.0", "1-0:2.8.0"),
    lmn_certificate=b"meter",
    produced_on=date(2026, 1, 2),
)
CARRIERS = (els.Carrier("BOX-7", "SAFETYBOX", ("S1", "S2")),)


def written(*devices: els.Device) -> bytes:
    out = io.BytesIO()
    els.write(HEAD, CARRIERS, devices, out)
    return out.getvalue()


@pytest.mark.requirement("G-2", "P01")
def test_written_note_is_read_back_equal() -> None:
    """What the writer writes is exactly what the reader tells."""
    note = els.read(written(GATEWAY, METER))

    assert (note.head, note.carriers, list(note.devices)) == (HEAD, CARRIERS, [GATEWAY, METER])


@pytest.mark.requirement("P01")
def test_written_note_satisfies_the_schema() -> None:
    """libxml2 with the published schema accepts our note."""
    assert schema().validate(etree.fromstring(written(GATEWAY, METER)))


@pytest.mark.requirement("P01")
def test_the_shipped_example_is_valid() -> None:
    """The commented example beside the schema can be read."""
    from importlib.resources import files

    note = els.read((files("torwart.wire.els") / "els-1.0-beispiel.xml").read_bytes())

    assert [device.id for device in note.devices] == ["EPPC0211358875", "1EMH0012345678", "1EFR0100000815"]


HOSTILE = {
    "entity bomb": b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><a>&c;</a>',
    "external entity": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "nothing": b"",
    "no xml": b"Lieferschein 1",
    "unknown encoding": b"<?xml version='1.0' encoding='no-such'?><a/>",
    "another encoding than it says": "<?xml version='1.0' encoding='utf-8'?><ä/>".encode("latin-1"),
    "zeros": bytes(3000),
    "other root": b"<Lieferschein/>",
    "deep": b"<a>" * 5000,
}


@pytest.mark.requirement("P01")
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_xml_is_refused_by_name(data: bytes) -> None:
    """Hostile XML is a malformed note, never another error and never an expansion."""
    with pytest.raises(Refusal) as caught:
        list(els.read(data).devices)

    assert caught.value.code == "els.malformed"


@pytest.mark.requirement("P01")
def test_what_breaks_the_schema_is_told_with_line_and_device() -> None:
    """A maker finds its mistake: the refusal names the line, the device and what the schema says, before any device."""
    lines = written(*[METER] * 40).replace(b"><", b">\n<").replace(b"<Sparte>Strom<", b"<Sparte><", 30)
    lines = lines.replace(b"<Sparte><", b"<Sparte>Strom<", 29)
    wanted = next(number for number, line in enumerate(lines.splitlines(), start=1) if b"<Sparte></" in line)
    with pytest.raises(Refusal) as caught:
        els.read(lines)

    assert (caught.value.code, caught.value.details["line"]) == ("els.malformed", wanted)
    assert "1EMH0012345678" in caught.value.text("de")
    assert "Sparte" in caught.value.text("en")


@pytest.mark.requirement("P01")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<Geraete>", b"<Geraete><Unbekannt/>"),
        (b"<Geraete>", b"Text<Geraete>"),
        (b'schemaVersion="1.0"', b'schemaVersion="2.0"'),
        (b"</ElektronischerLieferschein>", b"<Kopf/></ElektronischerLieferschein>"),
        (b"ERSTLIEFERUNG", b"NACHLIEFERUNG"),
    ],
)
def test_departures_outside_a_field_are_refused_too(old: bytes, new: bytes) -> None:
    """Order, unknown elements, version, enumerations: the published schema is the whole truth about the form."""
    data = written(GATEWAY, METER)
    assert old in data
    with pytest.raises(Refusal) as caught:
        els.read(data.replace(old, new))

    assert caught.value.code == "els.malformed"


@pytest.mark.requirement("P01")
def test_a_device_the_calendar_does_not_know_does_not_stop_the_others() -> None:
    """The schema lets some dates pass that do not exist for us: that device is unreadable, the others are read."""
    late = replace(METER, produced_on=None)
    data = written(late, GATEWAY).replace(b"<Sparte>", b"<Produktionsdatum>12026-01-02</Produktionsdatum><Sparte>", 1)
    bad, good = els.read(data).devices

    assert isinstance(bad, els.Unreadable)
    assert (bad.id, bad.refusal.code) == (METER.id, "els.malformed")
    assert good == GATEWAY


@pytest.mark.requirement("P01")
def test_a_gateway_needs_each_seal_certificate_once() -> None:
    """The schema counts certificates; that there is one of each use is checked device by device."""
    data = written(replace(GATEWAY, id="EPPC0211358876"), GATEWAY)
    bad, good = els.read(data.replace(b'typ="SMGW-G-SIG"', b'typ="SMGW-G-TLS"', 1)).devices

    assert isinstance(bad, els.Unreadable)
    assert good == GATEWAY


@pytest.mark.requirement("P01")
@pytest.mark.parametrize(
    "filler", [b"<a/>", b"<!---->", b"<?a?>", b" " * 64], ids=["elements", "comments", "instructions", "blanks"]
)
def test_floods_between_devices_do_not_fill_the_memory(filler: bytes) -> None:
    """Sixteen megabytes of what is no device are refused with a few megabytes read."""
    data = written(METER).replace(b"<Geraete>", b"<Geraete>" + filler * (16 * 2**20 // len(filler)))
    before = _resident()
    with pytest.raises(Refusal) as caught:
        els.read(data)

    assert caught.value.code == "els.malformed"
    assert _resident() - before < 120 * 2**20


def _resident() -> int:
    from pathlib import Path

    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.requirement("P01")
def test_a_doctype_on_a_valid_note_is_refused() -> None:
    """A DTD is never needed, so its presence alone is refused."""
    data = written(GATEWAY).replace(b"?>\n", b"?>\n<!DOCTYPE ElektronischerLieferschein>", 1)
    assert b"DOCTYPE" in data
    with pytest.raises(Refusal) as caught:
        list(els.read(data).devices)

    assert caught.value.code == "els.malformed"


@pytest.mark.requirement("P01")
def test_a_note_over_the_limit_is_refused_while_it_is_read() -> None:
    """The size limit acts on the stream, not after it."""
    with pytest.raises(Refusal) as caught:
        list(els.read(written(*[METER] * 500), limit=20_000).devices)

    assert caught.value.code == "els.too_large"


@pytest.mark.requirement("P01")
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_notes_raise_only_refusals(data: st.DataObject) -> None:
    """Cut or flipped input never raises anything but a refusal."""
    good = bytearray(written(GATEWAY, METER))
    if data.draw(st.booleans()):
        good = good[: data.draw(st.integers(0, len(good)))]
    else:
        for _ in range(data.draw(st.integers(1, 4))):
            good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Refusal):
        list(els.read(bytes(good)).devices)
