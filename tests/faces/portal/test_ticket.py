"""Tickets: read, answered, asked; why the clock rests; files only ever saved."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from portal_world import NOW, Town

from torwart.services import ticket as tickets
from torwart.services.sealed import seal
from torwart.store.models import Attachment, Ticket, TicketEntry, User


def _text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def _question(owner: Town, subject: str = "Firmware 1.5") -> str:
    return tickets.open_question(
        client=owner.client,
        contact=None,
        subject=subject,
        text="Wann kommt sie?",
        now=NOW - timedelta(hours=2),
        author="Anna Berg",
        actor="client:anna",
    )


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create(email="otto@torwart.example", name="Keller", first_name="Otto", roles=["operator"])


@pytest.mark.requirement("T-5")
def test_a_ticket_that_waits_for_the_client_says_why_and_that_its_clock_rests(
    home: Town, contact: Client, operator: User
) -> None:
    """The question stands on top and on the start page; answering lets the clock go on."""
    number = _question(home)
    tickets.ask_client(number, "Für welchen Typ?", user=operator.pk, now=NOW - timedelta(hours=1))
    page = _text(contact.get(f"/portal/vorgaenge/{number}/"))
    assert "Für welchen Typ?" in page
    assert "Die Frist ruht" in page
    assert "Antwort fehlt" in _text(contact.get("/portal/"))
    answered = _text(contact.post(f"/portal/vorgaenge/{number}/", {"text": "SMGW-P"}, follow=True))

    assert "Ihre Nachricht ist bei uns" in answered
    assert "SMGW-P" in answered
    assert "Die Frist ruht" not in answered
    assert Ticket.objects.get().state == "open"


@pytest.mark.requirement("C-2")
def test_a_question_is_asked_in_the_portal(home: Town, contact: Client) -> None:
    """Subject and text are wanted; then the ticket stands there with what was written."""
    empty = _text(contact.post("/portal/vorgaenge/frage/", {"subject": "", "text": ""}))
    assert "Bitte korrigieren Sie 2 Angaben" in empty
    asked = {"subject": "Rückfrage", "text": "Wie lange noch?"}
    page = _text(contact.post("/portal/vorgaenge/frage/", asked, follow=True))

    assert "Wie lange noch?" in page
    ticket = Ticket.objects.get()
    assert (ticket.client_id, ticket.kind, ticket.contact.email) == (home.client, "question", home.contact.email)


@pytest.mark.requirement("P-1")
def test_internal_notes_are_nobodys_business(home: Town, contact: Client, operator: User) -> None:
    """What the provider notes for itself is on no page of the client; a public note is."""
    number = home.order("wake_up", home.gateways[1]).replace("A", "T")
    tickets.note(number, "Nur für uns", user=operator.pk, now=NOW)
    tickets.note(number, "Für alle", user=operator.pk, now=NOW, internal=False)

    for address in (f"/portal/vorgaenge/{number}/", f"/portal/auftraege/{number.replace('T', 'A')}/"):
        page = _text(contact.get(address))
        assert "Für alle" in page
        assert "Nur für uns" not in page


@pytest.mark.requirement("O-8")
def test_programs_speak_in_the_providers_name(home: Town, contact: Client) -> None:
    """No run id or account name of ours stands in a history."""
    number = home.order("wake_up", home.gateways[1]).replace("A", "T")
    TicketEntry.objects.create(ticket=Ticket.objects.get(), at=NOW, kind="event", author="run:123", de="Ende", en="End")
    page = _text(contact.get(f"/portal/vorgaenge/{number}/"))

    assert "run:123" not in page
    assert "<strong>Torwart</strong>" in page


@pytest.mark.requirement("C-2")
def test_files_are_saved_never_shown(home: Town, contact: Client) -> None:
    """Whatever a mail called its file: it comes as bytes to keep, with a name that cannot break the header."""
    number = _question(home)
    file = Attachment.objects.create(
        ticket=Ticket.objects.get(),
        name='a".html\r\nX: y',
        media_type="text/html",
        size=9,
        digest="0" * 64,
        content=b"<script>x",
        secure=True,
    )
    answer = contact.get(f"/portal/vorgaenge/{number}/dateien/{seal('attachment', file.pk)}")

    assert answer.content == b"<script>x"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "X" not in answer.headers
    assert "verschlüsselt und signiert" in _text(contact.get(f"/portal/vorgaenge/{number}/"))


@pytest.mark.requirement("O-8")
def test_tickets_are_found(home: Town, contact: Client) -> None:
    """By number, by words of the subject, by kind and by whose turn it is."""
    first, second = _question(home, "Firmware"), home.order("wake_up", home.gateways[1]).replace("A", "T")

    def found(query: str) -> set[str]:
        return set(re.findall(r"vorgaenge/(T-[0-9]{9})/", _text(contact.get(f"/portal/vorgaenge/{query}"))))

    assert found("") == {first, second}
    assert found("?suche=firm") == found("?art=question") == found(f"?suche={first}") == {first}
    assert found("?art=order") == {second}
    assert found("?stand=wartet") == found("?stand=erledigt") == set()
