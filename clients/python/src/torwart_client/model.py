"""What the interface answers, as frozen dataclasses. Members that are not known here are left out, not refused."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Words:
    de: str
    en: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a result."""

    label: Words
    value: str


@dataclass(frozen=True, slots=True)
class Due:
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an order failed, and whose fault that is."""

    code: str
    side: str
    retry: str
    de: str
    en: str
    type: str


@dataclass(frozen=True, slots=True)
class Operation:
    """An order as it stands."""

    id: str
    process: str
    state: str
    state_since: datetime
    submitted_at: datetime
    planned: bool
    requested_at: datetime | None
    due: Due
    subject: str
    reference: str
    ticket: str
    waiting_for: str
    step: str
    allowed_actions: tuple[str, ...]
    proposed_times: tuple[datetime, ...]
    result: tuple[Row, ...] | None
    refusal: Refused | None
    links: Mapping[str, str]

    @property
    def ended(self) -> bool:
        return self.state in ENDED


ENDED = frozenset(("done", "failed", "cancelled", "withdrawn", "refused"))


@dataclass(frozen=True, slots=True)
class OperationPage:
    items: tuple[Operation, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """``stays``: steps that were done and are not undone."""

    operation: Operation
    stays: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    words: Words
    state: str
    attempts: int
    started_at: datetime | None
    ended_at: datetime | None
    code: str


@dataclass(frozen=True, slots=True)
class Exchange:
    at: datetime
    peer: str
    purpose: str
    request: str
    status: int | None
    code: str
    milliseconds: int


@dataclass(frozen=True, slots=True)
class History:
    steps: tuple[Step, ...]
    transcript: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """A CloudEvent."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventPage:
    items: tuple[Event, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Key:
    """A public key of a webhook. ``until``: when it stops to sign, empty while it is the newest."""

    id: str
    public: str
    until: str


@dataclass(frozen=True, slots=True)
class Webhook:
    id: str
    url: str
    active: bool
    keys: tuple[Key, ...]
    created_at: datetime
    pending: int
    dead: int


@dataclass(frozen=True, slots=True)
class Webhooks:
    items: tuple[Webhook, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    at: datetime
    status: int | None
    why: str
    answer: str
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Delivery:
    id: str
    event: str
    type: str
    subject: str
    state: str
    at: datetime
    next_attempt_at: datetime
    delivered_at: datetime | None
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    items: tuple[Delivery, ...]
    next: str | None


def read(kind: type[T], data: Mapping[str, Any]) -> T:
    """``data`` as ``kind``; ``KeyError`` or ``ValueError`` where it is not what was agreed."""
    return kind(**{name: _value(hint, data[name]) for name, hint in _hints(kind).items()})  # type: ignore[arg-type]


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _value(hint: Any, value: Any) -> Any:
    if typing.get_origin(hint) is types.UnionType:
        if value is None:
            return None
        hint = next(each for each in typing.get_args(hint) if each is not type(None))
    if typing.get_origin(hint) is tuple:
        return tuple(_value(typing.get_args(hint)[0], each) for each in value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return read(hint, value)
    return value
