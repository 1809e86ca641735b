"""The three-level chain of the SM-PKI and its revocation lists, validated without any I/O.

Root and Sub-CAs are verified once, when ``Trust`` is made; an end-user certificate then costs one signature check.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.kernel.refusals.pki import (
    PKI_CRL_EXPIRED,
    PKI_CRL_SIGNATURE,
    PKI_ISSUER_UNKNOWN,
    PKI_MALFORMED,
    PKI_OPERATIONAL_WANTED,
    PKI_REVOKED,
    PKI_SEAL_WANTED,
    PKI_SHELL,
    PKI_SIGNATURE,
    PKI_SIGNATURE_ALGORITHM,
    PKI_SUSPENDED,
)
from torwart.wire.certificate.check import check, check_time
from torwart.wire.certificate.names import Identity, Role, Use, display_name
from torwart.wire.certificate.pem import UNREADABLE, reading
from torwart.wire.certificate.profile import HASHES


@dataclass(frozen=True, slots=True)
class Revocation:
    """One entry of a CRL. ``reason`` as RFC 5280 spells it (``keyCompromise``, ``certificateHold`` …)."""

    since: datetime
    reason: str

    @property
    def suspended(self) -> bool:
        """Only held, and can come back (spec/04 §3.3: "Suspension = CRL reason certificateHold")."""
        return self.reason == "certificateHold"


@dataclass(frozen=True)
class RevocationList:
    """A verified CRL. ``issuer`` is the RFC 4514 name, ``entries`` go by X.509 serial number."""

    issuer: str
    number: int
    this_update: datetime
    next_update: datetime
    entries: Mapping[int, Revocation]

    def refuse(self, certificate: x509.Certificate, at: datetime) -> None:
        """Raise if the certificate is revoked or suspended, or this list is out of date at ``at``."""
        if at > self.next_update:
            raise PKI_CRL_EXPIRED(issuer=self.issuer, until=self.next_update.isoformat())
        entry = self.entries.get(certificate.serial_number)
        if entry is None:
            return
        name, since = display_name(certificate), entry.since.isoformat()
        if entry.suspended:
            raise PKI_SUSPENDED(name=name, since=since)
        raise PKI_REVOKED(name=name, since=since, reason=entry.reason)


@dataclass(frozen=True, slots=True)
class Issuer:
    """A Sub-CA we trust. ``seal``: it issues seal certificates (Gütesiegel, SMGW-G), not operational ones."""

    certificate: x509.Certificate
    identity: Identity
    seal: bool


@dataclass(frozen=True)
class Trust:
    """The certification authorities we trust: one root, its operational Sub-CAs and the makers' seal Sub-CAs."""

    root: x509.Certificate
    issuers: Mapping[bytes, Issuer] = field(repr=False)

    @classmethod
    def of(
        cls, root: x509.Certificate, sub_cas: Iterable[x509.Certificate], seal_cas: Iterable[x509.Certificate] = ()
    ) -> "Trust":
        """Verify the authorities (profile and signatures, not time) and keep them."""
        check(root, role=Role.ROOT, use=Use.CA)
        verify_signature(root, root)
        issuers = {}
        for certificate, seal in [(c, False) for c in sub_cas] + [(c, True) for c in seal_cas]:
            identity = check(certificate, role=Role.SUB_CA, use=Use.CA)
            verify_signature(certificate, root)
            check_shell(certificate, root)
            issuers[identity.ski] = Issuer(certificate, identity, seal)
        return cls(root, issuers)

    def issuer_of(self, certificate: x509.Certificate) -> Issuer:
        """The trusted Sub-CA that ``certificate`` names as its issuer (key identifier and name); no signature check."""
        try:
            authority = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        except (x509.ExtensionNotFound, *UNREADABLE):
            authority = None
        issuer = self.issuers.get((authority and authority.key_identifier) or b"")
        if issuer is None or issuer.certificate.subject != certificate.issuer:
            raise PKI_ISSUER_UNKNOWN(name=display_name(certificate), issuer=certificate.issuer.rfc4514_string())
        return issuer

    def validate(
        self,
        certificate: x509.Certificate,
        *,
        at: datetime,
        role: Role | None = None,
        use: Use | None = None,
        seal: bool | None = None,
        revocations: Mapping[str, RevocationList] | None = None,
    ) -> Identity:
        """Everything about an end-user certificate: profile, role, use, time, chain, shell model, revocation.

        ``seal``: ``True`` demands a seal certificate, ``False`` an operational one. ``revocations``: verified lists
        by issuer name; a Sub-CA whose list is not among them is not asked for (the caller decides by passing it).
        """
        identity = check(certificate, role=role, use=use, at=at)
        with reading():
            issuer = self.issuer_of(certificate)
        if seal is True and not issuer.seal:
            raise PKI_SEAL_WANTED(name=identity.common_name)
        if seal is False and issuer.seal:
            raise PKI_OPERATIONAL_WANTED(name=identity.common_name)
        check_time(issuer.certificate, issuer.identity.common_name, at)
        check_time(self.root, display_name(self.root), at)
        verify_signature(certificate, issuer.certificate)
        check_shell(certificate, issuer.certificate)
        for signed in (certificate, issuer.certificate):
            known = (revocations or {}).get(signed.issuer.rfc4514_string())
            if known is not None:
                known.refuse(signed, at)
        return identity

    def revocation_list(self, crl: x509.CertificateRevocationList) -> RevocationList:
        """Verify a CRL of the root or one of the Sub-CAs and read it."""
        with reading():
            name = crl.issuer.rfc4514_string()
            for authority in (self.root, *(issuer.certificate for issuer in self.issuers.values())):
                if authority.subject == crl.issuer and _signed_by(crl, authority):
                    return _read(crl, name)
        raise PKI_CRL_SIGNATURE(issuer=name)


