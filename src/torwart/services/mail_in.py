"""Mail as it comes: kept first, read afterwards, lost never (C-2).

Theory of operation
- ``keep`` writes the bytes down and interprets nothing; the receiver says "250" only after that. The same bytes twice
  are one row.
- ``work`` takes one stored mail after the other. All that follows from it (ticket, receipt, certificates, the row's own
  mark) is one transaction, so a crash in between leaves the mail stored and nothing done. Several mail rooms may work
  on one database: whoever holds a row has it.
- Each try is counted before it begins. A mail that breaks us, even one that kills the process, is put into quarantine
  after ``ATTEMPTS`` tries and stops nobody. While our keys cannot be used nothing is counted: all mail waits for them.
  Nor does it count when another room was faster: a mail is not put aside because many wanted to read it.
"""

import hashlib
import logging
import re
from collections.abc import Sequence
from datetime import datetime

from django.db import DatabaseError, connection, transaction
from django.db.models import F

from torwart.kernel.refusals import Refusal, Side
from torwart.kernel.refusals.mail import MAIL_TOO_LARGE
from torwart.kernel.refusals.mailroom import MAIL_BREAKS, MAIL_NOT_ASIDE
from torwart.ports.process_engine import ProcessEngine
from torwart.services import audit, mail_route
from torwart.services.delivery import Desk
from torwart.services.mail_incoming import Incoming, incoming, quarantine, refuse
from torwart.store.models import MailIn
from torwart.wire.mail import ReadMail, read
from torwart.wire.mail.mime import split

_log = logging.getLogger("torwart.mailroom")
ATTEMPTS = 5
ASIDE = ("quarantined", "refused", "ignored")
"""States of mails that can be read again."""

_CLAIM = """
UPDATE store_mailin SET attempts = attempts + 1 WHERE id = (
  SELECT id FROM store_mailin WHERE state = 'stored' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, attempts
"""


def keep(raw: bytes, *, via: str, envelope_from: str, envelope_to: Sequence[str], now: datetime) -> int:
    """Write a received mail down, in a transaction of its own; the id of its row. ``via``: ``smtp`` or ``imap``."""
    digest = hashlib.sha256(raw).hexdigest()
    row, _ = MailIn.objects.get_or_create(
        digest=digest,
        defaults={
            "raw": raw,
            "size": len(raw),
            "via": via,
            "envelope_from": _line(envelope_from),
            "envelope_to": [_line(address) for address in envelope_to],
            "received_at": now,
        },
    )
    return row.pk


def release(pk: int, reason: str, *, actor: str, now: datetime) -> None:
    """An operator lets the room read a mail again that was put aside, refused or ignored, e.g. after a CA was added.

    ``reason`` stands in the audit trail. Refuses ``mailroom.not_aside`` for one that has been taken or still waits.
    """
    with transaction.atomic():
        row = MailIn.objects.defer("raw").select_for_update().filter(pk=pk).first()
        if row is None or row.state not in ASIDE:
            raise MAIL_NOT_ASIDE()
        MailIn.objects.filter(pk=pk).update(state="stored", attempts=0)
        payload = {"was": row.state, "reason": reason}
        audit.append(actor=actor, action="mail.released", subject=f"mail_in:{pk}", payload=payload, at=now)


def work(engine: ProcessEngine, desk: Desk, *, now: datetime, limit: int = 100) -> int:
    """Read and route what is stored, at most ``limit`` mails; how many were dealt with."""
    for done in range(limit):
        if not _work_one(engine, desk, now):
            return done
    return limit


def _work_one(engine: ProcessEngine, desk: Desk, now: datetime) -> bool:
    """Whether there was a mail and the next one may be tried."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM)
        claimed = cursor.fetchone()
    if claimed is None:
        return False
    pk, attempts = claimed
    with transaction.atomic():
        row = MailIn.objects.select_for_update(skip_locked=True).filter(pk=pk, state="stored").first()
        if row is not None:
            return _tried(row, attempts, engine, desk, now)
    _uncount(pk)
    return True


def _uncount(pk: int) -> None:
    """Take one try back that was counted and did not take place."""
    MailIn.objects.filter(pk=pk).update(attempts=F("attempts") - 1)


def _tried(row: MailIn, attempts: int, engine: ProcessEngine, desk: Desk, now: datetime) -> bool:
    try:
        with transaction.atomic():
            _handle(row, engine, desk, now)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001  whatever a mail breaks, the next one is read
        if isinstance(error, Refusal) and error.code.startswith("keys."):
            _log.error("mail %s waits for our keys: %s", row.pk, error)
            _uncount(row.pk)
            return False
        _log.exception("mail %s breaks the mail room (attempt %s)", row.pk, attempts)
        if attempts >= ATTEMPTS:
            fresh = Incoming(MailIn.objects.get(pk=row.pk), None, None, [], now)
            why = error.code if isinstance(error, Refusal) else type(error).__name__
            quarantine(fresh, MAIL_BREAKS(attempts=attempts, why=why))
    return True


def _handle(row: MailIn, engine: ProcessEngine, desk: Desk, now: datetime) -> None:
    """Read the mail and hand it on; what cannot be read is put aside, and answered if its header can be."""
    raw = bytes(row.raw)
    try:
        mail = read(raw)
    except Refusal as refusal:
        if refusal.side is not Side.CLIENT:
            raise
        found = incoming(row, _outline(raw), now)
        if refusal.kind is MAIL_TOO_LARGE:
            refuse(found, [refusal])
        else:
            quarantine(found, refusal)
    else:
        mail_route.route(engine, desk, incoming(row, mail, now), raw)


_END = re.compile(rb"\r?\n\r?\n")
_LONGEST_HEADER = 2**16


def _outline(raw: bytes) -> ReadMail | None:
    """What can be known from the header alone of a mail that cannot be read."""
    head = _END.split(raw[:_LONGEST_HEADER], 1)[0] + b"\r\n\r\n"
    try:
        lines = [line for name, _, line in split(head).fields if not name.startswith("content-")]
        return read(b"".join(lines) + b"\r\n")
    except Refusal:
        return None


def _line(address: str) -> str:
    return address.replace("\0", "")[:320]
