"""Keys as the codec sees them: who can sign, who can agree, for whom we encrypt."""

from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from torwart.kernel.refusals.cms import CMS_CERTIFICATE, CMS_POINT
from torwart.wire.cms.algorithms import CURVES, SHA256

_ECDH = ec.ECDH()
_UNCOMPRESSED = 0x04


UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What ``cryptography`` raises about certificates that are none; part of it only when a field is looked at."""


class Signer(Protocol):
    """Whoever holds a SIG key."""

    @property
    def ski(self) -> bytes:
        """Subject key identifier of the SIG certificate."""
        ...

    def sign(self, message: bytes) -> bytes:
        """ECDSA with SHA-256 over ``message``, DER (X9.62) encoded."""
        ...


class Agreer(Protocol):
    """Whoever holds an ENC key."""

    @property
    def ski(self) -> bytes:
        """Subject key identifier of the ENC certificate."""
        ...

    def agree(self, peer_point: bytes) -> bytes:
        """Z, the x-coordinate of the shared point; ``ValueError`` if ``peer_point`` is not on the key's curve."""
        ...


class LocalSigner:
    """A signer whose key lies in this process; refuses ``cms.certificate`` if key and certificate do not fit."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        _demand_pair(private_key, certificate)
        _demand_use(certificate, "digital_signature")
        self.certificate = certificate
        self.ski = ski_of(certificate)
        self._key = private_key

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, SHA256.ecdsa)


class LocalAgreer:
    """An agreer whose key lies in this process; refuses ``cms.certificate`` if key and certificate do not fit."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        _demand_pair(private_key, certificate)
        _demand_use(certificate, "key_agreement")
        self.certificate = certificate
        self.ski = ski_of(certificate)
        self._key = private_key

    def agree(self, peer_point: bytes) -> bytes:
        # TR-03116-3 2.2: „Als Encoding für die Punkte der elliptischen Kurven MUSS das Uncompressed Encoding …
        # verwendet werden.“ from_encoded_point refuses points off the curve with ValueError.
        if not peer_point or peer_point[0] != _UNCOMPRESSED:
            raise CMS_POINT()
        return self._key.exchange(_ECDH, ec.EllipticCurvePublicKey.from_encoded_point(self._key.curve, peer_point))


class Recipient:
    """Whom we encrypt for: SKI and point of an ENC certificate, taken once and then used for many messages."""

    def __init__(self, ski: bytes, public_key: ec.EllipticCurvePublicKey) -> None:
        self.ski = ski
        self.public_key = public_key
        self.curve = public_key.curve
        if self.curve.name not in CURVES:
            raise CMS_CERTIFICATE(why=f"curve {self.curve.name}")

    @classmethod
    def of(cls, certificate: x509.Certificate) -> "Recipient":
        """Refuses ``cms.certificate`` if the certificate has no SKI, no EC key of the profile or another use."""
        _demand_use(certificate, "key_agreement")
        return cls(ski_of(certificate), public_key_of(certificate))

    def ephemeral(self) -> tuple[bytes, bytes]:
        """A fresh ephemeral point and Z with the recipient's key (ECKA-EG, TR-03111 4.3.2.2).

        TR-03116-3 2.4: „Ephemerschlüssel … DÜRFEN NICHT für mehr als eine Sitzung benutzt werden“.
        """
        key = ec.generate_private_key(self.curve)
        point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return point, key.exchange(_ECDH, self.public_key)


def ski_of(certificate: x509.Certificate) -> bytes:
    """The subject key identifier extension, which the SM-PKI demands; refuses ``cms.certificate`` without it."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, *UNREADABLE):
        raise CMS_CERTIFICATE(why="no subject key identifier") from None


def public_key_of(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """The EC public key; refuses ``cms.certificate`` for any other."""
    try:
        key = certificate.public_key()
    except UNREADABLE:
        raise CMS_CERTIFICATE(why="unreadable public key") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise CMS_CERTIFICATE(why="not an EC key")
    return key


def _demand_pair(private_key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    if private_key.public_key() != public_key_of(certificate):
        raise CMS_CERTIFICATE(why="it belongs to another key")


def _demand_use(certificate: x509.Certificate, use: str) -> None:
    """One key of the TLS/SIG/ENC triple is never used for another's purpose (DS 5.2.1 REQ.CMS.Zertifikate.10)."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    except UNREADABLE:
        raise CMS_CERTIFICATE(why="unreadable extensions") from None
    if not getattr(usage, use):
        raise CMS_CERTIFICATE(why=f"key usage lacks {use}")
