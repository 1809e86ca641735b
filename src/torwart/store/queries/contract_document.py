"""Contract documents as people see them: by title, every version, the one in force marked (C-4)."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from uuid import UUID

from django.db.models import Q, QuerySet

from torwart.kernel.contract_document import DocumentKind, named
from torwart.kernel.words import Words
from torwart.store.models import ContractDocument


@dataclass(frozen=True, slots=True)
class Version:
    """``state``: ``in_force``, ``coming`` or ``past``."""

    document_id: UUID
    version: str
    valid_from: date
    name: str
    size: int
    digest: str
    state: str


@dataclass(frozen=True, slots=True)
class Document:
    """One title with its versions, the latest first. ``client``: name of whose it is, empty: for all clients."""

    kind: DocumentKind
    title: Words
    client: str
    versions: tuple[Version, ...]

    @property
    def in_force(self) -> Version | None:
        return next((each for each in self.versions if each.state == "in_force"), None)


def of_client(client: int, today: date) -> list[Document]:
    """What this client finds in its area: its own and those for all."""
    return _grouped(_rows().filter(Q(client=client) | Q(client=None)), today)


def everything(today: date) -> list[Document]:
    """All documents of all clients, for the provider."""
    return _grouped(_rows(), today)


def file(client: int, document_id: UUID) -> ContractDocument | None:
    """A version with its content, if this client may see it."""
    return ContractDocument.objects.filter(Q(client=client) | Q(client=None), document_id=document_id).first()


def any_file(document_id: UUID) -> ContractDocument | None:
    """A version with its content, for the provider."""
    return ContractDocument.objects.filter(document_id=document_id).first()


def _rows() -> QuerySet[ContractDocument]:
    return ContractDocument.objects.defer("content").select_related("client")


def _grouped(rows: QuerySet[ContractDocument], today: date) -> list[Document]:
    order = list(DocumentKind)

    def title(row: ContractDocument) -> tuple[int, str, str]:
        return order.index(DocumentKind(row.kind)), row.client.name if row.client else "", row.title

    known = sorted(rows, key=lambda row: (*title(row), -row.valid_from.toordinal(), -row.pk))
    return [_document(list(group), today) for _, group in groupby(known, key=title)]


def _document(rows: list[ContractDocument], today: date) -> Document:
    first, kind = rows[0], DocumentKind(rows[0].kind)
    now = next((row.pk for row in rows if row.valid_from <= today), None)
    versions = tuple(
        Version(
            row.document_id,
            row.version,
            row.valid_from,
            row.name,
            row.size,
            row.digest,
            "in_force" if row.pk == now else "coming" if row.valid_from > today else "past",
        )
        for row in rows
    )
    return Document(kind, named(kind, first.title), first.client.name if first.client else "", versions)
