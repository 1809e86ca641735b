"""Tags and filters of all templates (builtins: no ``{% load %}`` needed).

``{% t "Deutsch" "English" %}`` writes the text of the active language; both stand side by side in the template, so no
catalogue can be forgotten. Values: ``{% t "noch {n} Tage" "{n} days left" n=days %}``. The texts are ours and may
hold markup, values are escaped. ``{% t "…" "…" as title %}`` keeps it for later. In attributes of components use the
other quotes: ``<c-button label="{% t 'Senden' 'Send' %}" />``.
"""

from datetime import date, datetime
from typing import Any

from django import forms, template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from torwart.faces._design.forms import LinesWidget, MomentWidget
from torwart.faces._design.language import active
from torwart.kernel.words import Words
from torwart.services.sealed import seal
from torwart.wire.logbook import LEVELS, Level, words_of
from torwart.wire.profiles import KINDS, ProfileKind

register = template.Library()

_SPRITE = "torwart/vendor/tabler-icons/sprite.svg"
_WEEKDAYS = {"de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"), "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}


@register.simple_tag(name="t")
def tag_t(de: str, en: str, **values: Any) -> SafeString:
    """The text of the active language, values escaped and filled in."""
    return (
        format_html(en if active() == "en" else de, **values) if values else SafeString(en if active() == "en" else de)
    )


@register.filter
def said(words: Words | None) -> str:
    """``Words`` of the kernel in the active language; what is no ``Words`` stays as it is."""
    return words.text(active()) if isinstance(words, Words) else words or ""


@register.filter
def event_words(event: Any) -> Words:
    """What an event of a gateway says."""
    return words_of(event.event, event.text, event.parameters)


@register.filter
def level_words(level: str) -> Words:
    """How grave an event is."""
    return LEVELS[Level(level)] if level in list(Level) else Words(level, level)


@register.filter
def profile_words(kind: str) -> Words:
    """What kind a profile is of."""
    return KINDS[ProfileKind(kind)] if kind in list(ProfileKind) else Words(kind, kind)


@register.filter
def sealed(number: int, kind: str) -> str:
    """A row's number as outsiders may see it; ``services.sealed.opened`` reads it back."""
    return seal(kind, number)


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """One icon of the sprite; silent for screen readers unless it has a ``label``."""
    voice = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="tw-icon {}" focusable="false" {}><use href="{}#{}"></use></svg>', css, voice, static(_SPRITE), name
    )


@register.filter
def day(value: date | datetime | None) -> SafeString:
    """A day as people here write it: „Di 24.11.2026"."""
    if value is None:
        return SafeString("–")
    local = timezone.localtime(value) if isinstance(value, datetime) else value
    return format_html('<time datetime="{}">{}</time>', f"{local:%Y-%m-%d}", _day(local))


@register.filter
def moment(value: datetime | None) -> SafeString:
    """A day and time in Berlin: „Di 24.11.2026, 09:20" with the exact instant in ``datetime``."""
    if value is None:
        return SafeString("–")
    local = timezone.localtime(value)
    text = f"{_day(local)}, {local:%H:%M}"
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), text)


def _day(value: date) -> str:
    written = f"{value:%d.%m.%Y}" if active() == "de" else f"{value.day} {value:%b %Y}"
    return f"{_WEEKDAYS[active()][value.weekday()]} {written}"


@register.filter
def kind(field: forms.BoundField) -> str:
    """How ``<c-field>`` draws a field: text, textarea, select, radios, checkboxes, yes, file, moment, hidden."""
    widget = field.field.widget
    kinds: tuple[tuple[type[forms.Widget], str], ...] = (
        (MomentWidget, "moment"),
        (LinesWidget, "textarea"),
        (forms.CheckboxSelectMultiple, "checkboxes"),
        (forms.RadioSelect, "radios"),
        (forms.Select, "select"),
        (forms.CheckboxInput, "yes"),
        (forms.FileInput, "file"),
        (forms.Textarea, "textarea"),
    )
    if widget.is_hidden:
        return "hidden"
    return next((word for cls, word in kinds if isinstance(widget, cls)), "text")


