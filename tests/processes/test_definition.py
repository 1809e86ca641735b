"""The catalogue: one definition per process, from which forms and checks come; wrong fields are named."""

import pytest

from torwart.kernel.identifiers import MaLoId, MeLoId
from torwart.kernel.refusals import Refusal
from torwart.processes.definition import catalogue, process

GOOD = {
    "gateway": "E PPC 02 00000001",
    "meters": ["1EMH0000000001"],
    "melo": MeLoId.parse(f"DE00036056068{1:020d}"),
    "malos": [MaLoId.complete("5123869678")],
    "address": "Musterweg 1,  56068 Koblenz",
    "install_at": "2026-11-24T09:30+01:00",
    "technician": "Erika Muster",
    "technician_phone": "+49 261 123456",
    "wan_type": "LTE",
    "tafs": ["7"],
    "emts": ["Stadtwerk"],
    "han": "no",
}


def test_every_process_of_the_catalogue_is_complete() -> None:
    """Code and name are unique; every field and step has words in both languages and an example that it takes."""
    found = catalogue()

    assert list(found) == [p.name for p in sorted(found.values(), key=lambda p: p.code)]
    assert len({p.code for p in found.values()}) == len(found)
    for each in found.values():
        for field in each.fields:
            assert all((field.label.de, field.label.en, field.help.de, field.help.en)), (each.name, field.name)
            assert field.check([field.example] if field.many else field.example)
        names = [step.name for step in each.steps]
        assert len(set(names)) == len(names)
        assert [each.position(name) for name in names] == list(range(1, len(names) + 1))
        assert all(each.step_words(name).de and each.step_words(name).en for name in names)
        assert each.subject_field in {"", *(field.name for field in each.fields)}
        assert {field.section for field in each.fields} == {section.name for section in each.sections}
        if each.over_form:
            assert all((each.about.de, each.about.en, each.duration.de, each.duration.en, each.needs))


@pytest.mark.requirement("O-1")
def test_fields_come_out_in_canonical_form() -> None:
    """What was typed with spaces is stored as one form; what is optional and left out is empty."""
    checked = process("commissioning").check(GOOD)

    assert (checked["gateway"], checked["address"]) == ("EPPC0200000001", "Musterweg 1, 56068 Koblenz")
    assert checked["wan_address"] == ""
    assert process("commissioning").check(checked) == checked


@pytest.mark.requirement("O-5")
def test_all_wrong_fields_are_told_at_once() -> None:
    """A form shows every error beside its field, and keeps what was right in canonical form."""
    examined = process("commissioning").examine({**GOOD, "melo": "DE1", "tafs": [], "malos": ["1"]})

    assert set(examined.errors) == {"melo", "tafs", "malos"}
    assert examined.fields["gateway"] == "EPPC0200000001"
    assert not examined.good


def test_a_time_as_people_write_it_is_berlin_time() -> None:
    """Without an offset the wall clock in Berlin is meant; the check page shows it the same way."""
    field = process("commissioning").field("install_at")

    assert field.check("24.11.2026 09:30") == "2026-11-24T09:30:00+01:00"
    assert field.shown(field.check("2026-07-01T09:30")) == "01.07.2026 09:30"


@pytest.mark.requirement("O-5")
@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("malos", ["51238696780"], "identifier."),
        ("gateway", "1EMH0012345678", "process.field_invalid"),
        ("gateway", "EPPC02", "identifier."),
        ("meters", [], "process.field_missing"),
        ("melo", "", "process.field_missing"),
        ("melo", "DE123", "identifier."),
        ("install_at", "morgen", "process.field_invalid"),
        ("install_at", "24.11.", "process.field_invalid"),
        ("technician_phone", "anrufen!", "process.field_invalid"),
        ("wan_type", "Brieftaube", "process.field_invalid"),
        ("wan_address", "10.20.30.40", "process.field_invalid"),
        ("wan_address", "10.20.30.40:0", "process.field_invalid"),
        ("wan_address", "10.20.30.40:65536", "process.field_invalid"),
        ("tafs", ["99"], "process.field_invalid"),
        ("address", "x" * 201, "process.field_invalid"),
        ("address", "Haus\x00", "process.field_invalid"),
        ("han", "vielleicht", "process.field_invalid"),
        ("farbe", "rot", "process.field_unknown"),
    ],
)
def test_a_wrong_field_is_refused_by_name(field: str, value: object, code: str) -> None:
    """The refusal names what is wrong, in both languages, and tells what is expected."""
    with pytest.raises(Refusal) as refused:
        process("commissioning").check({**GOOD, field: value})

    assert refused.value.code.startswith(code), refused.value.code
    given = value[0] if isinstance(value, list) and value else value
    label = next((each.label for each in process("commissioning").fields if each.name == field), None)
    named = (label.de if label else field, str(given)[:40])
    assert any(name and name in refused.value.text(language) for name in named for language in ("de", "en"))


@pytest.mark.requirement("O-5")
def test_a_wrong_check_digit_says_which_one_fits() -> None:
    """A mistyped market location is told with the digit it should end with."""
    right = MaLoId.complete("5123869678")
    wrong = right[:-1] + str((int(right[-1]) + 1) % 10)
    with pytest.raises(Refusal) as refused:
        process("commissioning").check({**GOOD, "malos": [wrong]})

    assert right[-1] in refused.value.text("de")


def test_an_unknown_process_is_refused_with_the_known_ones() -> None:
    """Who mistypes a process reads what there is."""
    with pytest.raises(Refusal) as refused:
        process("comissioning")

    assert (refused.value.code, "commissioning" in refused.value.text("en")) == ("process.unknown", True)
