"""Readings on the wire: the form of real exports, the inner signature, and what is refused."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import torwart.wire
from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals import Refusal
from torwart.wire.readings import (
    Entry,
    Readings,
    Unit,
    contract_name,
    decode,
    encode,
    readings_name,
    sign_entries,
    signed_bytes,
    verify_entries,
)
from torwart.wire.status_word import NORMAL, GatewayFlag, StatusPtb, StatusWord

pytestmark = pytest.mark.requirement("WAN-4.1")

SCHEMA = etree.XMLSchema(etree.parse(Path(torwart.wire.__file__).parent / "schema/profile_generic-1.xsd"))
METER, GATEWAY = DeviceId("1LGZ0072999211"), DeviceId("EPPC0212345678")
IMPORT, EXPORT, POWER = ObisCode("1-0:1.8.0"), ObisCode("1-0:2.8.0"), ObisCode("1-0:16.7.0")
START = datetime(2026, 1, 1, tzinfo=UTC)
KEY = ec.generate_private_key(ec.BrainpoolP256R1())

ENTRIES = st.builds(
    Entry,
    obis=st.sampled_from([IMPORT, EXPORT, POWER, ObisCode("1-0:1.8.63*1")]),
    value=st.none() | st.integers(-(1 << 63), (1 << 63) - 1),
    scaler=st.integers(-128, 127),
    unit=st.integers(0, 255),
    status=st.builds(StatusWord, st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 32) - 1))
    | st.sampled_from(StatusPtb),
    captured_at=st.integers(0, 253_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    signature=st.binary(max_size=80),
)


def entry(obis: ObisCode = IMPORT, number: int = 0) -> Entry:
    return Entry(obis, 10_000 + number, -1, Unit.WH, NORMAL, START + timedelta(seconds=900 * number))


def readings(count: int = 3) -> Readings:
    return Readings.of(readings_name(METER), METER, tuple(entry(number=number) for number in range(count)))


def sign(message: bytes) -> bytes:
    return KEY.sign(message, ec.ECDSA(SHA256()))


@given(st.lists(ENTRIES, min_size=1, max_size=12))
def test_what_is_written_is_read_and_fits_the_schema(entries: list[Entry]) -> None:
    """Any readings survive the wire unchanged, and lxml finds them valid by the shipped schema."""
    written = Readings.of(contract_name(7, 60), METER, tuple(entries))

    document = encode(written)

    assert decode(document) == written
    SCHEMA.assertValid(etree.fromstring(document))


def test_a_column_may_be_empty() -> None:
    """A register of which nothing was captured keeps its column."""
    written = Readings(readings_name(METER), METER, (EXPORT, IMPORT), (entry(),))

    document = encode(written)

    assert decode(document) == written
    assert written.column(EXPORT) == ()
    SCHEMA.assertValid(etree.fromstring(document))


def test_entries_are_kept_column_by_column() -> None:
    """Entries captured together are sorted into the columns of their registers, in the order of capture."""
    mixed = (entry(EXPORT, 0), entry(IMPORT, 0), entry(EXPORT, 1), entry(IMPORT, 1))

    kept = Readings.of(readings_name(METER), METER, mixed)

    assert kept.captures == (EXPORT, IMPORT)
    assert kept.entries == (mixed[0], mixed[2], mixed[1], mixed[3])
    assert kept.column(IMPORT) == (mixed[1], mixed[3])


FIELD_EXPORT = b"""<?xml version="1.0" encoding="UTF-8"?>
<a:object id="01005e31803c.1lgz0072999211.sm" class_id="7" class_version="1"
          xmlns:a="urn:k461-dke-de:profile_generic-1" xmlns:b="urn:k461-dke-de:extension-1">
  <a:attributes count="3">
    <b:logical_name id="1">01005e31803c.1lgz0072999211.sm</b:logical_name>
    <a:capture_objects id="2" count="1">
      <a:capture_object id="1">
        <b:logical_name>0100010800FF.1lgz0072999211.sm</b:logical_name><b:class_id>32822</b:class_id>
      </a:capture_object>
    </a:capture_objects>
    <a:buffer id="3">
      <a:simple_data count="1">
        <a:column count="2" id="1">
          <a:entry_gateway_signed id="1">
            <b:value><b:long64>123456</b:long64></b:value>
            <b:scaler>-1</b:scaler>
            <b:unit>30</b:unit>
            <b:status><b:unsigned>0</b:unsigned></b:status>
            <b:capture_time>2026-01-01T00:00:02Z</b:capture_time>
            <b:smgw_signature>30440102</b:smgw_signature>
          </a:entry_gateway_signed>
          <a:entry_gateway_signed id="2">
            <b:value><b:long64>123456</b:long64></b:value>
            <b:scaler>-1</b:scaler>
            <b:unit>30</b:unit>
            <b:status><b:octet-string>200500000004</b:octet-string></b:status>
            <b:capture_time>2026-01-01T00:15:01Z</b:capture_time>
          </a:entry_gateway_signed>
        </a:column>
      </a:simple_data>
    </a:buffer>
  </a:attributes>
