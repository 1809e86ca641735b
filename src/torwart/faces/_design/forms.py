"""Forms in our manner: labels and errors in both languages, errors that say what to do, a summary that leads to them.

``class Call(Form): caller = forms.CharField(label=t("Anrufer", "Caller"))`` – everything of ``django.forms`` works;
fields that Django lacks stand here. ``<c-field :field="form.caller" />`` draws any of them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from torwart.faces._design.language import t

_REQUIRED = t("Füllen Sie das Feld „{label}“ aus.", "Fill in the field “{label}”.")
_CHOOSE = t("Wählen Sie bei „{label}“ etwas aus.", "Choose something for “{label}”.")
_TICK = t("Setzen Sie das Häkchen bei „{label}“.", "Tick “{label}”.")
_FILE = t("Wählen Sie bei „{label}“ eine Datei aus.", "Choose a file for “{label}”.")


_MISSING: tuple[tuple[type[forms.Field], Any], ...] = (
    (forms.ChoiceField, _CHOOSE),
    (forms.BooleanField, _TICK),
    (forms.FileField, _FILE),
)


@dataclass(frozen=True, slots=True)
class FormError:
    """One line of the error summary: the text, and the bound field it leads to (``None``: the whole form)."""

    text: str
    field: forms.BoundField | None


class OurManner:
    """What our forms add; a mix-in, so that forms of others (allauth's) get it too."""

    fields: dict[str, forms.Field]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.retitle()

    def retitle(self) -> None:
        """Make the errors speak of the fields' labels; to be called again where labels change later."""
        for field in self.fields.values():
            _say_what_is_missing(field)

    def summary(self: Any) -> list[FormError]:
        """All errors in the order of the form, those of the whole form first."""
        whole = [FormError(str(text), None) for text in self.non_field_errors()]
        return whole + [FormError(str(text), bound) for bound in self for text in bound.errors]


class Form(OurManner, forms.Form):
    """A form of ours."""


def _say_what_is_missing(field: forms.Field) -> None:
    now = field.error_messages.get("required")
    if not field.required or not isinstance(now, Missing | type(forms.Field.default_error_messages["required"])):
        return
    text = next((text for cls, text in _MISSING if isinstance(field, cls)), _REQUIRED)
    messages: dict[str, Any] = field.error_messages
    messages["required"] = Missing(text, field.label or "")


class Missing:
    """„Füllen Sie das Feld … aus“, in the language in which it is shown."""

    def __init__(self, text: Any, label: Any) -> None:
        self.text, self.label = text, label

    def __str__(self) -> str:
        return str(self.text).format(label=self.label)


class LinesWidget(forms.Textarea):
    """Several values, one a line."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"rows": 4, "spellcheck": "false", "autocapitalize": "off"} | (attrs or {}))

    def format_value(self, value: Any) -> str | None:
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else super().format_value(value)


class LinesField(forms.CharField):
    """Several values, one a line: cleans to a list without blanks and repetitions."""

    widget = LinesWidget

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        return list(dict.fromkeys(filter(None, (line.strip() for line in text.splitlines()))))


class YesNoField(forms.TypedChoiceField):
    """Yes or no, neither chosen beforehand; cleans to ``bool`` (or ``None`` where it is optional and left open)."""

    widget = forms.RadioSelect

    def __init__(self, **named: Any) -> None:
        choices = (("yes", t("Ja", "Yes")), ("no", t("Nein", "No")))
        super().__init__(choices=choices, coerce=lambda value: value == "yes", empty_value=None, **named)

    def prepare_value(self, value: Any) -> Any:
        return {True: "yes", False: "no"}.get(value, value)


class DateInput(forms.DateInput):
    """A day, chosen with what the browser offers, typed where it offers nothing."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """What is no day is shown as it was typed, which a browser's date input would not do."""
        context = super().get_context(name, value, attrs)
        shown = context["widget"]["value"]
        if shown and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", shown):
            context["widget"]["type"] = "text"
        return context


class DateField(forms.DateField):
    """A day: ``YYYY-MM-DD`` or ``DD.MM.YYYY``."""

    widget = DateInput
    default_error_messages = {  # noqa: RUF012  Django's way
        "invalid": t("Geben Sie ein Datum ein, zum Beispiel 24.11.2026.", "Enter a date, for example 2026-11-24.")
    }

    def __init__(self, **named: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%d", "%d.%m.%Y"], **named)


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%H:%M")


class MomentWidget(forms.MultiWidget):
    """A day and a time beside each other."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__((DateInput(), TimeInput()), attrs)

    def decompress(self, value: datetime | None) -> list[Any]:
        if value is None:
            return [None, None]
        local = timezone.localtime(value)
        return [local.date(), local.time().replace(second=0, microsecond=0)]


class MomentField(forms.MultiValueField):
    """A day and a time in Berlin; cleans to an aware ``datetime``. A time the clock skips or shows twice is refused."""

    widget = MomentWidget
    default_error_messages = {  # noqa: RUF012  Django's way
        "incomplete": t("Geben Sie Tag und Uhrzeit ein.", "Enter both day and time."),
        "clock": t(
            "Diese Uhrzeit gibt es an diesem Tag nicht genau einmal (Zeitumstellung). Wählen Sie eine andere.",
            "This time does not exist exactly once on this day (clock change). Choose another.",
        ),
    }

    def __init__(self, **named: Any) -> None:
        time = forms.TimeField(
            input_formats=["%H:%M", "%H:%M:%S", "%H.%M"],
            error_messages={"invalid": t("Geben Sie eine Uhrzeit ein, zum Beispiel 9:30.", "Enter a time, e.g. 9:30.")},
        )
        super().__init__((DateField(), time), require_all_fields=False, **named)

    def compress(self, data_list: Iterable[Any]) -> datetime | None:
        values = list(data_list)
        if not values:
            return None
        naive = datetime.combine(*values)
        zone = timezone.get_default_timezone()
        aware = naive.replace(tzinfo=zone)
        back = aware.astimezone(timezone.get_fixed_timezone(0)).astimezone(zone)
        if back.replace(tzinfo=None) != naive or aware.utcoffset() != aware.replace(fold=1).utcoffset():
            raise ValidationError(self.error_messages["clock"], code="clock")
        return aware
