"""The way through an order form: its pages in order, how far each is, and what comes next (O-1, O-4).

The pages follow from the process's definition: first the device with its delivery note, because nothing can be done
before that is imported (KL 4.2 a); then the sections; then the time, the formal entries, and the check.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from torwart.faces._design.language import active
from torwart.kernel.gateway_state import GATEWAY, GatewayState
from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals import Refusal
from torwart.kernel.words import Words
from torwart.processes import ordering
from torwart.processes.definition import NOTHING, Field, Process, process
from torwart.processes.fields import gateway_id
from torwart.processes.summary import Header
from torwart.store.queries import gateway as gateways
from torwart.store.queries import portal as queries

DEVICE, TIME, HEADER = "geraet", "termin", "zuordnung"
WHEN, REQUESTED = "_when", "_requested_at"
HEADER_NAMES = ("participant", "reference", "remark")
_DEVICES = (gateway_id, DeviceId.parse)


class Status(StrEnum):
    BLOCKED = "blocked"
    NEW = "new"
    OPTIONAL = "optional"
    PREFILLED = "prefilled"
    PARTIAL = "partial"
    COMPLETE = "complete"


WORDS: Mapping[Status, tuple[str, Words]] = {
    Status.BLOCKED: ("danger", Words("noch nicht möglich – Lieferschein fehlt", "not yet possible – no delivery note")),
    Status.NEW: ("neutral", Words("noch nicht begonnen", "not started")),
    Status.OPTIONAL: ("neutral", Words("freiwillig", "optional")),
    Status.PREFILLED: ("info", Words("vorbelegt – bitte prüfen", "filled in – please check")),
    Status.PARTIAL: ("warning", Words("unvollständig", "incomplete")),
    Status.COMPLETE: ("success", Words("vollständig", "complete")),
}
"""Kind (for the colour and icon) and word of each status."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the form; ``number`` counts from 1."""

    number: int
    name: str
    words: Words
    help: Words
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A page in the task list: ``said`` is what has been entered, in short."""

    page: Page
    status: Status
    said: str

    @property
    def kind(self) -> str:
        return WORDS[self.status][0]

    @property
    def words(self) -> Words:
        return WORDS[self.status][1]

    @property
    def open(self) -> bool:
        return self.status not in (Status.COMPLETE, Status.OPTIONAL)


def pages(chosen: Process) -> tuple[Page, ...]:
    """The pages of a process's form, before the check page."""
    found: list[tuple[str, Words, Words, tuple[Field, ...]]] = []
    if chosen.subject_field:
        words = Words("Gerät und Lieferschein", "Device and delivery note")
        help_ = Words("Für welches Gateway bestellen Sie?", "For which gateway do you order?")
        found.append((DEVICE, words, help_, (chosen.field(chosen.subject_field),)))
    for section in chosen.sections:
        fields = tuple(each for each in chosen.in_section(section.name) if each.name != chosen.subject_field)
        if fields:
            found.append((section.name, section.words, section.help, fields))
    if not chosen.time_field:
        found.append((TIME, Words("Termin", "Time"), NOTHING, ()))
    found.append((HEADER, Words("Codenummer, Referenz, Bemerkung", "Code number, reference, remark"), NOTHING, ()))
    return tuple(Page(number, *each) for number, each in enumerate(found, start=1))


