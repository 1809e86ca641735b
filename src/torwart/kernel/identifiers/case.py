"""Case numbers: how people name an order or a ticket on the phone, in a subject line, in the portal.

Random, not counted: a running number would tell every client how much the others order (P-1).
"""

import secrets
from typing import ClassVar, Self

from torwart.kernel.identifiers import checksum
from torwart.kernel.identifiers.base import DIGITS, Checksum, Identifier
from torwart.kernel.words import Words


class CaseNumber(Identifier):
    """``A-123456782`` is an order, ``T-123456782`` its ticket: eight random digits and a check digit."""

    name = Words("Vorgangsnummer", "case number")
    form = Words("A- oder T- und neun Ziffern", "A- or T- and nine digits")
    example = "T-123456782"
    shape = ((1, "AT"), (1, "-"), (9, DIGITS))
    checksum: ClassVar[Checksum | None] = staticmethod(checksum.luhn)

    @classmethod
    def new(cls, letter: str) -> Self:
        """A number nobody can guess from another; that it is free is the database's word."""
        return cls.complete(f"{letter}-{secrets.randbelow(10**8):08d}")

    @property
    def order(self) -> Self:
        return type(self)("A" + self[1:])

    @property
    def ticket(self) -> Self:
        return type(self)("T" + self[1:])

    @classmethod
    def _normalise(cls, text: str) -> str:
        plain = super()._normalise(text.strip(" []#"))
        return f"{plain[:1]}-{plain[1:]}"
