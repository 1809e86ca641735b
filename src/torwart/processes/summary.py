"""The summary of an order: one list of rows for check page, confirmation mail, console and evidence (O-2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from torwart.kernel.words import Words
from torwart.processes.definition import Process
from torwart.rules.lead_time import spoken


@dataclass(frozen=True, slots=True)
class Header:
    """What every order has beside its process' fields. ``requested_at``: ``None`` is "as soon as possible"."""

    requested_at: datetime | None = None
    participant: str = ""
    reference: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as shown. ``name``: the field's, so that a page can lead back to it; ``section``: its page."""

    label: Words
    value: Words
    name: str = ""
    section: str = ""


NOT_GIVEN = Words("–", "–")
SOON = Words("so bald wie möglich", "as soon as possible")
LABELS: Mapping[str, Words] = {
    "process": Words("Prozess", "Process"),
    "orderer": Words("Auftrag erteilt von", "Ordered by"),
    "requested_at": Words("Wunschtermin", "Requested time"),
    "participant": Words("MSB-Codenummer", "Code number (MSB)"),
    "reference": Words("Ihre Referenz", "Your reference"),
    "remark": Words("Bemerkung", "Remark"),
}
"""The labels of the header's fields, for the form too."""


def summary(process: Process, fields: Mapping[str, Any], header: Header, *, orderer: str = "") -> list[Row]:
    """Every field of the order, header first, in the order of the form. ``fields``: in canonical form."""
    requested = SOON if header.requested_at is None else _same(spoken(header.requested_at))
    values = {
        "process": process.words,
        "orderer": _same(orderer),
        "requested_at": requested,
        "participant": _same(header.participant),
        "reference": _same(header.reference),
        "remark": _same(header.remark),
    }
    rows = [Row(LABELS[name], value, name) for name, value in values.items()]
    for section in process.sections:
        for field in process.in_section(section.name):
            value = fields.get(field.name, "")
            shown = Words(field.shown(value, "de"), field.shown(value, "en"))
            rows.append(Row(field.label, shown if shown.de else NOT_GIVEN, field.name, section.name))
    return rows


def as_json(rows: list[Row]) -> list[list[str]]:
    """The rows as an order keeps them: label German, label English, value German, value English."""
    return [[row.label.de, row.label.en, row.value.de, row.value.en] for row in rows]


def _same(text: str) -> Words:
    return Words(text, text) if text else NOT_GIVEN
