"""The audit trail: everything that matters, written with its cause, chained so that later changes show (spec M-4).

Theory of operation
- ``append`` inserts an entry in the caller's transaction: entry and cause commit together or not at all, and entries
  of different transactions never wait for each other. A lock held until the commit would chain them at once, but all
  commits of the installation would then stand in one queue.
- ``link_pending`` gives every committed entry its place in the chain, in a transaction of its own, one linker at a
  time; ``keep_linking`` does so every second. Entries are never changed, their places are rows beside them. The
  chain's order is the order in which entries became visible; it may differ from ``at`` by the length of a transaction.
- What that guarantees: from its first second on an entry cannot be changed by the program (triggers refuse it);
  from its link on, and that is about a second later, nobody can change it without breaking the chain; from the next
  published head on, nobody can rewrite the chain unseen. ``verify`` counts entries that wait for their link.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.audit import AUDIT_NOT_PLAIN
from torwart.rules.audit_chain import GENESIS, canonical, link
from torwart.services import present
from torwart.services.audit_export import Verdict, judge, line
from torwart.store.models import AuditLink
from torwart.store.queries import audit as queries

_log = logging.getLogger("torwart.audit")


def append(
    *,
    actor: str,
    action: str,
    subject: str,
    payload: Mapping[str, Any] | None = None,
    client: int | None = None,
    at: datetime | None = None,
) -> int:
    """Write one entry in the caller's transaction and return its id.

    ``actor`` and ``subject`` are plain names such as ``operator:anna`` or ``gateway:E…``; ``action`` is a dotted word.
    What has no single text (floats above all) is refused with ``audit.not_plain``. No secrets: nothing is ever
    removed from the trail.
    """
    text = canonical(dict(payload or {}))
    names = canonical({"actor": actor, "action": action, "subject": subject})
    if b"\\u0000" in text or b"\\u0000" in names:
        raise AUDIT_NOT_PLAIN(where="entry", what="NUL")
    return queries.insert(at or present.now(), actor, action, subject, text.decode(), client)


def link_pending(limit: int = 2000) -> int:
    """Chain up to ``limit`` committed entries; how many there were. 0 at once while another linker is at work."""
    with transaction.atomic():
        entries = queries.take_pending(limit)
        if not entries:
            return 0
        AuditLink.objects.bulk_create(_linked(entries))
    return len(entries)


def _linked(entries: list[tuple[int, dict[str, Any]]]) -> Iterator[AuditLink]:
    seq, previous = queries.head() or (0, GENESIS)
    for pk, content in entries:
        try:
            following = link(previous, seq + 1, content)
        except Refusal as refusal:  # not written by append: it stays without a place, and verify says so
            _log.error("audit entry %s cannot be chained: %s", pk, refusal)
            continue
        seq += 1
        yield AuditLink(seq=seq, entry_id=pk, previous=previous, hash=following)
        previous = following


def keep_linking(stop: threading.Event, *, every: float = 1.0) -> None:
    """Chain what comes until ``stop`` is set; for a thread of its own in any process, in several too."""
    try:
        while not stop.is_set():
            try:
                linked = link_pending()
            except (OperationalError, InterfaceError) as error:  # the database is away: what waits keeps waiting
                _log.warning("entries cannot be chained now: %s", error)
                connection.close()
                linked = 0
            if linked == 0:
                stop.wait(every)
        while link_pending():
            pass
    finally:
        connection.close()


def head() -> tuple[int, bytes] | None:
    """Number and hash of the last link, to be published; ``None`` while the chain is empty."""
    return queries.head()


def verify(heads: Mapping[int, bytes] | None = None) -> Verdict:
    """Read the whole chain of the database and check it, in constant memory."""
    verdict = judge(queries.links(), heads or {})
    pending, unchained = queries.unlinked()
    return replace(verdict, pending=pending, unchained=unchained)


def export(after: int = 0) -> Iterator[str]:
    """The links after number ``after`` as lines of ``services.audit_export``."""
    return map(line, queries.links(after))
