"""The letter that announces a new version of a contract document (C-4)."""

from datetime import date

from torwart.kernel.contract_document import DocumentKind, named
from torwart.kernel.words import Words
from torwart.services.letter.mail import GREETING
from torwart.wire.mail import Facts, Letter, Link, Paragraph

_SUBJECT = Words("{title}: Version {version} ab {day}", "{title}: version {version} from {day}")
_TEXT = Words(
    "in Ihrem Bereich liegt eine neue Version. Bis sie gilt, gilt die bisherige weiter; alle Versionen bleiben dort.",
    "there is a new version in your area. Until it is in force the present one is; all versions remain there.",
)
_NAME = Words("Dokument", "Document")
_VERSION = Words("Version", "Version")
_FROM = Words("gilt ab", "in force from")
_LINK = Words("Vertragsdokumente", "Contract documents")


def published(language: str, *, kind: DocumentKind, title: str, version: str, valid_from: date, url: str) -> Letter:
    """What is new, from when on, and where it lies."""
    name, day = named(kind, title).text(language), f"{valid_from:%d.%m.%Y}"
    rows = (
        (_NAME.text(language), name),
        (_VERSION.text(language), version),
        (_FROM.text(language), day),
    )
    return Letter(
        _SUBJECT.text(language, title=name, version=version, day=day),
        (
            Paragraph(f"{GREETING.text(language)}\n{_TEXT.text(language)}"),
            Facts(rows),
            Link(_LINK.text(language), url),
        ),
        language,
    )
