"""Fields Django lacks, and errors that say what to do."""

from datetime import UTC, date, datetime

import pytest
from django import forms
from django.utils import translation

from torwart.faces._design.forms import DateField, Form, LinesField, MomentField, YesNoField
from torwart.faces._design.language import t


class Sample(Form):
    name = forms.CharField(label=t("Zählernummer", "Meter number"))
    place = forms.ChoiceField(label=t("Einbauort", "Place"), choices=[("a", "A")], widget=forms.RadioSelect)
    at = MomentField(label=t("Wunschtermin", "Requested time"))
    sure = forms.BooleanField(label=t("Geprüft", "Checked"))


def moment(day: str, time: str) -> object:
    return MomentField().clean([day, time])


def test_a_moment_is_an_instant_of_berlin() -> None:
    """Typed in either manner."""
    assert moment("2026-07-01", "09:30") == datetime(2026, 7, 1, 7, 30, tzinfo=UTC)
    assert moment("01.12.2026", "9.30") == datetime(2026, 12, 1, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "time", "says"),
    [
        ("2026-03-29", "02:30", "nicht genau einmal"),  # the clock skips from 2 to 3
        ("2026-10-25", "02:30", "nicht genau einmal"),  # it shows 2:30 twice
        ("2026-07-01", "", "Tag und Uhrzeit"),
        ("31.02.2026", "09:00", "Geben Sie ein Datum ein"),
        ("2026-07-01", "25:00", "Geben Sie eine Uhrzeit ein"),
    ],
)
def test_a_moment_that_is_none_is_refused_with_the_remedy(day: str, time: str, says: str) -> None:
    """Also the hours the clock change skips or repeats."""
    with pytest.raises(forms.ValidationError) as caught, translation.override("de"):
        moment(day, time)
    with translation.override("de"):
        assert says in " ".join(map(str, caught.value.messages))


def test_lines_become_a_list_without_blanks_and_repetitions() -> None:
    assert LinesField().clean(" a \n\nb\r\na ") == ["a", "b"]


def test_yes_and_no_are_both_answers() -> None:
    """And neither is chosen beforehand."""
    field = YesNoField(required=False)
    assert [field.clean(value) for value in ("yes", "no", "")] == [True, False, None]
    assert "checked" not in str(Sample()["place"])


def test_a_day_is_typed_in_either_manner_and_shown_again_as_typed() -> None:
    """A browser's date input would drop what is no day; so it becomes a text input."""
    assert DateField().clean("24.11.2026") == DateField().clean("2026-11-24") == date(2026, 11, 24)
    form = forms.Form({"day": "31.02.2026"})
    form.fields["day"] = DateField()
    assert 'type="text"' in str(form["day"])
    assert 'value="31.02.2026"' in str(form["day"])


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "de",
            [
                "Füllen Sie das Feld „Zählernummer“ aus.",
                "Wählen Sie bei „Einbauort“ etwas aus.",
                "Füllen Sie das Feld „Wunschtermin“ aus.",
                "Setzen Sie das Häkchen bei „Geprüft“.",
            ],
        ),
        (
            "en",
            [
                "Fill in the field “Meter number”.",
                "Choose something for “Place”.",
                "Fill in the field “Requested time”.",
                "Tick “Checked”.",
            ],
        ),
    ],
)
def test_the_summary_names_every_error_in_the_order_of_the_form(language: str, expected: list[str]) -> None:
    """In the language in which it is shown, not in that of the check."""
    form = Sample({})
    form.is_valid()
    with translation.override(language):
        assert [error.text for error in form.summary()] == expected
    assert [error.field.name for error in form.summary() if error.field] == ["name", "place", "at", "sure"]
