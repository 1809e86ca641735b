"""The one closed list of refusals: every way Torwart says no, with side at fault, retry and source.

Rules of this package
1. Nothing in Torwart refuses in any other way: a check raises ``Refusal`` of a kind from this list.
2. A kind is defined once, in the module of its subject; ``KINDS`` collects them all and codes are unique.
3. Texts say what is wrong and what to do, in German and English, and never carry a secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from torwart.kernel.words import Words


class Side(StrEnum):
    """Whose fault a refusal or failed step is (spec: the process catalogue, "State of a run")."""

    OURS = "ours"
    GATEWAY = "gateway"
    CLIENT = "client"
    CA = "ca"
    NETWORK = "network"
    EMT = "emt"


class Retry(StrEnum):
    """Whether the same request can succeed later without a change."""

    NEVER = "never"
    LATER = "later"
    AFTER_CHANGE = "after_change"


KINDS: dict[str, "Kind"] = {}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of refusal. Calling it makes the exception: ``raise CMS_MALFORMED(why="…")``.

    ``code``: stable dotted name, e.g. ``cms.malformed``. ``words``: text with ``str.format`` fields that the
    caller fills. ``source``: standard and section, requirement id, or "(ours)".
    """

    code: str
    words: Words
    side: Side
    retry: Retry
    source: str

    def __post_init__(self) -> None:
        if self.code in KINDS:
            raise ValueError(f"refusal {self.code} is defined twice")
        KINDS[self.code] = self

    def __call__(self, **details: object) -> "Refusal":
        return Refusal(self, details)


class Refusal(Exception):
    """A named no. ``kind`` says which, ``details`` fills its text; ``str()`` is the text in the locale's language."""

    def __init__(self, kind: Kind, details: Mapping[str, object]) -> None:
        super().__init__(kind, dict(details))
        self.kind = kind
        self.details = dict(details)

    @property
    def code(self) -> str:
        return self.kind.code

    @property
    def side(self) -> Side:
        return self.kind.side

    def text(self, language: str | None = None) -> str:
        """The full sentence, fields filled."""
        return self.kind.words.text(language, **self.details)

    def __str__(self) -> str:
        return f"{self.text()} [{self.code}]"


def kind(code: str, *, de: str, en: str, side: Side, retry: Retry = Retry.NEVER, source: str = "(ours)") -> Kind:
    """Define a kind of refusal; only modules of this package call it."""
    return Kind(code, Words(de, en), side, retry, source)
