"""Foreign HTML as plain text: nothing of it is rendered, linked or kept."""

import re
from html import unescape

_HIDDEN = ("script", "style", "title", "template", "noscript", "svg", "object")
_BREAK = re.compile(r"/?(p|div|tr|table|h[1-6]|ul|ol|blockquote|pre|section|article|header|footer|hr)|br/?")
_ITEM = "li"
_LONGEST_TAG = 4096


def strip_html(source: str) -> str:
    """The words of ``source``; paragraphs and rows on lines of their own. Time grows linearly, whatever it is."""
    out: list[str] = []
    at = 0
    while at < len(source):
        start = source.find("<", at)
        if start < 0:
            out.append(_words(source[at:]))
            break
        out.append(_words(source[at:start]))
        at = _tag(source, start, out)
    text = re.sub(r"[ \t\xa0]+", " ", "".join(out))
    lines = [line.strip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _words(piece: str) -> str:
    """Text between tags: in HTML a line end is a blank."""
    return unescape(re.sub(r"\s+", " ", piece))


def _tag(source: str, start: int, out: list[str]) -> int:
    """Work off the tag or comment at ``start``; where the text goes on."""
    if source.startswith("<!--", start):
        return _behind(source, "-->", start + 4)
    end = source.find(">", start + 1, start + _LONGEST_TAG) + 1
    word = re.match(r"/?[a-z0-9]+/?|[!?]", source[start + 1 : min(end, start + 32)].lower())
    if not end or word is None:
        # "a < b" is no tag; without a longest tag, a flood of "<" would cost the square of its size.
        out.append("<")
        return start + 1
    if word[0] in _HIDDEN:
        closing = re.compile(rf"</{word[0]}", re.IGNORECASE).search(source, end)
        return _behind(source, ">", closing.end()) if closing else len(source)
    if word[0] == _ITEM:
        out.append("\n- ")
    elif _BREAK.fullmatch(word[0]):
        out.append("\n")
    elif word[0] in {"td", "/td", "th", "/th"}:
        out.append(" ")
    return end


def _behind(source: str, mark: str, at: int) -> int:
    """Just behind the next ``mark``, or at the end where there is none."""
    found = source.find(mark, at)
    return len(source) if found < 0 else found + len(mark)
