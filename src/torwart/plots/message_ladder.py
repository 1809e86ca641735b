"""What did we, the gateway and the CA say to each other? A sequence diagram of the transcript (picture P14)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from torwart.kernel.words import Words
from torwart.plots.picture import WEB, Canvas, Picture, Theme

_TITLE = Words("Nachrichten", "Messages")
_TEXT = Words("{count} Nachrichten, davon {bad} ohne gute Antwort.", "{count} messages, {bad} without a good answer.")
_SILENT = Words("keine Antwort", "no answer")
_HEAD = (
    Words("Zeit", "Time"),
    Words("Mit", "With"),
    Words("Anfrage", "Request"),
    Words("Antwort", "Answer"),
    Words("Dauer", "Took"),
)
_ROW, _TOP, _LETTER = 44.0, 40.0, 6.3


@dataclass(frozen=True, slots=True)
class Message:
    """One request and its answer. ``peer``: index of the column; ``outgoing``: we asked; ``status`` 0: no answer, which
    is as it should be where the message is ``one_way``.
    """

    at: datetime
    peer: int
    outgoing: bool
    request: str
    status: int
    answer: str
    milliseconds: int
    one_way: bool = False

    @property
    def good(self) -> bool:
        return self.one_way or 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class MessageLadder:
    """``us`` and ``peers``: names of the columns, ours first; ``messages`` in the order of time, shown in ``zone``."""

    us: str
    peers: Sequence[str]
    messages: Sequence[Message]
    zone: ZoneInfo


def draw(data: MessageLadder, *, language: str | None = None, width: float = 720, theme: Theme = WEB) -> Picture:
    """Time runs down; an arrow there for each request, one back, paler, for its answer."""
    canvas = Canvas(width, _TOP + _ROW * len(data.messages) + 10)
    left = 150.0
    gap = (width - left - 110) / max(len(data.peers), 1)
    columns = [left + gap * place for place in range(len(data.peers) + 1)]
    for x, name in zip(columns, (data.us, *data.peers), strict=True):
        canvas.line(x, 26, x, canvas.height - 2, theme.line)
        half = _LETTER * len(name) / 2 + 12
        canvas.rect(x - half, 4, half * 2, 22, theme.ground, radius=4, stroke=theme.line)
        canvas.text(x, 19, name, theme.ink, size=12, anchor="middle", bold=True)
    for place, message in enumerate(data.messages):
        _message(canvas, data, message, columns, _TOP + _ROW * place, language, theme)
    bad = sum(not message.good for message in data.messages)
    text = _TEXT.text(language, count=len(data.messages), bad=bad)
    rows = tuple(_row(data, message, language) for message in data.messages)
    return canvas.picture(_TITLE.text(language), text, tuple(h.text(language) for h in _HEAD), rows)


def _message(
    canvas: Canvas,
    data: MessageLadder,
    message: Message,
    columns: Sequence[float],
    y: float,
    language: str | None,
    theme: Theme,
) -> None:
    ours, theirs = columns[0], columns[message.peer + 1]
    begin, end = (ours, theirs) if message.outgoing else (theirs, ours)
    canvas.text(0, y + 18, f"{message.at.astimezone(data.zone):%d.%m. %H:%M:%S}", theme.quiet, size=11)
    room = int((theirs - ours - 24) / _LETTER)
    asked = message.request if len(message.request) <= room else message.request[: room - 1] + "…"
    canvas.text((begin + end) / 2, y + 13, asked, theme.ink, size=11, anchor="middle")
    _arrow(canvas, begin, end, y + 18, theme.accent)
    tone = theme.good if message.good else theme.bad
    if message.status:
        _arrow(canvas, end, begin, y + 32, tone, dashed=True)
    canvas.text(canvas.width, y + 30, _answer(message, language), tone, size=11, anchor="end", bold=not message.good)


def _arrow(canvas: Canvas, begin: float, end: float, y: float, colour: str, *, dashed: bool = False) -> None:
    back = 7 if end < begin else -7
    dash = {"stroke_dasharray": "4 3"} if dashed else {}
    canvas.line(begin, y, end, y, colour, thick=1.5, **dash)
    canvas.path(f"M{end + back:.1f} {y - 4:.1f} L{end:.1f} {y:.1f} L{end + back:.1f} {y + 4:.1f} Z", fill=colour)


def _answer(message: Message, language: str | None) -> str:
    if message.one_way:
        return ""
    if not message.status:
        return message.answer or _SILENT.text(language)
    return f"{message.status} · {message.milliseconds} ms"


def _row(data: MessageLadder, message: Message, language: str | None) -> tuple[str, ...]:
    answer = f"{message.status} {message.answer}".strip() if message.status else _answer(message, language)
    at = f"{message.at.astimezone(data.zone):%d.%m.%Y %H:%M:%S}"
    return at, data.peers[message.peer], message.request, answer, f"{message.milliseconds} ms"
