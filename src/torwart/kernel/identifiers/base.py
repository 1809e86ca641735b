"""What all identifiers share: forgiving input, strict canonical text, an answer that helps.

An identifier is a ``str`` that cannot be wrong: every way of making one checks it. Its form is a table of segments,
``(how many, which characters)``; length, checks, texts and the strategies of the tests all come from that table.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import ClassVar, Self

from torwart.kernel.refusals import identifiers as refused
from torwart.kernel.words import Words

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHANUMERIC = DIGITS + LETTERS
HEX = "0123456789ABCDEF"

Shape = tuple[tuple[int, str], ...]
Checksum = Callable[[str], str]

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_UPPER = {ord(c): c.upper() for c in LETTERS.lower()}
_INVISIBLE = {"Cf", "Cc", "Zs", "Zl", "Zp"}


def tidy(text: str) -> str:
    """Fold what people and programs add: blanks, invisible characters, wide forms, typographic dashes, lower case.

    Only ASCII letters are raised, so that no foreign letter (``ı``, ``ß``) turns into one of ours.
    """
    folded = unicodedata.normalize("NFKC", text).translate(_DASHES)
    return "".join(c for c in folded if unicodedata.category(c) not in _INVISIBLE).translate(_UPPER)


def shown(text: str) -> str:
    """``text`` as it may stand in a message: one line, printable, at most 60 characters."""
    line = "".join(c if c.isprintable() else "�" for c in text.strip())
    return line if len(line) <= 60 else line[:59] + "…"


def both(**words: Words) -> dict[str, str]:
    """Words as plain details of a refusal: ``both(name=w)`` → ``name_de``, ``name_en``."""
    return {f"{key}_{language}": w.text(language) for key, w in words.items() for language in ("de", "en")}


class Identifier(str):
    """Base of all identifiers; ``X(text)`` and ``X.parse(text)`` are the same.

    Raises ``Refusal`` of the kinds ``identifier.empty``, ``.length``, ``.character``, ``.check_digit``.
    """

    __slots__ = ()

    name: ClassVar[Words]
    form: ClassVar[Words]
    example: ClassVar[str]
    shape: ClassVar[Shape]
    checksum: ClassVar[Checksum | None] = None
    binding: ClassVar[bool] = True
    """Whether a wrong check digit refuses; ``False`` where the rule is only known by recollection: it then warns."""
    pattern: ClassVar[re.Pattern[str]]
    """The shape as a regular expression, made from the table."""

    def __init_subclass__(cls) -> None:
        if "shape" in vars(cls):
            cls.pattern = re.compile("".join(f"[{re.escape(allowed)}]{{{count}}}" for count, allowed in cls.shape))

    def __new__(cls, text: str) -> Self:
        return text if isinstance(text, cls) else str.__new__(cls, cls._canonical(text))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The identifier that ``text`` means, in canonical form."""
        return cls(text)

    @classmethod
    def complete(cls, body: str) -> Self:
        """``body`` with its check digit appended, e.g. ``MaLoId.complete("5123869678")``."""
        if cls.checksum is None:
            raise TypeError(f"{cls.__name__} has no check digit")
        return cls(body + cls.checksum(body))

    @property
    def warnings(self) -> tuple[Words, ...]:
        """What looks odd but is no reason to refuse, because no source we hold makes it a rule."""
        right = self._right_check_digit(self)
        return () if self.binding or right in (None, self[-1]) else (_odd_check_digit(self, right or ""),)

    @classmethod
    def _normalise(cls, text: str) -> str:
        """Forgiving half: what of ``text`` is the identifier."""
        return tidy(text).replace("-", "")

    @classmethod
    def _canonical(cls, text: str) -> str:
        """Strict half: the normalised text if it fits the shape and its check digit, else ``Refusal``."""
        plain = text if cls.pattern.fullmatch(text) else cls._normalise(text)
        if not cls.pattern.fullmatch(plain):
            cls._check_length(plain, text)
            cls._check_characters(plain, text)
        right = cls._right_check_digit(plain)
        if cls.binding and right not in (None, plain[-1]):
            raise refused.CHECK_DIGIT(text=shown(text), **both(name=cls.name), given=plain[-1], expected=right)
        return plain

    @classmethod
    def _check_length(cls, plain: str, text: str) -> None:
        if not plain:
            raise refused.EMPTY(**both(name=cls.name), example=cls.example)
        expected = sum(count for count, _ in cls.shape)
        if len(plain) != expected:
            raise refused.LENGTH(
                text=shown(text),
                **both(name=cls.name, form=cls.form),
                given=len(plain),
                expected=expected,
                example=cls.example,
            )

    @classmethod
    def _check_characters(cls, plain: str, text: str) -> None:
        places = (allowed for count, allowed in cls.shape for _ in range(count))
        for position, (c, allowed) in enumerate(zip(plain, places, strict=True), start=1):
            if c not in allowed:
                raise refused.CHARACTER(
                    text=shown(text),
                    **both(name=cls.name, form=cls.form, expected=describe(allowed)),
                    position=position,
                    given=shown(c),
                )

    @classmethod
    def _right_check_digit(cls, plain: str) -> str | None:
        return None if cls.checksum is None else cls.checksum(plain[:-1])


_ALPHABETS = {
    DIGITS: Words("eine Ziffer", "a digit"),
    DIGITS[1:]: Words("eine Ziffer von 1 bis 9", "a digit from 1 to 9"),
    LETTERS: Words("ein Buchstabe A–Z", "a letter A–Z"),
    ALPHANUMERIC: Words("eine Ziffer oder ein Buchstabe A–Z", "a digit or a letter A–Z"),
    ALPHANUMERIC + "-": Words("eine Ziffer, ein Buchstabe A–Z oder „-“", "a digit, a letter A–Z or “-”"),
    HEX: Words("0–9 oder A–F", "0–9 or A–F"),
}


def describe(allowed: str) -> Words:
    """In words, which characters may stand in a place."""
    if len(allowed) == 1:
        return Words(f"„{allowed}“", f"“{allowed}”")
    listed = ", ".join(allowed)
    return _ALPHABETS.get(allowed) or Words(f"eines von {listed}", f"one of {listed}")


def _odd_check_digit(identifier: str, right: str) -> Words:
    return Words(
        f"Ungewöhnlich: Die letzte Ziffer von {identifier} wäre nach der üblichen Regel {right}. Bitte prüfen.",
        f"Unusual: by the customary rule the last digit of {identifier} would be {right}. Please check.",
    )
