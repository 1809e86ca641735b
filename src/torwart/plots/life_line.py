"""What happened to this device? Its states and certificates on one time axis, events marked (picture P8)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from torwart.kernel.words import Words
from torwart.plots.picture import WEB, Canvas, Picture, Theme

_TITLE = Words("Lebenslinie von {device}", "Life line of {device}")
_TEXT = Words("{count} Abschnitte, zuletzt: {last}.", "{count} stretches, the last one: {last}.")
_EMPTY = Words("noch nichts", "nothing yet")
_NOW = Words("heute", "today")
_HEAD = (Words("Zeile", "Lane"), Words("Was", "What"), Words("Von", "From"), Words("Bis", "Until"))
_LANE, _LEFT, _TOP, _LETTER = 30.0, 118.0, 24.0, 7.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Something that lasted: ``end`` is ``None`` while it does. ``tone``: ``good``, ``warn``, ``bad``, ``quiet`` …"""

    words: Words
    begin: datetime
    end: datetime | None
    tone: str = "accent"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at one instant."""

    words: Words
    at: datetime
    tone: str = "ink"


@dataclass(frozen=True, slots=True)
class LifeLine:
    """``lanes``: name and what lasted, from top to bottom; ``marks``: what happened, on a lane of their own."""

    device: str
    now: datetime
    lanes: Sequence[tuple[Words, Sequence[Stretch]]]
    marks: Sequence[Mark] = ()


def draw(data: LifeLine, *, language: str | None = None, width: float = 720, theme: Theme = WEB) -> Picture:
    """Time runs from the first thing known to a little after the last; today is a line."""
    stretches = [stretch for _, lane in data.lanes for stretch in lane]
    instants = [s.begin for s in stretches] + [s.end or data.now for s in stretches] + [m.at for m in data.marks]
    first, last = min([*instants, data.now]), max([*instants, data.now])
    span = max((last - first).total_seconds(), 1.0)

    def x(at: datetime) -> float:
        return _LEFT + (at - first).total_seconds() / span * (width - _LEFT - 14)

    canvas = Canvas(width, _TOP + _LANE * (len(data.lanes) + bool(data.marks)) + 8)
    _axis(canvas, first, last, data.now, x, language, theme)
    y = _TOP
    for name, lane in data.lanes:
        canvas.text(0, y + 19, name.text(language), theme.quiet, size=12)
        for stretch in lane:
            begin, end = x(stretch.begin), x(stretch.end or data.now)
            canvas.rect(begin, y + 4, max(end - begin, 3), 20, getattr(theme, stretch.tone), radius=3)
            said = stretch.words.text(language)
            if end - begin > _LETTER * len(said) + 12:
                canvas.text(begin + 6, y + 18, said, theme.paper, size=12)
        y += _LANE
    for mark in data.marks:
        canvas.circle(x(mark.at), y + 14, 5, getattr(theme, mark.tone))
    title = _TITLE.text(language, device=data.device)
    latest = max(stretches, key=lambda s: s.begin).words.text(language) if stretches else _EMPTY.text(language)
    text = _TEXT.text(language, count=len(stretches), last=latest)
    return canvas.picture(title, text, tuple(h.text(language) for h in _HEAD), tuple(_rows(data, language)))


def _axis(
    canvas: Canvas,
    first: datetime,
    last: datetime,
    now: datetime,
    x: Callable[[datetime], float],
    language: str | None,
    theme: Theme,
) -> None:
    form = "%d.%m.%Y" if (last - first).days >= 2 else "%d.%m. %H:%M"
    canvas.text(_LEFT, 13, f"{first:{form}}", theme.quiet, size=11)
    far = x(now) - _LEFT > 150
    canvas.text(
        min(x(now), canvas.width - 14), 13, _NOW.text(language) if far else "", theme.ink, size=11, anchor="end"
    )
    canvas.line(x(now), 18, x(now), canvas.height, theme.ink, stroke_dasharray="3 3")


def _rows(data: LifeLine, language: str | None) -> list[tuple[str, ...]]:
    form = "%d.%m.%Y %H:%M"
    rows: list[tuple[str, ...]] = [
        (name.text(language), s.words.text(language), f"{s.begin:{form}}", f"{s.end:{form}}" if s.end else "…")
        for name, lane in data.lanes
        for s in lane
    ]
    return rows + [("", m.words.text(language), f"{m.at:{form}}", "") for m in data.marks]
