"""Contract documents: versions kept, one in force, a new one announced, nothing of another client (C-4)."""

from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import portal_world
import pytest
from django.db import IntegrityError, transaction

from torwart.kernel.contract_document import DocumentKind
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.contract_document import DOCUMENT_NOT_PDF, DOCUMENT_TOO_LARGE, DOCUMENT_VERSION_KNOWN
from torwart.services import contract_document as documents
from torwart.store import models
from torwart.store.queries import contract_document as queries

NOW = portal_world.NOW
TODAY = NOW.date()
pytestmark = pytest.mark.requirement("C-4")


def publish(
    client: int | None,
    version: str,
    *,
    kind: DocumentKind = DocumentKind.GUIDE,
    title: str = "",
    since: date = TODAY,
    content: bytes = b"%PDF-1.7 text",
    now: datetime = NOW,
) -> UUID:
    return documents.publish(
        client,
        kind,
        title=title,
        version=version,
        valid_from=since,
        name="leitfaden.pdf",
        content=content,
        actor="user:ada",
        now=now,
    )


def test_the_version_in_force_is_the_latest_that_has_begun(db: None) -> None:
    """One that comes does not replace it before its day; the ones before stay."""
    home = portal_world.town()
    publish(None, "1.0", since=TODAY - timedelta(days=400))
    publish(None, "3.0", since=TODAY + timedelta(days=28))
    publish(None, "2.0", since=TODAY)

    [guide] = queries.of_client(home.client, TODAY)
    [later] = queries.of_client(home.client, TODAY + timedelta(days=28))

    assert [(each.version, each.state) for each in guide.versions] == [
        ("3.0", "coming"),
        ("2.0", "in_force"),
        ("1.0", "past"),
    ]
    assert guide.title.en == "Customer guide"
    assert guide.in_force is not None
    assert later.in_force is not None
    assert (guide.in_force.version, later.in_force.version) == ("2.0", "3.0")


def test_all_contacts_of_whom_it_is_for_get_a_mail(db: None) -> None:
    """For one client its contacts, for all everybody's; those without secure mail read it, too; ended clients not."""
    home, other = portal_world.town(), portal_world.town("Nachbarwerke", tag="b", active=False)
    gone = portal_world.town("Altwerke", tag="c")
    models.Client.objects.filter(pk=gone.client).update(state="ended")

    publish(home.client, "1", kind=DocumentKind.AGREEMENT)
    one = set(models.MailOut.objects.filter(kind="document.published").values_list("client_id", flat=True))
    publish(None, "2.0", since=date(2027, 1, 1))
    mails = list(models.MailOut.objects.filter(kind="document.published", subject__contains="Kundenleitfaden"))

    assert one == {home.client}
    assert {mail.client_id for mail in mails} == {home.client, other.client}
    assert len(mails) == 4
    assert all(
        "Version 2.0 ab 01.01.2027" in mail.subject and "/portal/ansprechpartner/dokumente/" in mail.text
        for mail in mails
    )


def test_a_version_never_changes(db: None) -> None:
    """The same again is nothing new; other bytes or another day under a known version are refused."""
    portal_world.town()
    first = publish(None, "1.0")
    mails, entries = models.MailOut.objects.count(), models.AuditEntry.objects.count()

    assert publish(None, " 1.0 ") == first
    for otherwise in ({"content": b"%PDF-1.7 other"}, {"since": TODAY + timedelta(days=1)}):
        with pytest.raises(Refusal) as refused:
            publish(None, "1.0", **otherwise)  # type: ignore[arg-type]
        assert refused.value.kind is DOCUMENT_VERSION_KNOWN
    assert (models.MailOut.objects.count(), models.AuditEntry.objects.count()) == (mails, entries)
    kept = models.ContractDocument.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        models.ContractDocument.objects.create(
            document_id=uuid4(),
            kind=kept.kind,
            title=kept.title,
            version=kept.version,
            valid_from=TODAY,
            name="x",
            size=1,
            digest="0" * 64,
            content=b"x",
        )


def test_only_pdf_of_a_bearable_size(db: None) -> None:
    """Anything else is refused by name, and nobody gets a mail."""
    portal_world.town()
    for content, kind in ((b"PK\x03\x04 a word file", DOCUMENT_NOT_PDF), (b"", DOCUMENT_NOT_PDF)):
        with pytest.raises(Refusal) as refused:
            publish(None, "1.0", content=content)
        assert refused.value.kind is kind
    with pytest.raises(Refusal) as refused:
        publish(None, "1.0", content=b"%PDF-" + bytes(documents.MOST))
    assert refused.value.kind is DOCUMENT_TOO_LARGE
    assert not models.MailOut.objects.exists()


@pytest.mark.requirement("P-1")
def test_nobody_finds_the_documents_of_another_client(db: None) -> None:
    """Neither in the list nor by the id."""
    home, other = portal_world.town(), portal_world.town("Nachbarwerke", tag="b")
    theirs = publish(other.client, "1", kind=DocumentKind.AGREEMENT)
    for_all = publish(None, "2")

    assert [each.kind for each in queries.of_client(home.client, TODAY)] == [DocumentKind.GUIDE]
    assert queries.file(home.client, theirs) is None
    assert queries.file(other.client, theirs) is not None
    assert queries.file(home.client, for_all) is not None
