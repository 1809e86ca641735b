"""The present is read in one place."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import torwart
from torwart.services import present

_ROOT = Path(torwart.__file__).parent
_READERS = {"now", "utcnow", "today", "localtime", "localdate"}
_CLOCKS = {"timezone", "datetime", "date"}
_FLOORS = ("faces", "services", "processes", "store", "adapters/webhook_out.py")


def _reads(text: str) -> Iterator[str]:
    """Calls such as ``timezone.now()``, ``datetime.now(…)``, ``date.today()``, ``time.time()``; ``localdate(at)`` with
    an instant reads nothing.
    """
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner, called = node.func.value, node.func.attr
        name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
        converts = called in ("localtime", "localdate") and bool(node.args)
        if (name in _CLOCKS and called in _READERS and not converts) or (name, called) == ("time", "time"):
            yield f"{node.lineno} {name}.{called}"


def _files() -> Iterator[Path]:
    for floor in _FLOORS:
        found = _ROOT / floor
        yield from [found] if found.is_file() else sorted(found.rglob("*.py"))


def test_read_in_one_place() -> None:
    """No face, verb, story or query reads a clock of its own: it would miss that time has been moved."""
    others = [path for path in _files() if path != Path(present.__file__)]
    assert [f"{path}:{each}" for path in others for each in _reads(path.read_text())] == []


def test_the_search_finds() -> None:
    """The search above finds what it is there for, and nothing else."""
    text = "timezone.now()\ndatetime.datetime.now(UTC)\ndate.today()\ntime.time()\ntimezone.localdate()\n"
    assert len([*_reads(text)]) == 5
    assert [*_reads("timezone.localdate(at)\npresent.now()\ntime.monotonic()\n")] == []


def test_the_present_of_an_installation_without_a_sandbox() -> None:
    """Service time is the machine's, to the moment and in UTC."""
    before = datetime.now(UTC)
    assert before <= present.now() <= before + timedelta(seconds=5)
    assert present.now().tzinfo is UTC
