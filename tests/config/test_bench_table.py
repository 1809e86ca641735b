"""The benchmarks' results as Markdown."""

import json
from pathlib import Path

import pytest

from torwart.config.bench.harness import Result
from torwart.config.bench_table import main, table

GOOD = Result("cms", "2 KiB | brainpool", 1234.5, "/s", 1500.0, "raw EC operations", 0.9123, ">= 0.87", True, 0.04)
BAD = Result("held", "5,000 idle", 52.25, "KiB", 40.0, "nginx", 1.31, "<= 45 KiB", False, 0.0)


def test_a_row_says_what_was_measured_and_whether_it_is_enough() -> None:
    """Value, floor with its meaning, ratio, target and verdict stand in one row; a bar in a text is escaped."""
    heading, rule, good, bad = table([GOOD, BAD])

    assert heading.count("|") == rule.count("|") == 9
    assert good == (
        "| `cms` | 2 KiB \\| brainpool | 1,234 /s | 1,500 (raw EC operations) | 0.912 | >= 0.87 | ± 2% | reached |"
    )
    assert bad == "| `held` | 5,000 idle | 52.2 KiB | 40 (nginx) | 1.31 | <= 45 KiB | ± 0% | **missed** |"


def test_what_torwart_bench_writes_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON of ``torwart bench --json`` becomes machine and table; a wrong call says how."""
    path = tmp_path / "bench.json"
    path.write_text(json.dumps([GOOD.as_json(), BAD.as_json()]))

    assert main([str(path)]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith("\n".join(table([GOOD, BAD])) + "\n")
    assert "Python 3." in printed.splitlines()[1]
    assert main([]) == 2
