"""Mail addresses: read from a header in exactly one way, and written so that nothing can be smuggled in.

Who sent a mail decides whose data it may touch, so a From line that could be read in two ways names nobody.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from torwart.kernel.refusals.mail import MAIL_ADDRESS
from torwart.wire.mail.words import clean, decode_words, encode_words

# RFC 5321 4.1.2: Dot-string "@" Domain; quoted local parts and address literals exist on paper only.
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_LONGEST = 254  # RFC 5321 4.5.3.1.3 less the angle brackets
# Without its end a quoted string swallows the rest, and with it any address: in one pass, whatever the line holds.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"?', re.DOTALL)
_COMMENT = re.compile(r"\([^()]*\)")
_IN_ANGLES = re.compile(r"([^<>]*)<([^<>]*)>\s*")


@dataclass(frozen=True, slots=True)
class Address:
    """``address`` in lower case, ``name`` as people read it. Refuses ``mail.address`` what no mail can go to."""

    address: str
    name: str = ""

    def __post_init__(self) -> None:
        if not is_address(self.address):
            raise MAIL_ADDRESS(address=clean(self.address)[:80])
        object.__setattr__(self, "address", self.address.lower())

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    def header(self) -> str:
        """As it stands in a header: encoded name and address in angle brackets."""
        name = " ".join(clean(self.name).split())
        if not name:
            return self.address
        if name.isascii() and "=?" not in name:
            escaped = name.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}" <{self.address}>'
        return f"{encode_words(name)} <{self.address}>"


def is_address(text: str) -> bool:
    """Whether ``text`` is one bare address that SMTP can carry."""
    return len(text) <= _LONGEST and _ADDRESS.fullmatch(text) is not None


def read_addresses(value: str) -> tuple[Address, ...]:
    """The addresses of a header line (To, Cc); what is none is left out."""
    return tuple(address for piece in _pieces(value) if (address := _read(*piece)) is not None)


def read_sender(values: Sequence[str]) -> Address | None:
    """The one author of the mail's From fields; None where there is not exactly one field with one address."""
    if len(values) != 1:
        return None
    pieces = _pieces(values[0])
    return _read(*pieces[0]) if len(pieces) == 1 else None


def _pieces(value: str) -> list[tuple[str, list[str]]]:
    """The line cut at its commas, comments away, quoted strings replaced by ``"`` and listed beside each piece."""
    quoted: list[str] = []

    def keep(match: re.Match[str]) -> str:
        quoted.append(re.sub(r"\\(.)", r"\1", match[1]))
        return '"'

    plain = _QUOTED.sub(keep, value[:_LONGEST_LINE])
    for _ in range(_DEEPEST_COMMENT):
        plain, count = _COMMENT.subn(" ", plain)
        if not count:
            break
    pieces = []
    for piece in plain.split(","):
        number = piece.count('"')
        if piece.strip():
            pieces.append((piece, quoted[:number]))
        quoted = quoted[number:]
    return pieces


_LONGEST_LINE = 2**16
_DEEPEST_COMMENT = 8


def _read(piece: str, quoted: list[str]) -> Address | None:
    match = _IN_ANGLES.fullmatch(piece)
    name, address = (match[1], match[2]) if match else ("", piece)
    address = address.strip()
    if not is_address(address):
        return None
    strings = iter(quoted)
    name = re.sub('"', lambda _: next(strings, ""), name)
    return Address(address, " ".join(clean(decode_words(name)).split())[:200])
