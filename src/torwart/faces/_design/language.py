"""Two languages side by side: words stand where they are used, German first, and nothing is looked up elsewhere."""

from typing import TYPE_CHECKING, Any

from django.utils.functional import lazy
from django.utils.translation import get_language

from torwart.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.utils.functional import _StrPromise as Text

LANGUAGES = {"de": "Deutsch", "en": "English"}


def active() -> str:
    """The language of this request: ``"de"`` or ``"en"``."""
    return "en" if (get_language() or "de").startswith("en") else "de"


def said(words: Words, **values: object) -> str:
    """``words`` in the language of this request."""
    return words.text(active(), **values)


def _chosen(de: str, en: str) -> str:
    return en if active() == "en" else de


_promised: "Callable[[str, str], Any]" = lazy(_chosen, str)


def t(de: str, en: str) -> "Text":
    """A text that becomes German or English when it is shown: for labels, hints and titles in Python."""
    promised: Text = _promised(de, en)
    return promised
