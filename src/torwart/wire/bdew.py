"""Headers and answers in the manner of the EDI@Energy API-Webdienste (spec/07 point 11).

Sources: the schemas EDI@Energy has published for consultation (repository Konzept_API_Strom, September 2025:
``Schema/Header`` and ``Schema/Antwort``, quoted beside the checks), and API-Guideline 1.0b as others report it:
„initialTransactionId nur bei Retry mitsenden, beim initialen Aufruf weglassen“. So a first call is known by its
``transactionId``, and each retry has one of its own and names the first one's as ``initialTransactionId``.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from torwart.kernel.refusals.bdew import BDEW_HEADER

TRANSACTION, INITIAL, CREATED, REFERENCE = "transactionId", "initialTransactionId", "creationDateTime", "referenceId"
ACCEPTED, REFUSED = "de.torwart.transaction.accepted", "de.torwart.transaction.refused"
"""Types of the events behind preliminary answers; a final one is the end of the order (``de.torwart.operation.…``)."""
PRELIMINARY_POSITIVE, PRELIMINARY_NEGATIVE = "preliminaryResultPositive", "preliminaryResultNegative"
POSITIVE, NEGATIVE = "resultPositive", "resultNegative"
ANSWERS: Mapping[str, str] = {
    ACCEPTED: PRELIMINARY_POSITIVE,
    REFUSED: PRELIMINARY_NEGATIVE,
    "de.torwart.operation.done": POSITIVE,
    "de.torwart.operation.failed": NEGATIVE,
    "de.torwart.operation.refused": NEGATIVE,
    "de.torwart.operation.cancelled": NEGATIVE,
    "de.torwart.operation.withdrawn": NEGATIVE,
}
"""Which answer an event is told by. Other steps of an order are not told in this dialect."""
FINAL = tuple(kind for kind, answer in ANSWERS.items() if answer in (POSITIVE, NEGATIVE))

UUID_PATTERN = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
"""„format: UUID RFC4122“, all three ids."""
CREATED_PATTERN = r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,4})?Z$"
"""„20(\\d{2}(\\-(0[13578]|1[02])…T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.[\\d]{1,4})?Z“: UTC with Z, at most four digits
of a second. Which days a month has is asked of the calendar instead.
"""
_UUID, _CREATED = re.compile(UUID_PATTERN, re.ASCII), re.compile(CREATED_PATTERN, re.ASCII)


@dataclass(frozen=True, slots=True)
class Heads:
    """What the headers of a call say. ``initial``: only of a retry."""

    transaction: uuid.UUID
    created: datetime
    initial: uuid.UUID | None

    @property
    def key(self) -> uuid.UUID:
        """What stays the same over all attempts: the idempotency key, and the ``referenceId`` of our answers."""
        return self.initial or self.transaction


def read(headers: Mapping[str, str]) -> Heads:
    """The headers of a call, or ``bdew.header``. Names are matched as ``headers`` does."""
    initial = headers.get(INITIAL)
    return Heads(
        _uuid(TRANSACTION, headers.get(TRANSACTION, "")),
        _created(headers.get(CREATED, "")),
        None if initial is None else _uuid(INITIAL, initial),
    )


def written(at: datetime) -> str:
    """A time as the source's example: 2023-08-01T12:30:00.170Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def calling(event: str, reference: str | None, *, repeat: bool, now: datetime) -> dict[str, str]:
    """The headers of a call of ours. ``event`` is what the first attempt goes by; a repeat gets a new id and names it.

    ``reference``: the partner's initial transaction, „zur eindeutigen Identifikation des ursprünglichen Vorgangs“.
    """
    made = {TRANSACTION: str(uuid.uuid4()) if repeat else event, CREATED: written(now)}
    if repeat:
        made[INITIAL] = event
    if reference is not None:
        made[REFERENCE] = reference
    return made


def answer(kind: str, data: Mapping[str, Any], reason_negative: str) -> dict[str, Any]:
    """The body of an answer: the source's words first (Schema/Antwort), then what an event says in ours."""
    name = ANSWERS[kind]
    if name == PRELIMINARY_POSITIVE:
        return {"preliminaryStatePositive": "possible", **data}
    if name == POSITIVE:
        return {"statePositive": "succeeded", **data}
    reason = data.get("refusal", {}).get("de") or str(data.get("state", ""))
    return {"stateNegative": "failed", "reasonNegative": reason_negative, "reason": reason, **data}


def _uuid(name: str, text: str) -> uuid.UUID:
    if not _UUID.fullmatch(text):
        raise BDEW_HEADER(name=name, form="UUID (RFC 4122), f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
    return uuid.UUID(text)


def _created(text: str) -> datetime:
    if _CREATED.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:  # 31 February
            pass
    raise BDEW_HEADER(name=CREATED, form="2023-08-01T12:30:00.170Z")
