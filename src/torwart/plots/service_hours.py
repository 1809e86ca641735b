"""Why is it due then? A strip of days with the service time that counts towards a deadline (picture P4).

One row a day, the hours of service time as an empty bar, the counted part filled, the due instant marked. Days that
do not count (weekends, holidays) stand between them as a thin row with the reason.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from torwart.kernel.words import Words
from torwart.plots.picture import WEB, Canvas, Picture, Theme

_DAYS = (
    Words("Mo", "Mon"),
    Words("Di", "Tue"),
    Words("Mi", "Wed"),
    Words("Do", "Thu"),
    Words("Fr", "Fri"),
    Words("Sa", "Sat"),
    Words("So", "Sun"),
)
_TITLE = Words("Gezählte Servicezeit", "Service time counted")
_TEXT = Words("{hours} Servicezeit von {start} bis {due}.", "{hours} of service time from {start} to {due}.")
_REST = Words("ruht", "rests")
_HEAD = (Words("Tag", "Day"), Words("Gezählt", "Counted"), Words("Servicezeit", "Service time"))
_ROW, _THIN, _LEFT, _TOP = 26.0, 15.0, 96.0, 22.0


@dataclass(frozen=True, slots=True)
class ServiceHours:
    """``counted``: the stretches of service time, in order; ``open``: the service windows of each day shown (empty on
    days that rest); ``start`` and ``due``: where the clock starts and ends. All instants aware, in ``zone``.
    """

    start: datetime
    due: datetime
    counted: Sequence[tuple[datetime, datetime]]
    open: Sequence[tuple[date, Sequence[tuple[int, int]]]]
    zone: ZoneInfo

    @property
    def total(self) -> timedelta:
        return sum((end - begin for begin, end in self.counted), timedelta())


def draw(data: ServiceHours, *, language: str | None = None, width: float = 560, theme: Theme = WEB) -> Picture:
    """The strip; hours run from the earliest opening to the latest closing of the days shown."""
    edges = [edge for _, windows in data.open for window in windows for edge in window] or [0, 1440]
    first, last = min(edges), max(edges)
    height = _TOP + sum(_ROW if windows else _THIN for _, windows in data.open) + 4
    canvas = Canvas(width, height)

    def x(minutes: float) -> float:
        return _LEFT + (minutes - first) / (last - first) * (width - _LEFT - 70)

    for hour in range(-(-first // 60), last // 60 + 1, 3 if last - first > 720 else 2):
        canvas.text(x(hour * 60), 14, f"{hour}", theme.quiet, size=11, anchor="middle")
    y, rows = _TOP, []
    for day, windows in data.open:
        y = _day(canvas, data, day, windows, y, x, language, theme)
        if windows:
            counted = _counted(data, day)
            hours = " ".join(f"{_clock(a)}–{_clock(b)}" for a, b in windows)
            rows.append((_name(day, language), _length(sum((b - a for a, b in counted), timedelta())), hours))
    text = _TEXT.text(
        language,
        hours=_length(data.total),
        start=f"{data.start.astimezone(data.zone):%d.%m.%Y %H:%M}",
        due=f"{data.due.astimezone(data.zone):%d.%m.%Y %H:%M}",
    )
    return canvas.picture(_TITLE.text(language), text, tuple(h.text(language) for h in _HEAD), tuple(rows))


def _day(
    canvas: Canvas,
    data: ServiceHours,
    day: date,
    windows: Sequence[tuple[int, int]],
    y: float,
    x: Callable[[float], float],
    language: str | None,
    theme: Theme,
) -> float:
    """One row; where the next one begins."""
    counted = _counted(data, day)
    if not windows:
        canvas.text(0, y + 11, _name(day, language), theme.quiet, size=11)
        canvas.text(_LEFT, y + 11, _REST.text(language), theme.quiet, size=11)
        return y + _THIN
    canvas.text(0, y + 16, _name(day, language), theme.ink, size=13)
    for opening, closing in windows:
        canvas.rect(x(opening), y + 4, x(closing) - x(opening), 16, theme.ground, radius=3, stroke=theme.line)
    for begin, end in counted:
        left, right = _minutes(begin, data.zone), _minutes(end, data.zone) or 1440
        canvas.rect(x(left), y + 4, x(right) - x(left), 16, theme.accent, radius=3)
    if data.due.astimezone(data.zone).date() == day:
        due = x(_minutes(data.due, data.zone))
        canvas.line(due, y + 1, due, y + 23, theme.ink, thick=2)
        canvas.circle(due, y + 1.5, 3, theme.ink)
    spent = sum((end - begin for begin, end in counted), timedelta())
    canvas.text(canvas.width, y + 16, _length(spent), theme.ink if spent else theme.quiet, size=13, anchor="end")
    return y + _ROW


def _counted(data: ServiceHours, day: date) -> list[tuple[datetime, datetime]]:
    midnight = datetime.combine(day, time(), data.zone)
    following = datetime.combine(day + timedelta(days=1), time(), data.zone)
    cut = [(max(begin, midnight), min(end, following)) for begin, end in data.counted]
    return [(begin, end) for begin, end in cut if begin < end]


def _minutes(at: datetime, zone: ZoneInfo) -> int:
    there = at.astimezone(zone)
    return there.hour * 60 + there.minute


def _name(day: date, language: str | None) -> str:
    return f"{_DAYS[day.weekday()].text(language)} {day:%d.%m.}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _length(length: timedelta) -> str:
    hours, minutes = divmod(length // timedelta(minutes=1), 60)
    return f"{hours} h {minutes:02d}" if minutes else f"{hours} h"
