"""Texts a person reads, German first, English complete."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages; ``str.format`` fields are the same in both."""

    de: str
    en: str

    def text(self, language: str | None = None, **values: object) -> str:
        """The text in ``language`` ("de" or "en"; by default that of the locale), fields filled from ``values``."""
        template = self.en if (language or locale_language()) == "en" else self.de
        return template.format(**values) if values else template


def locale_language() -> str:
    """``"en"`` where TORWART_LANGUAGE, LC_ALL, LC_MESSAGES or LANG name English or C, else ``"de"``.

    German is the product's first language (design.md, Words), so only an explicit other locale leaves it.
    """
    for name in ("TORWART_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "de" if value.lower().startswith("de") else "en"
    return "de"
