"""The EMT–GWA interface in the portal: couplings and their banner, webhooks, calls, events; nothing of others."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import browser as support
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from portal_world import NOW, Town, town

from torwart.rules.lead_time import spoken
from torwart.services import draft as drafts
from torwart.services import interface
from torwart.services import webhook as webhooks
from torwart.services.interface import Compatibility, Peer
from torwart.store.models import Attempt, Coupling, Delivery, InterfaceCall, Order, Webhook

pytestmark = pytest.mark.requirement("R-4", "P-1")
START = "/portal/schnittstelle/"


def equipped(owner: Town, name: str = "Stadtwerk.EMT") -> Webhook:
    """A coupled system with a webhook, an order's events, a failed delivery and two lines in the log."""
    coupling = interface.couple(owner.client, name, software="EMT Pro", software_version="3.1", actor="test")
    hook = webhooks.add(owner.client, "https://emt.example.org/hook", actor="test", now=datetime.now(UTC))
    owner.order("wake_up", owner.gateways[0])
    delivery = Delivery.objects.filter(webhook=hook).latest("id")
    Attempt.objects.create(delivery=delivery, at=datetime.now(UTC), status=500, milliseconds=12)
    Delivery.objects.filter(pk=delivery.pk).update(state="dead")
    for status, code in ((202, ""), (422, "identifier.device")):
        call(owner, coupling, name, status, code)
    return hook


def call(owner: Town, coupling: int, name: str, status: int = 202, code: str = "") -> None:
    interface.log(
        Peer(owner.client, "x", coupling, name, "", ""),
        request_id=uuid4(),
        at=datetime.now(UTC),
        method="POST",
        path=f"/v1/operations/{name}",
        key="k-1",
        status=status,
        code=code,
        milliseconds=7,
        asked='{"gateway": "EPPC"}',
        answered='{"id": "A-1"}',
    )


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer
    return str(answer.content.decode())


def test_people_see_their_interface_and_nobody_elses(home: Town, contact: Client, neighbour: Town) -> None:
    """Coupling, webhook, calls and events of one's own; the neighbour's are not found."""
    mine, theirs = equipped(home), equipped(neighbour, "Nachbar.EMT")
    pages = [
        text(contact.get(START + each)) for each in ("", "aufrufe/", "ereignisse/", f"webhooks/{mine.webhook_id}/")
    ]

    assert "Stadtwerk.EMT" in pages[0]
    assert "EMT Pro 3.1" in pages[0]
    assert "identifier.device" in pages[1]
    assert "de.torwart.operation.submitted" in pages[2]
    assert mine.keys[0]["public"] in pages[3]
    assert "aufgegeben" in pages[3]
    assert all("Nachbar" not in page for page in pages)
    for name in ("", "test/", f"erneut/{Delivery.objects.filter(webhook=theirs).latest('id').event.event_id}/"):
        address = f"{START}webhooks/{theirs.webhook_id}/{name}"
        assert (contact.post(address) if name else contact.get(address)).status_code == 404
    assert "identifier.device" in text(contact.get(START + "aufrufe/?ergebnis=abgelehnt"))


def test_a_suspended_coupling_is_said_with_the_way_out(
    home: Town, contact: Client, neighbour: Town, visitor: Callable[..., Client]
) -> None:
    """Every page has the banner with since when, why and the forms, until a version that fits is confirmed; nobody
    else's pages have it, nor those of whom has no suspended system any more.
    """
    equipped(home)
    coupling, now = Coupling.objects.get().pk, datetime.now(UTC)
    said = f"Ihre EMT-Schnittstelle ist seit {spoken(now)} ausgesetzt"
    pages = (START, "/portal/", "/portal/auftraege/", "/portal/bestellen/", "/portal/geraete/")
    interface.judge(coupling, Compatibility.INCOMPATIBLE, reason="3.1 ist zu alt", actor="test", now=now)
    for path in pages:
        page = text(contact.get(path))
        assert said in page, path
        assert "3.1 ist zu alt" in page, path
        assert 'href="/portal/bestellen/prozesse/"' in page, path
    assert "ausgesetzt" not in text(visitor(neighbour.contact).get("/portal/"))
    interface.judge(coupling, Compatibility.COMPATIBLE, reason="", actor="test", now=now)
    assert all("EMT-Schnittstelle ist seit" not in text(contact.get(path)) for path in pages)
    interface.judge(coupling, Compatibility.INCOMPATIBLE, reason="", actor="test", now=now)
    interface.uncouple(coupling, actor="test", now=now)

    assert "EMT-Schnittstelle ist seit" not in text(contact.get("/portal/"))