</a:object>
"""


def test_the_form_of_the_field_is_read() -> None:
    """Other prefixes, blanks, capital hex, both forms of status and a missing signature are read."""
    found = decode(FIELD_EXPORT)

    first, second = found.entries
    assert (found.meter, found.captures) == (METER, (IMPORT,))
    assert (first.amount, first.symbol, first.signature.hex()) == (Decimal("12345.6"), "Wh", "30440102")
    assert first.status is StatusPtb.NO_ERROR
    assert second.status == StatusWord.of(GatewayFlag.NO_VALUE)
    assert second.captured_at == datetime(2026, 1, 1, 0, 15, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b'column count="2"', b'column count="3"', "profile_generic.malformed"),
        (b'simple_data count="1"', b'simple_data count="0"', "profile_generic.malformed"),
        (b'count="2" id="1">', b'count="2" id="2">', "profile_generic.malformed"),
        (b'class_id="7"', b'class_id="3"', "profile_generic.malformed"),
        (b"a:object", b"a:thing", "profile_generic.malformed"),
        (b'id="01005e31803c.', b'id="01005e31803c/', "profile_generic.malformed"),
        (b"a:buffer", b"a:butter", "profile_generic.malformed"),
        (b"<b:long64>123456</b:long64>", b"<b:float64>00</b:float64>", "profile_generic.malformed"),
        (b"<b:long64>123456</b:long64>", b"<b:long64>12_3</b:long64>", "profile_generic.malformed"),
        (b"<b:long64>123456</b:long64>", b"<b:long64>9223372036854775808</b:long64>", "profile_generic.value"),
        (b"<b:scaler>-1</b:scaler>", b"", "profile_generic.malformed"),
        (b"<b:scaler>-1</b:scaler>", b"<b:scaler>-129</b:scaler>", "profile_generic.value"),
        (b"<b:scaler>-1</b:scaler>", b"<b:scaler>-1</b:scaler><b:scaler>1</b:scaler>", "profile_generic.malformed"),
        (b"<b:unit>30", b"<b:unit>256", "profile_generic.value"),
        (b"<b:unsigned>0", b"<b:unsigned>5", "profile_generic.value"),
        (b"b:unsigned>", b"b:boolean>", "profile_generic.malformed"),
        (b"200500000004", b"20050000000400000", "status_word.malformed"),
        (b"T00:00:02Z", b"T00:00:02+01:00", "profile_generic.malformed"),
        (b"T00:00:02Z", b"T00:00:02.5Z", "profile_generic.malformed"),
        (b"2026-01-01T00:00:02Z", b"2026-02-30T00:00:02Z", "profile_generic.malformed"),
        (b"2026-01-01T00:00:02Z", b"1969-12-31T23:59:59Z", "profile_generic.value"),
        (b"30440102", b"3044010", "profile_generic.malformed"),
        (b"0100010800FF.", b"0100010800F.", "identifier.obis"),
        (b"0100010800FF.1lgz0072999211", b"0100010800FF.1lgz007299921", "identifier.length"),
    ],
)
def test_wrong_documents_are_refused_by_name(old: bytes, new: bytes, code: str) -> None:
    """One thing wrong in a good document is refused under its own code."""
    assert old in FIELD_EXPORT

    with pytest.raises(Refusal) as caught:
        decode(FIELD_EXPORT.replace(old, new))

    assert caught.value.code == code


def test_several_meters_or_numbers_used_twice_are_refused() -> None:
    """One object is one meter's, and each column has its own number."""
    document = encode(Readings.of(readings_name(METER), METER, (entry(IMPORT), entry(EXPORT))))

    for old, new in (
        (b"0100020800ff.1lgz0072999211", b"0100020800ff.1lgz0072999212"),
        (b'<p:capture_object id="2">', b'<p:capture_object id="1">'),
        (b'<p:column count="1" id="2">', b'<p:column count="1" id="1">'),
        (b"0100020800ff.", b"0100010800ff."),
    ):
        with pytest.raises(Refusal) as caught:
            decode(document.replace(old, new))
        assert caught.value.code == "profile_generic.malformed"


