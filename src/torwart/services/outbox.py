"""The outbox: a mail is a row written in the transaction that causes it, and delivered afterwards (spec: mail).

Theory of operation
- ``enqueue`` and ``to_contacts`` write rows in the caller's transaction: cause and mail commit together or not at all.
  A row is exactly what will be sent: its text is made at once, in the recipient's language.
- Data of a client (``secure``) goes only to contacts whose secure mail is tested (S-MAIL-3). Anybody else gets a
  notice in its place: that there is something to read, and where.
"""

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.db import transaction

from torwart.kernel.contact_state import SECURE
from torwart.kernel.refusals.mailroom import MAIL_NOT_FAILED
from torwart.services import audit
from torwart.services.letter.mail import FOOTER, FOOTER_TICKET, TEST_SYSTEM, notice
from torwart.store import statement
from torwart.store.models import Contact, MailOut, Ticket
from torwart.wire.mail import Attachment, Letter, Written, new_message_id, write

MakeLetter = Callable[[str], Letter]
Files = Sequence[Attachment] | Callable[[str], Sequence[Attachment]]
"""Files that go with a mail: for everybody the same, or by language."""
"""Makes a letter in a language (``de`` or ``en``)."""
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,240}>")
TEST_KIND = "contact.test"
SECRET_KINDS = (TEST_KIND, "account.link", "account.reset")
"""Mails that say what only their reader may know: the text is forgotten once they are sent."""


def enqueue(
    make_letter: MakeLetter,
    *,
    kind: str,
    secure: bool,
    now: datetime,
    contact: int | None = None,
    address: str = "",
    language: str = "de",
    client: int | None = None,
    ticket: str = "",
    certificate: int | None = None,
    references: Sequence[str] = (),
    files: Files = (),
) -> int:
    """Write one mail to one person in the caller's transaction; the id of its row.

    To ``contact`` (id; in their language) or to an ``address`` in ``language``. ``kind``: dotted, e.g.
    ``order.placed``. ``ticket``: ``T-…``; its number gets into the subject. ``secure``: the letter holds data of the
    client; to whom that cannot be sent, a notice goes in its place. ``certificate``: the contact's certificate under
    test, used whatever its state. ``references``: message ids of the thread, the one that is answered last; without
    them the mail hangs on the first one about the ticket, so that programs show them together.
    """
    person = Contact.objects.get(pk=contact) if contact is not None else None
    about = _ticket(ticket)
    if person is not None:
        address, language, client = person.email, person.language, person.client_id
    row = _row(
        partial(_print, make_letter, ticket),
        ticket,
        language,
        tested=certificate is not None or (person is not None and person.mail_state in SECURE),
        kind=kind,
        secure=secure,
        now=now,
        files=files,
        references=references or _thread(about, address),
        address=address.lower(),
        client_id=client,
        contact_id=contact,
        ticket_id=about.pk if about else None,
        certificate_id=certificate,
    )
    row.save()
    return row.pk


_PEOPLE = """
SELECT c.id, c.email, c.language, c.mail_state, t.id,
       (SELECT m.message_id FROM store_mailout AS m
         WHERE m.ticket_id = t.id AND m.address = lower(c.email) ORDER BY m.id LIMIT 1)
  FROM store_contact AS c LEFT JOIN store_ticket AS t ON t.number = %(ticket)s
 WHERE c.client_id = %(client)s AND c.active ORDER BY c.id
"""


def to_contacts(
    client: int,
    make_letter: MakeLetter,
    *,
    kind: str,
    now: datetime,
    ticket: str = "",
    secure: bool = True,
    references: Sequence[str] = (),
    files: Files = (),
) -> list[int]:
    """``enqueue`` to every active contact of the client, each in their language; the ids of the rows."""
    found = statement.rows(_PEOPLE, {"client": client, "ticket": ticket})
    printed = cache(partial(_print, make_letter, ticket))  # once a language
    rows = [
        _row(
            printed,
            ticket,
            language,
            tested=mail_state in SECURE,
            kind=kind,
            secure=secure,
            now=now,
            files=files,
            references=references or ([first] if first else ()),
            address=email.lower(),
            client_id=client,
            contact_id=pk,
            ticket_id=ticket_id,
        )
        for pk, email, language, mail_state, ticket_id, first in found
    ]
    return statement.insert(rows) if rows else []