def test_a_webhook_is_set_up_tested_rotated_rested_and_removed(home: Town, contact: Client) -> None:
    """Each verb does what it says and says so; a wrong address is told at the field."""
    assert "Beginnt mit https://" in text(contact.get(START + "webhooks/"))
    wrong = text(contact.post(START + "webhooks/", {"url": "http://emt.example.org/"}))
    assert "kern-error" in wrong or "aria-invalid" in wrong
    assert not Webhook.objects.exists()
    contact.post(START + "webhooks/", {"url": "https://emt.example.org/hook"})
    hook = Webhook.objects.get()
    address = f"{START}webhooks/{hook.webhook_id}/"
    for name, seen in (
        ("test", "Testereignis"),
        ("schluessel", "der alte noch sieben Tage"),
        ("ruhen", "ruht"),
        ("weiter", "wieder beliefert"),
        ("erneut", "erneut versucht"),
    ):
        assert seen in text(contact.post(f"{address}{name}/", follow=True)), name
    assert "Adresse ist geändert" in text(
        contact.post(f"{address}adresse/", {"url": "https://emt.example.org/2"}, follow=True)
    )
    assert "geht nicht als Ziel" in text(contact.post(f"{address}adresse/", {"url": "https://a:b@emt.example.org/"}))
    hook.refresh_from_db()
    assert hook.url == "https://emt.example.org/2"
    page = text(contact.get(address))
    assert all(key["public"] in page for key in hook.keys)
    assert "unterschreibt noch bis" in page
    assert (len(hook.keys), hook.active, Delivery.objects.count()) == (2, True, 1)
    Delivery.objects.update(state="delivered")
    contact.post(f"{address}erneut/{Delivery.objects.get().event.event_id}/")
    assert Delivery.objects.get().state == "pending"
    assert "entfernt" in text(contact.post(f"{address}entfernen/", follow=True))
    assert not Webhook.objects.exists()
    assert contact.post(f"{address}unsinn/").status_code == 404


def test_one_call_is_shown_whole_and_leads_to_its_order(home: Town, contact: Client, neighbour: Town) -> None:
    """Request and answer with their names, without secrets; the order's page leads back to calls and events."""
    equipped(home)
    number = home.order("connectivity_test", home.gateways[1])
    name, coupling = uuid4(), Coupling.objects.get().pk
    values = {"code": "", "milliseconds": 5, "key": "key-1", "status": 202, "method": "POST", "subject": number}
    interface.log(
        Peer(home.client, "x", coupling, "A.EMT", "", ""),
        request_id=name,
        at=NOW,
        path="/v1/operations/connectivity-test",
        asked='{"gateway": "EPPC", "token": "geheim"}',
        answered=f'{{"id": "{number}"}}',
        **values,  # type: ignore[arg-type]
    )
    page = text(contact.get(f"{START}aufrufe/{name}/"))
    assert "geheim" not in page
    assert all(each in page for each in (str(name), "key-1", "Stadtwerk.EMT", f"/portal/auftraege/{number}/", "•••"))
    links = text(contact.get(f"/portal/auftraege/{number}/"))
    for address, own in (
        (f"{START}aufrufe/?auftrag={number}", str(name)),
        (f"{START}ereignisse/?auftrag={number}", ""),
    ):
        assert f'href="{address}"' in links
        shown = text(contact.get(address))
        assert own in shown
        assert "de.torwart.operation.submitted" in shown or own
        assert "identifier.device" not in shown
    assert contact.get(f"{START}aufrufe/{uuid4()}/").status_code == 404


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("ergebnis=gelungen", 1),
        ("ergebnis=abgelehnt", 1),
        ("ergebnis=fehler", 0),
        ("aufruf=/v1/operations/wake-up", 0),
        ("aufruf=/v1/operations/A-", 0),
        ("bis=2020-01-01", 0),
        ("von=2020-01-01", 2),
        ("von=gestern&ergebnis=nichts", 2),
        ("auftrag=A-000000000", 0),
        ("auftrag=%00%00", 2),
    ],
)
def test_calls_are_narrowed(home: Town, contact: Client, query: str, seen: int) -> None:
    """By result, process, order and day; what makes no sense narrows nothing, and nothing breaks."""
    equipped(home)

    assert text(contact.get(f"{START}aufrufe/?{query}")).count("POST /v1/operations/Stadtwerk.EMT</code>") == seen


