"""Our private keys, behind a port: they are used, never read (design D7; MsbG § 52(4): key sets per client)."""

from collections.abc import Mapping
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey


class KeyStore(Protocol):
    """Named EC key pairs and wrapped secrets. ``label``: ``[a-z0-9][a-z0-9._-]{0,95}``, e.g. ``client-7.gwa.sig.3``.

    Unknown labels raise ``Refusal`` ``keys.unknown``, a label in use ``keys.exists``, a store that cannot be
    opened ``keys.locked``, content that fails its integrity check ``keys.damaged``.
    """

    def generate(self, label: str, *, curve: str = "brainpoolP256r1") -> EllipticCurvePublicKey:
        """Make a key pair; the private key never leaves the store."""
        ...

    def public_key(self, label: str) -> EllipticCurvePublicKey: ...

    def sign(self, label: str, message: bytes) -> bytes:
        """ECDSA with SHA-256 over ``message``, DER (X9.62) encoded."""
        ...

    def agree(self, label: str, peer_point: bytes) -> bytes:
        """ECDH with an uncompressed point on the key's curve: the x-coordinate of the shared point (Z)."""
        ...

    def store_certificate(self, label: str, certificate: x509.Certificate) -> None:
        """Put a certificate beside its key; refused (``keys.mismatch``) if the public keys differ."""
        ...

    def certificate(self, label: str) -> x509.Certificate: ...

    def put_secret(self, label: str, secret: bytes) -> None:
        """Keep a symmetric secret (e.g. a meter's MK0), encrypted at rest."""
        ...

    def put_secrets(self, secrets: Mapping[str, bytes]) -> None:
        """Keep many at once, each in place of whatever its label held. All are safe when it returns; if the process
        dies before, some may be missing or damaged, and the same call mends them.
        """
        ...

    def secret(self, label: str) -> bytes: ...

    def destroy(self, label: str) -> None:
        """Destroy key or secret and its certificate; a second time is no error."""
        ...

    def labels(self, prefix: str = "") -> list[str]:
        """All labels that start with ``prefix``, sorted."""
        ...
