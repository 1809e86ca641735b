"""NTP between gateway and administrator: both ends back to back, and every rule of the standard about ignoring."""

import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal, Side
from torwart.wire import ntp

pytestmark = pytest.mark.requirement("WAN-1.9", "G-11")

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
SERVER = ntp.Server(synchronised_at=NOW - timedelta(seconds=20))
MILLISECOND = timedelta(milliseconds=1)


def exchange(*, server=SERVER, now=NOW, off=timedelta(), out=5 * MILLISECOND, work=MILLISECOND, back=5 * MILLISECOND):
    """One request and answer: ``now`` is true time at sending, ``off`` the error of the client's clock."""
    asked = ntp.request()
    received_at = now + out
    octets = ntp.answer(asked.encode(), server=server, received_at=received_at, now=received_at + work)
    return asked, octets, {"sent_at": now + off, "received_at": received_at + work + back + off}


def refusal(octets, asked, *, synchronised=True, **options):
    with pytest.raises(Refusal) as caught:
        ntp.evaluate(octets, asked=asked, synchronised=synchronised, **options)
    return caught.value.code


def changed(octets, **fields):
    return replace(ntp.Packet.decode(octets), **fields).encode()


def test_a_request_says_as_little_as_possible():
    """Leap 0, version 4, mode 3, precision 32, a random transmit timestamp, and 0 everywhere else; 48 octets."""
    first, second = ntp.request().encode(), ntp.request().encode()

    assert len(first) == 48
    assert first[:40] == bytes.fromhex("23000020") + bytes(36)
    assert first[40:] != second[40:]
    assert bytes(8) not in (first[40:], second[40:])
    assert ntp.request(0).encode()[40:] == bytes(8)


def test_a_packet_lies_as_rfc_5905_figure_8_draws_it():
    """Every field stands where the figure has it, high-order octet first."""
    packet = ntp.Packet(1, 4, 4, 2, 6, -18, 0x10000, 0x8000, b"GPS\x00", 11, 12, 13, 14)

    assert packet.encode() == struct.pack("!BBBbIIIQQQQ", 0x64, 2, 6, -18, 0x10000, 0x8000, 0x47505300, 11, 12, 13, 14)


@given(st.binary(min_size=48, max_size=48))
def test_every_48_octets_are_a_packet(octets):
    """Decoding and encoding is the identity."""
    assert ntp.Packet.decode(octets).encode() == octets


@given(
    st.timedeltas(timedelta(days=-8000), timedelta(days=8000)),
    st.timedeltas(timedelta(), timedelta(seconds=4)),
    st.timedeltas(timedelta(), timedelta(seconds=0.5)),
)
def test_the_offset_is_found_when_both_ways_take_equally_long(off, way, work):
    """Whatever the clock of the client shows, offset and delay come out to the microsecond."""
    asked, octets, times = exchange(off=off, out=way, back=way, work=work)

    result = ntp.evaluate(octets, asked=asked, synchronised=False, **times)

    assert abs(result.offset + off) <= timedelta(microseconds=1)
    assert abs(result.delay - 2 * way) <= timedelta(microseconds=2)
    assert result.transmitted == NOW + way + work


def test_an_answer_carries_the_variables_of_the_server():
    """Version 4, mode 4, stratum one higher than upstream, times of receipt and sending (BuildResponse.10 to .41)."""
    server = replace(
        SERVER,
        upstream_stratum=2,
        reference_id=b"\xc0\x00\x02\x01",
        root_delay=timedelta(seconds=0.5),
        root_dispersion=timedelta(seconds=0.25),
    )
    asked, octets, times = exchange(server=server)
    packet = ntp.Packet.decode(octets)
    result = ntp.evaluate(octets, asked=asked, synchronised=True, **times)

    assert len(octets) == 48
    assert (packet.leap, packet.version, packet.mode, packet.stratum) == (0, 4, 4, 3)
    assert (packet.poll, packet.precision, packet.reference_id) == (6, -18, b"\xc0\x00\x02\x01")
    assert (packet.root_delay, packet.root_dispersion) == (0x8000, 0x4000)
    assert packet.origin == asked.transmit
    assert packet.reference == ntp.to_timestamp(NOW - timedelta(seconds=20))
    assert (result.stratum, result.max_error) == (3, timedelta(seconds=0.5))


