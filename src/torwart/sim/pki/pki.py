"""The whole PKI: root, operational Sub-CA, a maker's seal Sub-CA, and the triples of all who take part."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.sim.pki.authority import Authority, Terms, years_later
from torwart.sim.pki.credentials import Credential, Triple, new_key
from torwart.sim.pki.files import (
    owner_slug,
    read_authority,
    read_triple,
    write_authority,
    write_chain,
    write_credential,
    write_crls,
    write_file,
    write_triple,
)
from torwart.wire.certificate import (
    BSI_CONTACT,
    Contact,
    Content,
    RevocationList,
    Role,
    Subject,
    Trust,
    Use,
    common_name,
    end_of_day,
    identify,
    issue,
    subject_for,
)

ORGANISATION = "SM-Test-PKI-DE"
TRIPLE = (Use.TLS, Use.SIG, Use.ENC)
_DOMAIN = "torwart.example"
_ROOT = "SM-Test-Root.CA"
_SEAL = "Guetesiegel"
_ABOUT = "pki.json"
_SKEW = timedelta(minutes=5)
_HEAD_START = timedelta(days=30)
"""Authorities exist this long before ``now``, so that certificates of the recent past lie inside their validity."""

PublicKeys = Mapping[Use, ec.EllipticCurvePublicKey]


class Fault(StrEnum):
    """Wrong certificates a simulator can show (spec/08)."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    FOREIGN_CA = "foreign-ca"
    WRONG_NAME = "wrong-name"
    SEAL = "seal"


