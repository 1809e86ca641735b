"""Text in headers: RFC 2047 encoded words both ways, character sets we trust, characters nobody should meet."""

import binascii
import codecs
import re
from itertools import groupby

_WORD = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,40})?\?([bBqQ])\?([^?\s]*)\?=")
_GAP = re.compile(r"(?<=\?=)[ \t\r\n]+(?==\?)")

# Decoders that are linear and plain; Python would also decode "punycode" (quadratic) or "unicode_escape".
_CHARSETS = re.compile(
    r"utf-8|utf-8-sig|utf-16(-[lb]e)?|utf-7|ascii|iso8859-\d+|cp(437|8[56]\d|874|125\d|932|949|950)|koi8-[rut]|mac-roman|"
    r"gb2312|gbk|gb18030|big5|shift_jis|euc_(jp|kr)|iso2022_(jp|kr)"
)
# Control characters, bidirectional overrides (they make "exe.pdf" of "fdp.exe"), and lone surrogates.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def clean(text: str) -> str:
    """Without control characters (but tab and line end), direction overrides and lone surrogates."""
    return _UNWANTED.sub("", text)


def decode(octets: bytes, charset: str) -> str:
    """Octets as text; an unknown or strange charset is read as UTF-8 or else Latin-1, wrong octets are replaced."""
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        name = ""
    if not _CHARSETS.fullmatch(name):
        name = "utf-8" if _is_utf8(octets) else "iso8859-1"
    return octets.decode("utf-8" if name == "ascii" else name, "replace")


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def decode_words(value: str) -> str:
    """RFC 2047: encoded words as text, neighbours of one charset joined before they are decoded."""
    pieces = _WORD.split(_GAP.sub("", value))
    words = [(pieces[at], pieces[at + 1], pieces[at + 2], pieces[at + 3]) for at in range(1, len(pieces) - 1, 4)]
    out = [pieces[0]]
    pending: list[tuple[str, bytes]] = []
    for charset, encoding, content, after in words:
        pending.append((charset.lower(), _octets(encoding, content)))
        if after:
            out += [*_joined(pending), after]
            pending = []
    return "".join([*out, *_joined(pending)])


def _joined(words: list[tuple[str, bytes]]) -> list[str]:
    return [
        decode(b"".join(octets for _, octets in group), charset)
        for charset, group in groupby(words, key=lambda word: word[0])
    ]


def _octets(encoding: str, content: str) -> bytes:
    raw = content.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(raw, header=True)
    return lenient_base64(raw)


_NOT_BASE64 = bytes(octet for octet in range(256) if not re.match(rb"[A-Za-z0-9+/]", bytes([octet])))


def lenient_base64(raw: bytes) -> bytes:
    """What can be decoded: foreign characters are skipped, a broken end is left off."""
    kept = raw.translate(None, _NOT_BASE64)
    kept = kept[:-1] if len(kept) % 4 == 1 else kept
    return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))


def encode_words(text: str) -> str:
    """RFC 2047 section 2: as encoded words of at most 75 characters, split between characters, never within one."""
    words: list[str] = []
    chunk = b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(chunk) + len(octets) > _MOST_OCTETS:
            words.append(_encoded(chunk))
            chunk = b""
        chunk += octets
    return " ".join([*words, _encoded(chunk)])


_MOST_OCTETS = 45  # base64 makes 60 of them; with "=?utf-8?b?" and "?=" that is 72


def _encoded(chunk: bytes) -> str:
    return f"=?utf-8?b?{binascii.b2a_base64(chunk, newline=False).decode()}?="
