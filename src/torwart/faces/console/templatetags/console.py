"""What console templates say again and again: a state with its mark, an instant near the present, a person."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from torwart.faces._design.language import active
from torwart.faces._design.templatetags.design import icon
from torwart.faces.console import clock, words
from torwart.kernel.role import ROLES, Role
from torwart.kernel.words import Words
from torwart.plots.picture import Picture
from torwart.rules.validity import Validity
from torwart.services import present
from torwart.wire.smime.caution import Caution

register = template.Library()
_UNLIMITED = Words("unbegrenzt", "without limit")
_FROM, _UNTIL = Words("ab {day}", "from {day}"), Words("bis {day}", "until {day}")


@register.simple_tag
def state(subject: str, value: str) -> SafeString:
    """A state as icon and word, in its colour."""
    look = words.look(subject, value)
    mark = icon(look.icon) if look.icon else SafeString("")
    text = look.words.text(active())
    return format_html('<span class="tw-state tw-state--{}">{}<span>{}</span></span>', look.kind, mark, text)


@register.simple_tag
def light(colour: str, words: Words) -> SafeString:
    """A device's light with its word."""
    return _light(colour, words.text(active()))


@lru_cache(maxsize=128)
def _light(colour: str, word: str) -> SafeString:
    return SafeString(render_to_string("console/light.html", {"colour": colour, "word": word}))


@register.filter
def near(at: datetime | None) -> SafeString:
    """An instant as one speaks of it: „heute 15:20“; the exact one is in the element."""
    if at is None:
        return SafeString("–")
    local = timezone.localtime(at)
    exact = f"{local:%d.%m.%Y %H:%M:%S}"
    told = clock.when(at, present.now())
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(timespec="seconds"), exact, told)


@register.filter
def exact(at: datetime) -> SafeString:
    """An instant to the second: „23.11. 09:14:05“."""
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}">{}</time>', local.isoformat(timespec="milliseconds"), f"{local:%d.%m. %H:%M:%S}"
    )


@register.filter
def side(value: str) -> str:
    """Whose fault something is."""
    return words.SIDES[value].text(active()) if value in words.SIDES else value


@register.filter
def in_language(values: Any) -> str:
    """The text of a JSON detail ``{"de": …, "en": …}`` or of an object with ``de`` and ``en``."""
    if isinstance(values, dict):
        return str(values.get(active()) or values.get("de") or "")
    return str(getattr(values, active(), "") or getattr(values, "de", ""))


@register.filter
def phrase(value: Words) -> str:
    return value.text(active())


@register.filter
def tail(device_id: str) -> SafeString:
    """A device id whose last four digits stand out, for that is what people compare."""
    return format_html("<span>{}<b>{}</b></span>", device_id[:-4], device_id[-4:])


@register.simple_tag
def picture(drawn: Picture, *, table: bool = True) -> SafeString:
    """A picture with its text and, folded, its table."""
    return SafeString(
        render_to_string("console/picture.html", {"picture": drawn, "table": table, "language": active()})
    )


@register.filter
def size(count: int | None) -> str:
    """A number of bytes for the eye."""
    value = float(count or 0)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


@register.filter
def pretty(value: Any) -> str:
    """JSON for people to read."""
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


@register.filter
def role(value: str) -> str:
    """A role in words."""
    return ROLES[Role(value)].text(active()) if value in set(Role) else value


@register.filter
def validity(value: Validity) -> str:
    """From when to when, in days."""
    begin, end = (f"{timezone.localtime(each):%d.%m.%Y}" if each else "" for each in (value.begin, value.end))
    if not begin and not end:
        return _UNLIMITED.text(active())
    return " ".join(filter(None, [begin and _FROM.text(active(), day=begin), end and _UNTIL.text(active(), day=end)]))


@register.filter
def iso(at: datetime | None) -> str:
    """The day as a form's field takes it; nothing for no limit."""
    return f"{timezone.localtime(at):%Y-%m-%d}" if at else ""


@register.simple_tag
def security(said: Mapping[str, Any]) -> SafeString:
    """What S/MIME said of a mail, in one line."""
    cautions = [Caution(each).words for each in said.get("cautions", ()) if each in set(Caution)]
    return SafeString(render_to_string("console/security.html", {"said": said, "cautions": cautions}))


@register.filter
def who(actor: str) -> str:
    """Who acted, for people: without the side in front of an address."""
    return actor.partition(":")[2] if "@" in actor and ":" in actor else actor


@register.filter
def stamp(at: datetime) -> SafeString:
    """An instant in full, for the audit trail."""
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}">{}</time>', local.isoformat(timespec="microseconds"), f"{local:%d.%m.%Y %H:%M:%S}"
    )
