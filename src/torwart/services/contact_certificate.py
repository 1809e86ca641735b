"""One certificate of a contact: found, named, led on; and with each step how far the contact itself is (S-MAIL-2)."""

from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from torwart.kernel.contact_state import CONTACT_MAIL, MailState, MailVerb, best
from torwart.services import audit
from torwart.store.models import Contact, ContactCertificate
from torwart.wire.smime import CertificateUse, addresses


def carrying(contact: Contact) -> list[ContactCertificate]:
    """The contact's certificates that name its address, the newest first."""
    rows = contact.certificates.order_by("-not_after", "-id")
    return [row for row in rows if contact.email in addresses(opened(row))]


def opened(row: ContactCertificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(bytes(row.der))


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the whole certificate, hex, as it stands in the table."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def title(row: ContactCertificate) -> str:
    """How people tell certificates apart."""
    return f"{row.subject} ({row.fingerprint[:16]})"


def move(contact: Contact, row: ContactCertificate, verb: MailVerb, actor: str, now: datetime, **changes: Any) -> None:
    """Lead one certificate of a ``held`` contact on; the contact's own state follows."""
    row.state = CONTACT_MAIL.next(MailState(row.state), verb)
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=["state", *changes])
    refresh(contact)
    payload = {"fingerprint": row.fingerprint, "failure": row.failure}
    record(contact, f"contact.certificate_{row.state}", actor, now, payload)


def refresh(contact: Contact) -> None:
    """How far the contact is: the best of what can be encrypted for; that a certificate for signing is there shows
    only while there is nothing else."""
    rows = carrying(contact)
    encrypting = [row for row in rows if CertificateUse.ENCRYPT in row.uses]
    contact.mail_state = best(MailState(row.state) for row in encrypting)
    if not encrypting and rows:
        contact.mail_state = MailState.STORED
    contact.save(update_fields=["mail_state"])


def record(row: Contact, action: str, actor: str, now: datetime, payload: dict[str, Any]) -> None:
    """An entry of the audit trail about a contact."""
    audit.append(actor=actor, action=action, subject=f"contact:{row.pk}", payload=payload, client=row.client_id, at=now)
