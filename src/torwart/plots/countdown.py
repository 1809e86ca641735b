"""How much is left? A ring that empties, with the words in it or beside it (picture P5); never colour alone."""

import math
from dataclasses import dataclass
from datetime import timedelta

from torwart.kernel.words import Words
from torwart.plots.picture import WEB, Canvas, Picture, Theme

_TITLE = Words("Frist", "Deadline")
_LEFT = Words("noch {left} Servicezeit", "{left} of service time left")
_OVER = Words("seit {left} Servicezeit überschritten", "overdue by {left} of service time")
_RESTS = Words("ruht, noch {left} Servicezeit", "rests, {left} of service time left")


@dataclass(frozen=True, slots=True)
class Countdown:
    """``allowance`` and what ``remaining`` of it (negative: overdue), both service time; ``resting``: clock paused."""

    allowance: timedelta
    remaining: timedelta
    resting: bool = False

    @property
    def share(self) -> float:
        """0 … 1 of the allowance that is left."""
        whole = self.allowance.total_seconds()
        return min(max(self.remaining.total_seconds() / whole, 0.0), 1.0) if whole > 0 else 0.0

    @property
    def tone(self) -> str:
        """``bad`` when overdue or below a tenth, ``warn`` below a quarter, ``quiet`` while it rests, else ``good``."""
        if self.resting:
            return "quiet"
        return "bad" if self.share < 0.1 else "warn" if self.share < 0.25 else "good"


def words(data: Countdown, language: str | None = None) -> str:
    """„noch 3 h 20 min Servicezeit“."""
    kind = _OVER if data.remaining < timedelta(0) else _RESTS if data.resting else _LEFT
    return kind.text(language, left=_length(abs(data.remaining)))


def draw(data: Countdown, *, language: str | None = None, width: float = 44, theme: Theme = WEB) -> Picture:
    """A ring of ``width``; filled clockwise from the top with what is left, dashed while the clock rests."""
    canvas, middle, radius = Canvas(width, width), width / 2, width / 2 - 4
    canvas.circle(middle, middle, radius, "none", stroke=theme.line, stroke_width="5")
    colour = getattr(theme, data.tone)
    rests = {"stroke_dasharray": "3 3"} if data.resting else {}
    if data.share >= 0.999:
        canvas.circle(middle, middle, radius, "none", stroke=colour, stroke_width="5", **rests)
    elif data.share > 0:
        angle = 2 * math.pi * data.share
        x, y = middle + radius * math.sin(angle), middle - radius * math.cos(angle)
        large = int(data.share > 0.5)
        arc = f"M{middle:.2f} {middle - radius:.2f} A{radius:.2f} {radius:.2f} 0 {large} 1 {x:.2f} {y:.2f}"
        canvas.path(arc, fill="none", stroke=colour, stroke_width="5", **rests)
    else:
        canvas.text(middle, middle + 6, "!", colour, size=18, anchor="middle", bold=True)
    return canvas.picture(_TITLE.text(language), words(data, language))


def _length(length: timedelta) -> str:
    hours, minutes = divmod(length // timedelta(minutes=1), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
