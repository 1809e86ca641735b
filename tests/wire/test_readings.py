"""Readings in the real profile_generic form: round trips, signatures that bind everything, damage, refusals."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals import Refusal
from torwart.wire.profile_generic import P, X
from torwart.wire.readings import READINGS_NAME, WATT_HOUR, Column, Reading, Readings, sign, signed_bytes, verify
from torwart.wire.status_word import NORMAL, StatusPTB

pytestmark = pytest.mark.requirement("WAN-4.1", "WAN-1.11")

GATEWAY = DeviceId("EPPC0212345678")
KEY = ec.generate_private_key(ec.BrainpoolP256R1())
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=0)
)
ENTRIES = st.builds(
    Reading,
    INSTANTS,
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.integers(-128, 127),
    st.integers(0, 255),
    st.binary(min_size=8, max_size=8) | st.integers(0, 255),
    st.none() | st.binary(max_size=72),
)
COLUMNS = st.builds(
    Column,
    st.sampled_from(["1-0:1.8.0", "1-0:2.8.0", "7-0:3.0.0*12"]).map(ObisCode),
    st.sampled_from(["1lgz0072999211", "1emh0011802881"]),
    st.lists(ENTRIES, max_size=4).map(tuple),
)
READINGS = st.builds(
    Readings,
    st.just(READINGS_NAME),
    st.sampled_from(["1lgz0072999211", "taf7-60"]),
    st.lists(COLUMNS, max_size=3).map(tuple),
)


def example() -> Readings:
    entries = tuple(
        Reading(AT.replace(minute=minute), 1000 + minute, -1, WATT_HOUR, NORMAL.octets) for minute in (0, 15, 30)
    )
    return Readings(READINGS_NAME, "1lgz0072999211", (Column(ObisCode("1-0:1.8.0"), "1lgz0072999211", entries),))


def signer(message: bytes) -> bytes:
    return KEY.sign(message, ec.ECDSA(hashes.SHA256()))


def is_signed(message: bytes, signature: bytes) -> bool:
    try:
        KEY.public_key().verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


@given(READINGS)
def test_readings_round_trip(readings: Readings) -> None:
    """A document is read back from what it writes."""
    assert Readings.from_xml(readings.to_xml()) == readings


def test_the_form_is_that_of_real_gateways() -> None:
    """Names, ids, classes and places of spec/04 §4.1."""
    root = etree.fromstring(sign(example(), GATEWAY, signer).to_xml())
    names = {"p": P, "x": X}

    assert (root.tag, root.get("class_id"), root.get("class_version")) == (f"{{{P}}}object", "7", "1")
    assert root.get("id") == "01005e31803c.1lgz0072999211.sm"
    assert root.xpath("string(p:attributes/p:capture_objects/p:capture_object/x:logical_name)", namespaces=names) == (
        "0100010800ff.1lgz0072999211.sm"
    )
    assert root.xpath("string(//p:capture_object/x:class_id)", namespaces=names) == "32822"
    entry = root.xpath(
        "p:attributes/p:buffer[@id=3]/p:simple_data/p:column/p:entry_gateway_signed[1]", namespaces=names
    )[0]
    assert [etree.QName(child).localname for child in entry] == [
        "value",
        "scaler",
        "unit",
        "status",
        "capture_time",
        "smgw_signature",
    ]
    assert entry.xpath("string(x:status/x:octet-string)", namespaces=names) == "0000000500000004"
    assert entry.xpath("string(x:capture_time)", namespaces=names) == "2026-03-01T12:00:00Z"


def test_signatures_verify() -> None:
    """What the gateway signed verifies, after writing and reading too."""
    signed = Readings.from_xml(sign(example(), GATEWAY, signer).to_xml())

    verify(signed, GATEWAY, is_signed)


@pytest.mark.parametrize(
    "change",
    [
        {"value": 1},
        {"value": None},
        {"scaler": 0},
        {"unit": 27},
        {"status": NORMAL.octets[:-1] + b"\0"},
        {"captured_at": AT.replace(hour=13)},
        {"signature": None},
        {"signature": b"\0" * 70},
    ],
)
def test_a_signature_binds_every_part_of_its_entry(change: dict) -> None:
    """Whatever of an entry changes, its signature fails and the entry is named."""
    signed = sign(example(), GATEWAY, signer)
    column = signed.columns[0]
    entries = (column.entries[0], column.entries[1]._replace(**change), column.entries[2])
    forged = replace(signed, columns=(replace(column, entries=entries),))

    with pytest.raises(Refusal) as caught:
        verify(forged, GATEWAY, is_signed)

    assert caught.value.code == "readings.signature"
    assert caught.value.details["column"] == "0100010800ff.1lgz0072999211.sm"


@pytest.mark.parametrize("where", ["register", "meter", "gateway", "list"])
def test_a_signature_binds_where_the_value_is_from(where: str) -> None:
    """A value moved to another register, meter, gateway or list does not verify."""
    signed = sign(example(), GATEWAY, signer)
    column = signed.columns[0]
    moved = {
        "register": replace(signed, columns=(replace(column, obis_code=ObisCode("1-0:2.8.0")),)),
        "meter": replace(signed, columns=(replace(column, meter="1emh0011802881"),)),
        "gateway": signed,
        "list": replace(signed, logical_name="01005e31803f"),
    }[where]

    with pytest.raises(Refusal):
        verify(moved, DeviceId("EPPC0212345679") if where == "gateway" else GATEWAY, is_signed)


def test_the_layout_of_what_is_signed() -> None:
    """The documented bytes, literally."""
    readings = example()
    column = readings.columns[0]

    expected = (
        b"TWR1"
        + b"\x1e01005e31803c.eppc0212345678.sm"
        + b"\x1e0100010800ff.1lgz0072999211.sm"
        + bytes.fromhex("0000000069a42a40")
        + bytes.fromhex("0100000000000003e8ff1e080000000500000004")
    )
    assert signed_bytes(GATEWAY, readings, column, column.entries[0]) == expected


def test_a_readings_status_is_a_status_word() -> None:
    """Eight octets are a status word; a small number is its low octet."""
    entry = example().columns[0].entries[0]

    assert entry.status_word.ptb is StatusPTB.NO_ERROR
    assert entry._replace(status=4).status_word.meter == 4


@pytest.mark.parametrize(
    "change",
    [
        (b'class_id="7"', b'class_id="8"'),
        (b'id="01005e31803c.1lgz0072999211.sm"', b'id="nonsense"'),
        (b'<p:column id="1" count="3">', b'<p:column id="2" count="3">'),
        (b'<p:column id="1" count="3">', b'<p:column id="1" count="4">'),
        (b"<x:long64>1000<", b"<x:long64>1e3<"),
        (b"<x:long64>1000<", b"<x:long64>99999999999999999999<"),
        (b"<x:long64>1000</x:long64>", b"<x:visible-string>1000</x:visible-string>"),
        (b"<x:long64>1000</x:long64>", b""),
        (b"<x:scaler>-1<", b"<x:scaler>-200<"),
        (b"<x:unit>30</x:unit>", b""),
        (b"0000000500000004", b"00000005"),
        (b"2026-03-01T12:00:00Z", b"2026-03-01T12:00:00"),
        (b"2026-03-01T12:00:00Z", b"gestern"),
        (b"<p:capture_objects", b"<p:other"),
    ],
    ids=lambda change: change[1].decode()[:40],
)
def test_wrong_documents_are_refused(change: tuple[bytes, bytes]) -> None:
    """Each breach of the form is refused by name."""
    body = example().to_xml().replace(change[0], change[1], 1)
    if change[0] == b"<p:capture_objects":
        body = body.replace(b"</p:capture_objects", b"</p:other")
    assert body != example().to_xml()

    with pytest.raises(Refusal) as caught:
        Readings.from_xml(body)

    assert caught.value.code == "readings.malformed"


@settings(max_examples=200)
@given(READINGS, st.data())
def test_a_damaged_document_is_refused_or_another_one(readings: Readings, data: st.DataObject) -> None:
    """Cut off or with a flipped bit, a document is refused or reads; nothing else is raised."""
    body = bytearray(readings.to_xml())
    if data.draw(st.booleans()):
        del body[data.draw(st.integers(0, len(body) - 1)) :]
    else:
        body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        Readings.from_xml(bytes(body))
    except Refusal:
        return
