"""What stories, map and threat model name in code type exists: files, functions, classes, words."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "torwart"
PAGES = [ROOT / "MAP.md", ROOT / "THREAT_MODEL.md", *sorted((ROOT / "docs" / "story").glob("*.md"))]
_FENCE = re.compile(r"```.*?```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"([\w./-]*/[\w./-]*|[\w-]+\.\w+)(?:: (.+))?")
"""A path with a slash, or a file beside the page; behind a colon what is in it."""
_FILE = re.compile(r"\.(py|sql|md|toml|xsd|css|conf|html)$")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


@cache
def source() -> str:
    """All our Python and SQL as one text."""
    files = [path for kind in ("*.py", "*.sql") for path in SOURCE.rglob(kind)]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def _defined(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield node.name
            yield from (f"{node.name}.{name}" for name in _defined(node.body))
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)


@cache
def names(path: Path) -> frozenset[str]:
    """What a module defines or offers: functions, classes, their methods and attributes, constants."""
    return frozenset(_defined(ast.parse(path.read_text(encoding="utf-8")).body))


@cache
def everywhere() -> frozenset[str]:
    """``Class.method`` and ``module.function`` of the whole package."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        own = names(path)
        found |= own | {f"{path.stem}.{name}" for name in own}
    return frozenset(found)


def located(name: str, page: Path) -> Path | None:
    """The file or folder of that name: below the package, the repository, or beside the page."""
    fitting = [base / name for base in (SOURCE, ROOT, page.parent) if (base / name).exists()]
    return fitting[0] if fitting else None


def wrong(token: str, page: Path) -> str:
    """Why what stands in code type is not so, or nothing."""
    path = _PATH.fullmatch(token)
    if path is not None and ("/" in path[1] or _FILE.search(path[1])) and "<" not in token:
        place = located(path[1], page)
        if place is None:
            return f"{token}: no such file"
        module = place / "__init__.py" if place.is_dir() else place
        named = [name.strip(" `") for name in (path[2] or "").split(",") if name.strip()]
        missing = [name for name in named if name not in names(module)]
        return f"{token}: no {missing}" if missing else ""
    if _DOTTED.fullmatch(token) and token not in everywhere():
        known = re.search(rf"(?<!\w){re.escape(token)}(?!\w)", source())
        return "" if known else f"{token}: nowhere in the code"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_exists(page: Path) -> None:
    """A file that was moved or a function that was renamed is found here, not by the reader."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    tokens = [token for token in _CODE.findall(text) if "*" not in token and "…" not in token]

    assert tokens
    assert [why for token in tokens if (why := wrong(token, page))] == []


@pytest.mark.parametrize(
    "token",
    ["services/nowhere.py", "services/order.py: never", "Telling.never", "order.never", "no_such_word", "never/"],
)
def test_what_does_not_exist_is_noticed(token: str) -> None:
    """The test above can fail in each of its ways."""
    assert wrong(token, PAGES[0]) != ""


def test_links_of_the_pages_lead_somewhere() -> None:
    """Every relative link of the documents names a file."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []
