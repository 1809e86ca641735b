"""What every page of the portal owes: its own client's only, rights, both languages, few queries, strict policy."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from portal_world import NOW, Town, town

from torwart.faces._design.sealed import KINDS
from torwart.kernel.contract_document import DocumentKind
from torwart.services import contract_document as documents
from torwart.services import draft as drafts
from torwart.services import interface
from torwart.services import ticket as tickets
from torwart.services import webhook as webhooks
from torwart.services.sealed import seal
from torwart.store.models import Attachment, Contact, DeliveryNote, Ticket

_NAMED = ("device_id", "webhook", "event", "request_id")
_PART = re.compile(r"<(?:([a-z_]+):)?([a-z_]+)>")


def _body(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(content.decode(errors="replace"))


def _text(answer: Any) -> str:
    return re.sub(r"\s+", " ", _body(answer))


def called(owner: Town, number: str) -> str:
    """A line of the interface log about this order; how it is named."""
    name = uuid4()
    coupling = interface.couple(owner.client, f"{name}.EMT", software="", software_version="", actor="test")
    interface.log(
        interface.Peer(owner.client, "", coupling, "", "", ""),
        request_id=name,
        at=NOW,
        method="POST",
        path="/v1/operations/wake-up",
        key="k",
        status=202,
        code="",
        milliseconds=1,
        asked="{}",
        answered="{}",
        subject=number,
    )
    return str(name)


def names_of(owner: Town) -> dict[str, Any]:
    """One of everything the client has, under the names of the addresses' parts."""
    number = owner.order("wake_up", owner.gateways[1])
    draft = drafts.begin(owner.contact.pk, "wake_up", {"gateway": owner.gateways[2]}, now=NOW)
    note = DeliveryNote.objects.get(client_id=owner.client).pk
    person = Contact.objects.filter(client_id=owner.client).latest("pk").pk
    file = Attachment.objects.create(
        ticket=Ticket.objects.get(number=f"T{number[1:]}"),
        name="x",
        media_type="x",
        size=1,
        digest="0" * 64,
        content=b"",
    )
    hook = str(webhooks.add(owner.client, "https://emt.example.org/hook", actor="test", now=NOW).webhook_id)
    return {
        "order": number,
        "ticket": f"T{number[1:]}",
        "device_id": owner.gateways[1],
        "webhook": hook,
        "request_id": called(owner, number),
        "event": webhooks.test(owner.client, hook, actor="test", now=NOW),
        "document": _document(owner),
        "draft": draft,
        "note": note,
        "contact": person,
        "file": file.pk,
    }


def _document(owner: Town) -> UUID:
    return documents.publish(
        owner.client,
        DocumentKind.AGREEMENT,
        title="Rahmenvertrag",
        version="1",
        valid_from=NOW.date(),
        name="vertrag.pdf",
        content=b"%PDF-1.7",
        actor="test",
        now=NOW,
    )


def _named(kind: str, value: Any) -> str:
    return seal(kind, value) if kind in KINDS else str(value)


def addresses(names: dict[str, Any]) -> dict[str, str]:
    """Every address of the portal with its parts filled, by name; a new page is among them by itself."""
    found = {}
    (portal,) = [each for each in get_resolver().url_patterns if getattr(each, "namespace", "") == "portal"]
    for pattern in portal.url_patterns:
        route = str(pattern.pattern)
        values = {"name": "wake_up", "form": "pdf"} | {each: names[each] for each in _NAMED}
        values["document_id"] = names["document"]
        values["number"] = names["order" if "auftraege" in route else "ticket"]
        is_file, is_note = "dateien" in route, "lieferscheine" in route
        values["pk"] = names[
            "file" if is_file else "note" if is_note else "contact" if "ansprech" in route else "draft"
        ]
        if "/seite/" in route:
            values["name"] = "termin"
        if "webhooks" in route:
            values["name"] = "test"
        found[pattern.name] = "/portal/" + _PART.sub(lambda part, v=values: _named(part[1], v[part[2]]), route)
    return found


_POSTS = {"draft_preview", "draft_devices", "order_withdraw", "order_choose_time", "contact_test"}
_POSTS |= {"webhook_act", "webhook_resend"}
_CHANGES = _POSTS | {
    "order_choose",
    "order_begin",
    "draft",
    "draft_check",
    "draft_delete",
    "draft_page",
    "order_cancel",
    "contact_add",
    "contact_change",
    "contact_deactivate",
    "contact_certificate",
    "accesses",
    "upload",
    "upload_template",
    "upload_check",
    "webhook_add",
    "webhook_change",
}
"""What only contacts may see: everything that changes something for the client, and who was here."""


def _ask(client: Client, name: str, address: str) -> Any:
    return client.post(address, {}) if name in _POSTS else client.get(address)


