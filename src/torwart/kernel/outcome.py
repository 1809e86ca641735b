"""What came out of an order, line by line: as its story says it, and as it is kept, in both languages."""

from collections.abc import Iterable, Sequence

from torwart.kernel.words import Words

Row = tuple[Words, Words | str]
"""A line: what it is, and its value; a plain text is a value that needs no language (numbers, names, times)."""


def value_in(value: Words | str, language: str) -> str:
    """The value as a reader of ``language`` sees it."""
    return value.text(language) if isinstance(value, Words) else value


def kept(rows: Iterable[Row]) -> list[list[str]]:
    """As JSON: label German and English, value German and English."""
    return [[label.de, label.en, value_in(value, "de"), value_in(value, "en")] for label, value in rows]


def read(rows: Iterable[Sequence[str]]) -> list[tuple[Words, Words]]:
    """What was ``kept``; a line of three has one value for both."""
    return [(Words(row[0], row[1]), Words(row[2], row[-1])) for row in rows]
