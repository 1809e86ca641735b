"""The mail room: what must be looked at comes first, every mail is there as it was, what failed can go once more."""

from datetime import datetime
from typing import Any

import console_world
import pytest
from console_world import Office, Web, get
from django.db import connection
from django.test.utils import CaptureQueriesContext

from torwart.store import models


@pytest.fixture
def mails(people: Office, now: datetime) -> dict[str, int]:
    return dict(console_world.busy_day(people, now)["mails"])


def subjects(web: Any, tab: str = "") -> list[str]:
    return get(web, f"/konsole/post/{tab}").tickets


@pytest.mark.requirement("C-2")
def test_what_must_be_settled_comes_first(people: Office, mails: dict[str, int], web: Web) -> None:
    """Quarantined and refused before all else, with the reason; the tabs say how many wait."""
    client = web(people.auditor)
    first = get(client, "/konsole/post/")

    assert first.tickets == ["Lieferschein", "(ohne Betreff)"]
    assert "Der Kopf der Mail ist unlesbar." in first.text
    tabs = first.all("//nav[@aria-label='Post']//a")
    assert tabs == ["Zu klären 1", "Eingang", "Nicht zugestellt 1", "Ausgang"]
    assert len(subjects(client, "eingang/")) == 3
    assert client.get("/konsole/post/gibt-es-nicht/").status_code == 404


@pytest.mark.requirement("C-2", "S-MAIL-3")
def test_a_mail_is_shown_as_it_came(people: Office, mails: dict[str, int], web: Web) -> None:
    """Headers letter for letter, S/MIME's word with its cautions, the bytes to take along."""
    client = web(people.operator)
    shown = get(client, f"/konsole/post/eingang/{mails['handled']}/")

    assert "Subject: =?utf-8?q?R=C3=BCckfrage?=" in shown.one("//pre")
    assert "Text" not in shown.one("//pre")
    security = shown.one("//dd[.//*[contains(@class, 'ko-fact')]]")
    assert security.startswith("verschlüsselt signiert abababababababab…")
    assert "AES-CBC statt AES-GCM" in security
    raw = client.get(f"/konsole/post/eingang/{mails['handled']}/roh/")
    assert raw.content == bytes(models.MailIn.objects.get(pk=mails["handled"]).raw)
    assert raw.headers["Content-Type"] == "application/octet-stream"


def test_hostile_headers_are_text(people: Office, mails: dict[str, int], web: Web) -> None:
    """Whatever a stranger writes into a mail is shown, never done."""
    models.MailIn.objects.filter(pk=mails["quarantined"]).update(
        raw=b"Subject: <script>alert(1)</script>\x00\xff\r\n\r\nx", subject="<img src=x>", why="<b>x</b>"
    )

    shown = get(web(people.operator), f"/konsole/post/eingang/{mails['quarantined']}/")

    assert "<script>alert" not in shown.text
    assert "<img src=x" not in shown.text
    assert "<b>x" not in shown.text
    assert "Subject: <script>alert(1)</script>" in shown.one("//pre")


def test_what_failed_is_sent_once_more(people: Office, mails: dict[str, int], web: Web) -> None:
    """By operators, audited; what has not failed is not."""
    client = web(people.operator)
    address = f"/konsole/post/ausgang/{mails['failed']}/"
    assert "550 5.1.1 mailbox unknown" in get(client, address).text

    client.post(address + "noch-einmal/")
    again = client.post(address + "noch-einmal/", follow=True).content.decode()

    row = models.MailOut.objects.get(pk=mails["failed"])
    assert (row.state, row.attempts, row.failure) == ("queued", 0, "")
    assert models.AuditEntry.objects.filter(action="mail.retried").count() == 1
    assert "Fehler:" in again


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("tab", ["eingang/", "ausgang/"])
def test_the_lists_ask_the_same_however_long(people: Office, now: datetime, web: Web, tab: str, count: int) -> None:
    """Seven questions to the database."""
    for place in range(count):
        models.MailIn.objects.create(digest=f"{place:064x}", raw=b"x", size=1, via="smtp", received_at=now)
        models.MailOut.objects.create(
            message_id=str(place),
            kind="x",
            address="a@example.org",
            language="de",
            subject="s",
            text="t",
            html="h",
            secure=False,
            next_attempt_at=now,
            created_at=now,
        )
    client = web(people.operator)
    client.get("/konsole/tasten/")

    with CaptureQueriesContext(connection) as queries:
        shown = get(client, f"/konsole/post/{tab}")

    assert len(shown.tickets) == count
    assert len(queries) == 7, [each["sql"][:90] for each in queries]


@pytest.mark.requirement("C-2")
def test_a_mail_that_was_put_aside_is_read_again(people: Office, mails: dict[str, int], web: Web) -> None:
    """By an operator, with a reason that stands in the trail; others have no button; what was taken has none either."""
    client, page = web(people.operator), f"/konsole/post/eingang/{mails['quarantined']}/"
    assert "Noch einmal lesen lassen" in get(client, page).text
    for other in (people.approver, people.auditor, people.administrator):
        assert "Noch einmal lesen lassen" not in get(web(other), page).text
        assert web(other).post(page + "noch-einmal/", {"reason": "x"}).status_code == 404
    models.MailIn.objects.filter(pk=mails["quarantined"]).update(subject="<img src=x>")
    form = get(client, page + "noch-einmal/")
    assert "der Absender bekommt noch einmal eine Antwort" in form.text
    assert "<img src=x" not in form.text

    assert client.post(page + "noch-einmal/", {"reason": ""}).status_code == 422
    client.post(page + "noch-einmal/", {"reason": "Wurzel der CA ergänzt"})
    again = client.post(page + "noch-einmal/", {"reason": "noch einmal"})

    row = models.MailIn.objects.get(pk=mails["quarantined"])
    entry = models.AuditEntry.objects.get(action="mail.released")
    assert (row.state, row.attempts) == ("stored", 0)
    assert entry.payload == {"was": "quarantined", "reason": "Wurzel der CA ergänzt"}
    assert entry.actor == f"user:{people.operator.email}"
    assert again.status_code == 422
    assert "bearbeitet oder wartet noch" in again.content.decode()
    assert "Noch einmal lesen lassen" not in get(client, f"/konsole/post/eingang/{mails['handled']}/").text
