"""What a process is: one definition from which every face, mail and document comes (spec: process catalogue).

A process is one module of this package that defines ``PROCESS``; ``catalogue()`` finds them all, so adding a
process means adding one file. Portal form, bulk upload, check page, mails, console view, interface operation and
documentation read what stands here and know no process by name.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from torwart.kernel.outcome import Row
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.process import FIELD_INVALID, FIELD_MISSING, FIELD_UNKNOWN, PROCESS_UNKNOWN
from torwart.kernel.words import Words
from torwart.wire.mail import Attachment

if TYPE_CHECKING:
    from torwart.processes.telling import Telling


class FieldKind(StrEnum):
    """How a field is asked for: one line, several lines of text, from a list, an instant with zone, a whole number."""

    LINE = "line"
    PARAGRAPH = "paragraph"
    CHOICE = "choice"
    INSTANT = "instant"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers a field allows."""

    value: str
    words: Words


NOTHING = Words("", "")


@dataclass(frozen=True, slots=True)
class Section:
    """One page of the form: fields that belong together, in the order to fill them in."""

    name: str
    words: Words
    help: Words = NOTHING


ORDER_SECTION = Section("order", Words("Angaben zum Auftrag", "About the order"))


@dataclass(frozen=True, slots=True)
class Field:
    """One order field. ``parse`` takes what was typed and returns the canonical text or raises a ``Refusal``.

    ``many``: a list of values; ``optional``: may be left out (then ``""`` or an empty list). ``choices``: the only
    answers allowed. ``offers``: what a client (id) probably means, to choose from; other answers are checked like
    typed ones. ``section``: name of the form's page it stands on.
    """

    name: str
    label: Words
    help: Words
    example: str
    parse: Callable[[str], str] = str
    optional: bool = False
    many: bool = False
    kind: FieldKind = FieldKind.LINE
    choices: tuple[Choice, ...] = ()
    offers: Callable[[int], Sequence[Choice]] | None = None
    section: str = ORDER_SECTION.name

    def check(self, value: Any) -> Any:
        """The canonical value of this field, or a refusal that says what is wrong."""
        if value in (None, "", []):
            if self.optional:
                return [] if self.many else ""
            raise FIELD_MISSING(field=self.name, label_de=self.label.de, label_en=self.label.en)
        if self.many:
            values = value if isinstance(value, list | tuple) else [value]
            return [self._one(str(item)) for item in values]
        return self._one(str(value))

    def shown(self, value: Any, language: str | None = None) -> str:
        """A canonical value as people read it: the words of a choice, lists with commas."""
        if self.many and not isinstance(value, str):
            return ", ".join(self.shown_one(str(item), language) for item in value)
        return self.shown_one(str(value), language)

    def shown_one(self, value: str, language: str | None = None) -> str:
        if self.kind is FieldKind.INSTANT and value:
            return f"{datetime.fromisoformat(value):%d.%m.%Y %H:%M}"
        return next((choice.words.text(language) for choice in self.choices if choice.value == value), value)

    def _one(self, text: str) -> str:
        if self.choices and text.strip() not in {choice.value for choice in self.choices}:
            raise FIELD_INVALID(given=text[:40], expected=" | ".join(choice.value for choice in self.choices))
        return str(self.parse(text.strip() if self.choices else text))


@dataclass(frozen=True, slots=True)
class Step:
    """One visible step: its stable name and what a person reads while it runs. ``stays``: whether it has an effect that
    is still there when the run is cancelled later (O-10).
    """

    name: str
    words: Words
    stays: bool = True