@pytest.mark.requirement("O-1")
def test_an_order_is_shown_as_a_call_before_and_after_sending(home: Town, contact: Client, reader: Client) -> None:
    """The check page and the order's page hold the body, curl and Python; what only goes by form has none."""
    begun = {"gateway": home.gateways[1], "_when": "asap", "_reference": "Nord"}
    draft = drafts.begin(home.contact.pk, "wake_up", begun, now=NOW)
    drafts.keep(draft, home.contact.pk, {}, done=["geraet", "order", "termin", "zuordnung"], now=NOW)
    number = home.order("wake_up", home.gateways[1])
    Order.objects.filter(number=number).update(state="done")
    pages = [
        text(contact.get(reverse("portal:draft_check", args=[draft]))),
        text(contact.get(f"/portal/auftraege/{number}/")),
        text(reader.get(f"/portal/auftraege/{number}/")),
    ]
    for page in pages:
        assert "POST /v1/operations/wake-up" in page
        assert f"&quot;gateway&quot;: &quot;{home.gateways[1]}&quot;" in page
        assert "order = torwart.wake_up(" in page
        assert "curl &quot;https://gwa.example:8446/v1/operations/wake-up&quot;" in page
    Order.objects.filter(number=number).update(process="delivery_note_import")
    assert "POST /v1" not in text(contact.get(f"/portal/auftraege/{number}/"))


def test_who_only_reads_changes_nothing(home: Town, reader: Client) -> None:
    """A reader sees everything; the verbs are not there."""
    hook = equipped(home)
    address = f"{START}webhooks/{hook.webhook_id}/"

    assert "Schlüssel wechseln" not in text(reader.get(address))
    assert reader.get(f"{address}adresse/").status_code == 404
    assert reader.post(f"{address}schluessel/").status_code == 404
    assert reader.post(START + "webhooks/", {"url": "https://emt.example.org/2"}).status_code == 404


def test_lists_cost_the_same_with_many_rows(home: Town, contact: Client) -> None:
    """Calls and events are one query each, however many there are."""
    equipped(home)
    coupling = Coupling.objects.get().pk
    counts = []
    contact.get(START)  # the first page of a session costs more
    for turn in range(2):
        with CaptureQueriesContext(connection) as calls:
            contact.get(START + "aufrufe/")
        with CaptureQueriesContext(connection) as events:
            contact.get(START + "ereignisse/")
        counts.append((len(calls), len(events)))
        for _ in range(3):
            call(home, coupling, "Stadtwerk.EMT")
        home.order("wake_up", home.gateways[1 + turn])

    assert counts[0] == counts[1]


def test_the_pages_in_a_real_browser(own_database: str, chromium: Any) -> None:
    """axe finds nothing, nothing is cut off at 320 pixels, in both languages, with and without rows."""
    owner = town()
    for name in ("", "aufrufe/", "ereignisse/", "webhooks/"):
        support.check_page(chromium.open(START + name, user=owner.contact))
    hook = equipped(owner)
    webhooks.rotate(owner.client, str(hook.webhook_id), actor="test", now=datetime.now(UTC))
    one = InterfaceCall.objects.latest("id").request_id
    interface.judge(
        Coupling.objects.get().pk, Compatibility.INCOMPATIBLE, reason="zu alt", actor="test", now=datetime.now(UTC)
    )
    for name in ("", "aufrufe/", f"aufrufe/{one}/", "ereignisse/", f"webhooks/{hook.webhook_id}/"):
        support.check_page(chromium.open(START + name, user=owner.contact))
