"""Keys and certificates are checked once, where they are configured."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from torwart.kernel.refusals import Refusal, Side
from torwart.wire.cms import LocalAgreer, LocalSigner, Recipient, open_protected, protect, ski_of

pytestmark = pytest.mark.requirement("WAN-1.4", "WAN-2")


def test_key_and_certificate_must_belong_together(quick, stranger):
    """A certificate for another key is refused, as ours to correct."""
    for holder, key, certificate in (
        (LocalSigner, stranger.sig_key, quick.sig_certificate),
        (LocalAgreer, stranger.enc_key, quick.enc_certificate),
    ):
        with pytest.raises(Refusal) as caught:
            holder(key, certificate)
        assert (caught.value.code, caught.value.side) == ("cms.certificate", Side.OURS)


def test_a_certificate_serves_its_own_purpose_only(quick):
    """SIG certificates do not encrypt and ENC certificates do not sign (the triple of spec WAN-2)."""
    for attempt in (
        lambda: LocalSigner(quick.enc_key, quick.enc_certificate),
        lambda: LocalAgreer(quick.sig_key, quick.sig_certificate),
        lambda: Recipient.of(quick.sig_certificate),
    ):
        with pytest.raises(Refusal, match=r"cms\.certificate"):
            attempt()


def test_a_certificate_without_identifier_is_refused(make_certificate):
    """The profile names parties by SKI, so a certificate must have one."""
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(Refusal, match=r"cms\.certificate"):
        ski_of(make_certificate(key, "no SKI", agreement=True, ski=False))


def test_only_ec_keys_serve(make_certificate):
    """An RSA certificate is refused where it is configured."""
    key = rsa.generate_private_key(65537, 2048)
    with pytest.raises(Refusal, match=r"cms\.certificate"):
        Recipient.of(make_certificate(key, "RSA", agreement=True))


def test_a_certificate_without_key_usage_is_not_judged_by_it(make_certificate):
    """Where a certificate says nothing about its use, the configuration decides."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = make_certificate(key, "any use", agreement=None)

    assert LocalSigner(key, certificate).ski == LocalAgreer(key, certificate).ski == Recipient.of(certificate).ski


@pytest.mark.parametrize("offset", [0, 1])
def test_an_unreadable_certificate_is_refused(quick, offset):
    """Certificates that load but cannot be read further are refused as ours to correct, by whatever field."""
    der = bytearray(quick.enc_certificate.public_bytes(Encoding.DER))
    at = der.index(b"\x06\x03\x55\x1d" + (b"\x0e" if offset else b"\x0f"))
    # The one extension takes the name of the other, so that it is there twice.
    der[at + 4] = 0x0F if offset else 0x0E
    twice = x509.load_der_x509_certificate(bytes(der))

    with pytest.raises(Refusal, match=r"cms\.certificate"):
        Recipient.of(twice)
    with pytest.raises(Refusal, match=r"cms\.certificate"):
        ski_of(twice)


def test_an_unreadable_key_is_refused(quick):
    """A public key off its curve is refused."""
    der = bytearray(quick.enc_certificate.public_bytes(Encoding.DER))
    point = quick.enc_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    der[der.index(point) + 40] ^= 1

    with pytest.raises(Refusal, match=r"cms\.certificate"):
        Recipient.of(x509.load_der_x509_certificate(bytes(der)))


def test_a_key_store_serves_as_signer_and_agreer(quick):
    """Anything with ``ski`` and ``sign`` or ``agree`` will do: here a holder that is no class of ours."""

    class Smartcard:
        ski = quick.signer.ski

        def sign(self, message: bytes) -> bytes:
            return quick.signer.sign(message)

    class Module:
        ski = quick.agreer.ski

        def agree(self, peer_point: bytes) -> bytes:
            return quick.agreer.agree(peer_point)

    message = protect(b"content", signer=Smartcard(), recipient=quick.recipient)

    assert open_protected(message, agreer=Module(), signers=quick.signers).content == b"content"


@pytest.mark.parametrize("octets", ["", "00", "02" + "11" * 32, "04" + "00" * 64, "04" + "11" * 63, "06" + "11" * 64])
def test_only_uncompressed_points_of_the_curve_are_agreed_with(quick, octets):
    """TR-03116-3 2.2: uncompressed encoding; a point off the curve would betray the key."""
    with pytest.raises((Refusal, ValueError)):
        quick.agreer.agree(bytes.fromhex(octets))


def test_a_compressed_point_of_the_curve_is_refused(quick, tree):
    """Also a valid point in compressed form is refused in a message."""
    message = tree.parse(protect(b"content", signer=quick.signer, recipient=quick.recipient))
    octets = message[1, 0, 2, 1, 0]
    envelope = tree.parse(octets.content)
    point = quick.sig_key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    envelope[1, 0, 1, 0, 1].content = b"\x00" + point
    from torwart.wire.cms import ID_AUTH_ENVELOPED_DATA, sign

    again = sign(envelope.encode(), signer=quick.signer, content_type=ID_AUTH_ENVELOPED_DATA)
    with pytest.raises(Refusal, match=r"cms\.point"):
        open_protected(again, agreer=quick.agreer, signers=quick.signers)
