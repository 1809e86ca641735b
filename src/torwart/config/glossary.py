"""``python -m torwart.config.glossary``: the words of glossary.toml against the words of the code (design, Words).

A glossary word counts as used when it stands, word by word, inside some identifier: ``delivery_note`` in
``DeliveryNote`` or ``import_delivery_note``. Exit code 1 with one line per finding when a word is missing, doubled
or incomplete, or when the code says a forbidden one.
"""

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torwart

_REQUIRED = ("term_de", "identifier", "definition_de", "source")
_OPTIONAL = ("not_to_confuse_with", "planned")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NAMED = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

Names = dict[str, str]
"""Identifier as lower-case words joined by ``_`` → a module where it stands."""


def main(argv: list[str] | None = None) -> int:
    """Check ``glossary.toml`` (or the file named) against the package; 0 when all is well, else 1."""
    package = Path(torwart.__file__).parent
    given = (sys.argv[1:] if argv is None else argv) or [str(package.parents[1] / "glossary.toml")]
    glossary = tomllib.loads(Path(given[0]).read_text(encoding="utf-8"))
    findings = check(glossary, list(identifiers(package)))
    for finding in findings:
        print(f"glossary: {finding}", file=sys.stderr)
    if not findings:
        words = glossary["word"]
        print(f"glossary: {len(words)} words, {sum(bool(w.get('planned')) for w in words)} of them for parts to come")
    return 1 if findings else 0


def check(glossary: dict[str, Any], code: list[tuple[str, str]]) -> list[str]:
    """All findings as sentences. ``code``: pairs of module and identifier as ``identifiers`` gives them."""
    words, forbidden = glossary.get("word", []), glossary.get("forbidden", [])
    complete = [word for word in words if all(word.get(key) for key in _REQUIRED)]
    return [
        *_incomplete(words),
        *_doubled(complete),
        *_unused(complete, {name for _, name in code}),
        *_said(forbidden, code),
    ]


def identifiers(package: Path) -> Iterator[tuple[str, str]]:
    """Every identifier of the package with its module: names of modules, classes, functions, arguments, attributes."""
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        module = ".".join(parts)
        found = {parts[-1] if parts[-1] != "__init__" else parts[-2]}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found.update(_names(node))
        yield from ((module, snake(name)) for name in sorted(found))


def snake(name: str) -> str:
    """An identifier as lower-case words joined by ``_``: ``DeliveryNote``, ``DELIVERY_NOTE`` → ``delivery_note``."""
    return _CAMEL.sub("_", name).lower().strip("_")


def says(name: str, word: str) -> bool:
    """Whether ``word`` stands in ``name`` as whole words; a plural ``s`` at its end is the same word."""
    return f"_{word}_" in f"_{name}_" or f"_{word}s_" in f"_{name}_"


def _names(node: ast.AST) -> Iterable[str]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return (name,)
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
            return (name,)
        case ast.alias(asname=str(name)):
            return (name,)
    return ()


def _incomplete(words: list[dict[str, Any]]) -> Iterator[str]:
    for word in words:
        name = word.get("term_de") or word.get("identifier") or "a word"
        for key in _REQUIRED:
            if not word.get(key):
                yield f"„{name}“ has no {key}."
        for key in set(word) - {*_REQUIRED, *_OPTIONAL}:
            yield f"„{name}“ has an unknown field {key}."
        if word.get("identifier") and not _NAMED.fullmatch(word["identifier"]):
            yield f"„{name}“: {word['identifier']} is no lower-case identifier."


def _doubled(words: list[dict[str, Any]]) -> Iterator[str]:
    for key in ("term_de", "identifier"):
        for value, count in Counter(word[key] for word in words).items():
            if count > 1:
                yield f"{key} {value} stands {count} times; one word, one meaning."


def _unused(words: list[dict[str, Any]], names: set[str]) -> Iterator[str]:
    for word in words:
        if not word.get("planned") and not any(says(name, word["identifier"]) for name in names):
            yield (
                f"{word['identifier']} („{word['term_de']}“) occurs in no identifier of the code. "
                "Use it there, correct it here, or mark it planned = true."
            )


def _said(forbidden: list[dict[str, Any]], code: list[tuple[str, str]]) -> Iterator[str]:
    for entry in forbidden:
        allowed = tuple(entry.get("allowed_in", ()))
        for module, name in code:
            if says(name, entry["word"]) and not module.startswith(allowed or ("-",)):
                yield f"{module} says {name}; the word is {entry['use']}, not {entry['word']}."


if __name__ == "__main__":
    sys.exit(main())
