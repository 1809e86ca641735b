"""Delivering the outbox: each mail signed, data also encrypted, sent at least once (spec: mail, transport out).

Theory of operation
- A row is held while its mail is handed over, and marked in the same transaction. If we die in between, the row is
  still queued and the mail goes again, with the same Message-ID, so that its receiver can drop the repeat. Several
  mail rooms share the queue: a row that another one holds is passed over.
- What can pass is tried again, at growing distances, for three days; a server that cannot be reached at all ends the
  round, since the next mail would fare no better. What cannot pass is shown on the ticket and audited.
- S-MAIL-3 is asked once more here, at the last moment: if no tested certificate of the contact holds any more, the row
  becomes the notice without data. A certificate that turns out bad is led to its end at once.
- Mails with a secret (the test word, a link) keep no text once they are sent: the outbox is read by people.
"""

import base64
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from django.conf import settings
from django.db import transaction

from torwart.kernel.contact_state import SECURE
from torwart.kernel.refusals import Refusal, Retry
from torwart.kernel.refusals.mail import MAIL_DELAYED
from torwart.kernel.refusals.mailroom import MAIL_BOUNCED, MAIL_GIVEN_UP
from torwart.kernel.refusals.smime import SMIME_NO_RECIPIENT
from torwart.kernel.words import Words
from torwart.ports.mailbox import MailOut as Sender
from torwart.services import audit, contact_watch, outbox
from torwart.services.contact_certificate import carrying, opened
from torwart.store.models import ContactCertificate, MailOut, TicketEntry
from torwart.wire.mail import Address, Attachment, Written, compose, write
from torwart.wire.smime import CertificateUse, SmimeIdentity, TrustStore, choose_encryption, protect, sign, validate

_log = logging.getLogger("torwart.mailroom")
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
ATTEMPTS = 23
"""81 minutes and then every four hours: three days."""
DAYS = 3
_CBC = "AES-256-CBC"
_SECURE = [state.value for state in SECURE]

_LEGACY = Words(
    "Mail an {address} mit AES-256-CBC verschlüsselt, weil es für diesen Ansprechpartner erlaubt ist. Bitte auf "
    "AES-GCM umstellen lassen.",
    "Mail to {address} encrypted with AES-256-CBC, because that is allowed for this contact. Please have them switch "
    "to AES-GCM.",
)
_WITHHELD = Words(
    "An {address} ging nur ein Hinweis ohne Inhalt: kein Zertifikat taugt mehr zum Verschlüsseln.",
    "To {address} only a notice without content was sent: no certificate serves for encryption any more.",
)
_FAILED = Words("Mail an {address} nicht zugestellt: {why_de}", "Mail to {address} not delivered: {why_en}")


@dataclass(frozen=True, slots=True)
class Desk:
    """Who we are in secure mail, and whom we believe; made anew when certificates or lists change."""

    identity: SmimeIdentity
    trust: TrustStore


def deliver(sender: Sender, desk: Desk, *, now: datetime, limit: int = 200) -> int:
    """Send what is due, at most ``limit`` mails; how many rows were dealt with."""
    for done in range(limit):
        if not _deliver_one(sender, desk, now):
            return done
    return limit


def _deliver_one(sender: Sender, desk: Desk, now: datetime) -> bool:
    """Whether there was a mail and the next one has a chance."""
    with transaction.atomic():
        queue = MailOut.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        due = queue.filter(state="queued", next_attempt_at__lte=now).order_by("next_attempt_at", "id")
        row = due.select_related("contact", "ticket", "certificate").first()
        if row is None:
            return False
        try:
            raw, cipher = _rendered(row, desk, now)
        except Refusal as refusal:
            fail(row, refusal, now)
            return True
        try:
            sender.send(raw, desk.identity.address, [row.address])
        except Refusal as refusal:
            _not_sent(row, refusal, now)
            return refusal.kind is MAIL_DELAYED or refusal.kind.retry is Retry.NEVER
        _sent(row, cipher, now)
    return True


# -- making the mail --------------------------------------------------------------------------------------------------


def _rendered(row: MailOut, desk: Desk, now: datetime) -> tuple[bytes, str]:
    """The mail's octets and how it is protected; the row becomes the notice if data cannot be sent."""
    if not row.secure:
        return sign(_composed(row, desk), signer=desk.identity.signer), "signed"
    certificate = _recipient(row, desk, now)
    if certificate is None and row.certificate_id is not None:
        raise SMIME_NO_RECIPIENT()
    if certificate is None:
        _withhold(row, now)
        return sign(_composed(row, desk), signer=desk.identity.signer), "signed"
    legacy = row.contact is not None and row.contact.legacy
    raw = protect(_composed(row, desk), signer=desk.identity.signer, recipients=[certificate], legacy=legacy)
    return raw, _CBC if legacy else "AES-128-GCM"