@pytest.mark.parametrize(
    "request_octets",
    [
        b"", bytes(47), ntp.request().encode() + b"\x00", ntp.request().encode()[:47],
        replace(ntp.request(), mode=4).encode(), replace(ntp.request(), mode=1).encode(),
        replace(ntp.request(), version=3).encode(), replace(ntp.request(), version=5).encode(),
    ],
    ids=["nothing", "short", "long", "cut", "server", "symmetric", "version 3", "version 5"],
)  # fmt: skip
def test_a_server_ignores_what_is_no_request(request_octets):
    """Other lengths than 48, modes than 3 and versions than 4 get no answer (ProcessRequest.10)."""
    with pytest.raises(Refusal) as caught:
        ntp.answer(request_octets, server=SERVER, received_at=NOW, now=NOW)

    assert (caught.value.code, caught.value.side) == ("ntp.request", Side.GATEWAY)


def test_a_server_without_time_says_so():
    """Leap 3 and a kiss code; the client does not believe it (BuildResponse.20, ProcessResponse.50)."""
    asked, octets, times = exchange(server=ntp.Server(synchronised_at=None))
    packet = ntp.Packet.decode(octets)

    assert (packet.leap, packet.stratum, packet.reference_id) == (3, 0, b"INIT")
    assert refusal(octets, asked, **times) == "ntp.unsynchronised"
    assert refusal(octets, asked, synchronised=False, **times) == "ntp.unsynchronised"


@pytest.mark.requirement("SIM-ntp-late")
def test_a_late_answer_is_ignored():
    """More than 9 s from sending to receipt are too many, 9 s are not (ProcessResponse.10)."""
    asked, octets, _ = exchange()

    late = {"sent_at": NOW, "received_at": NOW + timedelta(seconds=9, microseconds=1)}
    assert refusal(octets, asked, **late) == "ntp.delayed"
    assert ntp.evaluate(octets, asked=asked, synchronised=True, sent_at=NOW, received_at=NOW + timedelta(seconds=9))
    assert refusal(octets, asked, sent_at=NOW, received_at=NOW - MILLISECOND) == "ntp.delayed"


def test_an_answer_to_another_question_is_ignored():
    """The origin must be the transmit timestamp of the last request (ProcessResponse.30)."""
    _, octets, times = exchange()

    assert refusal(octets, ntp.request(), **times) == "ntp.origin"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"version": 3}, "ntp.response"), ({"version": 0}, "ntp.response"), ({"mode": 3}, "ntp.response"),
        ({"mode": 5}, "ntp.response"), ({"leap": 3}, "ntp.unsynchronised"), ({"transmit": 0}, "ntp.conversion"),
    ],
)  # fmt: skip
def test_what_must_be_ignored_is_ignored(fields, code):
    """Old versions, other modes, unsynchronised servers, unset times (ProcessResponse.40 to .52)."""
    asked, octets, times = exchange()

    assert refusal(changed(octets, **fields), asked, **times) == code
    assert refusal(octets[:-1], asked, **times) == "ntp.response"


@pytest.mark.requirement("SIM-clock-2h")
def test_a_jump_is_ignored_once_the_clock_is_believed():
    """Above 1000 s a synchronised client does not follow; one without time takes the first (14.1.1)."""
    asked, octets, times = exchange(off=timedelta(hours=-2))
    near = exchange(off=timedelta(seconds=-999))

    assert refusal(octets, asked, **times) == "ntp.step"
    assert abs(ntp.evaluate(octets, asked=asked, synchronised=False, **times).offset - timedelta(hours=2)) < MILLISECOND
    assert ntp.evaluate(near[1], asked=near[0], synchronised=True, **near[2])