def retry(pk: int, *, actor: str, now: datetime) -> None:
    """Send a mail that has failed once more; one with a secret cannot be, its text is gone."""
    with transaction.atomic():
        row = MailOut.objects.select_for_update(no_key=True).filter(pk=pk).first()
        if row is None or row.state != "failed" or row.kind in SECRET_KINDS:
            raise MAIL_NOT_FAILED()
        row.state, row.failure, row.next_attempt_at, row.attempts = "queued", "", now, 0
        row.save(update_fields=["state", "failure", "next_attempt_at", "attempts"])
        audit.append(
            actor=actor, action="mail.retried", subject=f"mail_out:{pk}", payload={}, client=row.client_id, at=now
        )


def withheld(language: str, ticket: str) -> Letter:
    """The notice that goes instead of data (S-MAIL-3)."""
    return notice(language, ticket=ticket, url=portal_url(f"/portal/vorgaenge/{ticket}" if ticket else ""))


def portal_url(path: str = "") -> str:
    """A page of the portal as people outside reach it."""
    return f"{settings.TORWART_PORTAL_URL}{path}"


def _print(make_letter: MakeLetter, number: str, language: str, allowed: bool) -> Written:
    """What the mail says in a language: the letter, or the notice where data must not go."""
    return write(framed(make_letter(language) if allowed else withheld(language, number), number))


def _row(
    printed: Callable[[str, bool], Written],
    ticket: str,
    language: str,
    *,
    tested: bool,
    kind: str,
    secure: bool,
    now: datetime,
    files: Files,
    references: Sequence[str],
    **columns: Any,
) -> MailOut:
    """The row of one mail, not written yet; ``tested``: data may go this way."""
    allowed = tested or not secure
    written = printed(language, allowed)
    given = files(language) if callable(files) else files
    return MailOut(
        message_id=new_message_id(settings.TORWART_SERVICE_MAIL.rpartition("@")[2], ticket),
        kind=kind,
        language=written.language,
        subject=written.subject,
        text=written.text,
        html=written.html,
        secure=secure and allowed,
        files=[[file.name, file.media_type, base64.b64encode(file.content).decode()] for file in given if allowed],
        references=[each for each in references if _MESSAGE_ID.fullmatch(each)],
        created_at=now,
        next_attempt_at=now,
        **columns,
    )


def _ticket(number: str) -> Ticket | None:
    return Ticket.objects.only("id", "number", "client_id").get(number=number) if number else None


def _thread(ticket: Ticket | None, address: str) -> Sequence[str]:
    """The first mail about the ticket to this address: what later ones hang on."""
    if ticket is None:
        return ()
    rows = MailOut.objects.filter(ticket=ticket, address=address.lower()).order_by("id")
    return list(rows.values_list("message_id", flat=True)[:1])


def framed(letter: Letter, ticket: str) -> Letter:
    """The letter with what all of them have: the ticket in the subject, whom to write to in the footer."""
    words = FOOTER_TICKET if ticket else FOOTER
    footer = letter.footer or words.text(letter.language, ticket=ticket, address=settings.TORWART_SERVICE_MAIL)
    if settings.TORWART_ENVIRONMENT != "live":
        footer = f"{TEST_SYSTEM.text(letter.language)}\n{footer}"
    tag = f"[#{ticket}]"
    subject = letter.subject if not ticket or tag in letter.subject else f"{tag} {letter.subject}"
    return replace(letter, subject=subject, footer=footer)