@dataclass(frozen=True, slots=True)
class Examined:
    """What is known about entered fields: ``fields`` in canonical form as far as they are right, ``errors`` by field
    name, and the preconditions that are not met (only asked when no field is wrong).
    """

    fields: dict[str, Any]
    errors: dict[str, Refusal]
    unmet: tuple[Refusal, ...] = ()

    @property
    def good(self) -> bool:
        return not self.errors and not self.unmet


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the catalogue. ``tell`` is its story: called again from the top after each wait or crash;
    ``failed`` (run id, gateway) writes what is free again when a run has not reached its effect.

    ``about``, ``needs``, ``duration``: its start page: what it does, what to have at hand, how long it takes.
    ``over_form``: a client may order it in the portal; ``over_interface``: from its own system; ``not_over_interface``
    says why not. ``unmet`` (gateway, fields, now) answers what stands against it,
    ``unmet_for`` (client, user or ``None``, fields, now) the same by who orders; ``together`` what is wrong with fields
    that are right one by one, by field. ``unattended``: no operator is
    needed. ``capacity``: how many an operator can look after in an hour of service time. ``subject_field``: the field
    that names the gateway, ``""`` for a process without one. ``locate`` (client or ``None``, fields) answers the
    gateway of an order that may name it otherwise, e.g. by a metering point; its refusal stands against the order.
    ``time_field``: the field that says when the order takes effect; that is the order's requested time then, nobody is
    asked for another, and the run begins ``ahead`` of it. ``result``: a run's result in words, for mail and page;
    ``remains`` (run id, gateway) the same of a run that failed: what it leaves on the gateway;
    ``enclosed`` (result, language): files that go with that mail. ``after_ordering``: what the client does next, said
    in the confirmation. ``not_cancellable_from``: the step from which on the run must go to its end (O-10).
    """

    code: str
    name: str
    words: Words
    fields: tuple[Field, ...]
    steps: tuple[Step, ...]
    tell: Callable[["Telling"], Mapping[str, Any]]
    failed: Callable[[str, str], None] | None = None
    unmet: Callable[[str, Mapping[str, Any], datetime], list[Refusal]] | None = None
    unmet_for: Callable[[int, int | None, Mapping[str, Any], datetime], list[Refusal]] | None = None
    together: Callable[[Mapping[str, Any]], Mapping[str, Refusal]] | None = None
    unattended: bool = True
    over_form: bool = True
    over_interface: bool = True
    not_over_interface: Words | None = None
    subject_field: str = "gateway"
    locate: Callable[[int | None, Mapping[str, Any]], str] | None = None
    time_field: str = ""
    ahead: timedelta = timedelta(0)
    sections: tuple[Section, ...] = (ORDER_SECTION,)
    about: Words = NOTHING
    needs: tuple[Words, ...] = ()
    duration: Words = NOTHING
    capacity: int = 6
    result: Callable[[Mapping[str, Any]], Sequence[Row]] | None = None
    enclosed: Callable[[Mapping[str, Any], str], Sequence[Attachment]] | None = None
    remains: Callable[[str, str], Sequence[Row]] | None = None
    after_ordering: Words = NOTHING
    not_cancellable_from: str = ""
    _known: dict[str, Field] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._known.update({each.name: each for each in self.fields})

    def field(self, name: str) -> Field:
        return self._known[name]

    def in_section(self, name: str) -> tuple[Field, ...]:
        return tuple(each for each in self.fields if each.section == name)

    def examine(self, values: Mapping[str, Any]) -> Examined:
        """Every field on its own, so that a form can show all that is wrong at once."""
        fields: dict[str, Any] = {}
        errors: dict[str, Refusal] = {}
        for name in values:
            if name not in self._known:
                errors[name] = FIELD_UNKNOWN(field=name, process=self.name)
        for each in self.fields:
            try:
                fields[each.name] = each.check(values.get(each.name))
            except Refusal as refusal:
                errors[each.name] = refusal
        if self.together is not None and not errors:
            errors.update(self.together(fields))
        return Examined(fields, errors)

    def check(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """All fields in canonical form; the first wrong, missing or unknown one is refused by name."""
        examined = self.examine(values)
        for refusal in examined.errors.values():
            raise refusal
        return examined.fields

    def subject(self, fields: Mapping[str, Any]) -> str:
        """The gateway's device id the order is about, ``""`` without one."""
        return str(fields[self.subject_field]) if self.subject_field else ""

    def located(self, client: int | None, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Checked fields with the gateway they are about, however they name it; ``client``: whose alone exist (P-1)."""
        if self.locate is None:
            return dict(fields)
        return {**fields, self.subject_field: self.locate(client, fields)}

    def takes_effect(self, fields: Mapping[str, Any]) -> datetime | None:
        """The instant the order itself says it takes effect; ``None`` for a process that has no such field."""
        return datetime.fromisoformat(fields[self.time_field]) if self.time_field else None

    def position(self, name: str) -> int:
        """Place of a step among the visible ones, from 1."""
        return [step.name for step in self.steps].index(name) + 1

    def step_words(self, name: str) -> Words:
        return next(step.words for step in self.steps if step.name == name)


@cache
def catalogue() -> Mapping[str, Process]:
    """All processes by name, in the order of their codes."""
    package = importlib.import_module("torwart.processes")
    modules = (importlib.import_module(f"torwart.processes.{m.name}") for m in pkgutil.iter_modules(package.__path__))
    found: list[Process] = [m.PROCESS for m in modules if hasattr(m, "PROCESS")]
    return {process.name: process for process in sorted(found, key=lambda p: p.code)}


def process(name: str) -> Process:
    """The process of that name, or a refusal that lists the known ones."""
    try:
        return catalogue()[name]
    except KeyError:
        raise PROCESS_UNKNOWN(process=name, known=", ".join(catalogue())) from None