@given(st.data())
def test_damaged_documents_are_read_or_refused(data: st.DataObject) -> None:
    """A document cut short or with bits turned over raises nothing but a refusal."""
    document = bytearray(encode(sign_entries(readings(2), GATEWAY, lambda message: message[:70])))
    if data.draw(st.booleans()):
        del document[data.draw(st.integers(0, len(document) - 1)) :]
    for position in data.draw(st.lists(st.integers(0, max(len(document) - 1, 0)), max_size=4)):
        if document:
            document[position] ^= 1 << data.draw(st.integers(0, 7))

    try:
        found = decode(bytes(document))
    except Refusal:
        return

    assert decode(encode(found)) == found


@pytest.mark.parametrize(
    "change",
    [
        {"value": 1 << 63},
        {"scaler": 128},
        {"unit": -1},
        {"signature": bytes(257)},
        {"captured_at": datetime(2026, 1, 1)},
        {"captured_at": START.replace(microsecond=1)},
    ],
)
def test_entries_that_the_form_cannot_carry_cannot_be_made(change: dict[str, object]) -> None:
    """Numbers beyond their COSEM type, and times without zone or with fractions, are refused at once."""
    with pytest.raises(Refusal) as caught:
        replace(entry(), **change)

    assert caught.value.code == "profile_generic.value"


def test_times_are_kept_in_utc() -> None:
    """A local time is the same instant on the wire."""
    local = replace(entry(), captured_at=datetime(2026, 7, 1, 2, 0, tzinfo=timezone(timedelta(hours=2))))

    document = encode(Readings.of(readings_name(METER), METER, (local,)))

    assert b"<x:capture_time>2026-07-01T00:00:00Z<" in document


def test_readings_without_a_proper_frame_cannot_be_made() -> None:
    """An id of another shape, no register, one twice, or an entry of another register is refused."""
    for make in (
        lambda: Readings('01005e31803c."x".sm', METER, (IMPORT,), ()),
        lambda: Readings(readings_name(METER), METER, (), ()),
        lambda: Readings(readings_name(METER), METER, (IMPORT, IMPORT), ()),
        lambda: Readings(readings_name(METER), METER, (EXPORT,), (entry(),)),
    ):
        with pytest.raises(Refusal) as caught:
            make()
        assert caught.value.code == "profile_generic.malformed"


def test_a_quarter_of_a_year_fits_one_message() -> None:
    """90 days of quarter-hours of one register, signed, stay below the XML reader's size and are read."""
    entries = tuple(replace(entry(number=number), signature=bytes(72)) for number in range(90 * 96))
    written = Readings.of(readings_name(METER), METER, entries)

    assert decode(encode(written)) == written


