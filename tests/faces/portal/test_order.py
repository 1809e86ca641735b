"""Orders: found, followed, taken back, moved, proven."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from browser import add_totp
from django.test import Client
from portal_world import NOW, Town
from pypdf import PdfReader

from torwart.adapters.engine import AbsurdEngine
from torwart.kernel.refusals.gateway import GATEWAY_NOT_CONNECTED
from torwart.processes import connectivity_test
from torwart.services import order as orders
from torwart.services import run as runs
from torwart.store.models import Contact, Exchange, Gateway, MailOut, Order, TicketEntry, User


def _text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def _begun(number: str) -> str:
    """The order has begun its work; the run's id."""
    run_id = str(Order.objects.get(number=number).run.run_id)
    told = orders.begin(number, run_id, unmet=list, now=NOW + timedelta(minutes=2), pause=timedelta(seconds=5))
    assert told == {"begun": True}
    return run_id


@pytest.mark.requirement("O-8")
def test_orders_are_found_by_number_reference_device_state_and_process(home: Town, contact: Client) -> None:
    """Each filter alone and together; numbers also as people write them."""
    first = home.order("wake_up", home.gateways[1])
    second = home.order("connectivity_test", home.gateways[2])
    _begun(second)

    def found(query: str) -> set[str]:
        return set(re.findall(r"auftraege/(A-[0-9]{9})/", _text(contact.get(f"/portal/auftraege/{query}"))))

    assert found("") == {first, second}
    assert found(f"?suche={first}") == found(f"?suche=T{first[1:]}") == found(f"?suche={first.lower()}") == {first}
    assert found(f"?suche=Ref+{home.gateways[2][-4:]}") == found(f"?suche={home.gateways[2][5:]}") == {second}
    assert found("?zustand=in_progress") == found("?prozess=connectivity_test") == {second}
    assert found("?stand=beendet") == found("?suche=nirgends") == set()


@pytest.mark.requirement("O-8")
def test_the_page_follows_the_order(home: Town, contact: Client) -> None:
    """State, steps with times, what is next and who has it, why it waits, mails, messages, deadline."""
    number = home.order("connectivity_test", home.gateways[1])
    run_id = _begun(number)
    runs.enter_step(run_id, "accepted", 1)
    runs.enter_step(run_id, "connection", 2)
    runs.attempt_failed(run_id, "connection", GATEWAY_NOT_CONNECTED(gateway=home.gateways[1]), NOW)
    gateway = Gateway.objects.get(device_id=home.gateways[1])
    Exchange.objects.create(
        at=NOW,
        client_id=home.client,
        gateway=gateway,
        run=Order.objects.get().run,
        peer="gateway",
        outgoing=True,
        purpose="status",
        request_line="GET /status HTTP/1.1",
        request_head="authorization: …",
        request_size=0,
        request_digest="0" * 64,
        status=200,
        answer_size=2048,
        answer_digest="1" * 64,
        milliseconds=7,
    )
    page = _text(contact.get(f"/portal/auftraege/{number}/"))

    for said in ("in Bearbeitung", "Das Gerät", "1 von 4 erledigt", "nicht verbunden", "Servicezeit", "GET /status"):
        assert said in page, said
    assert f"Auftrag {number} eingegangen" in page
    assert "steht noch aus" in page


@pytest.mark.requirement("O-8")
def test_the_live_part_only_answers_when_there_is_something_new(home: Town, contact: Client) -> None:
    """204 while nothing has changed; then the new part; after the end the page is fetched once more."""
    number = home.order("connectivity_test", home.gateways[1])
    page = _text(contact.get(f"/portal/auftraege/{number}/"))
    address = re.search(r'hx-get="([^"]+)"', page)[1]  # type: ignore[index]
    again = contact.get(address)
    if again.status_code == 200:  # a minute has just turned over
        address = re.search(r'hx-get="([^"]+)"', _text(again))[1]  # type: ignore[index]
        again = contact.get(address)
    assert again.status_code == 204
    _begun(number)
    changed = contact.get(address)
    assert (changed.status_code, "in Bearbeitung" in _text(changed)) == (200, True)
    orders.fail(number, _run(number), GATEWAY_NOT_CONNECTED(gateway=home.gateways[1]), now=NOW)

    assert contact.get(address)["HX-Refresh"] == "true"
    assert "hx-get" not in _text(contact.get(f"/portal/auftraege/{number}/"))