def _signed_by(crl: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    key = authority.public_key()
    try:
        return isinstance(key, ec.EllipticCurvePublicKey) and crl.is_signature_valid(key)
    except UNREADABLE:
        return False


def _read(crl: x509.CertificateRevocationList, name: str) -> RevocationList:
    try:
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound as error:
        raise PKI_MALFORMED(why=error) from error
    entries = read_entries(crl)
    # RFC 5280 §5.1.2.5: conforming CAs must write nextUpdate; without it the list is of no use after its day.
    end = crl.next_update_utc or crl.last_update_utc
    return RevocationList(name, number, crl.last_update_utc, end, entries)


def read_entries(crl: x509.CertificateRevocationList) -> dict[int, Revocation]:
    """The entries of a CRL by X.509 serial number; its signature is the caller's matter."""
    return {entry.serial_number: _entry(entry) for entry in crl}


def _entry(entry: x509.RevokedCertificate) -> Revocation:
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound:
        reason = x509.ReasonFlags.unspecified.value
    return Revocation(entry.revocation_date_utc, reason)


def verify_signature(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    """Refuse a certificate not signed by ``issuer``'s key, or with a hash that does not fit its curve."""
    key = issuer.public_key()
    wanted = HASHES.get(getattr(getattr(key, "curve", None), "name", ""))
    try:
        found = certificate.signature_hash_algorithm
    except UNREADABLE:
        found = None
    if wanted is None or found is None or found.name != wanted.name:
        raise PKI_SIGNATURE_ALGORITHM(
            name=display_name(certificate), found=found.name if found else "?", wanted=wanted.name if wanted else "?"
        )
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE) as error:
        raise PKI_SIGNATURE(name=display_name(certificate)) from error


def check_shell(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    """spec/04 §3.3: "Shell model: EE must end within issuer's validity"."""
    starts = issuer.not_valid_before_utc <= certificate.not_valid_before_utc
    if not starts or certificate.not_valid_after_utc > issuer.not_valid_after_utc:
        raise PKI_SHELL(name=display_name(certificate), issuer=display_name(issuer))
