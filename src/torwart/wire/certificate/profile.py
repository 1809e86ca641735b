"""The certificate profile of spec/04 §3.2, as a builder: what is written here is exactly what ``check`` demands."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from torwart.wire.certificate.names import Role, Subject, Use

POLICY = x509.ObjectIdentifier("0.4.0.127.0.7.3.4.1.1.1")
CPS = "https://www.bsi.bund.de"

# TR-03116-3 §3 table 5: ecdsa-with-SHA256 on P256r1, SHA384 on P384r1, SHA512 on P512r1.
HASHES: dict[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    "brainpoolP256r1": hashes.SHA256(),
    "brainpoolP384r1": hashes.SHA384(),
    "brainpoolP512r1": hashes.SHA512(),
}


@dataclass(frozen=True, slots=True)
class Contact:
    """Mail address and URI of an entity as they stand in SubjectAltName and IssuerAltName; ``dns`` for TLS only."""

    email: str
    uri: str
    dns: tuple[str, ...] = ()

    def general_names(self, *, with_dns: bool) -> list[x509.GeneralName]:
        names: list[x509.GeneralName] = [x509.RFC822Name(self.email), x509.UniformResourceIdentifier(self.uri)]
        return names + ([x509.DNSName(name) for name in self.dns] if with_dns else [])

    @classmethod
    def of(cls, names: x509.SubjectAlternativeName | x509.IssuerAlternativeName) -> "Contact":
        """The first mail address and URI and all DNS names; what is missing is empty."""
        emails = names.get_values_for_type(x509.RFC822Name)
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        dns = tuple(names.get_values_for_type(x509.DNSName))
        return cls(emails[0] if emails else "", uris[0] if uris else "", dns)


BSI_CONTACT = Contact("smartmetering-pki@bsi.bund.de", CPS)
"""spec/04 §3.2, IssuerAltName of Sub-CAs."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a certificate is to say. ``contact`` is needed for all but gateways and forbidden for them (spec/04
    §3.2: SubjectAltName "m for GWA/GWH/EMT, forbidden for SMGW").
    """

    role: Role
    use: Use
    subject: Subject
    public_key: ec.EllipticCurvePublicKey
    contact: Contact | None
    not_before: datetime
    not_after: datetime


def end_of_day(instant: datetime) -> datetime:
    """spec/04 §3.3: "notAfter set to end of day", 23:59:59 UTC."""
    return instant.astimezone(UTC).replace(hour=23, minute=59, second=59, microsecond=0)


def key_usage(use: Use) -> x509.KeyUsage:
    """spec/04 §3.2: TLS/SIG digitalSignature; ENC keyAgreement + keyEncipherment; CA certSign, cRLSign."""
    return x509.KeyUsage(
        digital_signature=use in (Use.TLS, Use.SIG),
        content_commitment=False,
        key_encipherment=use is Use.ENC,
        data_encipherment=False,
        key_agreement=use is Use.ENC,
        key_cert_sign=use is Use.CA,
        crl_sign=use is Use.CA,
        encipher_only=False,
        decipher_only=False,
    )


EXTENDED_KEY_USAGE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
_POLICIES = x509.CertificatePolicies([x509.PolicyInformation(POLICY, [CPS])])

Extensions = list[tuple[x509.ExtensionType, bool]]
"""Extensions with their criticality, in the order they are written."""


def subject_alternative_name(use: Use, contact: Contact) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(contact.general_names(with_dns=use is Use.TLS))


def request_extensions(use: Use, public_key: ec.EllipticCurvePublicKey, contact: Contact | None) -> Extensions:
    """What a certificate request asks for (spec/04 §3.5): SKI, SAN, KeyUsage, ExtendedKeyUsage for TLS."""
    wanted: Extensions = [(x509.SubjectKeyIdentifier.from_public_key(public_key), False)]
    if contact:
        wanted.append((subject_alternative_name(use, contact), False))
    wanted.append((key_usage(use), True))
    if use is Use.TLS:
        wanted.append((EXTENDED_KEY_USAGE, True))
    return wanted


def extensions(content: Content, issuer: x509.Certificate | None, crl_uri: str) -> Extensions:
    """All extensions of a certificate in the order of the table in spec/04 §3.2."""
    ski = x509.SubjectKeyIdentifier.from_public_key(content.public_key)
    authority = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value if issuer else ski
    issuer_contact = _contact_of(issuer) if issuer else content.contact
    written: Extensions = [
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), False),
        (ski, False),
        (key_usage(content.use), True),
        (_POLICIES, False),
    ]
    if content.contact:
        written.append((subject_alternative_name(content.use, content.contact), False))
    if issuer_contact:
        written.append((x509.IssuerAlternativeName(issuer_contact.general_names(with_dns=False)), False))
    written.append((_basic_constraints(content), True))
    if content.use is Use.TLS:
        written.append((EXTENDED_KEY_USAGE, True))
    if issuer:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_uri)], None, None, None)
        written.append((x509.CRLDistributionPoints([point]), False))
    return written


def _basic_constraints(content: Content) -> x509.BasicConstraints:
    if content.use is not Use.CA:
        return x509.BasicConstraints(ca=False, path_length=None)
    return x509.BasicConstraints(ca=True, path_length=1 if content.role is Role.ROOT else 0)


def _contact_of(issuer: x509.Certificate) -> Contact:
    return Contact.of(issuer.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)


def issue(
    content: Content, *, issuer: x509.Certificate | None, key: ec.EllipticCurvePrivateKey, crl_uri: str
) -> x509.Certificate:
    """Sign a certificate with the issuer's ``key``; without ``issuer`` it is self-signed (the root's).

    The X.509 serial number is random (159 bits); the hash follows the curve of ``key`` (TR-03116-3 §3 table 5).
    """
    subject = content.subject.name()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(content.public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(content.not_before.replace(microsecond=0))
        .not_valid_after(content.not_after.replace(microsecond=0))
    )
    for value, critical in extensions(content, issuer, crl_uri):
        builder = builder.add_extension(value, critical)
    return builder.sign(key, HASHES[key.curve.name])
