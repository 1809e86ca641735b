"""Certificates with their private keys, alone and as triples."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.wire.certificate import Use, load_certificate

_CURVES: Mapping[str, type[ec.EllipticCurve]] = {
    "brainpoolP256r1": ec.BrainpoolP256R1,
    "brainpoolP384r1": ec.BrainpoolP384R1,
    "brainpoolP512r1": ec.BrainpoolP512R1,
    "secp256r1": ec.SECP256R1,
}


def new_key(curve: str = "brainpoolP256r1") -> ec.EllipticCurvePrivateKey:
    """A fresh key pair; end users always use brainpoolP256r1 (TR-03116-3 §4.1.1 table 6)."""
    return ec.generate_private_key(_CURVES[curve]())


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate and, where we made the key, its private key."""

    certificate: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey | None

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        """The private key; a credential without one is a programming error."""
        if self.private_key is None:
            raise ValueError("this credential was issued for a public key of someone else")
        return self.private_key

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def certificate_der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        """PKCS#8, not encrypted: test keys only."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @classmethod
    def load(cls, certificate: bytes, key: bytes | None) -> "Credential":
        """Read back what ``certificate_pem`` and ``key_pem`` wrote."""
        private = serialization.load_pem_private_key(key, None) if key else None
        if private is not None and not isinstance(private, ec.EllipticCurvePrivateKey):
            raise ValueError("not an EC key")
        return cls(load_certificate(certificate), private)


@dataclass(frozen=True, slots=True)
class Triple:
    """The three certificates of an entity (spec/04 §2: "Key triple: every EE has three separate keys/certs")."""

    tls: Credential
    sig: Credential
    enc: Credential

    def of(self, use: Use) -> Credential:
        return {Use.TLS: self.tls, Use.SIG: self.sig, Use.ENC: self.enc}[use]

    def __iter__(self) -> Iterator[Credential]:
        return iter((self.tls, self.sig, self.enc))

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        return tuple(credential.certificate for credential in self)
