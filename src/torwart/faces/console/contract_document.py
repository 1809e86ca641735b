"""Contract documents as the provider keeps them: every version of every client, and a new one published (C-4)."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from torwart.faces._design.access import actor_of, provider_only
from torwart.faces._design.forms import DateField, Form
from torwart.faces._design.language import said, t
from torwart.faces._design.saving import saved
from torwart.faces.console.asking import asking, asks
from torwart.faces.console.page import show
from torwart.kernel.contract_document import KINDS, DocumentKind
from torwart.kernel.words import Words
from torwart.services import contract_document as documents
from torwart.services import present
from torwart.store.queries import client as clients
from torwart.store.queries import contract_document as queries

_ALL = "alle"
_CHOOSE = Words("Bitte wählen", "Please choose")


class DocumentForm(Form):
    client = forms.ChoiceField(label=t("Für wen", "For whom"))
    kind = forms.ChoiceField(label=t("Art", "Kind"))
    title = forms.CharField(
        label=t("Titel", "Title"),
        max_length=120,
        required=False,
        help_text=t("Leer: heißt wie seine Art.", "Empty: called as its kind."),
    )
    version = forms.CharField(label=t("Version", "Version"), max_length=40, help_text=t("z. B. 2.1", "e.g. 2.1"))
    valid_from = DateField(label=t("Gilt ab", "In force from"))
    file = forms.FileField(label=t("Dokument (PDF, bis 20 MiB)", "Document (PDF, up to 20 MiB)"))

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        everybody = [("", said(_CHOOSE)), (_ALL, said(Words("alle Auftraggeber", "all clients")))]
        offered: Any = self.fields
        offered["client"].choices = everybody + [(str(pk), name) for pk, name in clients.names()]
        offered["kind"].choices = [("", said(_CHOOSE))] + [(kind.value, said(words)) for kind, words in KINDS.items()]


@provider_only
def overview(request: HttpRequest) -> HttpResponse:
    """All documents, those for everybody first."""
    return show(request, "contract_documents", documents=queries.everything(timezone.localdate(present.now())))


@provider_only
def file(request: HttpRequest, document_id: UUID) -> HttpResponse:
    found = queries.any_file(document_id)
    if found is None:
        raise Http404
    return saved(bytes(found.content), found.name, "application/pdf")


@asks
def new(request: HttpRequest) -> HttpResponse:
    """Publish a version: at once in the clients' area, announced by mail."""
    form = DocumentForm(request.POST, request.FILES) if request.method == "POST" else DocumentForm()
    return asking(
        request,
        form,
        lambda now, d: documents.publish(
            None if d["client"] == _ALL else int(d["client"]),
            DocumentKind(d["kind"]),
            title=d["title"],
            version=d["version"],
            valid_from=d["valid_from"],
            name=d["file"].name,
            content=d["file"].read(documents.MOST + 1),
            actor=actor_of(request),
            now=now,
        ),
        title=Words("Vertragsdokument einstellen", "Publish a contract document"),
        back=reverse("console:documents"),
        done=Words("Eingestellt; die Ansprechpartner bekommen Mail.", "Published; the contacts get mail."),
        lead=Words(
            "Das Dokument liegt sofort im Bereich der Auftraggeber, und alle ihre Ansprechpartner bekommen eine Mail. "
            "Eine Version lässt sich danach nicht mehr ändern.",
            "The document lies in the clients' area at once, and all their contacts get a mail. A version cannot be "
            "changed afterwards.",
        ),
    )
