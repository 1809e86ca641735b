"""The wake-up packet: layout by the printed table, judgement by the gateway, and what must not get through."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals import KINDS, Refusal
from torwart.wire import wakeup

pytestmark = pytest.mark.requirement("WAN-1.5")

GATEWAY = DeviceId("EABC0012345678")
AT = datetime.fromtimestamp(1342177280, UTC)
KEY = ec.generate_private_key(ec.BrainpoolP256R1())
OTHER_KEY = ec.generate_private_key(ec.BrainpoolP256R1())
QUICK_KEY = ec.generate_private_key(ec.SECP256R1())
HASHES = {
    wakeup.ECDSA_PLAIN_SHA256: hashes.SHA256(),
    wakeup.ECDSA_PLAIN_SHA384: hashes.SHA384(),
    wakeup.ECDSA_PLAIN_SHA512: hashes.SHA512(),
}


def signs_with(key, algorithm=wakeup.ECDSA_PLAIN_SHA256):
    return wakeup.plain_signer(lambda message: key.sign(message, ec.ECDSA(HASHES[algorithm])), key.curve)


def packet(at=AT, *, key=QUICK_KEY, recipient=GATEWAY, **options):
    return wakeup.build(recipient, at, sign_plain=signs_with(key), **options)


def window(**options):
    return wakeup.Window(GATEWAY, options.pop("key", QUICK_KEY).public_key(), **options)


def refusal(judge, octets, now=AT):
    with pytest.raises(Refusal) as caught:
        judge.accept(octets, now)
    return caught.value.code


def test_the_layout_of_the_signed_part():
    """The 32 signed octets for EABC0012345678 at 13 July 2012 11:01:20 UTC, low-order octet of the time first."""
    part = wakeup.signed_part(GATEWAY, datetime(2012, 7, 13, 11, 1, 20, tzinfo=UTC))

    assert part.hex() == "5755010e4142430000bc614e00000050000000000b0b0b0b0b0b0b0b0b0b0b0b"


@pytest.mark.requirement("WAN-7.1")
def test_the_printed_example_of_the_timestamp_has_the_other_order():
    """„1.342.177.280d = 00 00 00 00 50 00 00 00h“: the switch gives the order of the printed example."""
    part = wakeup.signed_part(GATEWAY, AT, byte_order="big")

    assert part[12:20].hex() == "0000000050000000"
    assert wakeup.signed_part(GATEWAY, AT)[12:20] == part[12:20][::-1]


def test_a_packet_on_brainpool_has_108_octets():
    """Format 1, OID of ten octets without tag and padding, then R and S of 32 octets each."""
    octets = packet(key=KEY)

    assert len(octets) == 108
    assert octets[32:44].hex() == "010a04007f00070101040103"


@pytest.mark.parametrize("curve", [ec.BrainpoolP256R1(), ec.BrainpoolP384R1(), ec.BrainpoolP512R1(), ec.SECP256R1()])
@pytest.mark.parametrize("algorithm", list(HASHES))
def test_each_curve_and_hash_is_judged(curve, algorithm):
    """The hash comes from the OID, the length of R and S from the key (REQ.WakeUp.Datenstruktur.30)."""
    key = ec.generate_private_key(curve)
    octets = wakeup.build(GATEWAY, AT, sign_plain=signs_with(key, algorithm), algorithm=algorithm)

    assert window(key=key).accept(octets, AT).recipient == GATEWAY
    assert len(octets) == 32 + 2 + 10 + 2 * ((curve.key_size + 7) // 8)


def test_a_foreign_library_verifies_the_signature():
    """R ‖ S of the packet, put into DER, verifies over the first 32 octets and no others."""
    from asn1crypto.algos import DSASignature

    octets = packet(key=KEY)
    signature = DSASignature.from_p1363(octets[44:]).dump()

    KEY.public_key().verify(signature, octets[:32], ec.ECDSA(hashes.SHA256()))


@given(
    st.from_regex(r"E[A-Z]{3}(0[0-9A-F]|F[0-9A-E])[0-9]{8}", fullmatch=True),
    st.datetimes(datetime(1980, 1, 1), datetime(9999, 12, 31)),
    st.sampled_from(["little", "big"]),
)
@settings(deadline=None)
def test_what_is_built_is_parsed(device, at, order):
    """Recipient and second come back, for every gateway and every instant."""
    at = at.replace(tzinfo=UTC)
    parsed = wakeup.parse(packet(at, recipient=DeviceId(device), byte_order=order), byte_order=order)

    assert (parsed.recipient, parsed.timestamp) == (DeviceId(device), int(at.timestamp()))
    assert parsed.algorithm == wakeup.ECDSA_PLAIN_SHA256


def test_the_instant_counts_not_the_zone():
    """The same instant in another time zone gives the same signed octets."""
    assert wakeup.signed_part(GATEWAY, AT.astimezone(timezone(timedelta(hours=2)))) == wakeup.signed_part(GATEWAY, AT)


def test_only_the_addressed_gateway_answers():
    """„Nur das adressierte SMGW darf die Wake-Up-Nachricht verarbeiten.“"""
    assert refusal(window(), packet(recipient=DeviceId("EABC0012345679"))) == "wakeup.not_addressed"


@pytest.mark.requirement("WAN-7.2", "SIM-clock-2h")
@pytest.mark.parametrize(("off", "accepted"), [(-31, False), (-30, True), (0, True), (30, True), (31, False)])
def test_the_timestamp_must_lie_in_the_window(off, accepted):
    """30 s either way are accepted, one more is not; another window can be configured."""
    octets = packet(AT + timedelta(seconds=off))

    if accepted:
        assert window().accept(octets, AT).timestamp == int(AT.timestamp()) + off
    else:
        assert refusal(window(), octets) == "wakeup.outside_window"
    assert window(seconds=31).accept(octets, AT)


@pytest.mark.requirement("SIM-replay")
def test_a_packet_works_once():
    """A second time, and everything not later than the last, is refused; after a restart too."""
    judge = window()
    first, second = packet(), packet(AT + timedelta(seconds=1))

    judge.accept(second, AT)

    assert refusal(judge, second) == "wakeup.replayed"
    assert refusal(judge, first) == "wakeup.replayed"
    assert refusal(window(last=judge.last), second) == "wakeup.replayed"
    assert judge.accept(packet(AT + timedelta(seconds=2)), AT)


def test_a_forged_packet_does_not_block_true_ones():
    """Only a proven packet moves the replay limit, so nobody can push it into the future."""
    judge = window()

    assert refusal(judge, packet(AT + timedelta(seconds=30), key=OTHER_KEY)) == "wakeup.signature_wrong"
    assert judge.last is None
    assert judge.accept(packet(), AT)


def test_every_bit_counts():
    """A packet changed in any one bit is refused, and cut anywhere too."""
    octets = packet()
    for at in range(len(octets)):
        for bit in range(8):
            changed = bytearray(octets)
            changed[at] ^= 1 << bit
            assert refusal(window(), bytes(changed)).startswith("wakeup.")
        assert refusal(window(), octets[:at]).startswith("wakeup.")
    assert refusal(window(), octets + b"\x00") == "wakeup.signature_wrong"


@pytest.mark.parametrize(
    ("at", "octets", "code"),
    [
        (0, b"WV", "wakeup.malformed"),
        (2, b"\x02", "wakeup.version"),
        (3, b"\xff", "wakeup.malformed"),
        (4, b"abc", "wakeup.malformed"),
        (7, b"\xff", "wakeup.malformed"),
        (8, b"\xff\xff\xff\xff", "wakeup.malformed"),
        (12, b"\x00\x00\x00\x00\x00\x00\x00\x80", "wakeup.outside_window"),
        (31, b"\x00", "wakeup.malformed"),
        (32, b"\x02", "wakeup.algorithm"),
        (33, b"\x00", "wakeup.malformed"),
        (33, b"\x0f", "wakeup.malformed"),
        (43, b"\x02", "wakeup.algorithm"),
        (44, bytes(64), "wakeup.signature_wrong"),
        (44, b"\xff" * 64, "wakeup.signature_wrong"),
    ],
)
def test_each_field_has_its_own_refusal(at, octets, code):
    """What is wrong with a packet is told by kind."""
    changed = bytearray(packet())
    changed[at : at + len(octets)] = octets

    assert refusal(window(), bytes(changed)) == code


@given(st.binary(max_size=160))
def test_anything_else_is_refused(octets):
    """Random datagrams raise nothing but refusals."""
    assert refusal(window(), octets).startswith("wakeup.")
    assert refusal(window(), b"WU\x01" + octets).startswith("wakeup.")


def test_the_signature_needs_leading_zeros():
    """R and S have fixed length: a small number is filled from the left."""
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    assert wakeup.plain(encode_dss_signature(1, 2), 4) == b"\x00\x00\x00\x01\x00\x00\x00\x02"


def test_the_refusals_have_texts_with_their_fields():
    """Each text can be filled in both languages."""
    details = {"why": "x", "found": 1, "recipient": GATEWAY, "seconds": 31, "window": 30}
    kinds = [kind for code, kind in KINDS.items() if code.startswith("wakeup.")]

    assert kinds
    assert all(kind(**details).text(language) for kind in kinds for language in ("de", "en"))
