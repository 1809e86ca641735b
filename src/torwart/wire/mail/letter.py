"""A letter: what a mail says, as blocks. Plain text and HTML are two prints of the same blocks and so say the same.

The HTML is sober on purpose: one column, system fonts, inline style, headings in order, tables with row headers, no
image and nothing from elsewhere, so that it reads well in any client, aloud, in the dark and in print.
"""

import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import Any

from torwart.kernel.words import Words

WIDTH = 78
"""Columns of the plain text (RFC 5322 2.1.1: lines SHOULD be no more than 78 characters)."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; a line end in it is kept."""

    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Label and value in rows: the summary of an order. ``caption``: what the rows are, or nothing."""

    rows: tuple[tuple[str, str], ...]
    caption: str = ""


class Track(StrEnum):
    """Where a step of a track is."""

    DONE = "done"
    NOW = "now"
    AHEAD = "ahead"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Steps:
    """The way of an order, like a parcel's: (how far, name, remark such as a time) in order."""

    steps: tuple[tuple[Track, str, str], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A page to open (``https`` or ``http``). The URL stands in full in both prints: people see where they go."""

    label: str
    url: str

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")) or any(c.isspace() for c in self.url):
            raise ValueError(f"not a web address: {self.url!r}")


@dataclass(frozen=True, slots=True)
class Quote:
    """What somebody else wrote. ``author``: who and when, or nothing."""

    text: str
    author: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list without order."""

    items: tuple[str, ...]


Block = Paragraph | Heading | Facts | Steps | Link | Quote | Items


@dataclass(frozen=True, slots=True)
class Letter:
    """``subject`` also heads the HTML, less a leading ``[#ticket]``. ``language``: "de" or "en", in which all texts
    are. ``footer``: small print."""

    subject: str
    blocks: tuple[Block, ...]
    language: str = "de"
    footer: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A letter in both prints, as it is kept in the outbox and as ``compose`` takes it."""

    subject: str
    text: str
    html: str
    language: str


def write(letter: Letter) -> Written:
    return Written(letter.subject, text(letter), html(letter), letter.language)


# How far a step is: sign in text, colour of the HTML's sign, words for ears.
_TRACKS: Mapping[Track, tuple[str, str, Words]] = {
    Track.DONE: ("[x]", "#1a7f4b", Words("erledigt", "done")),
    Track.NOW: ("[>]", "#0b5cad", Words("jetzt", "now")),
    Track.AHEAD: ("[ ]", "#5c6670", Words("kommt noch", "to come")),
    Track.FAILED: ("[!]", "#b3261e", Words("fehlgeschlagen", "failed")),
}


# -- plain text -------------------------------------------------------------------------------------------------------


def text(letter: Letter) -> str:
    """At most ``WIDTH`` columns; only what cannot be broken (a URL, a long identifier) runs over."""
    blocks = [_TEXTS[type(block)](block, letter.language) for block in letter.blocks]
    if letter.footer:
        # "-- " alone on a line begins the signature, which mail programs print small and leave out of replies.
        blocks.append("-- \n" + _wrapped(letter.footer))
    return "\n\n".join(blocks) + "\n"


def _wrapped(content: str, first: str = "", rest: str | None = None) -> str:
    """Wrapped line by line; ``first`` leads the first line, ``rest`` all others."""
    rest = first if rest is None else rest
    out: list[str] = []
    for line in content.splitlines() or [""]:
        lead = rest if out else first
        if line and len(lead) + len(line) <= WIDTH and line == line.strip() and line.isprintable():
            out.append(lead + line)  # what textwrap would answer, ten times as fast
            continue
        wrapped = textwrap.wrap(
            line, WIDTH, initial_indent=lead, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
        )
        out += wrapped or [lead.rstrip()]
    return "\n".join(out)


_WIDEST_LABEL = 28


def _facts_text(facts: Facts, _: str) -> str:
    widest = max((len(label) for label, _ in facts.rows if len(label) <= _WIDEST_LABEL), default=0)
    rows = []
    for label, value in facts.rows:
        if len(label) > widest:
            rows.append(_wrapped(f"{label}:", "  ", "  ") + "\n" + _wrapped(value, "      "))
        else:
            rows.append(_wrapped(value, f"  {label + ':':<{widest + 1}}  ", " " * (widest + 5)))
    caption = [_wrapped(f"{facts.caption}:")] if facts.caption else []
    return "\n".join([*caption, *rows])


def _steps_text(steps: Steps, language: str) -> str:
    lines = []
    for track, name, remark in steps.steps:
        sign, _, words = _TRACKS[track]
        said = ", ".join(part for part in (words.text(language), remark) if part)
        lines.append(_wrapped(f"{name} ({said})", f"  {sign} ", "      "))
    return "\n".join(lines)


def _quote_text(quote: Quote, _: str) -> str:
    author = [_wrapped(f"{quote.author.rstrip(':')}:")] if quote.author else []
    return "\n".join([*author, _wrapped(quote.text, "> ")])


_TEXTS: Mapping[type, Callable[[Any, str], str]] = {
    Paragraph: lambda block, _: _wrapped(block.text),
    Heading: lambda block, _: _wrapped(block.text) + "\n" + "-" * min(len(block.text), WIDTH),
    Facts: _facts_text,
    Steps: _steps_text,
    Link: lambda block, _: _wrapped(f"{block.label}:") + f"\n  {block.url}",
    Quote: _quote_text,
    Items: lambda block, _: "\n".join(_wrapped(item, "  - ", "    ") for item in block.items),
}


# -- HTML -------------------------------------------------------------------------------------------------------------

_FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_PAGE = (
    '<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta name="color-scheme" content="light dark">\n<title>{title}</title>\n</head>\n'
    '<body style="margin:0;padding:24px 16px;' + _FONT + ';font-size:16px;line-height:1.5">\n'
    '<main style="max-width:640px;margin:0 auto">\n'
    '<h1 style="font-size:20px;line-height:1.3;margin:0 0 20px;padding:0 0 12px;border-bottom:2px solid #0b5cad">'
    "{heading}</h1>\n{content}\n</main>\n</body>\n</html>\n"
)
_HEADING = "font-size:17px;line-height:1.3;margin:24px 0 10px"
_CELL = "padding:6px 0;vertical-align:top;border-bottom:1px solid #c9ced4;overflow-wrap:anywhere"


def html(letter: Letter) -> str:
    """A whole page in the letter's language; all text is escaped."""
    blocks = [_PAGES[type(block)](block, letter.language) for block in letter.blocks]
    if letter.footer:
        style = "margin:28px 0 0;padding:12px 0 0;border-top:1px solid #c9ced4;font-size:13px"
        blocks.append(f'<footer style="{style}">{_lines(letter.footer)}</footer>')
    title, heading = escape(letter.subject), escape(_NUMBER.sub("", letter.subject))
    return _PAGE.format(language=letter.language, title=title, heading=heading, content="\n".join(blocks))


_NUMBER = re.compile(r"^\s*\[#[^\]]*\]\s*(?=\S)")  # [#T-123456782] is for programs; people are told in words


def _lines(content: str) -> str:
    return "<br>\n".join(escape(line) for line in content.splitlines())


def _facts_html(facts: Facts, _: str) -> str:
    caption = (
        f'<caption style="text-align:left;font-weight:600;padding:0 0 4px">{escape(facts.caption)}</caption>'
        if facts.caption
        else ""
    )
    rows = "\n".join(
        f'<tr><th scope="row" style="{_CELL};width:38%;padding-right:16px;text-align:left;font-weight:400">'
        f'{escape(label)}</th><td style="{_CELL};font-weight:600">{_lines(value)}</td></tr>'
        for label, value in facts.rows
    )
    style = "width:100%;border-collapse:collapse;margin:0 0 20px"
    return f'<table style="{style}">{caption}\n{rows}\n</table>'


def _steps_html(steps: Steps, language: str) -> str:
    rows = []
    for track, name, remark in steps.steps:
        _, colour, words = _TRACKS[track]
        current = ' aria-current="step"' if track is Track.NOW else ""
        weight = 600 if track is Track.NOW else 400
        after = f" · {escape(remark)}" if remark else ""
        rows.append(
            f'<li{current} style="margin:0;padding:6px 0 6px 14px;border-left:4px solid {colour}">'
            f'<span style="font-weight:{weight}">{escape(name)}</span><br>'
            f'<span style="font-size:14px">{escape(words.text(language))}{after}</span></li>'
        )
    return '<ol style="list-style:none;margin:0 0 20px;padding:0">\n' + "\n".join(rows) + "\n</ol>"


def _link_html(link: Link, _: str) -> str:
    url = escape(link.url, quote=True)
    return (
        f'<p style="margin:0 0 20px"><a href="{url}" style="color:inherit;font-weight:600">{escape(link.label)}</a><br>'
        f'<span style="font-size:13px;overflow-wrap:anywhere">{url}</span></p>'
    )


def _quote_html(quote: Quote, _: str) -> str:
    author = f'<p style="margin:0 0 4px;font-size:14px">{escape(quote.author)}</p>' if quote.author else ""
    style = "margin:0 0 20px;padding:2px 0 2px 14px;border-left:4px solid #c9ced4"
    return f'<blockquote style="{style}">{author}<p style="margin:0">{_lines(quote.text)}</p></blockquote>'


def _items_html(items: Items, _: str) -> str:
    rows = "\n".join(f'<li style="margin:0 0 4px">{_lines(item)}</li>' for item in items.items)
    return f'<ul style="margin:0 0 20px;padding:0 0 0 22px">\n{rows}\n</ul>'


_PAGES: Mapping[type, Callable[[Any, str], str]] = {
    Paragraph: lambda block, _: f'<p style="margin:0 0 16px">{_lines(block.text)}</p>',
    Heading: lambda block, _: (
        f'<h2 style="font-size:17px;line-height:1.3;margin:24px 0 10px">{escape(block.text)}</h2>'
    ),
    Facts: _facts_html,
    Steps: _steps_html,
    Link: _link_html,
    Quote: _quote_html,
    Items: _items_html,
}
