"""Writing and reading the audit trail, and taking entries for its chain."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from torwart.rules.audit_chain import Link
from torwart.store.models import AuditEntry, AuditLink

_LINKER = 0x746F7277617274  # "torwart": the advisory lock of whoever chains
_PAGE = 2000
_MACHINES = ("run:", "headend:")
_INSERT = """
INSERT INTO store_auditentry (at, actor, action, subject, payload, client_id) VALUES (%s, %s, %s, %s, %s, %s)
RETURNING id
"""
_TAKE = """
WITH taken AS (
  DELETE FROM store_auditpending WHERE entry_id IN (
    SELECT entry_id FROM store_auditpending ORDER BY entry_id LIMIT %s)
  RETURNING entry_id
)
SELECT entry_id FROM taken ORDER BY entry_id
"""


def content(entry: AuditEntry) -> dict[str, Any]:
    """An entry as the chain sees it: what a stranger finds in an export."""
    return {
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "payload": entry.payload,
        "client": entry.client_id,
    }


def insert(at: datetime, actor: str, action: str, subject: str, payload: str, client: int | None) -> int:
    """Write one entry, ``payload`` as JSON text, and return its id; on every hot path, so without the ORM."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [at, actor, action, subject, payload, client])
        (pk,) = cursor.fetchone()
    return int(pk)


def take_pending(limit: int) -> list[tuple[int, dict[str, Any]]]:
    """Entries that are due for their link, id and content in the order of ids; for the one linker, in its transaction.

    Nothing if another one holds the linker's lock.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LINKER])
        if cursor.fetchone() != (True,):
            return []
        cursor.execute(_TAKE, [limit])
        taken = [pk for (pk,) in cursor.fetchall()]
    entries = AuditEntry.objects.in_bulk(taken) if taken else {}
    return [(pk, content(entries[pk])) for pk in taken if pk in entries]


def head() -> tuple[int, bytes] | None:
    """Number and hash of the last link."""
    found = AuditLink.objects.order_by("-seq").values_list("seq", "hash").first()
    return (found[0], bytes(found[1])) if found else None


def links(after: int = 0) -> Iterator[Link]:
    """The chain from the link after number ``after`` on, read page by page."""
    while True:
        page = list(AuditLink.objects.filter(seq__gt=after).order_by("seq").select_related("entry")[:_PAGE])
        for each in page:
            yield Link(each.seq, bytes(each.previous), bytes(each.hash), content(each.entry))
        if len(page) < _PAGE:
            return
        after = page[-1].seq


def unlinked() -> tuple[int, int]:
    """How many entries wait for their link, and how many have none and do not wait."""
    sql = """
    SELECT count(*) FILTER (WHERE p.entry_id IS NOT NULL), count(*) FILTER (WHERE p.entry_id IS NULL)
      FROM store_auditentry AS e LEFT JOIN store_auditpending AS p ON p.entry_id = e.id
     WHERE NOT EXISTS (SELECT 1 FROM store_auditlink AS l WHERE l.entry_id = e.id)
    """
    with connection.cursor() as cursor:
        cursor.execute(sql)
        pending, unchained = cursor.fetchone()
    return pending, unchained


def entries(
    *, subject: str = "", actor: str = "", action: str = "", since: datetime, until: datetime
) -> QuerySet[AuditEntry]:
    """Entries of a stretch of time with client and link, newest first is ``-id``. ``subject``: whole; ``actor`` and
    ``action``: their beginning.
    """
    rows = AuditEntry.objects.select_related("client", "link").filter(at__gte=since, at__lt=until)
    if subject:
        rows = rows.filter(subject=subject)
    if actor:
        rows = rows.filter(actor__startswith=actor)
        if not actor.startswith(_MACHINES):  # said so that the index of people is used
            rows = rows.filter(~Q(actor__startswith="run:"), ~Q(actor__startswith="headend:"))
    return rows.filter(action__startswith=action) if action else rows


def about(subjects: Iterable[str], limit: int = 50) -> list[AuditEntry]:
    """The newest entries about any of ``subjects``."""
    return list(AuditEntry.objects.filter(subject__in=list(subjects)).order_by("-id")[:limit])
