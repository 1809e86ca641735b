"""A certification authority for mail certificates: root, issuing CA, end users, revocation list. For tests and demo."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from torwart.wire.smime import LocalDecrypter, LocalSigner, SmimeIdentity, TrustStore
from torwart.wire.smime.keys import PrivateKey

_KEYS: Mapping[str, Callable[[], PrivateKey]] = {
    "rsa3072": lambda: rsa.generate_private_key(65537, 3072),
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "brainpool": lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Credential:
    """A key, its certificate and the chain to be sent along (issuer first, without the root)."""

    key: PrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    def signer(self, encryption: x509.Certificate | None = None) -> LocalSigner:
        return LocalSigner(self.key, self.certificate, self.chain, encryption)

    def decrypter(self) -> LocalDecrypter:
        return LocalDecrypter(self.key, self.certificate)


@dataclass(frozen=True, slots=True)
class MailCa:
    """``root`` signs ``issuing``, which signs everybody. Made with ``create``; all times are its caller's."""

    root: Credential
    issuing: Credential
    now: datetime

    @classmethod
    def create(cls, now: datetime, name: str = "Torwart Test Mail CA") -> "MailCa":
        """A new CA; root valid 6 years, issuing CA 5 (TR-03116-4 6.1.2)."""
        now = now.replace(microsecond=0)
        root_key, key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256R1())
        subject = _name(f"{name} Root")
        root = _builder(subject, root_key, now - _DAY, now + 6 * 365 * _DAY, ca=1)
        root_certificate = root.issuer_name(subject).sign(root_key, hashes.SHA384())
        issuing = _builder(_name(name), key, now - _DAY, now + 5 * 365 * _DAY, ca=0)
        issuing = issuing.issuer_name(subject).add_extension(_authority(root_certificate), False)
        certificate = issuing.sign(root_key, hashes.SHA384())
        return cls(Credential(root_key, root_certificate), Credential(key, certificate), now)

    @property
    def trust(self) -> TrustStore:
        """Root and issuing CA, no revocation lists."""
        return TrustStore((self.root.certificate,), (self.issuing.certificate,))

    def issue(
        self,
        address: str,
        *,
        use: str = "both",
        key: str = "p256",
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        in_subject: bool = False,
        common_name: str = "",
        email_protection: bool = True,
    ) -> Credential:
        """A mail certificate for ``address``. ``use``: "both", "sign" or "encrypt"; ``key``: "rsa3072", "rsa2048",
        "p256", "p384" or "brainpool"; ``in_subject``: the address as emailAddress instead of rfc822Name;
        ``email_protection=False``: issued for TLS clients instead of mail. Valid a year from the CA's ``now``.
        """
        private = _KEYS[key]()
        subject = _name(common_name or address, address if in_subject else "")
        start, end = not_before or self.now - _DAY, not_after or self.now + 365 * _DAY
        builder = _builder(subject, private, start, end, ca=None)
        builder = builder.issuer_name(self.issuing.certificate.subject)
        builder = builder.add_extension(_authority(self.issuing.certificate), False)
        builder = builder.add_extension(_usage(use, rsa_key=isinstance(private, rsa.RSAPrivateKey)), True)
        purpose = ExtendedKeyUsageOID.EMAIL_PROTECTION if email_protection else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), False)
        if not in_subject:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), False)
        certificate = builder.sign(_ec(self.issuing), hashes.SHA256())
        return Credential(private, certificate, (self.issuing.certificate,))

    def identity(self, address: str, *, key: str = "p256", common_name: str = "") -> SmimeIdentity:
        """Somebody with separate certificates for signing and encrypting."""
        sign = self.issue(address, use="sign", key=key, common_name=common_name)
        encrypt = self.issue(address, use="encrypt", key=key, common_name=common_name)
        return SmimeIdentity(address, sign.signer(encrypt.certificate), (encrypt.decrypter(),))

    def crl(
        self, revoked: Iterable[x509.Certificate] = (), *, at: datetime | None = None, days: int = 7
    ) -> x509.CertificateRevocationList:
        """The issuing CA's list of this instant with ``revoked`` on it."""
        return _crl(self.issuing, revoked, at or self.now, days)

    def root_crl(
        self, revoked: Iterable[x509.Certificate] = (), *, at: datetime | None = None, days: int = 30
    ) -> x509.CertificateRevocationList:
        """The root's list, which tells of issuing CAs."""
        return _crl(self.root, revoked, at or self.now, days)


def _crl(
    issuer: Credential, revoked: Iterable[x509.Certificate], at: datetime, days: int
) -> x509.CertificateRevocationList:
    at = at.replace(microsecond=0)
    entries = [
        x509.RevokedCertificateBuilder().serial_number(each.serial_number).revocation_date(at).build()
        for each in revoked
    ]
    builder = x509.CertificateRevocationListBuilder(revoked_certificates=entries)
    builder = builder.issuer_name(issuer.certificate.subject).last_update(at).next_update(at + days * _DAY)
    builder = builder.add_extension(_authority(issuer.certificate), False)
    return builder.add_extension(x509.CRLNumber(int(at.timestamp())), False).sign(_ec(issuer), hashes.SHA256())


def _ec(credential: Credential) -> ec.EllipticCurvePrivateKey:
    assert isinstance(credential.key, ec.EllipticCurvePrivateKey)
    return credential.key


def _name(common_name: str, address: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])]
    if address:
        parts.append(x509.NameAttribute(NameOID.EMAIL_ADDRESS, address))
    return x509.Name(parts)


def _builder(
    subject: x509.Name, key: PrivateKey, start: datetime, end: datetime, *, ca: int | None
) -> x509.CertificateBuilder:
    """``ca``: the path length of a CA, None for an end user."""
    builder = x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    builder = builder.add_extension(x509.BasicConstraints(ca is not None, ca), True)
    return builder if ca is None else builder.add_extension(_key_usage("key_cert_sign", "crl_sign"), True)


def _authority(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _usage(use: str, *, rsa_key: bool) -> x509.KeyUsage:
    encrypting = "key_encipherment" if rsa_key else "key_agreement"
    bits = {"sign": ("digital_signature",), "encrypt": (encrypting,), "both": ("digital_signature", encrypting)}
    return _key_usage(*bits[use])


def _key_usage(*bits: str) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: name in bits for name in names})
