"""The glossary: it fits the code, and the check finds every way in which it would not."""

import re
from pathlib import Path

import pytest

import torwart
from torwart.config.glossary import check, identifiers, main, says, snake

WORD = {
    "term_de": "Lieferschein",
    "identifier": "delivery_note",
    "definition_de": "Liste gelieferter Geräte.",
    "source": "KL 4.2.2",
}
CODE = [("torwart.store.delivery", "import_delivery_notes"), ("torwart.wire.els", "lieferschein")]


def test_the_glossary_fits_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    """Every word of glossary.toml is said by the code, and no forbidden one is."""
    assert main([]) == 0, capsys.readouterr().err


def test_findings_end_with_code_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A word the code does not know is one clear line on stderr and exit code 1."""
    glossary = tmp_path / "glossary.toml"
    glossary.write_text(
        '[[word]]\nterm_de = "Einhorn"\nidentifier = "unicorn"\ndefinition_de = "Fabeltier."\nsource = "(ours)"\n'
    )

    assert main([str(glossary)]) == 1
    assert "unicorn („Einhorn“) occurs in no identifier" in capsys.readouterr().err


def test_a_complete_and_used_word_is_well() -> None:
    """Plural and surrounding words do not matter."""
    assert check({"word": [WORD]}, CODE) == []


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        ([{**WORD, "identifier": "note_of_delivery"}], "occurs in no identifier"),
        ([{**WORD, "definition_de": ""}], "has no definition_de"),
        ([{k: v for k, v in WORD.items() if k != "source"}], "has no source"),
        ([{**WORD, "colour": "red"}], "unknown field colour"),
        ([{**WORD, "identifier": "DeliveryNote"}], "no lower-case identifier"),
        ([WORD, {**WORD, "term_de": "eLS"}], "identifier delivery_note stands 2 times"),
        ([WORD, {**WORD, "identifier": "delivery"}], "term_de Lieferschein stands 2 times"),
    ],
)
def test_what_is_wrong_is_said(words: list[dict[str, str]], finding: str) -> None:
    """Unused, incomplete, unknown, ill-formed and doubled entries are findings."""
    assert any(finding in each for each in check({"word": words}, CODE))


def test_a_planned_word_may_be_missing() -> None:
    """A part of the house still to come does not fail the check."""
    assert check({"word": [{**WORD, "identifier": "unicorn", "planned": True}]}, CODE) == []


def test_second_names_are_found_except_where_allowed() -> None:
    """A forbidden word is found with its module and the right word; an allowed module may say it."""
    entry = {"word": "lieferschein", "use": "delivery_note"}

    found = check({"forbidden": [entry]}, CODE)
    assert found == ["torwart.wire.els says lieferschein; the word is delivery_note, not lieferschein."]
    assert check({"forbidden": [{**entry, "allowed_in": ["torwart.wire.els"]}]}, CODE) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DeliveryNote", "delivery_note"),
        ("DELIVERY_NOTE", "delivery_note"),
        ("_delivery_note", "delivery_note"),
        ("EMTCertificate", "emt_certificate"),
        ("DeviceId", "device_id"),
        ("sub_ca", "sub_ca"),
    ],
)
def test_identifiers_become_words(name: str, expected: str) -> None:
    """Classes, constants and functions are compared in one form."""
    assert snake(name) == expected


def test_words_match_whole() -> None:
    """``order`` is in ``order_form`` and ``orders``, not in ``border``."""
    assert [says(name, "order") for name in ("order_form", "place_orders", "border", "ordering")] == [
        True,
        True,
        False,
        False,
    ]


def test_the_scan_sees_every_kind_of_name() -> None:
    """Modules, classes, functions, arguments, attributes and constants are all code words."""
    found = {name for module, name in identifiers(Path(torwart.__file__).parent) if module.startswith("torwart.kernel")}

    assert {"gateway_state", "state_table", "is_final", "initial", "moves", "gateway_verb", "retire"} <= found


def test_secure_mail_has_one_name() -> None:
    """People read „gesicherte Mail" everywhere: on pages, in mails and in the manuals."""
    source = Path(torwart.__file__).parent
    manuals = source.parents[1] / "docs"
    found = [*source.rglob("*.py"), *source.rglob("*.html"), *(manuals / "user").rglob("*.md")]
    assert len(found) > 300
    assert not [path for path in found if re.search(r"\b[Ss]ichere[nrms]? (E-)?Mail", path.read_text("utf-8"))]
