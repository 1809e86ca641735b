"""The closed list of refusals: every kind complete in both languages, named once, and used."""

import importlib
import pkgutil
import re
from pathlib import Path
from string import Formatter

import pytest

import torwart
from torwart.kernel import refusals
from torwart.kernel.refusals import KINDS, Kind, Refusal, Retry, Side
from torwart.kernel.words import Words

MODULES = [importlib.import_module(f"{refusals.__name__}.{m.name}") for m in pkgutil.iter_modules(refusals.__path__)]
DEFINED = [
    pytest.param(kind, f"{module.__name__.rpartition('.')[2]}", name, id=kind.code)
    for module in MODULES
    for name, kind in vars(module).items()
    if isinstance(kind, Kind)
]
every_kind = pytest.mark.parametrize(("kind", "module", "name"), DEFINED)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@every_kind
def test_both_languages_say_the_same(kind: Kind, module: str, name: str) -> None:
    """Each text is a sentence in both languages with the same details (words of a language end in its name)."""
    german, english = (
        {f.removesuffix(f"_{language}") for f in fields(text)}
        for language, text in (("de", kind.words.de), ("en", kind.words.en))
    )

    assert german == english
    assert kind.words.de != kind.words.en
    assert len(kind.words.de) > 15
    assert len(kind.words.en) > 15


@every_kind
def test_codes_are_dotted_lower_case(kind: Kind, module: str, name: str) -> None:
    """Codes are stable names for programs: subject, dot, what is wrong."""
    assert re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", kind.code)
    assert name.isupper()
    assert kind.source


@every_kind
def test_a_kind_fills_its_text(kind: Kind, module: str, name: str) -> None:
    """With its details given, the text has no open field left."""
    details = dict.fromkeys(fields(kind.words.de) | fields(kind.words.en), "…")
    refusal = kind(**details)

    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.side) == (kind.code, kind.side)
    assert not fields(refusal.text("de")) | fields(refusal.text("en"))
    assert kind.code in str(refusal)


def test_the_list_is_complete_and_used() -> None:
    """Every kind that exists is defined in a module of the list, and every one is raised somewhere."""
    assert {param.values[0].code for param in DEFINED} == set(KINDS)
    source = Path(torwart.__file__).parent
    text = "\n".join(path.read_text() for path in source.rglob("*.py") if path.parent != source / "kernel" / "refusals")
    words = set(re.findall(r"[A-Z][A-Z0-9_]+", text))
    assert sorted({param.values[2] for param in DEFINED} - words) == []


def test_a_code_cannot_be_defined_twice() -> None:
    """The second kind with a code of the list fails when its module is imported."""
    with pytest.raises(ValueError, match="twice"):
        Kind("identifier.empty", Words("x", "x"), Side.OURS, Retry.NEVER, "")
