"""Names of the SM-PKI: distinguished names in their fixed order, roles by common-name suffix, uses by key usage."""

import re
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.pki import PKI_KEY_USAGE, PKI_MALFORMED, PKI_NAME
from torwart.wire.certificate.pem import UNREADABLE

LONGEST_ATTRIBUTE = 64
"""spec/04 §3.1: "attribute ≤64 chars"."""


class Role(StrEnum):
    """What an entity is in the three-level hierarchy (TR-03129-4 §1)."""

    ROOT = "ROOT"
    SUB_CA = "Sub-CA"
    GWA = "GWA"
    GWH = "GWH"
    EMT = "EMT"
    SMGW = "SMGW"


class Use(StrEnum):
    """What a key is for; a key of one use is never used for another (Key Lifecycle Security Requirements §2.6)."""

    CA = "CA"
    TLS = "TLS"
    SIG = "SIG"
    ENC = "ENC"


ROOT_NAMES = ("SM-Root.CA", "SM-Test-Root.CA")
HELPERS = ("TLS", "TLS-S", "CRL-S")
"""What an authority may add to its name for its own service certificates (spec/04 §3.1, "Root helpers")."""
_COMMON_NAME = re.compile(r"(?P<name>.+?)\.(?P<suffix>CA|GWA|GWH|EMT|SMGW)(?:\.(?P<extension>[A-Za-z0-9-]+))?", re.I)
_GATEWAY_NAME = re.compile(r"E[A-Z]{3}[0-9A-F]{2}[0-9]{8}", re.I)
_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]*")

# spec/04 §3.1: "RDN order CN, O, OU, C, serialNumber, street, postalCode, L, ST".
_ORDER = {
    "common_name": NameOID.COMMON_NAME,
    "organisation": NameOID.ORGANIZATION_NAME,
    "unit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "country": NameOID.COUNTRY_NAME,
    "serial": NameOID.SERIAL_NUMBER,
    "street": NameOID.STREET_ADDRESS,
    "postal_code": NameOID.POSTAL_CODE,
    "locality": NameOID.LOCALITY_NAME,
    "state": NameOID.STATE_OR_PROVINCE_NAME,
}
_FIELDS = {oid: field for field, oid in _ORDER.items()}


@dataclass(frozen=True, slots=True)
class Subject:
    """A distinguished name of the SM-PKI; empty parts are left out.

    ``sequence`` is the running number of the certificate of this entity and use, from 1 (renewal + 1), not the
    X.509 serial number.
    """

    common_name: str
    organisation: str
    sequence: int = 1
    unit: str = ""
    country: str = "DE"
    street: str = ""
    postal_code: str = ""
    locality: str = ""
    state: str = ""

    @property
    def serial(self) -> str:
        return str(self.sequence)

    def name(self) -> x509.Name:
        """As X.509 name; parts over 64 characters or a sequence below 1 are refused (``pki.name``)."""
        parts = {oid: str(getattr(self, field)) for field, oid in _ORDER.items()}
        for value in parts.values():
            if len(value) > LONGEST_ATTRIBUTE:
                raise PKI_NAME(name=self.common_name, why=f"{len(value)} > {LONGEST_ATTRIBUTE}: {value}")
        if self.sequence < 1:
            raise PKI_NAME(name=self.common_name, why=f"serialNumber={self.sequence} < 1")
        return x509.Name([_attribute(oid, value) for oid, value in parts.items() if value])

    @classmethod
    def of(cls, name: x509.Name) -> "Subject":
        """Read a name in any order; a missing common name or a serialNumber that is no running number is refused."""
        texts = _texts(name)
        common, serial = texts.get("common_name", ""), texts.pop("serial", "")
        if not common:
            raise PKI_NAME(name=name.rfc4514_string(), why="CN")
        if not (serial.isascii() and serial.isdigit()) or int(serial) < 1:
            raise PKI_NAME(name=common, why=f"serialNumber={serial!r}")
        return cls(sequence=int(serial), **{"organisation": "", "country": "", **texts})


def _attribute(oid: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    # spec/04 §3.1: "PrintableString except UTF8String when needed (e.g. "ß")". The library has no public way to
    # choose PrintableString; a test lets OpenSSL read the string types back.
    kind = _ASN1Type.PrintableString if _PRINTABLE.fullmatch(value) else _ASN1Type.UTF8String
    try:
        return x509.NameAttribute(oid, value, kind)
    except (ValueError, TypeError) as error:
        raise PKI_NAME(name=value, why=str(error)) from error


def _texts(name: x509.Name) -> dict[str, str]:
    """The parts we know by field name; parts of other kinds are none of our business, twice the same is refused."""
    texts: dict[str, str] = {}
    for attribute in name:
        field = _FIELDS.get(attribute.oid)
        if field in texts:
            raise PKI_NAME(name=name.rfc4514_string(), why=f"2 × {field}")
        if field is not None:
            texts[field] = str(attribute.value)
    return texts


def common_name(role: Role, name: str, extension: str = "") -> str:
    """CN of an entity, e.g. ``Stadtwerk.EMT``, ``Stadtwerk.EMT.TAF7``, ``EPPC0212345678.SMGW``, ``DARZ.CA``."""
    if role is Role.ROOT:
        return name
    suffix = "CA" if role is Role.SUB_CA else role.value
    text = f"{name}.{suffix}.{extension}" if extension else f"{name}.{suffix}"
    if split_common_name(text)[0] is not role:
        raise PKI_NAME(name=text, why=role.value)
    return text


def split_common_name(text: str) -> tuple[Role, str, str]:
    """(role, name without suffix, extension) of a CN; gateway ids come out in upper case (spec/04 §4.5: "case
    tolerant"). Anything else is refused as ``pki.name``.
    """
    if text in ROOT_NAMES:
        return Role.ROOT, text, ""
    match = _COMMON_NAME.fullmatch(text)
    if not match:
        raise PKI_NAME(name=text, why=".CA .GWA .GWH .EMT .SMGW")
    name, suffix, extension = match["name"], match["suffix"].upper(), match["extension"] or ""
    if f"{name}.{suffix}" in ROOT_NAMES:
        role, name = Role.ROOT, f"{name}.{suffix}"
    else:
        role = Role.SUB_CA if suffix == "CA" else Role(suffix)
    if extension and (role is Role.SMGW or (suffix == "CA" and extension not in HELPERS)):
        raise PKI_NAME(name=text, why=f".{extension}")
    if role is Role.SMGW:
        if not _GATEWAY_NAME.fullmatch(name):
            raise PKI_NAME(name=text, why="DIN 43863-5")
        name = name.upper()
    return role, name, extension


def subject_for(
    role: Role, name: str, *, organisation: str, sequence: int = 1, unit: str = "", extension: str = ""
) -> Subject:
    """The subject of an entity of this role."""
    return Subject(common_name(role, name, extension), organisation, sequence, unit)


def canonical_name(text: str) -> str:
    """A CN as we compare it: of a gateway ``<id in upper case>.SMGW``, of all others as it is."""
    role, name, _ = split_common_name(text)
    return f"{name}.SMGW" if role is Role.SMGW else text


def entity_of(text: str) -> str:
    """Whom a CN belongs to, whatever its extension: ``Torwart.GWA`` for ``Torwart.GWA.CLIENT7``."""
    role, name, _ = split_common_name(text)
    return name if role is Role.ROOT else common_name(role, name)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose certificate it is and what for. ``name`` is the CN without role suffix; of a gateway its 14-character id
    in upper case, also in ``common_name``. ``unit`` is the OU: market id of an EMT, GWA of a gateway. ``ski`` names the
    key in CMS.
    """

    role: Role
    use: Use
    name: str
    common_name: str
    sequence: int
    organisation: str
    unit: str
    extension: str
    ski: bytes

    @property
    def is_authority(self) -> bool:
        """A certification authority itself, not the TLS certificate of its web service."""
        return self.role in (Role.ROOT, Role.SUB_CA) and not self.extension


def identify(certificate: x509.Certificate) -> Identity:
    """Read role, use and name; no check of profile, time or chain (that is ``check`` and ``Trust``).

    Raises ``pki.name`` for a name outside the SM-PKI, ``pki.key_usage`` when the use cannot be told,
    ``pki.malformed`` for extensions that cannot be parsed.
    """
    try:
        subject = Subject.of(certificate.subject)
        role, name, extension = split_common_name(subject.common_name)
        use = use_of(certificate.extensions, subject.common_name)
        ski = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound as missing:
        raise PKI_KEY_USAGE(name=subject.common_name, why=str(missing)) from missing
    except UNREADABLE as error:
        raise PKI_MALFORMED(why=str(error)) from error
    common = canonical_name(subject.common_name)
    return Identity(role, use, name, common, subject.sequence, subject.organisation, subject.unit, extension, ski)


def use_of(extensions: x509.Extensions, name: str) -> Use:
    """The use that KeyUsage and ExtendedKeyUsage tell (spec/04 §3.2); ``pki.key_usage`` if they tell none."""
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    if usage.key_cert_sign:
        return Use.CA
    if usage.key_agreement and not usage.digital_signature:
        return Use.ENC
    if not usage.digital_signature or usage.key_agreement:
        raise PKI_KEY_USAGE(name=name, why="TLS, SIG, ENC?")
    try:
        extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return Use.SIG
    return Use.TLS


def display_name(certificate: x509.Certificate) -> str:
    """A name for messages; never raises."""
    try:
        return Subject.of(certificate.subject).common_name
    except (Refusal, *UNREADABLE):
        return "?"
