"""What every picture is made of: a canvas that escapes what it is given, and a twin in words for who cannot see it."""

from dataclasses import dataclass, field
from html import escape


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by meaning; any CSS colour. ``WEB`` follows the page's tokens, light or dark."""

    ink: str = "#16262e"
    quiet: str = "#5b6b73"
    line: str = "#c5ced3"
    ground: str = "#f3f6f7"
    paper: str = "#ffffff"
    accent: str = "#0b6e6e"
    good: str = "#1f7a3d"
    warn: str = "#8a5a00"
    bad: str = "#b3261e"


PRINT = Theme()
WEB = Theme(
    ink="var(--tw-ink,#16262e)",
    quiet="var(--tw-quiet,#5b6b73)",
    line="var(--tw-line,#c5ced3)",
    ground="var(--tw-ground,#f3f6f7)",
    paper="var(--tw-paper,#ffffff)",
    accent="var(--tw-accent,#0b6e6e)",
    good="var(--tw-good,#1f7a3d)",
    warn="var(--tw-warn,#8a5a00)",
    bad="var(--tw-bad,#b3261e)",
)


@dataclass(frozen=True, slots=True)
class Picture:
    """``svg``: the drawing, self-contained, with title and description. ``title``/``text``: the same in words.
    ``head``/``rows``: the same as a table, to stand beneath.
    """

    svg: str
    title: str
    text: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass
class Canvas:
    """Shapes in user units (pixels at natural size); text is always escaped."""

    width: float
    height: float
    _parts: list[str] = field(default_factory=list)

    def rect(
        self, x: float, y: float, width: float, height: float, fill: str, *, radius: float = 0, **more: str
    ) -> None:
        corner = f' rx="{_n(radius)}"' if radius else ""
        size = f'width="{_n(max(width, 0))}" height="{_n(height)}"'
        self._parts.append(f'<rect x="{_n(x)}" y="{_n(y)}" {size}{corner} fill="{escape(fill)}"{_more(more)}/>')

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str, *, thick: float = 1, **more: str) -> None:
        ends = f'x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"'
        self._parts.append(f'<line {ends} stroke="{escape(stroke)}" stroke-width="{_n(thick)}"{_more(more)}/>')

    def circle(self, x: float, y: float, radius: float, fill: str, **more: str) -> None:
        place = f'cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}"'
        self._parts.append(f'<circle {place} fill="{escape(fill)}"{_more(more)}/>')

    def path(self, d: str, **more: str) -> None:
        self._parts.append(f'<path d="{escape(d)}"{_more(more)}/>')

    def text(
        self, x: float, y: float, words: str, fill: str, *, size: float = 12, anchor: str = "start", bold: bool = False
    ) -> None:
        weight = ' font-weight="600"' if bold else ""
        look = f'fill="{escape(fill)}" font-size="{_n(size)}" text-anchor="{anchor}"{weight}'
        self._parts.append(f'<text x="{_n(x)}" y="{_n(y)}" {look}>{escape(words)}</text>')

    def picture(
        self, title: str, text: str, head: tuple[str, ...] = (), rows: tuple[tuple[str, ...], ...] = ()
    ) -> Picture:
        """Close the drawing; it scales with the page and never grows beyond its natural width."""
        box = f'viewBox="0 0 {_n(self.width)} {_n(self.height)}" width="{_n(self.width)}" height="{_n(self.height)}"'
        opening = f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" class="tw-picture" font-family="inherit">'
        words = f"<title>{escape(title)}</title><desc>{escape(text)}</desc>"
        return Picture(f"{opening}{words}{''.join(self._parts)}</svg>", title, text, head, rows)


def _n(number: float) -> str:
    return f"{number:.1f}".rstrip("0").rstrip(".")


def _more(attributes: dict[str, str]) -> str:
    return "".join(f' {name.replace("_", "-")}="{escape(value)}"' for name, value in attributes.items())
