"""What runs out when, and is the exchange already planned? Certificates by the week in which they end (picture P1).

One row of bars for each kind of owner, so that the few of contacts and EMTs are not lost beside the many of gateways;
each row has its own scale, its largest week is named. The first 30 and 90 days stand on darker ground.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from torwart.kernel.words import Words
from torwart.plots.picture import WEB, Canvas, Picture, Theme

_TITLE = Words("Ablauf der Zertifikate", "Certificates by their end")
_TEXT = Words(
    "{soon} Zertifikate enden in den nächsten 30 Tagen, {later} in den nächsten 90 Tagen, {past} sind abgelaufen.",
    "{soon} certificates end within 30 days, {later} within 90 days, {past} have ended.",
)
_DAYS = Words("{n} Tage", "{n} days")
_MOST = Words("höchstens {n} je Woche", "at most {n} a week")
_NONE = Words("keine", "none")
_HEAD = (Words("Woche ab", "Week from"), Words("Inhaber", "Owner"), Words("Enden", "Ending"))
_LEFT, _TOP, _ROW, _BAR = 196.0, 26.0, 62.0, 40.0
WEEKS = 78
"""18 months."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Owners of one kind: how many of their certificates end in which week (Monday → count)."""

    words: Words
    weeks: dict[date, int]


@dataclass(frozen=True, slots=True)
class Horizon:
    """``today``, how many certificates in use have ended already, and the kinds from top to bottom."""

    today: date
    past: int
    kinds: Sequence[Kind]


def draw(data: Horizon, *, language: str | None = None, width: float = 900, theme: Theme = WEB) -> Picture:
    """78 weeks from the current one."""
    first = data.today - timedelta(days=data.today.weekday())
    canvas = Canvas(width, _TOP + _ROW * len(data.kinds) + 22)
    step = (width - _LEFT - 4) / WEEKS
    _ground(canvas, step, language, theme)
    for place, kind in enumerate(data.kinds):
        _bars(canvas, kind, first, step, _TOP + _ROW * place, language, theme)
    _months(canvas, first, step, theme)
    within = {days: _ending(data, data.today, days) for days in (30, 90)}
    text = _TEXT.text(language, soon=within[30], later=within[90], past=data.past)
    return canvas.picture(_TITLE.text(language), text, tuple(h.text(language) for h in _HEAD), _rows(data, language))


def _ground(canvas: Canvas, step: float, language: str | None, theme: Theme) -> None:
    for days in (90, 30):
        right = _LEFT + days / 7 * step
        canvas.rect(_LEFT, _TOP - 6, right - _LEFT, canvas.height - _TOP - 14, theme.ground)
        canvas.line(right, _TOP - 6, right, canvas.height - 20, theme.line, stroke_dasharray="3 3")
        canvas.text(right, 13, _DAYS.text(language, n=days), theme.quiet, size=11, anchor="middle")


def _bars(canvas: Canvas, kind: Kind, first: date, step: float, y: float, language: str | None, theme: Theme) -> None:
    counts = [kind.weeks.get(first + timedelta(weeks=week), 0) for week in range(WEEKS)]
    most, floor = max(counts), y + _BAR + 12
    canvas.text(0, y + 24, kind.words.text(language), theme.ink, size=13)
    told = _MOST.text(language, n=most) if most else _NONE.text(language)
    canvas.text(0, y + 40, told, theme.quiet, size=11)
    for week, count in enumerate(counts):
        if count:
            height = max(count / most * _BAR, 3)
            tone = theme.bad if week < 30 / 7 else theme.warn if week < 90 / 7 else theme.accent
            canvas.rect(_LEFT + week * step + 1, floor - height, max(step - 2, 2), height, tone, radius=1)
    canvas.line(_LEFT, floor, canvas.width, floor, theme.line)


def _months(canvas: Canvas, first: date, step: float, theme: Theme) -> None:
    for week in range(WEEKS):
        monday = first + timedelta(weeks=week)
        if monday.day <= 7 and monday.month % 3 == 1:
            canvas.text(_LEFT + week * step, canvas.height - 5, f"{monday:%m/%Y}", theme.quiet, size=11)


def _ending(data: Horizon, today: date, days: int) -> int:
    """Weeks that begin before the limit count whole: the picture warns rather early than late."""
    last = today + timedelta(days=days)
    return sum(count for kind in data.kinds for monday, count in kind.weeks.items() if monday <= last)


def _rows(data: Horizon, language: str | None) -> tuple[tuple[str, ...], ...]:
    found = [(monday, kind.words, count) for kind in data.kinds for monday, count in kind.weeks.items() if count]
    return tuple(
        (f"{monday:%d.%m.%Y}", words.text(language), str(count))
        for monday, words, count in sorted(found, key=lambda row: (row[0], row[1].de))
    )
