"""Many certificates of one maker: the short way answers as the long way does, whatever is changed in a certificate."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.sim.pki import Fault, TestPki
from torwart.wire.certificate import Checked, Role, Series, Trust, Use, load_certificate
from torwart.wire.cms.der import SEQUENCE, Reader, sequence, tlv

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
pytestmark = pytest.mark.requirement("P01")


@pytest.fixture(scope="module")
def maker() -> TestPki:
    return TestPki.create(NOW)


class Counting(Trust):
    """A trust that counts how often it is asked for everything."""

    asked = 0

    def validate(self, *arguments, **options):
        Counting.asked += 1
        return super().validate(*arguments, **options)


def der_of(triple, use: Use) -> bytes:
    return triple.of(use).certificate.public_bytes(Encoding.DER)


def primed(pki: TestPki, at: datetime = NOW) -> Series:
    """A series that knows the shape of the maker's certificates."""
    series = Series(pki.trust, at)
    triple = pki.seal_triple("EPPC0200000001")
    for use in (Use.TLS, Use.SIG, Use.ENC):
        series.validate(der_of(triple, use), use)
    return series


def outcome(validate: Callable[[], object]) -> object:
    try:
        return validate()
    except Refusal as refusal:
        return refusal.code


def long_way(pki: TestPki, der: bytes, use: Use, at: datetime = NOW) -> object:
    """What ``Trust.validate`` alone makes of it."""
    certificate = load_certificate(der)
    identity = pki.trust.validate(certificate, at=at, role=Role.SMGW, use=use, seal=True)
    return Checked(
        identity.common_name,
        identity.sequence,
        certificate.issuer.rfc4514_string(),
        certificate.serial_number,
        identity.ski,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def both(pki: TestPki, der: bytes, use: Use, at: datetime = NOW) -> tuple[object, object]:
    series = primed(pki, at) if at == NOW else Series(pki.trust, at)
    return outcome(lambda: series.validate(der, use)), outcome(lambda: long_way(pki, der, use, at))


def test_a_shape_is_checked_once(maker: TestPki) -> None:
    """Of fifty gateways only the first certificate of each use goes the long way, and all are answered alike."""
    trust = Counting(maker.root.certificate, maker.trust.issuers)
    series = Series(trust, NOW)
    Counting.asked = 0
    for number in range(50):
        triple = maker.seal_triple(f"EPPC02{number:08d}")
        for use in (Use.TLS, Use.SIG, Use.ENC):
            der = der_of(triple, use)
            assert series.validate(der, use) == long_way(maker, der, use)

    assert Counting.asked == 3


def departures(pki: TestPki) -> dict[str, bytes]:
    day = timedelta(days=1)
    device = "EPPC0200000002"
    good = pki.seal_triple(device)
    tls = der_of(good, Use.TLS)
    return {
        "good": tls,
        "another use": der_of(good, Use.SIG),
        "expired": der_of(pki.seal_triple(device, not_before=NOW - 9 * day, not_after=NOW - day), Use.TLS),
        "ends this second": der_of(pki.seal_triple(device, not_after=NOW), Use.TLS),
        "not yet valid": der_of(pki.seal_triple(device, not_before=NOW + day), Use.TLS),
        "outlives its issuer": der_of(pki.seal_triple(device, not_after=NOW + 9000 * day), Use.TLS),
        "operational": der_of(pki.operational_triple(device), Use.TLS),
        "another CA of that name": der_of(pki.faulty_triple(Fault.FOREIGN_CA, Role.SMGW, device), Use.TLS),
        "no gateway": der_of(pki.issue_triple(Role.EMT, "Stadtwerk", ca=pki.seal_ca), Use.TLS),
        "lower case": der_of(pki.seal_triple(device.lower()), Use.TLS),
        "second of its row": der_of(pki.seal_triple(device, sequence=2), Use.TLS),
        "cut": tls[:-5],
        "nothing": b"",
        "signature of another": tls[:-70] + der_of(pki.seal_triple(device), Use.TLS)[-70:],
        "point off the curve": signed_anew(pki, tls, moved_point),
    }


def signed_anew(pki: TestPki, der: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The certificate with another content, which its CA has signed."""
    fields = Reader(der).enter(SEQUENCE)
    tbs, algorithm = change(fields.raw(SEQUENCE)), fields.raw(SEQUENCE)
    signature = pki.seal_ca.credential.key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return sequence(tbs, algorithm, tlv(0x03, b"\0" + signature))


def moved_point(tbs: bytes) -> bytes:
    at = tbs.index(b"\x03\x42\x00\x04") + 40
    return tbs[:at] + bytes([tbs[at] ^ 1]) + tbs[at + 1 :]


def test_every_departure_is_answered_as_the_long_way_does(maker: TestPki) -> None:
    """What the short way does not like is refused by the name the long way has for it."""
    answers = {name: both(maker, der, Use.TLS) for name, der in departures(maker).items()}

    assert {name: ours for name, (ours, _) in answers.items()} == {name: long for name, (_, long) in answers.items()}
    accepted = {name for name, (ours, _) in answers.items() if isinstance(ours, Checked)}
    assert accepted == {"good", "ends this second", "lower case", "second of its row"}


@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_a_changed_certificate_never_passes_by_the_short_way_alone(data: st.DataObject) -> None:
    """Whatever octets a CA changes before it signs, both ways agree on the certificate."""
    der = SAMPLE[Use.TLS]
    tbs = bytearray(Reader(der).enter(SEQUENCE).raw(SEQUENCE))
    for _ in range(data.draw(st.integers(1, 2))):
        tbs[data.draw(st.integers(0, len(tbs) - 1))] = data.draw(st.integers(0, 255))
    changed = signed_anew(PKI, der, lambda _: bytes(tbs))

    assert outcome(lambda: SERIES.validate(changed, Use.TLS)) == outcome(lambda: long_way(PKI, changed, Use.TLS))


PKI = TestPki.create(NOW)
SERIES = primed(PKI)
SAMPLE = {use: der_of(PKI.seal_triple("EPPC0200000003"), use) for use in (Use.TLS, Use.SIG, Use.ENC)}