def _composed(row: MailOut, desk: Desk) -> bytes:
    person = row.contact.full_name if row.contact else ""
    thread = [each for each in row.references if each]
    return compose(
        Written(row.subject, row.text, row.html, row.language),
        sender=Address(desk.identity.address, settings.TORWART_PROVIDER_NAME),
        recipient=Address(row.address, person),
        message_id=row.message_id,
        date=row.created_at,
        in_reply_to=thread[-1] if thread else None,
        references=thread,
        attachments=[Attachment(name, media, base64.b64decode(content)) for name, media, content in row.files],
    )


def _recipient(row: MailOut, desk: Desk, now: datetime) -> x509.Certificate | None:
    """The certificate to encrypt for: that under test, else the tested one that ends last; bad ones end here."""
    fit = {opened(each): each for each in _candidates(row)}
    while fit:
        try:
            chosen = choose_encryption(fit, now)
        except Refusal:
            return None
        try:
            validate(chosen, use=CertificateUse.ENCRYPT, trust=desk.trust, at=now)
        except Refusal as refusal:
            contact_watch.untrusted(fit.pop(chosen).pk, refusal, now)
            continue
        return chosen
    return None


def _candidates(row: MailOut) -> Iterator[ContactCertificate]:
    tested = row.certificate
    if tested is not None and CertificateUse.ENCRYPT in tested.uses:
        yield tested
    elif row.contact is not None:
        yield from (each for each in carrying(row.contact) if each.state in _SECURE)


def _withhold(row: MailOut, now: datetime) -> None:
    """S-MAIL-3: the notice goes instead. What it was about stands in the portal."""
    number = row.ticket.number if row.ticket else ""
    written = write(outbox.framed(outbox.withheld(row.language, number), number))
    row.subject, row.text, row.html, row.files, row.secure = written.subject, written.text, written.html, [], False
    _tell(row, _WITHHELD, now, address=row.address)


# -- what became of it ------------------------------------------------------------------------------------------------


def _sent(row: MailOut, cipher: str, now: datetime) -> None:
    row.state, row.sent_at, row.attempts, row.failure = "sent", now, row.attempts + 1, ""
    _forget_secret(row)
    row.save()
    if cipher == _CBC:
        _tell(row, _LEGACY, now, address=row.address)
    _record(row, "mail.sent", now, {"protection": cipher})
    _log.info("%s sent to <%s>: %s", row.kind, row.address, cipher)


def _not_sent(row: MailOut, refusal: Refusal, now: datetime) -> None:
    """Again later, or for good."""
    if refusal.kind.retry is Retry.NEVER:
        fail(row, refusal, now)
    elif row.attempts + 1 >= ATTEMPTS:
        fail(row, MAIL_GIVEN_UP(days=DAYS, why_de=refusal.text("de"), why_en=refusal.text("en")), now)
    else:
        row.attempts += 1
        row.next_attempt_at = now + BACK_OFF[min(row.attempts, len(BACK_OFF)) - 1]
        row.failure = refusal.text("de")
        row.save()
        _log.warning("%s to <%s> again at %s: %s", row.kind, row.address, row.next_attempt_at.isoformat(), refusal)


def fail(row: MailOut, refusal: Refusal, now: datetime) -> None:
    """The mail does not arrive, for good: shown on its ticket, audited; a test mail fails its certificate."""
    row.state, row.attempts, row.failure = "failed", row.attempts + 1, refusal.text("de")
    _forget_secret(row)
    row.save()
    _tell(row, _FAILED, now, address=row.address, why_de=refusal.text("de"), why_en=refusal.text("en"))
    _record(row, "mail.failed", now, {"code": refusal.code})
    _log.error("%s to <%s> failed: %s", row.kind, row.address, refusal)
    if row.kind == outbox.TEST_KIND and row.certificate_id is not None:
        contact_watch.test_undelivered(row.certificate_id, refusal, now)


def bounced(message_ids: list[str], words: str, now: datetime) -> MailOut | None:
    """A server reports that one of our mails cannot be delivered: mark it; the mail meant, if it is one of ours."""
    rows = MailOut.objects.select_for_update(no_key=True, of=("self",)).select_related("contact", "ticket")
    row = rows.filter(message_id__in=message_ids).order_by("-id").first()
    if row is not None and row.state != "failed":
        fail(row, MAIL_BOUNCED(words=words), now)
    return row


def _forget_secret(row: MailOut) -> None:
    if row.kind in outbox.SECRET_KINDS:
        row.text = row.html = ""


def _tell(row: MailOut, words: Words, now: datetime, **values: str) -> None:
    """A line in the ticket's history."""
    if row.ticket_id is not None:
        TicketEntry.objects.create(
            ticket_id=row.ticket_id,
            at=now,
            kind="event",
            author="mailroom",
            de=words.text("de", **values),
            en=words.text("en", **values),
            mail_out=row,
        )


def _record(row: MailOut, action: str, now: datetime, payload: dict[str, Any]) -> None:
    about = {"kind": row.kind, "address": row.address, "ticket": row.ticket.number if row.ticket else ""}
    audit.append(
        actor="mailroom",
        action=action,
        subject=f"mail_out:{row.pk}",
        payload={**about, **payload},
        client=row.client_id,
        at=now,
    )
