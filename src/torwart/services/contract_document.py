"""Contract documents: a new version is kept, announced by mail, and never changed afterwards (C-4)."""

import hashlib
import uuid
from datetime import date, datetime

from django.db import transaction

from torwart.kernel.client_state import ClientState
from torwart.kernel.contract_document import KINDS, DocumentKind
from torwart.kernel.refusals.contract_document import DOCUMENT_NOT_PDF, DOCUMENT_TOO_LARGE, DOCUMENT_VERSION_KNOWN
from torwart.services import audit, outbox
from torwart.services.client import locked
from torwart.services.letter import contract_document as letters
from torwart.store.models import Client, ContractDocument

MOST = 20 * 2**20
"""Bytes of one document."""


def publish(
    client: int | None,
    kind: DocumentKind,
    *,
    title: str = "",
    version: str,
    valid_from: date,
    name: str,
    content: bytes,
    actor: str,
    now: datetime,
) -> uuid.UUID:
    """Keep a version and announce it to every contact it is for; its id in addresses.

    ``client``: whose it is, ``None`` for all clients. ``title``: what it is called, without it as its kind is. The same
    version with the same content again changes nothing; with other content it is refused.
    """
    title, version = " ".join(title.split()) or KINDS[kind].de, " ".join(version.split())
    _require_pdf(name, content)
    digest = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        if client is not None:
            locked(client)
        same = {"client": client, "kind": kind.value, "title": title, "version": version}
        known = ContractDocument.objects.defer("content").filter(**same).first()
        if known is not None:
            if (known.digest, known.valid_from) != (digest, valid_from):
                raise DOCUMENT_VERSION_KNOWN(version=version, title=title)
            return known.document_id
        row = ContractDocument.objects.create(
            document_id=uuid.uuid4(),
            client_id=client,
            kind=kind.value,
            title=title,
            version=version,
            valid_from=valid_from,
            name=name,
            size=len(content),
            digest=digest,
            content=content,
            published_at=now,
        )
        _announce(row, now)
        audit.append(
            actor=actor,
            action="document.published",
            subject=f"document:{row.document_id}",
            payload={
                "kind": kind.value,
                "title": title,
                "version": version,
                "valid_from": valid_from.isoformat(),
                "digest": digest,
            },
            client=client,
            at=now,
        )
    return row.document_id


def _require_pdf(name: str, content: bytes) -> None:
    if len(content) > MOST:
        raise DOCUMENT_TOO_LARGE(most=MOST // 2**20)
    if not content.startswith(b"%PDF-"):
        raise DOCUMENT_NOT_PDF(name=name)


def _announce(row: ContractDocument, now: datetime) -> None:
    """To all contacts of whom it is for; the mail holds no data of a client, so it goes without S/MIME, too."""
    kind = DocumentKind(row.kind)
    url = outbox.portal_url("/portal/ansprechpartner/dokumente/")
    rows = Client.objects.exclude(state=ClientState.ENDED.value)
    for each in rows.filter(pk=row.client_id) if row.client_id is not None else rows:
        outbox.to_contacts(
            each.pk,
            lambda language: letters.published(
                language, kind=kind, title=row.title, version=row.version, valid_from=row.valid_from, url=url
            ),
            kind="document.published",
            now=now,
            secure=False,
        )