@dataclass
class TestPki:
    """A test SM-PKI. Everything is made from ``now``; certificates it issues later start at ``now`` too unless told.

    ``sub_ca`` issues operational certificates, ``seal_ca`` is the maker's and issues gateways' seal certificates.
    ``gwa``, ``gwh`` (the maker) and ``emt`` are ready-made triples; the GWA's TLS certificate also names the
    servers it runs (management, admin-service, ntp, localhost).
    """

    __test__ = False  # pytest must not take this class for a test

    now: datetime
    name: str
    maker: str
    terms: Terms
    root: Authority = field(repr=False)
    sub_ca: Authority = field(repr=False)
    seal_ca: Authority = field(repr=False)
    gwa: Triple = field(init=False, repr=False)
    gwh: Triple = field(init=False, repr=False)
    emt: Triple = field(init=False, repr=False)
    _foreign: "TestPki | None" = field(default=None, repr=False)

    @classmethod
    def create(
        cls, now: datetime, *, name: str = "Torwart Test", maker: str = "PPC", terms: Terms | None = None
    ) -> "TestPki":
        """Make a whole PKI in memory (a few milliseconds). ``now`` must be aware."""
        terms = terms or Terms()
        start = now - _HEAD_START
        root = _root(name, start, terms)
        sub_ca = _sub_ca(name, root, start, terms, seal=False)
        seal_ca = _sub_ca(f"{maker} {_SEAL}", root, start, terms, seal=True)
        pki = cls(now, name, maker, terms, root, sub_ca, seal_ca)
        pki.gwa = pki.issue_triple(Role.GWA, name)
        pki.gwh = pki.issue_triple(Role.GWH, maker)
        pki.emt = pki.issue_triple(Role.EMT, "Stadtwerk Musterstadt", unit="9900000000004")
        return pki

    # -- who we trust -------------------------------------------------------------------------------------------

    @property
    def authorities(self) -> tuple[Authority, Authority, Authority]:
        return self.root, self.sub_ca, self.seal_ca

    @property
    def trust_chain(self) -> list[x509.Certificate]:
        """All authorities, the root first."""
        return [authority.certificate for authority in self.authorities]

    @property
    def trust(self) -> Trust:
        return Trust.of(self.root.certificate, [self.sub_ca.certificate], [self.seal_ca.certificate])

    def chain_of(self, certificate: x509.Certificate) -> list[x509.Certificate]:
        """The certificate, its Sub-CA and the root, in the order TLS sends them."""
        return [certificate, *reversed(self._issuer(certificate).chain)]

    def authority(self, certificate: x509.Certificate) -> Authority:
        """The authority that issued ``certificate``; one of another PKI is a programming error."""
        return self._issuer(certificate)

    def _issuer(self, certificate: x509.Certificate) -> Authority:
        for authority in self.authorities:
            if authority.certificate.subject == certificate.issuer:
                return authority
        raise ValueError(f"not issued here: {certificate.subject.rfc4514_string()}")

    # -- issuing ------------------------------------------------------------------------------------------------

    def issue_triple(
        self,
        role: Role,
        name: str,
        *,
        ca: Authority | None = None,
        public_keys: PublicKeys | None = None,
        sequence: int = 1,
        unit: str = "",
        extension: str = "",
        contact: Contact | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Triple:
        """Issue TLS, SIG and ENC certificates, with fresh keys or for ``public_keys``.

        ``ca`` is the operational Sub-CA unless told; of the seal Sub-CA the certificates last ``seal_years``. The
        end is cut to that of the authority (shell model) unless ``not_after`` says otherwise.
        """
        authority = ca or self.sub_ca
        unit = unit or (self._unit(authority) if role is Role.SMGW else "")
        subject = subject_for(role, name, organisation=ORGANISATION, sequence=sequence, unit=unit, extension=extension)
        contact = None if role is Role.SMGW else contact or self.contact(role, name)
        start, end = self.validity(authority, not_before=not_before, not_after=not_after)
        made = []
        for use in TRIPLE:
            private = None if public_keys else new_key()
            public = private.public_key() if private else (public_keys or {})[use]
            certificate = authority.issue(Content(role, use, subject, public, contact, start, end))
            made.append(Credential(certificate, private))
        return Triple(*made)

    def validity(
        self,
        authority: Authority,
        *,
        at: datetime | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> tuple[datetime, datetime]:
        """When an end-user certificate issued ``at`` (now) starts and ends (spec/04 §3.3: end of day, shell model).

        It starts a few minutes early, so that clocks a little behind accept it.
        """
        start = not_before or (at or self.now) - _SKEW
        if not_after:
            return start, not_after
        years = self.terms.seal_years if authority.seal else self.terms.end_user_years
        return start, min(end_of_day(years_later(start, years)), authority.certificate.not_valid_after_utc)

    def _unit(self, authority: Authority) -> str:
        return f"{self.maker}.GWH" if authority.seal else f"{self.name}.GWA"

    def contact(self, role: Role, name: str) -> Contact:
        """Mail, URI and server names of an entity; the GWA also serves under its scenarios' names."""
        host = f"{_slug(name)}.{role.value.lower()}.{_DOMAIN}"
        scenarios = ("management", "admin-service", "ntp") if role is Role.GWA else ()
        dns = (host, *(f"{scenario}.{host}" for scenario in scenarios), "localhost")
        return Contact(f"smpki@{host}", f"https://{host}", dns)

    def seal_triple(self, device: str, **options: object) -> Triple:
        """The seal (Gütesiegel) certificates of a gateway, issued by the maker's Sub-CA."""
        return self.issue_triple(Role.SMGW, device, ca=self.seal_ca, **options)  # type: ignore[arg-type]

    def operational_triple(self, device: str, **options: object) -> Triple:
        """The operational (Wirk-) certificates of a gateway."""
        return self.issue_triple(Role.SMGW, device, ca=self.sub_ca, **options)  # type: ignore[arg-type]

    def service_credential(self) -> Credential:
        """The TLS certificate of the Sub-CA's own web service, CN ``….CA.TLS``."""
        key = new_key()
        subject = subject_for(Role.SUB_CA, self.name, organisation=ORGANISATION, extension="TLS")
        start, end = self.validity(self.sub_ca)
        contact = self.contact(Role.SUB_CA, self.name)
        certificate = self.sub_ca.issue(Content(Role.SUB_CA, Use.TLS, subject, key.public_key(), contact, start, end))
        return Credential(certificate, key)

    # -- revoking -----------------------------------------------------------------------------------------------

    def revoke(self, certificate: x509.Certificate, reason: str = "keyCompromise", at: datetime | None = None) -> None:
        """Revoke (or with ``certificateHold`` suspend) a certificate; the next CRL has it."""
        self._issuer(certificate).revoke(certificate.serial_number, reason, at or self.now)

    def crl(self, ca: Authority, at: datetime | None = None) -> x509.CertificateRevocationList:
        """A new CRL of one authority."""
        return ca.crl(at or self.now)

    def crls(self, at: datetime | None = None) -> list[x509.CertificateRevocationList]:
        """New CRLs of all authorities."""
        return [self.crl(authority, at) for authority in self.authorities]

    def revocations(self, at: datetime | None = None) -> dict[str, RevocationList]:
        """All CRLs verified and read, by issuer name, as ``Trust.validate`` takes them."""
        lists = [self.trust.revocation_list(crl) for crl in self.crls(at)]
        return {known.issuer: known for known in lists}

    # -- on disk ------------------------------------------------------------------------------------------------

    def write(self, directory: Path) -> None:
        """Write every certificate, key (mode 0600) and CRL as PEM, plus ``chain.pem`` (all authorities, root first)
        and ``crls.pem``; triples are named by owner and use, e.g. ``torwart-test.gwa.tls.cert.pem``.
        """
        crls = {authority.identity.common_name: self.crl(authority) for authority in self.authorities}
        for authority in self.authorities:
            write_authority(directory, authority, crls[authority.identity.common_name])
        for triple in (self.gwa, self.gwh, self.emt):
            write_triple(directory, triple)
        write_credential(directory, owner_slug(common_name(Role.SUB_CA, self.name, "TLS")), self.service_credential())
        write_chain(directory / "chain.pem", self.trust_chain)
        write_crls(directory / "crls.pem", crls)
        about = {"now": self.now.isoformat(), "name": self.name, "maker": self.maker, "terms": asdict(self.terms)}
        about["emt"] = identify(self.emt.tls.certificate).common_name
        write_file(directory / _ABOUT, json.dumps(about, indent=2).encode())

    @classmethod
    def load(cls, directory: Path) -> "TestPki":
        """Read back what ``write`` wrote; revocations come from the CRLs."""
        about = json.loads((directory / _ABOUT).read_bytes())
        name, maker, terms = about["name"], about["maker"], Terms(**about["terms"])
        root = read_authority(
            directory, _ROOT, parent=None, crl_uri=_crl_uri(_ROOT), crl_days=terms.root_crl_days, seal=False
        )
        sub_ca, seal_ca = (
            read_authority(
                directory,
                f"{owner}.CA",
                parent=root,
                crl_uri=_crl_uri(f"{owner}.CA"),
                crl_days=terms.crl_days,
                seal=seal,
            )
            for owner, seal in ((name, False), (f"{maker} {_SEAL}", True))
        )
        pki = cls(datetime.fromisoformat(about["now"]), name, maker, terms, root, sub_ca, seal_ca)
        pki.gwa = read_triple(directory, common_name(Role.GWA, name))
        pki.gwh = read_triple(directory, common_name(Role.GWH, maker))
        pki.emt = read_triple(directory, about["emt"])
        return pki

    # -- going wrong --------------------------------------------------------------------------------------------

    @property
    def foreign(self) -> "TestPki":
        """Another PKI with the same names and other keys, which nobody trusts."""
        if self._foreign is None:
            self._foreign = TestPki.create(self.now, name=self.name, maker=self.maker, terms=self.terms)
        return self._foreign

    def faulty_triple(self, fault: Fault, role: Role, name: str) -> Triple:
        """A triple that must be refused, for the reason ``fault`` names."""
        day = timedelta(days=1)
        if fault is Fault.EXPIRED:
            return self.issue_triple(role, name, not_before=self.now - 10 * day, not_after=self.now - day)
        if fault is Fault.NOT_YET_VALID:
            return self.issue_triple(role, name, not_before=self.now + day)
        if fault is Fault.FOREIGN_CA:
            return self.foreign.issue_triple(role, name)
        if fault is Fault.SEAL:
            return self.issue_triple(role, name, ca=self.seal_ca)
        if fault is Fault.WRONG_NAME:
            other = Role.EMT if role is not Role.EMT else Role.GWA
            return self.issue_triple(other, name)
        triple = self.issue_triple(role, name)
        for certificate in triple.certificates:
            self.revoke(certificate, "certificateHold" if fault is Fault.SUSPENDED else "keyCompromise")
        return triple


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _crl_uri(name: str) -> str:
    return f"http://crl.{_DOMAIN}/{_slug(name)}.crl"


def _root(name: str, start: datetime, terms: Terms) -> Authority:
    key = new_key(terms.root_curve)
    subject = Subject(_ROOT, ORGANISATION)
    end = end_of_day(years_later(start, terms.root_years))
    content = Content(Role.ROOT, Use.CA, subject, key.public_key(), BSI_CONTACT, start, end)
    certificate = issue(content, issuer=None, key=key, crl_uri="")
    return Authority(Credential(certificate, key), None, _crl_uri(_ROOT), terms.root_crl_days)


def _sub_ca(name: str, root: Authority, start: datetime, terms: Terms, *, seal: bool) -> Authority:
    key = new_key(terms.sub_ca_curve)
    subject = subject_for(Role.SUB_CA, name, organisation=ORGANISATION)
    host = f"{_slug(name)}.ca.{_DOMAIN}"
    contact = Contact(f"smpki@{host}", f"https://{host}")
    years = terms.root_years if seal else terms.sub_ca_years
    end = min(end_of_day(years_later(start, years)), root.certificate.not_valid_after_utc)
    content = Content(Role.SUB_CA, Use.CA, subject, key.public_key(), contact, start, end)
    return Authority(Credential(root.issue(content), key), root, _crl_uri(f"{name}.CA"), terms.crl_days, seal)