def _run(number: str) -> str:
    return str(Order.objects.get(number=number).run.run_id)


@pytest.mark.requirement("O-3")
def test_the_end_says_what_was_done_or_why_not(home: Town, contact: Client) -> None:
    """A failure shows its reason, later steps are not needed any more."""
    number = home.order("connectivity_test", home.gateways[1])
    run_id = _begun(number)
    runs.enter_step(run_id, "accepted", 1)
    orders.fail(number, run_id, GATEWAY_NOT_CONNECTED(gateway=home.gateways[1]), now=NOW)
    page = _text(contact.get(f"/portal/auftraege/{number}/"))

    assert "fehlgeschlagen" in page
    assert "entfällt" in page
    assert "ist nicht verbunden" in page


@pytest.mark.requirement("O-10")
def test_an_order_is_withdrawn_with_one_click(home: Town, contact: Client) -> None:
    """The confirmation offers it with the seconds left; afterwards nothing has begun and nothing can be withdrawn."""
    number = home.order("wake_up", home.gateways[1], at=datetime.now(UTC))
    sent = _text(contact.get(f"/portal/auftraege/{number}/gesendet/"))
    assert number in sent
    assert "Auftrag zurückziehen" in sent
    page = _text(contact.post(f"/portal/auftraege/{number}/zurueckziehen/", follow=True))

    assert "Es hatte nichts begonnen" in page
    assert Order.objects.get().state == "withdrawn"
    assert "Auftrag zurückziehen" not in page


@pytest.mark.requirement("O-10")
def test_cancelling_says_before_and_after_what_stays(home: Town, contact: Client) -> None:
    """The question lists what is done and stays, wants a reason, and the answer repeats it."""
    number = home.order("removal", home.gateways[1], whereabouts="stock", removed_at=NOW.isoformat())
    run_id = _begun(number)
    for position, name in enumerate(("accepted", "data", "profiles"), start=1):
        runs.enter_step(run_id, name, position)
    address = f"/portal/auftraege/{number}/stornieren/"
    question = _text(contact.get(address))
    assert "<li>Verbraucherdaten gelöscht</li>" in question
    assert "Auftrag angenommen" not in question
    assert "Füllen Sie das Feld „Grund“ aus." in _text(contact.post(address, {"reason": ""}))
    page = _text(contact.post(address, {"reason": "Irrtum"}, follow=True))

    assert "Getan ist und bleibt: Verbraucherdaten gelöscht" in page
    assert Order.objects.get().state == "cancelled"


@pytest.fixture
def proposed(home: Town) -> tuple[str, list[datetime]]:
    """An order for which other times are proposed."""
    number = home.order("wake_up", home.gateways[1])
    operator = User.objects.create(email="otto@torwart.example", name="Otto", roles=["operator"])
    soon = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    days = [soon + timedelta(days=n) for n in range(3, 12)]
    times = [day for day in days if day.weekday() < 5][:2]
    orders.propose(AbsurdEngine(), number, times, "Alle belegt", user=operator.pk, now=datetime.now(UTC))
    return number, times