@pytest.mark.parametrize(
    "instant",
    [
        datetime(2036, 2, 7, 6, 28, 15, 999_999, tzinfo=UTC), datetime(2036, 2, 7, 6, 28, 16, 1, tzinfo=UTC),
        datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC), datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
)  # fmt: skip
def test_the_turn_of_the_era_is_crossed(instant):
    """In February 2036 the seconds begin anew, in 2038 signed counters overflow; both go unnoticed."""
    asked, octets, times = exchange(now=instant, server=replace(SERVER, synchronised_at=instant))

    result = ntp.evaluate(octets, asked=asked, synchronised=True, **times)

    assert abs(result.offset) <= timedelta(microseconds=1)


def test_timestamps_count_from_1900():
    """Known pairs: 1970 is 2,208,988,800 s, and the second after the era's end is 1 s of the next."""
    assert ntp.to_timestamp(datetime(1970, 1, 1, tzinfo=UTC)) == 2_208_988_800 << 32
    assert ntp.to_timestamp(datetime(1970, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)) == 2_208_988_800 << 32 | 0x80000000
    assert ntp.to_timestamp(datetime(2036, 2, 7, 6, 28, 17, tzinfo=UTC)) == 1 << 32


@given(st.datetimes(datetime(2020, 1, 1), datetime(2119, 12, 31)))
def test_instants_come_back_exactly(instant):
    """Within the declared range each microsecond has its own timestamp."""
    at = instant.replace(tzinfo=UTC)

    assert ntp.DEFAULT_CONVERSION.to_datetime(ntp.to_timestamp(at)) == at


def test_the_declared_range_is_kept():
    """Outside of it nothing is converted (ProcessResponse.40, ICS.TA.NTP.ProcessResponse.10)."""
    conversion = ntp.Conversion(datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
    asked, octets, times = exchange(now=datetime(2031, 1, 1, tzinfo=UTC))

    assert refusal(octets, asked, synchronised=False, conversion=conversion, **times) == "ntp.conversion"
    before = ntp.to_timestamp(datetime(2019, 12, 31, tzinfo=UTC))
    assert refusal(changed(octets, transmit=before), asked, synchronised=False, **times) == "ntp.conversion"
    for since, until in ((NOW, NOW), (NOW, NOW + timedelta(seconds=2**32 + 1))):
        with pytest.raises(ValueError, match="conversion range"):
            ntp.Conversion(since, until)


@given(st.binary(max_size=60), st.booleans())
def test_anything_else_is_ignored(octets, synchronised):
    """Random octets raise nothing but refusals, at both ends."""
    times = {"sent_at": NOW, "received_at": NOW}
    assert refusal(octets, ntp.request(), synchronised=synchronised, **times).startswith("ntp.")
    with pytest.raises(Refusal, match=r"ntp\.request"):
        ntp.answer(b"\x00" + octets, server=SERVER, received_at=NOW, now=NOW)


def test_once_a_minute_is_often_enough():
    """The first poll is free, the next one a minute later."""
    assert ntp.may_poll(None, NOW)
    assert not ntp.may_poll(NOW, NOW + timedelta(seconds=59, microseconds=999_999))
    assert ntp.may_poll(NOW, NOW + timedelta(minutes=1))


@pytest.mark.requirement("WAN-7.10", "SIM-clock-5s", "SIM-clock-20s")
@pytest.mark.parametrize(
    ("seconds", "state"),
    [
        (0, ntp.ClockState.VALID), (9, ntp.ClockState.VALID), (-9, ntp.ClockState.VALID),
        (9.001, ntp.ClockState.WARNING), (-20, ntp.ClockState.WARNING), (27, ntp.ClockState.WARNING),
        (27.001, ntp.ClockState.INVALID), (-7200, ntp.ClockState.INVALID),
    ],
)  # fmt: skip
def test_clocks_are_judged_by_the_registration_period(seconds, state):
    """Above 9 s of 900 s a warning, above 27 s invalid; shorter periods are stricter, limits can be configured."""
    off = timedelta(seconds=seconds)

    assert ntp.classify(off) is state
    assert ntp.classify(off / 15, registration_period=timedelta(minutes=1)) is state
    assert ntp.classify(timedelta(seconds=2), warning=0.001, invalid=0.002) is ntp.ClockState.INVALID
