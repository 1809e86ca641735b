"""Certificates of contacts near and past their end: announced, reminded of, ended (S-MAIL-4).

``watch`` may run as often and in as many mail rooms as one likes: what has been done stands in the certificate's row,
which is looked at again once it is held.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction

from torwart.kernel.contact_state import CONTACT_MAIL, SECURE, MailState, MailVerb
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.smime import SMIME_REVOKED
from torwart.services import contact as contacts
from torwart.services import outbox
from torwart.services.contact_certificate import move, opened, title
from torwart.services.letter import contact as letters
from torwart.store.models import Contact, ContactCertificate
from torwart.wire.smime import CertificateUse, TrustStore, validate

DAYS = (60, 30, 14, 7, 1)
"""How long before the end we remind; the first also makes the certificate "expiring"."""
_SECURE = [state.value for state in SECURE]
PAGE = "/portal/ansprechpartner/"


def watch(now: datetime, trust: TrustStore | None = None) -> int:
    """Do what is due; how many certificates were led on or reminded of. With ``trust``, revoked ones end too."""
    done = 0
    for pk in _near(now):
        with transaction.atomic():
            done += _watch_one(pk, now)
    for pk in _revoked(now, trust) if trust is not None else ():
        with transaction.atomic():
            done += _end(pk, now, "revoked")
    return done


def _near(now: datetime) -> list[int]:
    """Certificates that have ended, become "expiring", or lack the reminder of their days."""
    begin = now + timedelta(days=DAYS[0])
    rows = ContactCertificate.objects.exclude(state=MailState.EXPIRED).filter(not_after__lte=begin)
    columns = rows.order_by("id").values_list("id", "state", "not_after", "reminded")
    return [pk for pk, state, end, reminded in columns if end <= now or _moves(state) or _due(end, reminded, now)]


def _moves(state: str) -> bool:
    return MailVerb.NEAR_END in CONTACT_MAIL.allowed(MailState(state))


def _due(end: datetime, reminded: list[int], now: datetime) -> int | None:
    """The reminder that is due: the shortest time that has begun, unless it or a shorter one has been sent."""
    begun = [days for days in DAYS if end - now <= timedelta(days=days)]
    return begun[-1] if begun and not any(days <= begun[-1] for days in reminded) else None


def _watch_one(pk: int, now: datetime) -> int:
    contact, row = _hold(pk)
    if row.state == MailState.EXPIRED:
        return 0
    if row.not_after <= now:
        return _end(pk, now, "expired")
    moved = _moves(row.state) and row.not_after - now <= timedelta(days=DAYS[0])
    if moved:
        move(contact, row, MailVerb.NEAR_END, "mailroom", now)
    return int(_remind(contact, row, now) or moved)


def _remind(contact: Contact, row: ContactCertificate, now: datetime) -> bool:
    days = _due(row.not_after, row.reminded, now)
    if days is None or row.state not in SECURE or not contact.active or _replaced(contact, row):
        return False
    left = max(1, round((row.not_after - now) / timedelta(days=1)))
    certificate, end, url = title(row), row.not_after, outbox.portal_url(PAGE)
    outbox.enqueue(
        lambda language: letters.reminder(language, certificate=certificate, end=end, days=left, url=url),
        kind="contact.reminder",
        secure=False,
        now=now,
        contact=contact.pk,
    )
    row.reminded = [*row.reminded, days]
    row.save(update_fields=["reminded"])
    return True


def _replaced(contact: Contact, row: ContactCertificate) -> bool:
    """Whether everything this certificate is for is covered by a tested one that ends later, whoever brought it."""
    newer = contact.certificates.filter(state__in=_SECURE, not_after__gt=row.not_after)
    return set(row.uses) <= {use for uses in newer.values_list("uses", flat=True) for use in uses}


def untrusted(pk: int, reason: Refusal, now: datetime) -> None:
    """A certificate cannot be used: its test fails, or it ends if it had been tested; the contact learns why."""
    with transaction.atomic():
        _end(pk, now, "revoked" if reason.kind is SMIME_REVOKED else "untrusted", reason)


def test_undelivered(pk: int, reason: Refusal, now: datetime) -> None:
    """The test mail cannot be delivered: the test has failed; that stands in the portal, where else could we say it."""
    with transaction.atomic():
        contact, row = _hold(pk)
        if MailVerb.FAIL in CONTACT_MAIL.allowed(MailState(row.state)):
            move(contact, row, MailVerb.FAIL, "mailroom", now, failure=reason.code, word="")


def _end(pk: int, now: datetime, how: str, reason: Refusal | None = None) -> int:
    contact, row = _hold(pk)
    if row.state == MailState.EXPIRED:
        return 0
    told = row.state in SECURE and not _replaced(contact, row)
    failing = how == "untrusted" and MailVerb.FAIL in CONTACT_MAIL.allowed(MailState(row.state))
    verb = MailVerb.FAIL if failing else MailVerb.EXPIRE
    code = reason.code if reason else SMIME_REVOKED.code if how == "revoked" else ""
    move(contact, row, verb, "mailroom", now, failure=code, word="")
    if contact.active and (told or reason is not None):
        certificate, url = title(row), outbox.portal_url(PAGE)
        outbox.enqueue(
            lambda language: letters.ended(language, how=how, certificate=certificate, reason=reason, url=url),
            kind=f"contact.{how}",
            secure=False,
            now=now,
            contact=contact.pk,
        )
    return 1


def _revoked(now: datetime, trust: TrustStore) -> Iterator[int]:
    """Certificates in use that a revocation list names; other faults show when they are used."""
    rows = ContactCertificate.objects.filter(state__in=[*_SECURE, MailState.TEST_SENT], not_after__gt=now)
    for row in rows.order_by("id").only("id", "der", "uses"):
        try:
            validate(opened(row), use=CertificateUse(row.uses[0]), trust=trust, at=now)
        except Refusal as refusal:
            if refusal.kind is SMIME_REVOKED:
                yield row.pk


def _hold(pk: int) -> tuple[Contact, ContactCertificate]:
    owner = ContactCertificate.objects.values_list("contact_id", flat=True).get(pk=pk)
    contact = contacts.held(owner, None)
    return contact, ContactCertificate.objects.get(pk=pk)
