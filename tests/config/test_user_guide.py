"""What the guide for clients says comes out of the program, too."""

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from torwart.processes.definition import catalogue
from torwart.rules.lead_time import commit

GUIDE = Path(__file__).parents[2] / "docs" / "user"
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime | None:
    """``Mo 23.11.2026 10:00`` in German time; nothing for a dash."""
    return None if text == "–" else datetime.strptime(text[3:], "%d.%m.%Y %H:%M").replace(tzinfo=BERLIN)


def rows(page: str, columns: int) -> list[tuple[str, ...]]:
    """The rows of all tables of a page that have so many columns."""
    lines = (GUIDE / page).read_text(encoding="utf-8").splitlines()
    cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines if line.startswith("|")]
    return [row for row in cells if len(row) == columns and not row[0].startswith("--")]


@pytest.mark.requirement("T-3", "T-4", "T-6", "KL-4.2.1.1", "KL-4.2.1.2")
def test_every_example_of_a_deadline_is_right() -> None:
    """Planned or not, and when it is due: as the form would say."""
    _, *examples = rows("deadlines.md", 4)

    assert len(examples) == 4
    for submitted, requested, kind, due in examples:
        sent = at(submitted)
        assert sent is not None
        promised = commit(sent, at(requested))
        assert (promised.planned, promised.due) == (kind == "geplant", at(due)), submitted


@pytest.mark.requirement("O-1")
def test_the_guide_names_every_process_a_client_can_order() -> None:
    """By the words of the form and its code, none too many."""
    named = {(words, code) for words, code, _ in rows("order.md", 3) if re.fullmatch(r"P\d\d", code)}

    assert named == {(each.words.de, each.code) for each in catalogue().values() if each.over_form}
