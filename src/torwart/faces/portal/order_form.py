"""From a process's definition to the form a person fills in: one Django field for each order field, checked by it.

A draft keeps what was typed, so every value has two forms: as typed (text, or a list of texts) and, once right,
canonical. ``typed`` reads the first from a sent form, ``Field.check`` makes the second.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from django import forms

from torwart.faces._design.forms import Form, LinesField, MomentField
from torwart.faces._design.language import active, said, t
from torwart.kernel.refusals import Refusal
from torwart.processes.definition import Choice, Field, FieldKind

OTHER = "__other"
_FEW = 6
_EXAMPLE = t("Zum Beispiel {example}", "For example {example}")
_ONE_A_LINE = t("Einer je Zeile.", "One a line.")
_OTHERS = t("Weitere, die oben nicht stehen", "Others that are not listed above")
_NOT_SAID = t("keine Angabe", "not stated")
_PLEASE = t("Bitte wählen", "Please choose")


class PageForm(Form):
    """The fields of one page. ``values``: what was typed before, by name."""

    use_required_attribute = False  # our own texts say what is missing, and a page can be kept unfinished

    def __init__(self, fields: Iterable[Field], client: int, values: Mapping[str, Any], data: Any = None) -> None:
        self.definitions = tuple(fields)
        made: dict[str, forms.Field] = {}
        initial: dict[str, Any] = {}
        for each in self.definitions:
            offers = tuple(each.offers(client)) if each.offers else ()
            made |= _inputs(each, offers)
            initial |= _initial(each, offers, values.get(each.name))
        self.base_fields = made  # type: ignore[misc]  # Django copies them from here
        super().__init__(data, initial=initial)

    def clean(self) -> dict[str, Any]:
        """Each value checked by its definition, with the reason and the remedy at the field."""
        for each in self.definitions:
            if each.name not in self.errors:
                try:
                    each.check(self.typed().get(each.name))
                except Refusal as refusal:
                    self.add_error(each.name, refusal.text(active()))
        return dict(self.cleaned_data)

    def typed(self) -> dict[str, Any]:
        """What was typed, right or wrong, as a draft keeps it."""
        return {each.name: typed(each, self.data) for each in self.definitions}


def typed(field: Field, data: Any) -> Any:
    """What was typed into one field of a sent form (``data``: its ``QueryDict``)."""
    if field.kind is FieldKind.INSTANT:
        return _instant(data.get(f"{field.name}_0", ""), data.get(f"{field.name}_1", ""))
    if not field.many:
        return data.get(field.name, "").strip()
    values = [line for text in data.getlist(field.name) for line in text.splitlines()]
    values += data.get(field.name + OTHER, "").splitlines()
    return list(dict.fromkeys(filter(None, (value.strip() for value in values))))


def _instant(day: str, time: str) -> str:
    """ISO 8601 in Berlin if both parts are right, else what was typed."""
    with suppress(forms.ValidationError):
        moment = MomentField(required=False).clean([day, time])
        return moment.isoformat() if moment else ""
    return f"{day} {time}".strip()


def _inputs(field: Field, offers: tuple[Choice, ...]) -> dict[str, forms.Field]:
    common: dict[str, Any] = {"label": said(field.label), "required": not field.optional}
    choices = [(choice.value, said(choice.words)) for choice in field.choices or offers]
    if field.kind is FieldKind.INSTANT:
        return {field.name: MomentField(help_text=said(field.help), **common)}
    if field.many and choices:
        boxes = forms.MultipleChoiceField(
            choices=choices, widget=forms.CheckboxSelectMultiple, help_text=said(field.help), **common
        )
        if field.choices:
            return {field.name: boxes}
        boxes.required = False  # the others below may be the answer; the definition asks for one of both
        boxes.expected = not field.optional  # type: ignore[attr-defined]  # the component says which field is optional
        others = LinesField(label=_OTHERS, required=False, help_text=_ONE_A_LINE)
        return {field.name: boxes, field.name + OTHER: others}
    if field.many:
        return {field.name: LinesField(help_text=_hint(field, many=True), **common)}
    if choices:
        return {field.name: _one_of(field, choices, common)}
    return {field.name: forms.CharField(widget=_widget(field), help_text=_hint(field), strip=True, **common)}


def _one_of(field: Field, choices: list[tuple[str, str]], common: dict[str, Any]) -> forms.ChoiceField:
    few = len(choices) <= _FEW
    if field.optional:
        choices = [("", str(_NOT_SAID)), *choices]
    elif not few:
        choices = [("", str(_PLEASE)), *choices]
    widget = forms.RadioSelect if few else forms.Select
    return forms.ChoiceField(choices=choices, widget=widget, help_text=said(field.help), **common)


def _widget(field: Field) -> forms.Widget:
    if field.kind is FieldKind.PARAGRAPH:
        return forms.Textarea(attrs={"rows": 5})
    if field.kind is FieldKind.NUMBER:
        return forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    return forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})


def _hint(field: Field, many: bool = False) -> str:
    parts = [said(field.help), str(_ONE_A_LINE) if many else ""]
    if field.example and not field.choices:
        parts.append(str(_EXAMPLE).format(example=field.example))
    return " ".join(filter(None, parts))


def _initial(field: Field, offers: tuple[Choice, ...], value: Any) -> dict[str, Any]:
    if value in (None, "", []):
        return {}
    if field.kind is FieldKind.INSTANT:
        return {field.name: _shown_instant(str(value))}
    if field.many and offers and not field.choices:
        known = {choice.value for choice in offers}
        values = value if isinstance(value, list) else [value]
        return {
            field.name: [each for each in values if each in known],
            field.name + OTHER: [each for each in values if each not in known],
        }
    return {field.name: value}


def _shown_instant(value: str) -> datetime | list[str]:
    """For the two inputs: the instant, or the two parts that were typed and mean none."""
    with suppress(ValueError):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment
    day, _, time = value.partition(" ")
    return [day, time]
