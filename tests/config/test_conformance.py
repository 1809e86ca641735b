"""The requirement trace: every mark of the tests, and nothing else, stands in it."""

import re
from pathlib import Path

from torwart.config.conformance import Test, page, trace

SOURCE = '''
import pytest

pytestmark = [pytest.mark.requirement("O-8")]


@pytest.mark.requirement("T-2", "T-10")
@pytest.mark.parametrize("x", [1])
def test_one(x):
    """Half-open. So it
    counts.

    More words.
    """


@pytest.mark.requirement("T-3")
class TestMany:
    @pytest.mark.requirement(f"SIM-{fault.value}")
    async def test_two(self): ...

    def helper(self): ...


@pytest.mark.requirement("T-4")
def not_a_test(): ...
'''


def test_marks_of_functions_classes_and_modules_count(tmp_path: Path) -> None:
    """A test is found under each id it carries itself or by its class or module; helpers are not tests."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "test_it.py").write_text(SOURCE)
    one = Test("rules/test_it.py", "test_one", "Half-open. So it counts.")
    two = Test("rules/test_it.py", "test_two")

    found = trace(tmp_path)

    assert found == {"O-8": [one, two], "SIM-…": [two], "T-2": [one], "T-3": [two], "T-10": [one]}
    assert list(found) == ["O-8", "SIM-…", "T-2", "T-3", "T-10"]  # numbers by value


def test_the_page_groups_requirements_and_counts_tests_once() -> None:
    """Each requirement stands in one table, under the text it comes from; a process is none of the service's P-ids."""
    test = Test("a/test_a.py", "test_a", "A | b.")

    text = page({"P-1": [test], "P03": [test], "WAN-1.5": [test, Test("b/test_b.py", "test_b")]})

    assert "3 requirements, 2 tests" in text
    service, rest = text.split("## Processes (spec/02)")
    assert "| P-1 | `a/test_a.py::test_a` | A \\| b. |" in service
    assert "| P03 | `a/test_a.py::test_a` |" in rest
    assert "|  | `b/test_b.py::test_b` |  |" in rest


def test_the_real_marks_are_found() -> None:
    """The trace of this project knows requirements of the service and of the WAN, each with a test that exists."""
    tests = Path(__file__).parents[1]

    found = trace(tests)

    assert {"T-2", "WAN-1.4", "P03"} <= found.keys()
    assert all((tests / test.path).is_file() for protecting in found.values() for test in protecting)


SERVICE = {"P": 5, "T": 6, "C": 4, "S-MAIL": 4, "O": 10, "G": 15, "M": 4, "R": 4}
"""How many requirements of each kind the service has (spec/01)."""


def test_what_has_no_test_is_listed() -> None:
    """The page of gaps names every requirement of the service without a test, and none that has one."""
    here = Path(__file__).parents[1]
    asked = {f"{kind}-{number}" for kind, most in SERVICE.items() for number in range(1, most + 1)}
    text = (here.parent / "docs" / "conformance" / "README.md").read_text(encoding="utf-8")
    gaps = text.partition("## Requirements of the service without a test")[2]

    assert set(re.findall(r"(?m)^\| ([A-Z-]+-\d+) \|", gaps)) == asked - trace(here).keys()
