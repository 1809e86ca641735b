"""What a process is: one definition from which every face, mail and document comes (spec: process catalogue).

A process is one module of this package that defines ``PROCESS``; ``catalogue()`` finds them all, so adding a
process means adding one file.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.process import FIELD_MISSING, FIELD_UNKNOWN, PROCESS_UNKNOWN
from torwart.kernel.words import Words

if TYPE_CHECKING:
    from torwart.processes.telling import Telling


@dataclass(frozen=True, slots=True)
class Field:
    """One order field. ``parse`` takes what was typed and returns the canonical text or raises a ``Refusal``.

    ``many``: a list of values; ``optional``: may be left out (then ``""`` or an empty list).
    """

    name: str
    label: Words
    help: Words
    example: str
    parse: Callable[[str], str] = str
    optional: bool = False
    many: bool = False

    def check(self, value: Any) -> Any:
        """The canonical value of this field, or a refusal that names it."""
        if value in (None, "", []):
            if self.optional:
                return [] if self.many else ""
            raise FIELD_MISSING(field=self.name)
        if self.many:
            return [str(self.parse(str(item))) for item in value]
        return str(self.parse(str(value)))


@dataclass(frozen=True, slots=True)
class Step:
    """One visible step: its stable name and what a person reads while it runs."""

    name: str
    words: Words


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the catalogue. ``tell`` is its story: called again from the top after each wait or crash;
    ``failed`` (run id, gateway) writes what is free again when a run has not reached its effect.
    """

    code: str
    name: str
    words: Words
    fields: tuple[Field, ...]
    steps: tuple[Step, ...]
    tell: Callable[["Telling"], Mapping[str, Any]]
    failed: Callable[[str, str], None] | None = None
    unmet: Callable[[str, Mapping[str, Any], datetime], list[Refusal]] | None = None
    unattended: bool = True
    over_interface: bool = True
    subject_field: str = "gateway"

    def check(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """All fields in canonical form; the first wrong, missing or unknown one is refused by name."""
        known = {field.name for field in self.fields}
        for name in values:
            if name not in known:
                raise FIELD_UNKNOWN(field=name, process=self.name)
        return {field.name: field.check(values.get(field.name)) for field in self.fields}

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