@pytest.mark.requirement("P-1")
def test_what_is_a_neighbours_answers_like_what_does_not_exist(home: Town, contact: Client, neighbour: Town) -> None:
    """Every address that names a thing: the same 404 page for another client's as for none at all."""
    theirs = addresses(names_of(neighbour))
    nothing = addresses(
        {
            "order": "A-000000000",
            "ticket": "T-000000000",
            "device_id": "EPPC0299999999",
            "webhook": str(UUID(int=1)),
            "request_id": str(UUID(int=3)),
            "event": str(UUID(int=2)),
            "document": UUID(int=3),
            "draft": 10**9,
            "note": 10**9,
            "contact": 10**9,
            "file": 10**9,
        }
    )
    things = [name for name, address in theirs.items() if address != nothing[name]]
    assert len(things) >= 20
    for name in things:
        foreign, none = _ask(contact, name, theirs[name]), _ask(contact, name, nothing[name])
        assert (foreign.status_code, none.status_code) == (404, 404), name
        token = r"CSRFToken[^}]+|csrfmiddlewaretoken[^>]+|href=\"\?sprache[^\"]+"
        assert re.sub(token, "", _text(foreign)) == re.sub(token, "", _text(none)), name


@pytest.mark.requirement("P-1")
def test_nothing_of_a_neighbour_is_on_any_page(home: Town, contact: Client, neighbour: Town) -> None:
    """No number, device or name of another client stands anywhere."""
    secrets = [str(value) for value in names_of(neighbour).values() if isinstance(value, str)]
    secrets += [*neighbour.gateways, "Nachbarwerke", neighbour.contact.email]
    for name, address in addresses(names_of(home)).items():
        page = _body(_ask(contact, name, address))
        assert [secret for secret in secrets if secret in page] == [], name


@pytest.mark.requirement("P-2")
def test_readers_see_everything_and_change_nothing(home: Town, reader: Client) -> None:
    """Pages that change something are not there for them, and no other page leads to one."""
    links: dict[str, str] = {}
    for name, address in addresses(names_of(home)).items():
        answer = _ask(reader, name, address)
        assert answer.status_code == (404 if name in _CHANGES else 200), name
        if name not in _CHANGES:
            links |= dict.fromkeys(re.findall(r'(?:href|action)="(/portal/[^"?]*)', _body(answer)), name)
    dead = {link: name for link, name in links.items() if reader.get(link).status_code == 404}

    assert dead == {}


@pytest.mark.requirement("P-2")
def test_strangers_are_led_to_the_sign_in_and_providers_find_nothing(
    home: Town, visitor: Callable[..., Client]
) -> None:
    """The portal is the client's."""
    for name, address in addresses(names_of(home)).items():
        answer = _ask(visitor(), name, address)
        assert answer.status_code in (302, 405), name
        assert answer.status_code == 405 or answer["Location"].startswith("/konto/anmelden/"), name


@pytest.mark.requirement("O-8")
def test_every_page_is_there_in_both_languages_without_anything_inline(home: Town, contact: Client) -> None:
    """German and English differ, no style or script stands in a page, and the policy is sent with it."""
    pages = addresses(names_of(home))
    for name, address in pages.items():
        if name in _POSTS:
            continue
        texts = []
        for language in ("de", "en"):
            contact.get(f"/portal/?sprache={language}")
            answer = contact.get(address)
            if "text/html" not in answer.headers.get("Content-Type", "") or answer.status_code != 200:
                continue
            page = answer.content.decode()
            texts.append(page)
            assert name == "order_state" or f'<html lang="{language}"' in page, name
            assert "unsafe" not in answer["Content-Security-Policy"], name
            assert not re.search(r'\sstyle="|\son[a-z]+="|<style|<script(?![^>]*src=)', page), name
            assert not re.search(r"\{[%{]|NOTHING|None</|Words\(", page), name
        assert len(texts) in (0, 2), name
        assert not texts or texts[0] != texts[1], name


_LISTS = {
    "start": 10,
    "orders": 3,
    "tickets": 3,
    "devices": 3,
    "delivery_notes": 3,
    "configurations": 4,
    "contacts": 6,
    "accesses": 4,
    "order_choose": 5,
    "interface": 4,
    "interface_calls": 3,
    "interface_events": 4,
}
"""Queries of each list page beyond those of the session: literal, and the same with one row and with three. One of them
asks on every page whether a coupling is suspended (R-4).
"""


@pytest.mark.requirement("P-1")
@pytest.mark.parametrize("name", _LISTS)
def test_lists_cost_the_same_with_one_row_and_with_three(db: None, visitor: Callable[..., Client], name: str) -> None:
    """No query per row."""
    seen = []
    for tag, rows in (("one", 1), ("three", 3)):
        owner = town(tag, tag=tag, gateways=rows)
        for number in range(rows):
            owner.order("wake_up", owner.gateways[number])
            tickets.open_question(
                client=owner.client, contact=None, subject="x", text="x", now=NOW, author="x", actor="x"
            )
            drafts.begin(owner.contact.pk, "wake_up", {}, now=NOW)
            hook = webhooks.add(owner.client, "https://emt.example.org/hook", actor="test", now=NOW)
            webhooks.test(owner.client, str(hook.webhook_id), actor="test", now=NOW)
            called(owner, "")
        client = visitor(owner.contact)
        address = addresses(names_of(town(f"{tag}2", tag=f"{tag}2")))[name]
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(address).status_code == 200
        seen.append(len([query for query in captured if not _OF_THE_SESSION.search(query["sql"])]))

    assert seen == [_LISTS[name], _LISTS[name]]


_OF_THE_SESSION = re.compile(
    r'"django_session"|usersessions|"store_access" \(|FROM "store_user" WHERE "store_user"."id"'
)