@register.simple_tag
def widget(field: forms.BoundField, part: int | None = None, css: str = "") -> SafeString:
    """The input of a field with KERN's classes and everything that ties it to hint and error."""
    word, wrong = kind(field), bool(field.errors)
    base = {"select": "kern-form-input__select", "yes": "kern-form-check__checkbox"}.get(word, "kern-form-input__input")
    classes = [css or base, f"{base}--error" if wrong else ""]
    attrs = {"class": " ".join(filter(None, classes)), "aria-describedby": described_by(field) or False}
    if wrong:
        attrs["aria-invalid"] = "true"
    return field.as_widget(attrs={name: value for name, value in attrs.items() if value})


@register.simple_tag
def described_by(field: forms.BoundField) -> str:
    """Ids of the hint and the error of a field, as far as it has them."""
    ids = [f"{field.auto_id}_hint" if field.help_text else "", f"{field.auto_id}_error" if field.errors else ""]
    return " ".join(filter(None, ids))


@register.filter
def input_id(field: forms.BoundField) -> str:
    """Where a link of the error summary leads: the first input of the field."""
    word = kind(field)
    if word in ("radios", "checkboxes", "moment"):
        return f"{field.auto_id}_0"
    return str(field.auto_id)


@register.filter
def lines(value: Any) -> list[str]:
    """What a summary shows in one cell: a list line by line, everything else as one line."""
    if isinstance(value, list | tuple):
        return [str(each) for each in value]
    return str(value).splitlines() if value not in (None, "") else []


@register.simple_tag(takes_context=True)
def here_with(context: template.Context, **changes: Any) -> str:
    """This page's address with some parameters changed; an empty value takes the parameter away."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"


@register.simple_tag(takes_context=True)
def here_with_named(context: template.Context, name: str, value: str) -> str:
    """``here_with`` for a parameter whose name is a variable."""
    return here_with(context, **{name: value})


@register.simple_tag
def moment_part(field: forms.BoundField, part: int) -> SafeString:
    """One of the two inputs of a day and time."""
    shown = field.field.widget
    values = field.value()
    if not isinstance(values, list | tuple):
        values = shown.decompress(values)
    wrong = bool(field.errors)
    attrs = {
        "id": f"{field.auto_id}_{part}",
        "class": "kern-form-input__input" + (" kern-form-input__input--error" if wrong else ""),
        "aria-describedby": described_by(field),
        "aria-invalid": "true" if wrong else "",
    }
    attrs = {name: value for name, value in attrs.items() if value}
    return SafeString(shown.widgets[part].render(f"{field.html_name}_{part}", values[part], attrs))


@register.simple_tag
def choice(option: forms.boundfield.BoundWidget) -> SafeString:
    """One radio button or check box with KERN's class."""
    base = "kern-form-check__" + ("checkbox" if option.data["type"] == "checkbox" else "radio")
    option.data["attrs"]["class"] = base
    return SafeString(option.tag())


@register.filter
def alert_kind(word: str) -> str:
    """KERN's word for a level of Django's messages."""
    return {"error": "danger", "debug": "info"}.get(word, word if word in ("success", "warning", "danger") else "info")


_STATE_ICONS = {
    "success": "circle-check",
    "info": "progress",
    "warning": "alert-triangle",
    "danger": "alert-circle",
    "paused": "clock-pause",
    "neutral": "circle-dashed",
}
_STEP_ICONS = {
    "done": "check",
    "active": "refresh",
    "waiting": "hourglass",
    "failed": "x",
    "skipped": "minus",
}


@register.simple_tag
def state_icon(kind: str) -> SafeString:
    """The icon that goes with a kind of state, so that colour never stands alone."""
    return icon(_STATE_ICONS.get(kind, "circle-dot"))


@register.simple_tag
def step_icon(state: str) -> SafeString:
    """The icon in the mark of a step; a step to come has none."""
    return icon(_STEP_ICONS[state]) if state in _STEP_ICONS else SafeString("")


@register.simple_tag
def percent(share: Any) -> str:
    """A share between 0 and 1 as a percentage for the ring of a countdown."""
    return str(round(100 * min(max(float(share), 0.0), 1.0)))


_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@register.filter
def browser(agent: str) -> str:
    """A browser's name for itself, as people call it: „Firefox, Windows"."""
    names = [next((name for sign, name in table if sign in agent), "") for table in (_BROWSERS, _SYSTEMS)]
    return ", ".join(filter(None, names)) or agent[:60] or "–"
