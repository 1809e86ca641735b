"""Whom we believe: chain of a mail certificate up to an anchor, judged by OpenSSL (RFC 5280 section 6), and CRLs.

OpenSSL's ``X509Store`` and not pyHanko's validator: it is synchronous, takes brainpool, knows name constraints and says
in numbers what is wrong, so that each fault gets its own refusal. Revocation lists are looked up here, because OpenSSL
would stop all mail as soon as one list of one CA is missing or late; both are cautions instead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from OpenSSL import crypto

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.smime import (
    SMIME_CHAIN,
    SMIME_EXPIRED,
    SMIME_ISSUER_UNKNOWN,
    SMIME_NOT_YET_VALID,
    SMIME_REVOKED,
)
from torwart.wire.certificate.pem import UNREADABLE
from torwart.wire.mail.words import clean
from torwart.wire.smime.caution import Caution
from torwart.wire.smime.certificate import CertificateUse, demand, holder, readable


@dataclass(frozen=True, slots=True)
class TrustStore:
    """``certificates``: anchors, usually roots; a CA below or a single end-user certificate may be one too (bilateral
    exchange, TR-03116-4 6.2). ``intermediates``: what senders forget to attach. ``crls``: unverified, as fetched.
    """

    certificates: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...] = ()
    crls: tuple[x509.CertificateRevocationList, ...] = ()


class Chain(NamedTuple):
    """A chain that holds, end user first, anchor last."""

    certificates: tuple[x509.Certificate, ...]
    cautions: tuple[Caution, ...]


def validate(
    certificate: x509.Certificate,
    *,
    use: CertificateUse,
    trust: TrustStore,
    at: datetime,
    attached: Sequence[x509.Certificate] = (),
) -> Chain:
    """Everything about a mail certificate: time, strength, use, chain, revocation. Each fault has its own refusal."""
    with readable():
        demand(certificate, use=use, at=at)
        chain = _links(certificate, trust, at, [*attached, *trust.intermediates])
        cautions = {_hash_of(link, certificate) for link in chain[:-1]}
        cautions |= {_revocation(link, issuer, trust.crls, at) for link, issuer in pairwise(chain)}
    return Chain(chain, tuple(sorted(caution for caution in cautions if caution)))


# X509_V_ERR_…: unable to get issuer (2, 20, 21), self-signed leaf (18) or root (19) that is no anchor.
_UNKNOWN = {2, 18, 19, 20, 21}
_NOT_YET, _EXPIRED = 9, 10


def _links(
    certificate: x509.Certificate, trust: TrustStore, at: datetime, helpers: Iterable[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    store = crypto.X509Store()
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    store.set_time(at)
    try:
        for anchor in trust.certificates:
            store.add_cert(crypto.X509.from_cryptography(anchor))
        others = [crypto.X509.from_cryptography(other) for other in helpers]
        context = crypto.X509StoreContext(store, crypto.X509.from_cryptography(certificate), others)
        return tuple(link.to_cryptography() for link in context.get_verified_chain())
    except crypto.X509StoreContextError as error:
        raise _refusal(error, certificate) from None
    except (crypto.Error, *UNREADABLE) as error:
        raise SMIME_CHAIN(name=holder(certificate), why=_short(error)) from None


def _refusal(error: crypto.X509StoreContextError, certificate: x509.Certificate) -> Refusal:
    code = error.errors[0]
    wrong = error.certificate.to_cryptography()
    if code == _EXPIRED:
        return SMIME_EXPIRED(name=holder(wrong), until=f"{wrong.not_valid_after_utc:%Y-%m-%d}")
    if code == _NOT_YET:
        return SMIME_NOT_YET_VALID(name=holder(wrong), since=f"{wrong.not_valid_before_utc:%Y-%m-%d}")
    if code in _UNKNOWN:
        return SMIME_ISSUER_UNKNOWN(name=holder(certificate), issuer=_short(wrong.issuer.rfc4514_string()))
    return SMIME_CHAIN(name=holder(certificate), why=_short(error.errors[2]))


def _short(text: object) -> str:
    return clean(str(text))[:160]


_SHA2 = {"sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"}
_SMALLEST_ISSUER_RSA = 2048


def _hash_of(link: x509.Certificate, certificate: x509.Certificate) -> Caution | None:
    """TR-03116-4 Table 32: certificates are signed with SHA-256 or better; SHA-1 is still met and only noted."""
    try:
        found = link.signature_hash_algorithm
        name = found.name if found else "eddsa"
        key = link.public_key()
    except UNREADABLE as error:
        raise SMIME_CHAIN(name=holder(certificate), why=_short(error)) from None
    if isinstance(key, RSAPublicKey) and key.key_size < _SMALLEST_ISSUER_RSA:
        raise SMIME_CHAIN(name=holder(certificate), why=f"RSA {key.key_size}")
    if name == "sha1":
        return Caution.SHA1_CHAIN
    if name not in _SHA2:
        raise SMIME_CHAIN(name=holder(certificate), why=name)
    return None


def _revocation(
    link: x509.Certificate, issuer: x509.Certificate, crls: Iterable[x509.CertificateRevocationList], at: datetime
) -> Caution | None:
    """TR-03116-4 6.1.3: „Rückrufprüfung *aller* Zertifikate der Kette“. Refuses ``smime.revoked``."""
    lists = [crl for crl in crls if crl.issuer == link.issuer and _signed_by(crl, issuer)]
    if not lists:
        return Caution.NO_CRL
    newest = max(lists, key=lambda crl: crl.last_update_utc)
    entry = newest.get_revoked_certificate_by_serial_number(link.serial_number)
    if entry is not None and entry.revocation_date_utc <= at:
        raise SMIME_REVOKED(name=holder(link), since=f"{entry.revocation_date_utc:%Y-%m-%d}")
    late = newest.next_update_utc is None or newest.next_update_utc < at
    return Caution.CRL_LATE if late else None


def _signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type] # others raise TypeError
    except UNREADABLE:
        return False
