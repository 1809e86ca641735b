"""Contract documents in the portal: a list that says what is in force, and files to save (C-4)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from portal_world import NOW, Town

from torwart.kernel.contract_document import DocumentKind
from torwart.services import contract_document as documents

pytestmark = pytest.mark.requirement("C-4")


def published(client: int | None, count: int) -> str:
    found = ""
    for number in range(count):
        found = str(
            documents.publish(
                client,
                DocumentKind.GUIDE,
                version=f"{number}.0",
                valid_from=(NOW - timedelta(days=count - number)).date(),
                name="Leitfaden ä.pdf",
                content=b"%PDF-1.7 text",
                actor="test",
                now=NOW,
            )
        )
    return found


def test_the_client_sees_and_saves_its_documents(home: Town, reader: Client) -> None:
    """The version in force is marked; the file comes to be saved, under its name."""
    latest = published(None, 2)

    page = reader.get("/portal/ansprechpartner/dokumente/").content.decode()
    file = reader.get(f"/portal/ansprechpartner/dokumente/{latest}.pdf")

    assert page.count("in Kraft") == 1
    assert page.count("abgelöst") == 1
    assert file.content == b"%PDF-1.7 text"
    assert file["Content-Type"] == "application/pdf"
    assert file["Content-Disposition"] == "attachment; filename*=utf-8''Leitfaden%20%C3%A4.pdf"


def test_an_empty_area_says_what_will_be_there(home: Town, reader: Client) -> None:
    assert "Noch liegt hier kein Dokument" in reader.get("/portal/ansprechpartner/dokumente/").content.decode()


def test_the_list_asks_the_same_however_long(home: Town, reader: Client) -> None:
    """Literal, with one and with three versions."""
    counts = []
    reader.get("/portal/ansprechpartner/dokumente/")  # the session is written at the first page
    for client, count in ((None, 1), (home.client, 2)):
        published(client, count)
        with CaptureQueriesContext(connection) as asked:
            reader.get("/portal/ansprechpartner/dokumente/")
        counts.append(len(asked))
    assert counts == [7, 7]