@pytest.mark.requirement("WAN-1.11")
def test_signed_octets_are_laid_out_as_documented() -> None:
    """The octets under the signature are exactly those of the documented table, also without a value."""
    name = b"0100010800ff.eppc0212345678.sm"
    signed = bytes.fromhex("01 08 0000000000002710") + bytes([30]) + name
    signed += bytes.fromhex("000000006955b900 08 0000000500000004 ff 1e")

    assert signed_bytes(entry(), GATEWAY) == signed
    assert signed_bytes(replace(entry(), value=None, status=StatusPtb.FATAL_ERROR), GATEWAY) == (
        bytes.fromhex("01 00 1e") + name + bytes.fromhex("000000006955b900 01 04 ff 1e")
    )


@pytest.mark.requirement("WAN-1.11")
def test_openssl_verifies_the_inner_signature(tmp_path: Path) -> None:
    """The signature on the wire is ECDSA-SHA256 in DER: the OpenSSL command line takes it."""
    signed = decode(encode(sign_entries(readings(1), GATEWAY, sign))).entries[0]
    (tmp_path / "key.pem").write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "signature").write_bytes(signed.signature)
    (tmp_path / "octets").write_bytes(signed_bytes(signed, GATEWAY))

    answer = subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "octets"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.stdout.strip() == "Verified OK"


@pytest.mark.requirement("WAN-1.11")
def test_signed_readings_verify_after_the_wire() -> None:
    """What one side signs, the other verifies after reading it."""
    verify_entries(decode(encode(sign_entries(readings(), GATEWAY, sign))), GATEWAY, KEY.public_key())


@pytest.mark.requirement("WAN-1.11")
@pytest.mark.parametrize(
    "change",
    [
        lambda e: replace(e, value=e.value + 1),
        lambda e: replace(e, value=None),
        lambda e: replace(e, scaler=0),
        lambda e: replace(e, unit=Unit.W),
        lambda e: replace(e, status=StatusWord.of(GatewayFlag.WARNING)),
        lambda e: replace(e, status=StatusPtb.NO_ERROR),
        lambda e: replace(e, captured_at=e.captured_at + timedelta(seconds=1)),
        lambda e: replace(e, obis=EXPORT),
        lambda e: replace(e, signature=e.signature[:-1]),
        lambda e: replace(e, signature=b"\x30"),
    ],
)
def test_every_covered_field_is_covered(change: Callable[[Entry], Entry]) -> None:
    """Changing anything of a signed entry, or its signature, is found out."""
    signed = sign_entries(readings(1), GATEWAY, sign).entries[0]
    forged = Readings.of(readings_name(METER), METER, (change(signed),))

    with pytest.raises(Refusal) as caught:
        verify_entries(forged, GATEWAY, KEY.public_key())

    assert caught.value.code == "readings.signature_wrong"


@pytest.mark.requirement("WAN-1.11")
def test_signatures_of_another_gateway_or_none_are_refused() -> None:
    """A signature counts for the gateway it was made for and by its key; a missing one has its own refusal."""
    signed = sign_entries(readings(1), GATEWAY, sign)
    other_key = ec.generate_private_key(ec.BrainpoolP256R1()).public_key()

    for given_readings, gateway, key, code in (
        (signed, DeviceId("EPPC0212345679"), KEY.public_key(), "readings.signature_wrong"),
        (signed, GATEWAY, other_key, "readings.signature_wrong"),
        (readings(1), GATEWAY, KEY.public_key(), "readings.not_signed"),
    ):
        with pytest.raises(Refusal) as caught:
            verify_entries(given_readings, gateway, key)
        assert caught.value.code == code
    assert caught.value.text("de") != caught.value.text("en")


@given(ENTRIES, ENTRIES)
def test_different_entries_never_sign_the_same_octets(one: Entry, other: Entry) -> None:
    """The layout is unambiguous: octets are equal only for equal content."""
    same = replace(one, signature=b"") == replace(other, signature=b"")

    assert (signed_bytes(one, GATEWAY) == signed_bytes(other, GATEWAY)) == same
