"""The present is read in one place."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

import torwart
from torwart.services import present
from torwart.store.models import SandboxTime

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


@override_settings(TORWART_SANDBOX=True)
def test_service_time_is_ahead_as_told_and_asked_for_at_most_once_a_second(db: None) -> None:
    """A row says how far; what is read is remembered, and without a row there is nothing ahead."""
    present.forget()
    assert present.ahead() == timedelta()
    SandboxTime.objects.create(ahead=timedelta(days=3), moved_at=present.real())
    assert present.ahead() == timedelta()
    present.forget()
    with CaptureQueriesContext(connection) as seen:
        assert timedelta(days=3) <= present.now() - datetime.now(UTC) + timedelta(seconds=1)
        assert present.ahead() == timedelta(days=3)
    assert len(seen) == 1
    present.forget()


def test_without_a_sandbox_nothing_is_asked(db: None) -> None:
    """Pages and verbs pay nothing for it, and a row that should not be there moves nothing."""
    SandboxTime.objects.create(ahead=timedelta(days=3), moved_at=present.real())
    with CaptureQueriesContext(connection) as seen:
        assert present.now() - datetime.now(UTC) < timedelta(seconds=1)
        assert present.ahead() == timedelta()
    assert len(seen) == 0
