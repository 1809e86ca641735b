"""Contract documents in the console: published by administrators, read by all of us (C-4)."""

import portal_world
import pytest
from console_world import Office, Shown, Web, get
from django.core.files.uploadedfile import SimpleUploadedFile

from torwart.store import models

NEW = "/konsole/auftraggeber/dokumente/neu/"
pytestmark = pytest.mark.requirement("C-4")


def upload(name: str, content: bytes, **otherwise: str) -> dict[str, object]:
    given = {"client": "alle", "kind": "guide", "title": "", "version": "2.1", "valid_from": "2026-12-01"}
    return {**given, **otherwise, "file": SimpleUploadedFile(name, content)}


def test_an_administrator_publishes_and_all_read_it(people: Office, web: Web) -> None:
    """It lies in the list at once, is announced and audited; the file is what was given."""
    portal_world.town()
    done = web(people.administrator).post(NEW, upload("leitfaden.pdf", b"%PDF-1.7 x"), follow=True)
    listed = get(web(people.auditor), "/konsole/auftraggeber/dokumente/")
    [row] = models.ContractDocument.objects.all()
    file = web(people.operator).get(f"/konsole/auftraggeber/dokumente/{row.document_id}.pdf")

    assert "die Ansprechpartner bekommen Mail" in done.content.decode()
    assert listed.all("//main//tbody/tr/th") == ["Kundenleitfaden"]
    assert file.content == b"%PDF-1.7 x"
    assert models.MailOut.objects.filter(kind="document.published").count() == 2
    assert models.AuditEntry.objects.filter(action="document.published").count() == 1


def test_what_is_wrong_is_said_at_the_form(people: Office, web: Web) -> None:
    """No PDF, no version, nobody it is for, a client there is not: nothing is published."""
    client = web(people.administrator)
    word = Shown(client.post(NEW, upload("vertrag.docx", b"PK\x03\x04")))
    empty = Shown(client.post(NEW, upload("a.pdf", b"%PDF-1.7", version="")))
    whom = Shown(client.post(NEW, upload("a.pdf", b"%PDF-1.7", client="")))
    nobody = Shown(client.post(NEW, upload("a.pdf", b"%PDF-1.7", client="987654")))

    assert "„vertrag.docx“ ist kein PDF." in word.text
    assert [word.status, empty.status, whom.status, nobody.status] == [422] * 4
    assert not models.ContractDocument.objects.exists()