class Flow:
    """A draft on its way: what is entered, how far each page is, what stands against sending."""

    def __init__(self, draft: Any, client: int, now: datetime) -> None:
        self.draft, self.client, self.now = draft, client, now
        self.process = process(draft.process)
        self.values: dict[str, Any] = draft.values
        self.pages = pages(self.process)

    def page(self, name: str) -> Page | None:
        return next((page for page in self.pages if page.name == name), None)

    @property
    def fields(self) -> dict[str, Any]:
        """The process's own values as typed."""
        return {each.name: self.values[each.name] for each in self.process.fields if each.name in self.values}

    @property
    def requested_at(self) -> datetime | None:
        """The requested time if one is wanted and can be read; of a process that says it in a field, that field's."""
        name = self.process.time_field
        if name:
            right = self.values.get(name) and name not in self.errors
            return datetime.fromisoformat(self.process.field(name).check(self.values[name])) if right else None
        if self.values.get(WHEN) != "at":
            return None
        try:
            requested = datetime.fromisoformat(self.values.get(REQUESTED, ""))
        except ValueError:
            return None
        return requested if requested.tzinfo else None

    @property
    def time_unsaid(self) -> Words | None:
        """The field that says when the order takes effect, while it does not yet."""
        chosen = self.process
        return chosen.field(chosen.time_field).label if chosen.time_field and not self.requested_at else None

    @property
    def header(self) -> Header:
        participant, reference, remark = (str(self.values.get(f"_{name}", "")) for name in HEADER_NAMES)
        return Header(self.requested_at, participant or self.only_code, reference, remark)

    @cached_property
    def codes(self) -> list[tuple[str, str]]:
        """The client's code numbers and their names."""
        return queries.participants(self.client)

    @property
    def only_code(self) -> str:
        """The code number nobody needs to be asked for, because there is only one."""
        return self.codes[0][0] if len(self.codes) == 1 else ""

    @cached_property
    def errors(self) -> dict[str, Refusal]:
        return dict(self.process.examine(self.fields).errors)

    @cached_property
    def named(self) -> list[str]:
        """The device ids entered so far, in canonical form."""
        found: list[str] = []
        for each in self.process.fields:
            if each.parse in _DEVICES and self.values.get(each.name) and each.name not in self.errors:
                value = each.check(self.values[each.name])
                found += value if isinstance(value, list) else [value]
        return found

    @cached_property
    def missing(self) -> frozenset[str]:
        """Devices entered that no imported delivery note of this client has brought (O-4)."""
        known = {*self.gateways, *gateways.meters(self.client, self.named)} if self.named else set()
        return frozenset(self.named) - known

    @cached_property
    def gateways(self) -> dict[str, Any]:
        return gateways.states(self.client, self.named) if self.named else {}

    @property
    def subject(self) -> str:
        """The gateway the order is about, as entered and right, ``""`` otherwise."""
        name = self.process.subject_field
        if not name or not self.values.get(name) or name in self.errors:
            return ""
        return str(self.process.field(name).check(self.values[name]))

    @property
    def gateway(self) -> Any:
        """The row of that gateway if its delivery note is imported, else ``None``."""
        return self.gateways.get(self.subject)

    def status(self, page: Page) -> Status:
        """How far a page is; without a delivery note nothing after the first page can be done."""
        if page.name == DEVICE:
            return self._of_device()
        if self.subject and self.subject in self.missing:
            return Status.BLOCKED
        if page.name == TIME:
            return self._of_time()
        if page.name == HEADER:
            return self._of_header()
        return self._of_section(page)

    def _of_device(self) -> Status:
        name = self.process.subject_field
        if not self.values.get(name) and name not in self.errors:
            return Status.OPTIONAL
        if not self.values.get(name):
            return Status.NEW
        if name in self.errors:
            return Status.PARTIAL
        return Status.BLOCKED if self.subject in self.missing else Status.COMPLETE

    def _of_header(self) -> Status:
        """Optional, unless the client must say under which of several code numbers it orders."""
        if len(self.codes) > 1 and not self.values.get("_participant"):
            return Status.PARTIAL if HEADER in self.draft.done else Status.NEW
        return Status.COMPLETE if HEADER in self.draft.done else Status.OPTIONAL

    def _of_time(self) -> Status:
        if WHEN not in self.values:
            return Status.NEW
        if self.values[WHEN] == "asap":
            return Status.COMPLETE
        good = self.requested_at is not None and self.preview.refusal is None
        return Status.COMPLETE if good else Status.PARTIAL

    def _of_section(self, page: Page) -> Status:
        names = {each.name for each in page.fields}
        wrong, filled = names & set(self.errors), {name for name in names if self.values.get(name)}
        if self.missing & set(self._devices_on(page)):
            return Status.BLOCKED
        if page.name in self.draft.done:
            return Status.PARTIAL if wrong else Status.COMPLETE
        if not filled:
            return Status.NEW if any(not each.optional for each in page.fields) else Status.OPTIONAL
        return Status.PARTIAL if wrong else Status.PREFILLED

    def _devices_on(self, page: Page) -> list[str]:
        found: list[str] = []
        for each in page.fields:
            if each.parse in _DEVICES and self.values.get(each.name) and each.name not in self.errors:
                value = each.check(self.values[each.name])
                found += value if isinstance(value, list) else [value]
        return found

    def missing_on(self, page: Page) -> list[str]:
        """Devices of this page whose delivery note is missing."""
        return [device for device in self._devices_on(page) if device in self.missing]

    @cached_property
    def tasks(self) -> list[Task]:
        return [Task(page, self.status(page), self._said(page)) for page in self.pages]

    @property
    def ready(self) -> bool:
        """Nothing is missing on any page; the preconditions are asked on the check page."""
        return not any(task.open for task in self.tasks)

    @property
    def next_open(self) -> Page | None:
        """The page to go on with."""
        return next((task.page for task in self.tasks if task.open), None)

    def after(self, name: str) -> Page | None:
        """The next page after ``name`` that is not complete."""
        following = [task for task in self.tasks if task.page.number > self._number(name)]
        return next((task.page for task in following if task.status is not Status.COMPLETE), None)

    def _number(self, name: str) -> int:
        return next(page.number for page in self.pages if page.name == name)

    @cached_property
    def preview(self) -> ordering.Preview:
        return ordering.preview(self.process.name, self.requested_at, now=self.now)

    def _said(self, page: Page) -> str:
        """What has been entered on a page, in one line."""
        if page.name == DEVICE:
            return self._device_said()
        if page.name in (TIME, HEADER):
            return ""
        shown = (
            each.shown(self.values[each.name], active())
            for each in page.fields
            if self.values.get(each.name) and each.name not in self.errors
        )
        text = " · ".join(shown)
        return text if len(text) <= 90 else f"{text[:89]}…"

    def _device_said(self) -> str:
        if not self.gateway:
            return self.subject
        words = GATEWAY.states[GatewayState(self.gateway.state)]
        note = self.gateway.delivery_note
        return f"{self.subject} · {words.text(active())}" + (f" · {note.number}" if note else "")


def prefilled(client: int, chosen: Process, gateway: str) -> dict[str, Any]:
    """What we know already, so that nobody is asked for it again (WCAG 3.3.7): of the device, and of the client's last
    order of the same process what is chosen from a list.
    """
    values: dict[str, Any] = {}
    _, last = queries.last_fields(client, chosen.name)
    for each in chosen.fields:
        if (each.choices or each.offers) and last.get(each.name):
            values[each.name] = last[each.name]
    if gateway and chosen.subject_field:
        values[chosen.subject_field] = gateway
        values |= known_of(client, chosen, gateway)
    return {name: value for name, value in values.items() if _right(chosen.field(name), value)}


def _right(field: Field, value: Any) -> bool:
    with suppress(Refusal):
        field.check(value)
        return True
    return False


def known_of(client: int, chosen: Process, gateway: str) -> dict[str, Any]:
    """What our data say of the gateway under the names of the process's fields."""
    known = gateways.known_values(client, gateway)
    return {each.name: known[each.name] for each in chosen.fields if known.get(each.name)}
