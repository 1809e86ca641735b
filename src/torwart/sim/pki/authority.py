"""A certification authority of the test PKI: issues, revokes, suspends, and publishes its revocation list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from torwart.sim.pki.credentials import Credential
from torwart.wire.certificate import Content, Identity, Revocation, identify, issue
from torwart.wire.certificate.profile import HASHES


@dataclass(frozen=True, slots=True)
class Terms:
    """Lifetimes in years and days, and curves (spec/04 §7 no. 7 and 8: all of them configuration).

    The seal Sub-CA lives as long as the root, so that seal certificates of 7 years fit into the shell model.
    """

    end_user_years: int = 2
    sub_ca_years: int = 5
    root_years: int = 8
    seal_years: int = 7
    crl_days: int = 7
    root_crl_days: int = 30
    root_curve: str = "brainpoolP384r1"
    sub_ca_curve: str = "brainpoolP256r1"


def years_later(instant: datetime, years: int) -> datetime:
    """The same calendar day ``years`` later; 29 February becomes 28 February."""
    try:
        return instant.replace(year=instant.year + years)
    except ValueError:
        return instant.replace(year=instant.year + years, day=28)


@dataclass
class Authority:
    """A CA with its key. ``parent`` is ``None`` for the root; ``seal``: issues seal certificates.

    ``revocations`` goes by X.509 serial number; ``crl_number`` grows with every new list (RFC 5280 §5.2.3),
    ``revision`` with every change.
    """

    credential: Credential
    parent: "Authority | None"
    crl_uri: str
    crl_days: int
    seal: bool = False
    revocations: dict[int, Revocation] = field(default_factory=dict)
    crl_number: int = 0
    revision: int = 0

    @property
    def certificate(self) -> x509.Certificate:
        return self.credential.certificate

    @cached_property
    def identity(self) -> Identity:
        return identify(self.certificate)

    @property
    def chain(self) -> list[x509.Certificate]:
        """Hierarchically highest first (TR-03129-4 §2.2.1, certificateSeq)."""
        return [*(self.parent.chain if self.parent else []), self.certificate]

    def issue(self, content: Content) -> x509.Certificate:
        """Sign a certificate; the CRL distribution point is this authority's."""
        return issue(content, issuer=self.certificate, key=self.credential.key, crl_uri=self.crl_uri)

    def revoke(self, serial: int, reason: str, at: datetime) -> None:
        """Revoke or (``certificateHold``) suspend; what is revoked for good stays as it was first revoked."""
        known = self.revocations.get(serial)
        if known is None or known.suspended:
            since = known.since if known and reason == known.reason else at
            self.revocations[serial] = Revocation(since.replace(microsecond=0), reason)
            self.revision += 1

    def reactivate(self, serial: int) -> bool:
        """End a suspension; ``False`` if the certificate was not suspended."""
        known = self.revocations.get(serial)
        if known is None or not known.suspended:
            return False
        del self.revocations[serial]
        self.revision += 1
        return True

    def crl(self, at: datetime) -> x509.CertificateRevocationList:
        """A new full CRL of this instant, valid ``crl_days``."""
        self.crl_number += 1
        ski = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski)
        # The builder copies its list at every add_revoked_certificate; handing it the whole list keeps it linear.
        builder = x509.CertificateRevocationListBuilder(
            revoked_certificates=[_entry(serial, why) for serial, why in sorted(self.revocations.items())]
        )
        at = at.replace(microsecond=0)
        builder = builder.issuer_name(self.certificate.subject).last_update(at)
        builder = builder.next_update(at + timedelta(days=self.crl_days))
        builder = builder.add_extension(authority, False).add_extension(x509.CRLNumber(self.crl_number), False)
        return builder.sign(self.credential.key, HASHES[self.credential.key.curve.name])

    def crl_der(self, at: datetime) -> bytes:
        return self.crl(at).public_bytes(serialization.Encoding.DER)


_REASONS: Mapping[str, x509.ReasonFlags] = {flag.value: flag for flag in x509.ReasonFlags}


def _entry(serial: int, revocation: Revocation) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(revocation.since)
    reason = _REASONS[revocation.reason]
    # RFC 5280 §5.3.1: "the reason code CRL entry extension SHOULD be absent instead of using the unspecified (0)".
    if reason is not x509.ReasonFlags.unspecified:
        builder = builder.add_extension(x509.CRLReason(reason), False)
    return builder.build()
