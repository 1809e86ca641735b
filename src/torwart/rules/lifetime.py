"""Lifetimes of certificates: when to renew, when to remind (P15, P16, G-8, S-MAIL-4)."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from torwart.kernel.refusals.lifetime import THRESHOLDS
from torwart.kernel.words import Words
from torwart.rules.validity import Validity

MAIL_REMINDERS = (60, 30, 14, 7, 1)
"""S-MAIL-4: „the provider reminds at 60/30/14/7/1 days“."""

SUSPENSION_LIMIT = timedelta(days=30)
"""Longest suspension before a certificate is revoked or reactivated (assumption 9 of spec/04 §7, configurable)."""


class Horizon(StrEnum):
    """How near the end of a certificate is, from far to past."""

    NOT_YET = "not_yet"
    FAR = "far"
    PLANNED = "planned"
    DUE = "due"
    URGENT = "urgent"
    EXPIRED = "expired"


HORIZONS: dict[Horizon, Words] = {
    Horizon.NOT_YET: Words("noch nicht gültig", "not yet valid"),
    Horizon.FAR: Words("gültig", "valid"),
    Horizon.PLANNED: Words("Erneuerung einplanen", "plan renewal"),
    Horizon.DUE: Words("jetzt erneuern", "renew now"),
    Horizon.URGENT: Words("dringend erneuern", "renew urgently"),
    Horizon.EXPIRED: Words("abgelaufen", "expired"),
}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Days before the end at which a renewal is planned, done, and urgent (P16: „e.g. 90/60/30 d“).

    Thresholds that do not fall raise ``lifetime.thresholds``.
    """

    planned: int = 90
    due: int = 60
    urgent: int = 30

    def __post_init__(self) -> None:
        if not self.planned > self.due > self.urgent > 0:
            raise THRESHOLDS(given=f"{self.planned}, {self.due}, {self.urgent}")


DEFAULT = Thresholds()


def horizon(validity: Validity, at: datetime, thresholds: Thresholds = DEFAULT) -> Horizon:
    """Where ``at`` stands against the end; a threshold of 90 days is reached exactly 90 days before it."""
    if validity.begin and at < validity.begin:
        return Horizon.NOT_YET
    if validity.end is None:
        return Horizon.FAR
    left = validity.end - at
    if left < timedelta(0):
        return Horizon.EXPIRED
    for name, days in (
        (Horizon.URGENT, thresholds.urgent),
        (Horizon.DUE, thresholds.due),
        (Horizon.PLANNED, thresholds.planned),
    ):
        if left <= timedelta(days=days):
            return name
    return Horizon.FAR


def needs_renewal(validity: Validity, at: datetime, thresholds: Thresholds = DEFAULT) -> bool:
    """Whether a renewal should run now.

    Not once it has expired: the old signature key must sign the request, so an expired set needs a new initial
    registration (spec/04 §3.3: „renew before expiry so that old SIG key can sign the request“).
    """
    return horizon(validity, at, thresholds) in (Horizon.DUE, Horizon.URGENT)


def renewal_instant(subject: str, end: datetime, thresholds: Thresholds = DEFAULT) -> datetime:
    """When the renewal of ``subject`` is scheduled: between the first and the second threshold before the end.

    The instant follows from the subject's name alone, evenly spread, so that a fleet delivered on one day does not
    ask the Sub-CA on one day, and asking again gives the same answer.
    """
    share = int.from_bytes(hashlib.sha256(subject.encode()).digest()[:8], "big") / 2**64
    window = timedelta(days=thresholds.planned - thresholds.due)
    return end.astimezone(UTC) - timedelta(days=thresholds.planned) + share * window


def reminder(end: datetime, at: datetime, sent: Collection[int], steps: Collection[int] = MAIL_REMINDERS) -> int | None:
    """The reminder to send now, named by its days before the end; ``None`` if none is due or the end has passed.

    Only the nearest step counts: after a pause the missed earlier ones are not sent late.
    """
    left = end - at
    reached = [step for step in steps if timedelta(0) <= left <= timedelta(days=step)]
    nearest = min(reached, default=None)
    return None if nearest is None or nearest in sent else nearest


def suspension_ends(since: datetime, limit: timedelta = SUSPENSION_LIMIT) -> datetime:
    """The last instant a suspension may stand; then the certificate is revoked or reactivated."""
    return since + limit
