"""Benchmark ``cms``: protecting and opening a 2 KiB profile against the raw EC operations of that message.

Sending costs one key generation, one ECDH and one signature; receiving one ECDH and one verification. The floor uses
ready keys only: decoding the ephemeral point, hashing, AES, zlib and all DER count as ours.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from torwart.config.bench.harness import Result, alternate, at_least, rate
from torwart.wire.cms import LocalAgreer, LocalSigner, Recipient, Suite, open_protected, protect

_SIZE = 2048
_SECONDS = 0.25
_LEAST = {"brainpoolP256r1": 0.87, "secp256r1": 0.55}
_ECDSA = ec.ECDSA(hashes.SHA256())
_ECDH = ec.ECDH()
_DIGESTED = bytes(107)
"""As long as the signed attributes, which is what the signature of a CMS message covers."""


def run() -> list[Result]:
    """Both curves, both suites with compression as messages have it by default, and one without for comparison."""
    return [
        result
        for curve in (ec.BrainpoolP256R1(), ec.SECP256R1())
        for suite, compress in ((Suite.GCM, True), (Suite.CBC_CMAC, True), (Suite.GCM, False))
        for result in _measure(curve, suite, compress)
    ]


def profile() -> bytes:
    """A meter profile of 2048 octets in the manner of the field's XML: many like elements with differing values."""
    head = b'<klc:container id="00000000e000.1lgz0072999211.sm"><ems:values count="24">'
    values = b"".join(
        b'<ems:value id="0100%02x%02x00ff"><adls:samplerate>%d</adls:samplerate></ems:value>'
        % (n % 7 + 1, n * 37 % 256, 900 // (n % 5 + 1))
        for n in range(40)
    )
    return (head + values)[: _SIZE - 17].ljust(_SIZE - 17) + b"</klc:container>\n"


def _measure(curve: ec.EllipticCurve, suite: Suite, compress: bool) -> list[Result]:
    sig, enc = ec.generate_private_key(curve), ec.generate_private_key(curve)
    enc_certificate = _certify(enc)
    signer, recipient = LocalSigner(sig, _certify(sig)), Recipient.of(enc_certificate)
    agreer, signers = LocalAgreer(enc, enc_certificate), {signer.ski: sig.public_key()}
    content = profile()
    message = protect(content, signer=signer, recipient=recipient, suite=suite, compress=compress)
    static, signature, verifier = enc.public_key(), sig.sign(_DIGESTED, _ECDSA), sig.public_key()

    def send_floor() -> None:
        ec.generate_private_key(curve)
        sig.exchange(_ECDH, static)
        sig.sign(_DIGESTED, _ECDSA)

    def receive_floor() -> None:
        sig.exchange(_ECDH, static)
        verifier.verify(signature, _DIGESTED, _ECDSA)

    def compare(what: str, act: Callable[[], object], floor: Callable[[], None], floor_what: str) -> Result:
        cases, floors = alternate(lambda: rate(act, seconds=_SECONDS), lambda: rate(floor, seconds=_SECONDS))
        return at_least(
            "cms",
            f"{what}, {curve.name}, {suite.name}{'' if compress else ', uncompressed'}",
            unit="messages per CPU-second",
            cases=cases,
            floors=floors,
            floor_what=floor_what,
            least=_LEAST[curve.name],
        )

    return [
        compare(
            "sign+encrypt",
            lambda: protect(content, signer=signer, recipient=recipient, suite=suite, compress=compress),
            send_floor,
            "raw key generation, ECDH, ECDSA sign",
        ),
        compare(
            "decrypt+verify",
            lambda: open_protected(message, agreer=agreer, signers=signers),
            receive_floor,
            "raw ECDH, ECDSA verify",
        ),
    ]


def _certify(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
