"""Forms somebody has begun: kept at every step, found again, thrown away, sent once (O-1, O-2).

A draft is a person's own and is not evidence of anything, so keeping one is not audited; sending it is the order's.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from torwart.kernel.refusals.draft import DRAFT_TOO_MANY
from torwart.store.models import Draft

MOST = 50
"""Drafts one person may have at a time."""


def begin(user: int, process: str, values: Mapping[str, Any], *, now: datetime) -> int:
    """A new draft; its id. More than 50 of one person's are refused."""
    if Draft.objects.filter(user=user, placed="").count() >= MOST:
        raise DRAFT_TOO_MANY(most=MOST)
    return Draft.objects.create(user_id=user, process=process, values=dict(values), updated_at=now).pk


def keep(draft: int, user: int, values: Mapping[str, Any], *, done: Iterable[str] = (), now: datetime) -> bool:
    """Keep what was typed, right or wrong, and which pages have been gone through; ``False`` if there is no such draft
    of this person (any more) or it has been sent.
    """
    with transaction.atomic():
        row = Draft.objects.select_for_update().filter(pk=draft, user=user, placed="").first()
        if row is None:
            return False
        row.values = {**row.values, **values}
        row.done = list(dict.fromkeys([*row.done, *done]))
        row.updated_at = now
        row.save(update_fields=["values", "done", "updated_at"])
    return True


def delete(draft: int, user: int) -> bool:
    """Throw a draft away; ``False`` if there is none."""
    return bool(Draft.objects.filter(pk=draft, user=user, placed="").delete()[0])


def send(draft: int, user: int, place: Callable[[Mapping[str, Any]], str]) -> str | None:
    """Place the order of a draft once: ``place`` (draft's values) answers its number, in the same transaction.

    The same draft again, also from another window at the same moment, answers the first number and places nothing.
    ``None`` if this person has no such draft. What ``place`` refuses leaves the draft as it was.
    """
    with transaction.atomic():
        row = Draft.objects.select_for_update().filter(pk=draft, user=user).first()
        if row is None:
            return None
        if not row.placed:
            row.placed = place(row.values)
            row.save(update_fields=["placed"])
        return row.placed
