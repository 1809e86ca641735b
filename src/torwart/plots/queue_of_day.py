"""Which tickets break their deadline today? One row a ticket on the hours of one service day (picture P3).

The bar is the time a ticket is allowed today: from the opening (or its own beginning) to its deadline (or closing).
What has passed is pale, what is left is filled; a needle stands at the present. Rows come in the order of the table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from torwart.kernel.words import Words
from torwart.plots.picture import WEB, Canvas, Picture, Theme

_TITLE = Words("Fristen heute", "Deadlines today")
_TEXT = Words(
    "{count} Vorgänge mit Frist bis heute Abend, davon {late} überfällig.",
    "{count} tickets due by this evening, {late} of them overdue.",
)
_ONE = Words(
    "Ein Vorgang mit Frist bis heute Abend, davon {late} überfällig.", "One ticket due by this evening, {late} overdue."
)
_NOW = Words("jetzt {time}", "now {time}")
_LATE = Words("überfällig", "overdue")
_HEAD = (Words("Vorgang", "Ticket"), Words("Worum es geht", "About"), Words("Fällig", "Due"), Words("Stand", "State"))
_RESTS, _RUNS = Words("ruht", "rests"), Words("läuft", "runs")
_ROW, _LEFT, _TOP, _RIGHT, _LETTER = 28.0, 320.0, 30.0, 72.0, 6.4


@dataclass(frozen=True, slots=True)
class Due:
    """One ticket: its number, what it is about, since when it may be worked on and until when."""

    number: str
    about: str
    begin: datetime
    due: datetime
    resting: bool = False


@dataclass(frozen=True, slots=True)
class QueueOfDay:
    """``opening`` and ``closing`` of the service day shown; all instants aware, shown in ``zone``."""

    now: datetime
    opening: datetime
    closing: datetime
    tickets: Sequence[Due]
    zone: ZoneInfo


def draw(data: QueueOfDay, *, language: str | None = None, width: float = 900, theme: Theme = WEB) -> Picture:
    """The day; a ticket due before it has its whole row marked."""
    canvas = Canvas(width, _TOP + _ROW * len(data.tickets) + 6)
    span = (data.closing - data.opening).total_seconds()

    def x(at: datetime) -> float:
        share = (at - data.opening).total_seconds() / span
        return _LEFT + min(max(share, 0.0), 1.0) * (width - _LEFT - _RIGHT)

    _hours(canvas, data, x, theme)
    for place, ticket in enumerate(data.tickets):
        _ticket(canvas, data, ticket, _TOP + _ROW * place, x, language, theme)
    _needle(canvas, data, x, language, theme)
    late = sum(ticket.due < data.now for ticket in data.tickets)
    text = (_ONE if len(data.tickets) == 1 else _TEXT).text(language, count=len(data.tickets), late=late)
    rows = tuple(_row(data, ticket, language) for ticket in data.tickets)
    return canvas.picture(_TITLE.text(language), text, tuple(h.text(language) for h in _HEAD), rows)


def _hours(canvas: Canvas, data: QueueOfDay, x: Callable[[datetime], float], theme: Theme) -> None:
    opening, closing = data.opening.astimezone(data.zone), data.closing.astimezone(data.zone)
    for hour in range(opening.hour, closing.hour + 1):
        at = opening.replace(hour=hour, minute=0)
        canvas.line(x(at), _TOP - 4, x(at), canvas.height - 4, theme.line)
        canvas.text(x(at), 13, f"{hour}", theme.quiet, size=11, anchor="middle")


def _ticket(
    canvas: Canvas,
    data: QueueOfDay,
    ticket: Due,
    y: float,
    x: Callable[[datetime], float],
    language: str | None,
    theme: Theme,
) -> None:
    canvas.text(0, y + 18, ticket.number, theme.ink, size=12, bold=True)
    room = int((_LEFT - 104) / _LETTER)
    about = ticket.about if len(ticket.about) <= room else ticket.about[: room - 1] + "…"
    canvas.text(92, y + 18, about, theme.quiet, size=12)
    late = ticket.due < data.now
    begin, end = x(max(ticket.begin, data.opening)), x(data.closing if late else ticket.due)
    now = min(max(x(data.now), begin), end)
    tone = theme.quiet if ticket.resting else theme.bad if late else _tone(data, ticket, theme)
    canvas.rect(begin, y + 6, end - begin, 16, theme.ground, radius=3, stroke=theme.line)
    if late:
        canvas.rect(begin, y + 6, max(x(data.now) - begin, 4), 16, tone, radius=3)
    else:
        canvas.rect(now, y + 6, max(end - now, 2), 16, tone, radius=3)
    told = _LATE.text(language) if late else f"{ticket.due.astimezone(data.zone):%H:%M}"
    canvas.text(canvas.width, y + 18, told, theme.bad if late else theme.ink, size=12, anchor="end", bold=late)


def _tone(data: QueueOfDay, ticket: Due, theme: Theme) -> str:
    """Within an hour of the deadline it gets urgent."""
    return theme.warn if (ticket.due - data.now).total_seconds() < 3600 else theme.good


def _needle(
    canvas: Canvas, data: QueueOfDay, x: Callable[[datetime], float], language: str | None, theme: Theme
) -> None:
    if not data.opening <= data.now <= data.closing:
        return
    at, told = x(data.now), _NOW.text(language, time=f"{data.now.astimezone(data.zone):%H:%M}")
    canvas.line(at, 17, at, canvas.height - 2, theme.ink, thick=2)
    half = _LETTER * len(told) / 2 + 4
    canvas.rect(at - half, 15, half * 2, 15, theme.ink, radius=3)
    canvas.text(at, 26, told, theme.paper, size=11, anchor="middle")


def _row(data: QueueOfDay, ticket: Due, language: str | None) -> tuple[str, ...]:
    state = _RESTS if ticket.resting else _LATE if ticket.due < data.now else _RUNS
    due = f"{ticket.due.astimezone(data.zone):%d.%m.%Y %H:%M}"
    return ticket.number, ticket.about, due, state.text(language)
