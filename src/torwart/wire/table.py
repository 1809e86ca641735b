"""Tables as people keep them: CSV and XLSX, bytes to rows of text and back.

Reading trusts nothing: a limit of bytes, of what a compressed file unfolds to, of rows and of columns; no document type
declarations; formulas are never computed, only what the spreadsheet has stored as their value is read.
"""

import csv
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from io import BytesIO, StringIO
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.datavalidation import DataValidation

from torwart.kernel.refusals.upload import TABLE_TOO_LARGE, TABLE_UNREADABLE

MEBIBYTES = 4
UNFOLDED = 64 * 2**20
ROWS = 500
COLUMNS = 60
_NO_TITLE = re.compile(r"[\\*?:/\[\]]")
_LONGEST = 250
"""Characters a list of choices may have in a spreadsheet's validation rule."""

Rows = list[list[str]]


def read(content: bytes) -> Rows:
    """The rows of the first sheet as text, the head first, trailing blanks and empty rows left out.

    Raises ``upload.unreadable`` and ``upload.too_large`` (more than 500 rows below the head).
    """
    if len(content) > MEBIBYTES * 2**20:
        raise _too_large()
    lines = _xlsx(content) if content.startswith(b"PK\x03\x04") else _csv(content)
    rows: Rows = []
    for cells in lines:
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            rows.append(cells)
        if len(rows) > ROWS + 1 or len(cells) > COLUMNS:
            raise _too_large()
    return rows


def _too_large() -> Exception:
    return TABLE_TOO_LARGE(rows=ROWS, size=MEBIBYTES)


def _csv(content: bytes) -> Iterator[list[str]]:
    """Semicolons, commas or tabs between cells: whatever the head has most of."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if "\0" in text or "\ufffd" in text:
        raise TABLE_UNREADABLE()
    head = text.partition("\n")[0]
    delimiter = max(";,\t", key=head.count)
    try:
        for cells in csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True):
            yield [cell.strip() for cell in cells]
    except csv.Error:
        raise TABLE_UNREADABLE() from None


def _xlsx(content: bytes) -> Iterator[list[str]]:
    try:
        _harmless(content)
        book = load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its size is not believed
        lines = list(_limited(sheet.iter_rows(values_only=True)))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, IndexError, AttributeError, SyntaxError, OSError):
        raise TABLE_UNREADABLE() from None
    yield from ([_text(cell) for cell in line[: COLUMNS + 1]] for line in lines)


def _limited(lines: Iterable[Any]) -> Iterator[Any]:
    """Some more rows than are allowed, so that too many are noticed without reading all."""
    for number, line in enumerate(lines):
        if number > 4 * ROWS:
            raise _too_large()
        yield line


def _harmless(content: bytes) -> None:
    """Refuse what unfolds to more than a table needs, and XML that declares entities."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > UNFOLDED:
            raise _too_large()
        for member in archive.infolist():
            if member.filename.endswith((".xml", ".rels")):
                with archive.open(member) as part:
                    if b"<!" in part.read(4096).replace(b"<!--", b""):
                        raise TABLE_UNREADABLE()


def _text(cell: Any) -> str:
    """A cell as one would type it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "ja" if cell else "nein"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return f"{cell:%d.%m.%Y %H:%M}"
    if isinstance(cell, date):
        return f"{cell:%d.%m.%Y}"
    return str(cell).strip()


def write_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with a mark, semicolons between cells, as German spreadsheets open it."""
    written = StringIO(newline="")
    csv.writer(written, delimiter=";").writerows(rows)
    return written.getvalue().encode("utf-8-sig")


def write_xlsx(
    title: str, head: Sequence[str], choices: Sequence[Sequence[str]], guide: tuple[str, Sequence[Sequence[str]]]
) -> bytes:
    """A sheet ``title`` with a bold head to fill in below, lists to choose from where ``choices`` has some, and a
    second sheet ``guide`` (name, rows) that explains the columns.
    """
    book = Workbook()
    sheet: Any = book.active
    sheet.title = _NO_TITLE.sub(" ", title)[:31]
    sheet.append(list(head))
    for number, allowed in enumerate(choices, start=1):
        cell = sheet.cell(1, number)
        cell.font = Font(bold=True)
        sheet.column_dimensions[cell.column_letter].width = max(14, min(len(head[number - 1]) + 4, 40))
        listed = ",".join(allowed)
        if allowed and len(listed) <= _LONGEST and '"' not in listed:
            rule = DataValidation(type="list", formula1=f'"{listed}"', allow_blank=True)
            rule.add(f"{cell.column_letter}2:{cell.column_letter}{ROWS + 1}")
            sheet.add_data_validation(rule)
    sheet.freeze_panes = "A2"
    _explain(book, *guide)
    written = BytesIO()
    with suppress(AttributeError):
        book.properties.creator = "Torwart"
    book.save(written)
    return written.getvalue()


def _explain(book: Workbook, name: str, rows: Sequence[Sequence[str]]) -> None:
    sheet = book.create_sheet(name[:31])
    for row in rows:
        sheet.append(list(row))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for letter, width in zip("ABCD", (34, 60, 36, 40), strict=True):
        sheet.column_dimensions[letter].width = width
        for cell in sheet[letter]:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
