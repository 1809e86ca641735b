"""``torwart deadline``: what it prints for programs and for people, and how it refuses."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from torwart.config.commands.deadline import command

VECTORS = list(csv.DictReader((Path(__file__).parents[1] / "rules" / "data" / "service-time.csv").open()))


def run(*arguments: str, language: str = "de") -> Result:
    return CliRunner().invoke(command, arguments, env={"TORWART_LANGUAGE": language, "COLUMNS": "120"})


@pytest.mark.requirement("T-2")
@pytest.mark.parametrize("row", VECTORS, ids=lambda row: row["start_local"])
def test_json_gives_the_vectors(row: dict[str, str]) -> None:
    """Local time in, local time out, as in the vectors; the steps add up and end at the due time."""
    answer = json.loads(run(row["start_local"], "--hours", "24", "--json").output)

    assert list(answer) == ["due", "steps"]
    assert answer["due"] == row["plus_24h_local"] == answer["steps"][-1]["to"]
    assert sum(step["hours"] for step in answer["steps"]) == 24


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("23.11.2026 08:00", "12", "2026-11-24T11:00"),
        ("3.1.2027 08:00", "1", "2027-01-04T09:00"),
        ("2026-11-23T07:00:00Z", "12", "2026-11-24T11:00"),
        ("2026-11-23T09:00:00+02:00", "12", "2026-11-24T11:00"),
        ("2026-11-23", "0,5", "2026-11-23T08:30"),
        ("2026-11-23T08:00:30", "1", "2026-11-23T09:00:30"),
        ("2027-03-28T02:30", "12", "2027-03-31T11:00"),
        ("2026-10-25T02:30", "12", "2026-10-27T11:00"),
    ],
)
def test_ways_to_write_a_time(start: str, hours: str, due: str) -> None:
    """ISO, German, with offset, date only, decimal comma, skipped and doubled readings of the clock."""
    assert json.loads(run(start, "--hours", hours, "--json").output)["due"] == due


def test_people_see_the_days_and_why_some_do_not_count() -> None:
    """The table names every counted stretch, what remains after it, and the reason of every closed day."""
    shown = run("2026-12-23T15:00", "--hours", "24").output

    assert "Fällig  Di 29.12.2026 12:00" in shown
    for text in ("1. Weihnachtstag", "2. Weihnachtstag", "Wochenende", "Do 24.12.2026", "in der Servicezeit"):
        assert text in shown
    english = run("2026-12-23T15:00", "--hours", "24", language="en").output
    assert "Due" in english
    assert "Christmas Day" in english


@pytest.mark.parametrize(
    ("start", "remark"),
    [
        ("2026-11-21T10:00", "runs from Mon 2026-11-23 08:00"),
        ("2027-03-28T02:30", "does not exist; taken as 03:30"),
        ("2026-10-25T02:30", "happens twice; the first is meant"),
    ],
)
def test_odd_starts_are_remarked(start: str, remark: str) -> None:
    """A start outside service hours, skipped or doubled by the clock change is said to be so."""
    assert remark in run(start, "--hours", "1", language="en").output


@pytest.mark.parametrize(
    ("start", "hours"),
    [
        ("gestern", "12"),
        ("31.02.2026 08:00", "12"),
        ("2026-11-23T08:00", "0"),
        ("2026-11-23T08:00", "-1"),
        ("2026-11-23T08:00", "nan"),
        ("2026-11-23T08:00", "inf"),
        ("2026-11-23T08:00", "viel"),
        ("1990-01-01T00:00", "1"),
        ("2026-11-23T08:00", "1e9"),
        ("9999-12-31T23:59", "1"),
        ("0001-01-01T00:00", "1"),
    ],
)
@pytest.mark.parametrize("language", ["de", "en"])
def test_bad_input_is_a_usage_error_that_shows_how(start: str, hours: str, language: str) -> None:
    """Exit code 2, one clear sentence, no traceback."""
    result = run(start, f"--hours={hours}", language=language)

    assert result.exit_code == 2
    assert "Error: " in result.output
    assert "Traceback" not in result.output
