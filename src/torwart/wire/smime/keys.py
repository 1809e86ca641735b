"""Our own side's keys as the codec sees them: used, never read, so that a key store can hold them.

store = …                                         # ports.key_store.KeyStore
EcSigner(store.certificate("mail.sig"), partial(store.sign, "mail.sig"), chain)
EcDecrypter(store.certificate("mail.enc"), partial(store.agree, "mail.enc"))
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from torwart.kernel.refusals.smime import SMIME_OWN_KEY
from torwart.wire.smime.algorithms import ECDSA_SHA256, RSA_PSS_SHA256, SALT
from torwart.wire.smime.certificate import CertificateUse, certificate_uses, holder

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Oaep(NamedTuple):
    """The hashes of RSAES-OAEP and of its MGF1, and its label."""

    hash: hashes.HashAlgorithm
    mgf: hashes.HashAlgorithm
    label: bytes


class Signer(Protocol):
    """Whoever holds a signing key. ``chain``: issuers, attached to each mail; ``encryption``: the certificate others
    shall encrypt for, attached and named as preference. ``algorithm``: the AlgorithmIdentifier of its signatures.
    """

    @property
    def certificate(self) -> x509.Certificate: ...
    @property
    def chain(self) -> Sequence[x509.Certificate]: ...
    @property
    def encryption(self) -> x509.Certificate | None: ...
    @property
    def algorithm(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes:
        """The signature over ``message``, hashed with SHA-256, as ``algorithm`` says."""
        ...


class Decrypter(Protocol):
    """Whoever holds an encryption key; a key can do one of the two and raises ``ValueError`` for the other."""

    @property
    def certificate(self) -> x509.Certificate: ...

    def agree(self, peer_point: bytes) -> bytes:
        """EC: Z, the x-coordinate of the shared point; ``ValueError`` if ``peer_point`` is not on the key's curve."""
        ...

    def decrypt_key(self, encrypted: bytes, oaep: Oaep) -> bytes:
        """RSA: the content key; ``ValueError`` if it is not encrypted for this key."""
        ...


@dataclass(frozen=True, slots=True)
class EcSigner:
    """An EC key that is elsewhere: ``signing`` answers ECDSA with SHA-256 over its argument, DER."""

    certificate: x509.Certificate
    signing: Callable[[bytes], bytes]
    chain: tuple[x509.Certificate, ...] = ()
    encryption: x509.Certificate | None = None

    @property
    def algorithm(self) -> bytes:
        return ECDSA_SHA256

    def sign(self, message: bytes) -> bytes:
        return self.signing(message)


@dataclass(frozen=True, slots=True)
class EcDecrypter:
    """An EC key that is elsewhere: ``agreeing`` answers Z for a peer's uncompressed point."""

    certificate: x509.Certificate
    agreeing: Callable[[bytes], bytes]

    def agree(self, peer_point: bytes) -> bytes:
        return self.agreeing(peer_point)

    def decrypt_key(self, encrypted: bytes, oaep: Oaep) -> bytes:
        raise ValueError("an EC key decrypts no RSA")


class LocalSigner:
    """A signer whose key lies in this process; refuses ``smime.own_key`` if key and certificate do not fit."""

    def __init__(
        self,
        key: PrivateKey,
        certificate: x509.Certificate,
        chain: Sequence[x509.Certificate] = (),
        encryption: x509.Certificate | None = None,
    ) -> None:
        _demand_pair(key, certificate, CertificateUse.SIGN)
        self.certificate = certificate
        self.chain = tuple(chain)
        self.encryption = encryption
        self.algorithm = RSA_PSS_SHA256 if isinstance(key, rsa.RSAPrivateKey) else ECDSA_SHA256
        self._key = key

    def sign(self, message: bytes) -> bytes:
        if isinstance(self._key, rsa.RSAPrivateKey):
            # RFC 4056 2.2: salt as long as the hash, MGF1 with the same hash.
            return self._key.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), SALT), hashes.SHA256())
        return self._key.sign(message, ec.ECDSA(hashes.SHA256()))


class LocalDecrypter:
    """A decrypter whose key lies in this process; refuses ``smime.own_key`` if key and certificate do not fit."""

    def __init__(self, key: PrivateKey, certificate: x509.Certificate) -> None:
        _demand_pair(key, certificate, CertificateUse.ENCRYPT)
        self.certificate = certificate
        self._key = key

    def agree(self, peer_point: bytes) -> bytes:
        if not isinstance(self._key, ec.EllipticCurvePrivateKey):
            raise ValueError("an RSA key does not agree")
        return self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(self._key.curve, peer_point))

    def decrypt_key(self, encrypted: bytes, oaep: Oaep) -> bytes:
        if not isinstance(self._key, rsa.RSAPrivateKey):
            raise ValueError("an EC key decrypts no RSA")
        scheme = padding.OAEP(padding.MGF1(oaep.mgf), oaep.hash, oaep.label or None)
        return self._key.decrypt(encrypted, scheme)


@dataclass(frozen=True, slots=True)
class SmimeIdentity:
    """Somebody who writes and reads secure mail. Several decrypters: old certificates still open old mail.

    Signing and encryption certificates are separate (spec/05; TR-03116-4 6.1.2: „Für verschiedene Anwendungszwecke …
    sollten nach Möglichkeit verschiedene Schlüsselpaare generiert … werden“), but may be one where a client has one.
    """

    address: str
    signer: Signer
    decrypters: tuple[Decrypter, ...]

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """Its own certificates, the signing one first, without repeats."""
        own = (self.signer.certificate, *(decrypter.certificate for decrypter in self.decrypters))
        return tuple(dict.fromkeys(own))


def _demand_pair(key: PrivateKey, certificate: x509.Certificate, use: CertificateUse) -> None:
    if certificate.public_key() != key.public_key():
        raise SMIME_OWN_KEY(name=holder(certificate), why="it belongs to another key")
    if use not in certificate_uses(certificate):
        raise SMIME_OWN_KEY(name=holder(certificate), why=f"it is not for use: {use}")
