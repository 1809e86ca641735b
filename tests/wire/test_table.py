"""Tables: what people's spreadsheets write is read; what would hurt is refused."""

import zipfile
from datetime import date, datetime
from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from torwart.kernel.refusals import Refusal
from torwart.wire import table


def _xlsx(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def _refused(content: bytes) -> str:
    with pytest.raises(Refusal) as refused:
        table.read(content)
    return refused.value.code


@pytest.mark.requirement("O-9")
@pytest.mark.parametrize(
    "content",
    [
        b'Ger\xc3\xa4t;Grund\nE1;a b\n\n;\nE2;"x;y"\n',
        b'\xef\xbb\xbfGer\xc3\xa4t;Grund\r\nE1;a b\r\nE2;"x;y"\r\n',
        "Gerät,Grund\nE1,a b\nE2,x;y".encode("cp1252"),
        "Gerät\tGrund\nE1\ta b\nE2\tx;y\n".encode(),
        _xlsx(["Gerät", "Grund"], ["E1", " a b "], [None, None], ["E2", "x;y", None]),
    ],
)
def test_the_same_table_however_it_was_saved(content: bytes) -> None:
    """Semicolons, commas, tabs, Windows' encoding, a mark, a spreadsheet: the same rows."""
    assert table.read(content) == [["Gerät", "Grund"], ["E1", "a b"], ["E2", "x;y"]]


@pytest.mark.requirement("O-9")
def test_cells_read_as_one_would_type_them() -> None:
    """Whole numbers without a point, days and times as written here, yes and no as words."""
    rows = table.read(_xlsx(["a"], [51238696781], [7.0], [1.5], [datetime(2026, 11, 24, 9, 30)], [date(2026, 11, 24)],
                            [True]))  # fmt: skip
    cells = [row[0] for row in rows[1:]]
    assert cells == ["51238696781", "7", "1.5", "24.11.2026 09:30", "24.11.2026 00:00", "ja"]


@pytest.mark.requirement("O-9")
@pytest.mark.parametrize("content", [b"a;b\n\0;c", b'a;b\n"x', b"PK\x03\x04nonsense", b"\x81\x8d"])
def test_what_is_no_table_is_refused(content: bytes) -> None:
    """Bytes that mean nothing, a broken archive, an open quote."""
    assert _refused(content) == "upload.unreadable"


@pytest.mark.requirement("O-9")
def test_limits_hold() -> None:
    """Bytes, rows, columns, and what an archive unfolds to."""
    assert len(table.read(b"a\n" * (table.ROWS + 1))) == table.ROWS + 1
    assert _refused(b"a\n" * (table.ROWS + 2)) == "upload.too_large"
    assert _refused(b"x;" * (table.COLUMNS + 1) + b"x") == "upload.too_large"
    assert _refused(b"x" * (table.MEBIBYTES * 2**20 + 1)) == "upload.too_large"
    bomb = BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (table.UNFOLDED + 1))
    assert len(bomb.getvalue()) < table.MEBIBYTES * 2**20
    assert _refused(bomb.getvalue()) == "upload.too_large"


@pytest.mark.requirement("O-9")
def test_entities_are_not_declared_in_a_table() -> None:
    """A spreadsheet with a document type declaration is refused before anything reads it."""
    source, target = BytesIO(_xlsx(["a"], ["b"])), BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("sheet1.xml"):
                content = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + content
            new.writestr(name, content)
    assert _refused(target.getvalue()) == "upload.unreadable"


@pytest.mark.requirement("O-9")
def test_a_template_can_be_read_again() -> None:
    """Head, lists to choose from, a second sheet that explains; CSV as spreadsheets here open it."""
    head, choices = ["Gerät", "WAN"], [[], ["LTE", "DSL"]]
    guide = ("Erklärung", [["Spalte", "Was", "Beispiel", "Erlaubt"], ["WAN", "Wie", "LTE", ""]])
    content = table.write_xlsx("Ausbau / [Test]: lang genug für ein Blatt", head, choices, guide)
    book = load_workbook(BytesIO(content))

    assert table.read(content) == [head]
    assert [rule.formula1 for rule in book.worksheets[0].data_validations.dataValidation] == ['"LTE,DSL"']
    assert book.sheetnames[1] == "Erklärung"
    assert table.write_csv([head]) == b"\xef\xbb\xbfGer\xc3\xa4t;WAN\r\n"
