"""``python -m torwart.config.conformance > docs/conformance/trace.md``: which tests protect which requirement.

The marks ``@pytest.mark.requirement("T-2", …)`` are read from the source of the tests; no test is imported or run. A
mark at a class or in a module's ``pytestmark`` counts for every test in it.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torwart

_HEAD = """# Trace: requirement → tests

Written by `python -m torwart.config.conformance > docs/conformance/trace.md` from the marks on the tests; what the
ids mean: [README.md](README.md). {requirements} requirements, {tests} tests that name one.
"""
_GROUPS: tuple[tuple[str, str], ...] = (
    ("The service (spec/01)", r"(P|T|C|O|G|M|S-MAIL|R)-\d.*"),
    ("Customer guide", r"KL-.*"),
    ("Processes (spec/02)", r"P\d\d"),
    ("WAN protocol, cryptography, SM-PKI (spec/04)", r"WAN-.*"),
    ("Key lifecycle (KLSR)", r"KLSR-.*"),
    ("Faults (spec/08)", r"SIM-.*"),
    ("Benchmarks (spec/10)", r"PERF-.*"),
    ("Others", r".*"),
)
_FILLED = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True, order=True)
class Test:
    """One test function. ``path``: of its file below ``tests/``; ``truth``: the first sentence of its docstring."""

    __test__ = False  # pytest must not take this class for a test

    path: str
    name: str
    truth: str = ""


def trace(tests: Path) -> Mapping[str, list[Test]]:
    """Requirement id → the tests that name it, in the order of files; ids a test makes up as it runs show as ``…``."""
    found: dict[str, set[Test]] = defaultdict(set)
    for path in sorted(tests.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for requirement, function in _marked(tree.body, _ids(_pytestmark(tree.body))):
            truth = (ast.get_docstring(function) or "").split("\n\n")[0].replace("\n", " ")
            found[requirement].add(Test(path.relative_to(tests).as_posix(), function.name, truth))
    return {requirement: sorted(found[requirement]) for requirement in sorted(found, key=_natural)}


def page(found: Mapping[str, list[Test]]) -> str:
    """The trace as Markdown: a table per group of requirements."""
    marked = {(test.path, test.name) for tests in found.values() for test in tests}
    parts = [_HEAD.format(requirements=len(found), tests=len(marked))]
    left = dict(found)
    for title, pattern in _GROUPS:
        chosen = {name: left.pop(name) for name in list(left) if re.fullmatch(pattern, name)}
        if chosen:
            parts.append("\n".join([f"## {title}\n", *_rows(chosen), ""]))
    return "\n".join(parts)


def _rows(chosen: Mapping[str, list[Test]]) -> Iterator[str]:
    yield "| requirement | protected by | truth |"
    yield "|---|---|---|"
    for requirement, tests in chosen.items():
        for number, test in enumerate(tests):
            truth = test.truth.replace("|", "\\|")
            yield f"| {'' if number else requirement} | `{test.path}::{test.name}` | {truth} |"


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _marked(body: Iterable[ast.stmt], inherited: frozenset[str]) -> Iterator[tuple[str, Function]]:
    """(requirement, test) for every test in ``body``, classes included; ``inherited`` counts for all of them."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            own = _ids(node.decorator_list) | _ids(_pytestmark(node.body))
            yield from _marked(node.body, inherited | own)
        elif isinstance(node, Function) and node.name.startswith("test"):
            yield from ((requirement, node) for requirement in inherited | _ids(node.decorator_list))


def _pytestmark(body: Iterable[ast.stmt]) -> list[ast.expr]:
    return [
        node.value
        for node in body
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets)
    ]


def _ids(nodes: Iterable[ast.expr]) -> frozenset[str]:
    """What ``pytest.mark.requirement(…)`` calls anywhere in these expressions name."""
    calls = (call for node in nodes for call in ast.walk(node) if isinstance(call, ast.Call))
    named = (call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "requirement")
    return frozenset(_text(argument) for call in named for argument in call.args)


def _text(argument: ast.expr) -> str:
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    return _FILLED.sub("…", ast.unparse(argument).removeprefix("f").strip("'\""))


def _natural(requirement: str) -> tuple[tuple[bool, int, str], ...]:
    """Sort key: numbers by value, so that WAN-1.10 follows WAN-1.9."""
    pieces = re.findall(r"\d+|\D+", requirement)
    return tuple((piece.isdigit(), int(piece) if piece.isdigit() else 0, piece) for piece in pieces)


def main() -> int:
    """Print the page for the tests beside this source tree."""
    tests = Path(torwart.__file__).parents[2] / "tests"
    sys.stdout.write(page(trace(tests)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
