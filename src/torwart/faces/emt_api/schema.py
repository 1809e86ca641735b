"""JSON bodies of the interface. Those of orders are made from the process definitions, field by field."""

import re
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, create_model

from torwart.kernel.order_state import OrderState
from torwart.processes.api_call import written
from torwart.processes.definition import Field as OrderField
from torwart.processes.definition import FieldKind, Process
from torwart.processes.summary import LABELS

_STRICT = ConfigDict(extra="forbid", strict=True)
_LONGEST = {FieldKind.LINE: 400, FieldKind.PARAGRAPH: 4000}
_MOST = 100
"""Values of a field that takes several; no process needs more at once."""
_VISIBLE = r"^[^\x00-\x1f\x7f]*$"


_RFC_3339 = re.compile(r"(19|2[0-9])[0-9]{2}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _written(value: Any) -> Any:
    """A time is text with date, time and offset; numbers, which pydantic would count from 1970, are not guessed at."""
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("not a time as in RFC 3339, e.g. 2026-11-24T09:30:00+01:00")
    return value


Instant = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written)]


class Body(BaseModel):
    """What a client sends: unknown members are refused, nothing is guessed."""

    model_config = _STRICT


class Due(BaseModel):
    """Until when, and why then."""

    at: datetime
    why: str = Field(description="The sentence the form shows, in the language asked for.")


class Words(BaseModel):
    de: str
    en: str


class Row(BaseModel):
    """One line of a result."""

    label: Words
    value: str = Field(description="In the language asked for.")


class Refused(BaseModel):
    """Why it failed, and whose fault that is."""

    code: str
    side: str
    retry: str
    de: str
    en: str
    type: str = Field(description="Page about this kind of refusal.")


class Links(BaseModel):
    self: str
    history: str
    ticket: str = Field(description="The same order in the portal.")


class Operation(BaseModel):
    """An order of a process, as it stands."""

    id: str = Field(description="Number of the order, A-…", examples=["A-123456782"])
    process: str = Field(examples=["wake-up"])
    state: Literal[tuple(OrderState)]  # type: ignore[valid-type]
    state_since: datetime
    submitted_at: datetime
    planned: bool
    requested_at: datetime | None
    due: Due
    subject: str = Field(description="Device id of the gateway it is about, empty without one.")
    reference: str
    ticket: str = Field(description="Number of the ticket, T-…")
    waiting_for: str = Field(description="device, client, time or approval while it waits, else empty.")
    step: str = Field(description="Name of the step under way, empty before the first one.")
    allowed_actions: list[str]
    proposed_times: list[datetime]
    result: list[Row] | None
    refusal: Refused | None
    links: Links


class Page(BaseModel):
    """Newest first; ``next`` is the cursor of the next page, absent at the end."""

    items: list[Operation]
    next: str | None


class Step(BaseModel):
    name: str
    words: Words
    state: str
    attempts: int
    started_at: datetime | None
    ended_at: datetime | None
    code: str


class Exchange(BaseModel):
    """One exchange with the gateway or the Sub-CA; never a secret. ``status`` is absent where no answer came."""

    at: datetime
    peer: str
    purpose: str
    request: str
    status: int | None
    code: str
    milliseconds: int


class History(BaseModel):
    steps: list[Step]
    transcript: list[Exchange]


class Cancelled(BaseModel):
    operation: Operation
    stays: list[Words] = Field(description="Steps that were done and are not undone.")


class Reason(Body):
    reason: str = Field("", max_length=400, pattern=_VISIBLE, description="Why, shown on the ticket.")


class Chosen(Body):
    time: Instant = Field(description="One of proposed_times.")


class Event(BaseModel):
    """A CloudEvent (1.0, structured JSON)."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str = Field(examples=["de.torwart.operation.done"])
    subject: str
    time: datetime
    datacontenttype: Literal["application/json"]
    data: dict[str, Any]


class Events(BaseModel):
    """Oldest first; ``next`` is what to pass as ``after`` to go on, also when there is nothing new."""

    items: list[Event]
    next: str | None


class Problem(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    instance: str
    detail: str
    code: str = ""
    side: str = ""
    retry: str = ""
    errors: list[dict[str, str]] = []


@cache
def order_body(process: Process) -> type[Body]:
    """The body to order ``process`` with: its fields, and what every order has."""
    fields: dict[str, Any] = {field.name: _field(field) for field in process.fields}
    fields |= {
        "requested_at": _said(Instant | None, None, LABELS["requested_at"].en + ", with offset."),
        "participant": _text("", LABELS["participant"].en + "; may be left out with a single one.", 13),
        "reference": _text("", LABELS["reference"].en + ".", 200),
        "remark": _text("", LABELS["remark"].en + ".", 4000),
    }
    name = "".join(part.capitalize() for part in process.name.split("_"))
    return create_model(f"{name}Order", __base__=Body, __doc__=process.about.en or process.words.en, **fields)


def _field(field: OrderField) -> Any:
    """The JSON type of one order field; the identifiers' own rules are checked by ``Process.examine``."""
    words = f"{field.label.en}. {field.help.en}"
    example: Any = written(field, field.example)
    kind: Any = Annotated[str, Field(max_length=_LONGEST.get(field.kind, 64), pattern=_VISIBLE)]
    if field.kind is FieldKind.PARAGRAPH:
        kind = Annotated[str, Field(max_length=_LONGEST[field.kind])]
    if field.choices:
        kind = Literal[tuple(choice.value for choice in field.choices)]
    elif field.kind is FieldKind.INSTANT:
        kind = Instant
    elif field.kind is FieldKind.NUMBER:
        kind = Annotated[int, Field(ge=0, le=10**9)]
    if field.many:
        least = 0 if field.optional else 1
        kind = Annotated[list[kind], Field(min_length=least, max_length=_MOST)]
    if not field.optional:
        return _said(kind, ..., words, examples=[example])
    empty: Any = [] if field.many else None
    return _said(kind if field.many else kind | None, empty, words, examples=[example])


def _said(kind: Any, default: Any, description: str, **more: Any) -> Any:
    return (kind, Field(default, description=description, **more))


def _text(default: str, description: str, longest: int) -> Any:
    return _said(str, default, description, max_length=longest)


class Choice(BaseModel):
    value: str
    words: Words


class FieldInfo(BaseModel):
    name: str
    label: Words
    help: Words
    example: str
    optional: bool
    many: bool
    kind: str
    choices: list[Choice]


class StepInfo(BaseModel):
    name: str
    words: Words


class ProcessInfo(BaseModel):
    code: str
    name: str
    words: Words
    about: Words
    unattended: bool
    operation: str
    fields: list[FieldInfo]
    steps: list[StepInfo]


class NotHere(BaseModel):
    """A process that does not go over the interface; ``form``: where it does."""

    code: str
    name: str
    words: Words
    why: Words
    form: str | None


class InterfaceLimits(BaseModel):
    calls: int
    seconds: float
    wait_seconds: int
    body_bytes: int
    idempotency_key_days: int
    event_days: int


class Dialect(BaseModel):
    """Another manner to order the same."""

    name: str
    operations: list[str]


class Capabilities(BaseModel):
    """The living manual."""

    environment: Literal["test", "live"]
    sandbox: str | None = Field(description="Where the sandbox is; null where there is none, always in live.")
    versions: list[str]
    version: str
    processes: list[ProcessInfo]
    refused: list[NotHere]
    dialects: list[Dialect]
    limits: InterfaceLimits
