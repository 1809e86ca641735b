"""Orders as rows of a table: which column is which field, what stands in each cell, what is wrong with it (O-9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from torwart.faces._design.language import active, said
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.upload import ROW_REPEATED, TABLE_COLUMN, TABLE_EMPTY, TABLE_MISSING
from torwart.kernel.words import Words
from torwart.processes import ordering
from torwart.processes.definition import Field, Process
from torwart.processes.fields import instant
from torwart.processes.ordering import Orderer
from torwart.processes.summary import LABELS, Header
from torwart.wire import table as wire

HEADER = ("requested_at", "participant", "reference", "remark")
_GUIDE = Words("Erklärung", "Guide")
_GUIDE_HEAD = (
    Words("Spalte", "Column"),
    Words("Was hinein gehört", "What goes in"),
    Words("Beispiel", "Example"),
    Words("Erlaubt", "Allowed"),
)
_OPTIONAL = Words("freiwillig", "optional")
_MANY = Words("mehrere mit | dazwischen", "several with | between them")
_WHEN = Words(
    "Wunschtermin; leer: so bald wie möglich.",
    "Requested time; empty: as soon as possible.",
)


def columns(process: Process) -> list[tuple[str, Words]]:
    """Name and label of every column, the process's fields first."""
    return [(each.name, each.label) for each in process.fields] + [(name, LABELS[name]) for name in _header_of(process)]


def _header_of(process: Process) -> tuple[str, ...]:
    """The formal columns; a process that says its time in a field of its own asks for no other."""
    return HEADER[1:] if process.time_field else HEADER


def template(process: Process, form: str) -> bytes:
    """The empty table to fill in, as ``csv`` or ``xlsx``."""
    head = [said(label) for _, label in columns(process)]
    if form == "csv":
        return wire.write_csv([head])
    choices = [_allowed(each) for each in process.fields] + [[] for _ in _header_of(process)]
    guide = [[said(words) for words in _GUIDE_HEAD], *(_explained(each) for each in process.fields)]
    if not process.time_field:
        guide.append([said(LABELS["requested_at"]), said(_WHEN), "24.11.2026 09:30", said(_OPTIONAL)])
    return wire.write_xlsx(said(process.words), head, choices, (said(_GUIDE), guide))


def _allowed(each: Field) -> list[str]:
    return [] if each.many else [said(choice.words) for choice in each.choices]


def _explained(each: Field) -> list[str]:
    allowed = [said(_OPTIONAL)] * each.optional + [said(_MANY)] * each.many
    allowed += [", ".join(said(choice.words) for choice in each.choices)] * bool(each.choices)
    return [said(each.label), said(each.help), each.example, "; ".join(allowed)]


def read(process: Process, content: bytes) -> list[dict[str, Any]]:
    """The orders of an uploaded table: by column name, as typed. Refuses ``upload.…`` what is wrong with the table."""
    head, *lines = wire.read(content) or [[]]
    known = {alias.casefold(): name for name, label in columns(process) for alias in (name, label.de, label.en)}
    names: list[str] = []
    for cell in head:
        name = known.get(cell.casefold())
        if name is None or name in names:
            raise TABLE_COLUMN(column=cell[:40])
        names.append(name)
    for each in process.fields:
        if not each.optional and each.name not in names:
            raise TABLE_MISSING(column_de=each.label.de, column_en=each.label.en)
    if not lines:
        raise TABLE_EMPTY()
    return [_row(process, dict(zip(names, line, strict=False))) for line in lines]


def _row(process: Process, cells: Mapping[str, str]) -> dict[str, Any]:
    fields = {each.name: each for each in process.fields}
    return {name: _typed(fields[name], text) if name in fields else text for name, text in cells.items()}


def _typed(each: Field, text: str) -> Any:
    """A cell as the form would send it: choices by their words too, several values apart."""
    if not each.many:
        return _choice(each, text)
    signs = "|\n;" if each.offers else "|\n;,"
    for sign in signs:
        text = text.replace(sign, "|")
    return [_choice(each, part.strip()) for part in text.split("|") if part.strip()]


def _choice(each: Field, text: str) -> str:
    for choice in each.choices:
        if text.casefold() in (choice.value.casefold(), choice.words.de.casefold(), choice.words.en.casefold()):
            return choice.value
    return text


@dataclass(frozen=True, slots=True)
class Row:
    """One order of a table, looked at. ``number``: as the spreadsheet counts (the head is 1); ``errors``: label and
    text of each wrong cell; ``unmet``: what stands against an order whose cells are right.
    """

    number: int
    subject: str
    values: dict[str, Any]
    header: Header
    errors: list[tuple[str, str]] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.errors and not self.unmet


def looked_at(process: Process, rows: Sequence[Mapping[str, Any]], orderer: Orderer, now: datetime) -> list[Row]:
    """Every row with all that is wrong in it; nothing is placed. The same device twice is wrong the second time."""
    found: list[Row] = []
    seen: dict[str, int] = {}
    labels = {name: said(label) for name, label in columns(process)}
    for number, cells in enumerate(rows, start=2):
        values = {name: value for name, value in cells.items() if name not in HEADER}
        header, wrong = _header(cells)
        examined = ordering.examine(
            process.name, values, client=orderer.client, now=now, header=header, orderer=orderer
        )
        errors = {**examined.errors, **wrong}
        subject = process.subject(examined.fields) if process.subject_field in examined.fields else ""
        unmet = list(examined.unmet)
        if subject and subject in seen:
            unmet.append(ROW_REPEATED(row=seen[subject]))
        seen.setdefault(subject, number)
        found.append(
            Row(
                number,
                subject,
                values,
                header,
                [(labels.get(name, name), refusal.text(active())) for name, refusal in errors.items()],
                [refusal.text(active()) for refusal in unmet],
            )
        )
    return found


def _header(cells: Mapping[str, Any]) -> tuple[Header, dict[str, Refusal]]:
    wrong: dict[str, Refusal] = {}
    requested = None
    text = str(cells.get("requested_at", "")).strip()
    if text:
        try:
            requested = datetime.fromisoformat(instant(text))
        except Refusal as refusal:
            wrong["requested_at"] = refusal
    rest = (str(cells.get(name, "")).strip() for name in HEADER[1:])
    return Header(requested, *rest), wrong
