"""OBIS codes (IEC 62056-61): what a register measures, ``A-B:C.D.E*F``."""

import re
from typing import Self

from torwart.kernel.identifiers.base import shown, tidy
from torwart.kernel.refusals import identifiers as refused
from torwart.kernel.words import Words

_TEXT = re.compile(r"(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\*(\d{1,3}))?", re.ASCII)
_HEX = re.compile(r"[0-9A-F]{12}")
_NOT_USED = 255


class ObisCode(str):
    """An OBIS code. Canonical text has no leading zeros and leaves ``*255`` ("not used") away: ``1-0:1.8.0``.

    Input may also be the twelve hex digits of the binary form. Raises ``Refusal`` ``identifier.obis``.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        return text if isinstance(text, cls) else str.__new__(cls, _text(_groups(text)))

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(text)

    @property
    def groups(self) -> tuple[int, int, int, int, int, int]:
        """The six value groups A to F."""
        a, b, c, d, e, f = _groups(self)
        return a, b, c, d, e, f

    @property
    def binary(self) -> bytes:
        """Six bytes, one per group."""
        return bytes(self.groups)

    @property
    def hex(self) -> str:
        """Twelve hex digits in capitals, e.g. ``0100010800FF``."""
        return self.binary.hex().upper()

    @classmethod
    def from_binary(cls, data: bytes) -> Self:
        if len(data) != 6:
            raise refused.OBIS(text=data[:16].hex())
        return str.__new__(cls, _text(list(data)))

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """Read twelve hex digits, upper or lower case."""
        if not _HEX.fullmatch(tidy(text)):
            raise refused.OBIS(text=shown(text))
        return cls.from_binary(bytes.fromhex(tidy(text)))

    @property
    def meaning(self) -> Words | None:
        """What it measures, in words, for the codes this trade meets daily; ``None`` for others."""
        return MEANINGS.get(self)


def _groups(text: str) -> list[int]:
    plain = tidy(text)
    if _HEX.fullmatch(plain):
        return list(bytes.fromhex(plain))
    match = _TEXT.fullmatch(plain)
    groups = [int(g) if g else _NOT_USED for g in match.groups()] if match else [256]
    if max(groups) > 255:
        raise refused.OBIS(text=shown(text))
    return groups


def _text(groups: list[int]) -> str:
    a, b, c, d, e, f = groups
    short = f"{a}-{b}:{c}.{d}.{e}"
    return short if f == _NOT_USED else f"{short}*{f}"


MEANINGS: dict[str, Words] = {
    "1-0:1.8.0": Words("Bezug, Zählerstand", "import, register"),
    "1-0:1.8.1": Words("Bezug HT, Zählerstand", "import high tariff, register"),
    "1-0:1.8.2": Words("Bezug NT, Zählerstand", "import low tariff, register"),
    "1-0:2.8.0": Words("Einspeisung, Zählerstand", "export, register"),
    "1-0:2.8.1": Words("Einspeisung HT, Zählerstand", "export high tariff, register"),
    "1-0:2.8.2": Words("Einspeisung NT, Zählerstand", "export low tariff, register"),
    "1-0:3.8.0": Words("Blindarbeit Bezug, Zählerstand", "reactive import, register"),
    "1-0:4.8.0": Words("Blindarbeit Einspeisung, Zählerstand", "reactive export, register"),
    "1-0:1.7.0": Words("Wirkleistung Bezug", "active power import"),
    "1-0:2.7.0": Words("Wirkleistung Einspeisung", "active power export"),
    "1-0:16.7.0": Words("Wirkleistung gesamt", "active power total"),
    "1-0:14.7.0": Words("Netzfrequenz", "mains frequency"),
    "1-0:32.7.0": Words("Spannung L1", "voltage L1"),
    "1-0:52.7.0": Words("Spannung L2", "voltage L2"),
    "1-0:72.7.0": Words("Spannung L3", "voltage L3"),
    "1-0:31.7.0": Words("Strom L1", "current L1"),
    "1-0:51.7.0": Words("Strom L2", "current L2"),
    "1-0:71.7.0": Words("Strom L3", "current L3"),
    "7-0:3.0.0": Words("Gas, Volumen", "gas, volume"),
    "8-0:1.0.0": Words("Wasser, Volumen", "water, volume"),
}
