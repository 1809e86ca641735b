"""Contract documents in the client's area: what is in force, what comes, what was (C-4)."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from torwart.faces._design.access import client_of, client_only, has_any
from torwart.faces._design.saving import saved
from torwart.kernel.role import Role
from torwart.services import present
from torwart.store.queries import contract_document as queries


@require_GET
@client_only
def index(request: HttpRequest) -> HttpResponse:
    """All documents of the client with all versions."""
    context = {
        "documents": queries.of_client(client_of(request), timezone.localdate(present.now())),
        "orderer": has_any(request, Role.CONTACT),
    }
    return render(request, "portal/contract_documents.html", context)


@require_GET
@client_only
def file(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """One version, to be saved."""
    found = queries.file(client_of(request), document_id)
    if found is None:
        raise Http404
    return saved(bytes(found.content), found.name, "application/pdf")
