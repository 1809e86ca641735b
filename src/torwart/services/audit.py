"""The audit trail: everything that matters, written with its cause, chained so that later changes show (spec M-4).

Theory of operation. ``append`` inserts an entry in the caller's transaction: entry and cause commit together or not
at all, and entries of different transactions never wait for each other. Right afterwards, in a transaction of its
own, ``link_pending`` gives each committed entry its place in the chain. One linker works at a time (an advisory lock);
it takes entries in the order of their ids as they become visible, so the chain's order is the order in which entries
were linked, which may differ from ``at`` by the length of a transaction.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from torwart.kernel.refusals.audit import AUDIT_NOT_PLAIN
from torwart.store.models import AuditEntry


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
    ``payload`` must be plain (``audit.not_plain`` otherwise): no floats, whose text differs between languages, and
    no secrets, for the trail is never cleaned.
    """
    plain = dict(payload or {})
    _require_plain(plain, "payload")
    entry = AuditEntry.objects.create(
        at=at or timezone.now(), actor=actor, action=action, subject=subject, payload=plain, client_id=client
    )
    return entry.pk


def _require_plain(value: object, where: str) -> None:
    match value:
        case dict():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise AUDIT_NOT_PLAIN(where=where, what=type(key).__name__)
                _require_plain(key, where)
                _require_plain(item, f"{where}.{key}")
        case list() | tuple():
            for number, item in enumerate(value):
                _require_plain(item, f"{where}[{number}]")
        case str():
            if "\x00" in value or not value.isprintable() and _has_surrogate(value):
                raise AUDIT_NOT_PLAIN(where=where, what="NUL")
        case None | bool() | int():
            pass
        case _:
            raise AUDIT_NOT_PLAIN(where=where, what=type(value).__name__)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
