"""``torwart bench deadline``: the agreement it states, and the command around it."""

import json
from dataclasses import fields

import pytest
from click.testing import CliRunner

from torwart.config.bench.harness import Result
from torwart.config.commands.bench import command, names


@pytest.mark.requirement("PERF-deadline")
def test_rules_and_oracle_agree_on_100_000_inputs() -> None:
    """The benchmark's own check: equal results on all random inputs (its speed is not a test)."""
    result = CliRunner().invoke(command, ["deadline", "--json"])
    speed, agreement = json.loads(result.stdout)

    assert agreement["value"] == agreement["floor"] == 100_000
    assert speed["ratio"] > 1
    assert result.exit_code == (0 if speed["reached"] and agreement["reached"] else 1)
    assert set(speed) == {field.name for field in fields(Result)}


def test_an_unknown_benchmark_is_a_usage_error() -> None:
    """The message names the benchmarks there are; what they share is none of them."""
    result = CliRunner().invoke(command, ["speed-of-light"])

    assert result.exit_code == 2
    assert "deadline" in result.output
    assert "harness" not in names()