@pytest.mark.requirement("T-3")
def test_a_proposed_time_is_taken(home: Town, contact: Client, proposed: tuple[str, list[datetime]]) -> None:
    """The start page points to it, the order page offers the times, one click confirms."""
    number, times = proposed
    assert "Termin wählen" in _text(contact.get("/portal/"))
    assert "Alle belegt" in _text(contact.get(f"/portal/auftraege/{number}/"))
    page = contact.post(f"/portal/auftraege/{number}/termin/", {"termin": times[1].isoformat()}, follow=True)

    assert "Der Termin gilt" in _text(page)
    assert (Order.objects.get().state, Order.objects.get().starts_at) == ("accepted", times[1])
    assert "Termin wählen" not in _text(contact.get("/portal/"))


@pytest.mark.requirement("T-3")
def test_no_proposed_time_suits(home: Town, contact: Client, proposed: tuple[str, list[datetime]]) -> None:
    """The client answers in its words, and it is the provider's turn."""
    number, _ = proposed
    answer = {"termin": "keiner", "antwort": "Erst im Januar"}
    page = _text(contact.post(f"/portal/auftraege/{number}/termin/", answer, follow=True))

    assert "Wir prüfen Ihre Antwort" in page
    assert TicketEntry.objects.filter(de="Erst im Januar").exists()
    assert contact.post(f"/portal/auftraege/{number}/termin/", {"termin": "x"}).status_code == 302


@pytest.mark.requirement("O-8")
def test_the_evidence_is_downloaded(home: Town, contact: Client) -> None:
    """As PDF and as JSON, named after the order; nothing else is there."""
    number = home.order("wake_up", home.gateways[1])
    pdf = contact.get(f"/portal/auftraege/{number}/nachweis.pdf")
    data = contact.get(f"/portal/auftraege/{number}/nachweis.json")

    assert (pdf["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert data.json()["number"] == number
    assert f'filename="{number}.json"' in data["Content-Disposition"]
    assert contact.get(f"/portal/auftraege/{number}/nachweis.xml").status_code == 404


@pytest.mark.requirement("O-8")
def test_mails_show_whether_they_arrived(home: Town, contact: Client) -> None:
    """Delivered encrypted, on its way, undeliverable: each in words."""
    number = home.order("wake_up", home.gateways[1])
    first, second = MailOut.objects.order_by("id")
    MailOut.objects.filter(pk=first.pk).update(state="sent")
    MailOut.objects.filter(pk=second.pk).update(state="failed")
    page = _text(contact.get(f"/portal/auftraege/{number}/"))

    assert "verschlüsselt zugestellt" in page
    assert "nicht zustellbar" in page


@pytest.mark.requirement("O-3", "O-8")
@pytest.mark.parametrize(("language", "own", "other"), [("de", "grün", "green"), ("en", "green", "grün")])
def test_a_result_is_read_in_one_language(
    home: Town, contact: Client, visitor: Callable[..., Client], language: str, own: str, other: str
) -> None:
    """On the order's page, in the PDF, in each contact's mail and in the console: nobody reads both side by side."""
    number, client = home.order("connectivity_test", home.gateways[1]), home.client
    first = Contact.objects.filter(client=client).order_by("id")[0]
    Contact.objects.filter(pk=first.pk).update(language=language)
    result = {"light": "green", "text": {"de": "Alles in Ordnung (grün).", "en": "All is well (green)."}}
    rows = connectivity_test.PROCESS.result(result)  # type: ignore[misc]
    run_id = _begun(number)
    runs.enter_step(run_id, "accepted", 1)
    orders.succeed(number, run_id, result, rows=rows, files=(), now=NOW)
    operator = User.objects.create(email="otto@torwart.example", name="Otto", roles=["operator"])
    add_totp(operator)
    office = visitor(operator)

    pages = [
        _text(contact.get(f"/portal/auftraege/{number}/?sprache={language}", follow=True)),
        _text(office.get(f"/konsole/vorgang/T{number[1:]}/auftrag/?sprache={language}", follow=True)),
        _pdf(contact.get(f"/portal/auftraege/{number}/nachweis.pdf").content),
        MailOut.objects.get(kind="order.done", contact=first).text,
    ]
    for page in pages:
        assert own in page
        assert other not in page


def _pdf(content: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
