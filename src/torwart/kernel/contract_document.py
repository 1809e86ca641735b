"""Kinds of contract documents between provider and client (C-4; KL 2: framework agreement, service annex, guide)."""

from enum import StrEnum

from torwart.kernel.words import Words


class DocumentKind(StrEnum):
    AGREEMENT = "agreement"
    ANNEX = "annex"
    GUIDE = "guide"
    OTHER = "other"


KINDS: dict[DocumentKind, Words] = {
    DocumentKind.AGREEMENT: Words("Rahmenvertrag", "Framework agreement"),
    DocumentKind.ANNEX: Words("Leistungsbeschreibung", "Service annex"),
    DocumentKind.GUIDE: Words("Kundenleitfaden", "Customer guide"),
    DocumentKind.OTHER: Words("Weiteres Dokument", "Other document"),
}
"""In the order in which they are read."""


def named(kind: DocumentKind, title: str) -> Words:
    """A document's title: the one of its kind in both languages, another as it was given."""
    return KINDS[kind] if title == KINDS[kind].de else Words(title, title)
