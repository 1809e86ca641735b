"""The way through an order form: prefilled, kept at every step, forced into its order, checked, sent once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from portal_world import MELO, NOW, Town, commissioning_fields, town

from torwart.processes.definition import catalogue
from torwart.services import present
from torwart.store.models import Draft, Emt, MailOut, Order, Ticket

ORDERABLE = [process.name for process in catalogue().values() if process.over_form]


def _text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def _begin(contact: Client, process: str, gateway: str = "") -> str:
    """A new draft's address."""
    answer = contact.post(f"/portal/bestellen/{process}/", {"geraet": gateway} if gateway else {})
    assert answer.status_code == 302
    return str(answer["Location"])


def _wake_up(contact: Client, gateway: str, **when: str) -> str:
    """A draft that is ready to be checked."""
    draft = _begin(contact, "wake_up", gateway)
    contact.post(f"{draft}seite/geraet/", {"gateway": gateway})
    contact.post(f"{draft}seite/order/", {"reason": "Test"})
    contact.post(f"{draft}seite/termin/", when or {"when": "asap"})
    return draft


@pytest.mark.requirement("O-1")
@pytest.mark.parametrize("process", ORDERABLE)
def test_every_process_has_a_start_page_and_a_form_of_its_own_fields(home: Town, contact: Client, process: str) -> None:
    """What it does, what it needs, how long; then pages that together ask each field exactly once."""
    chosen = catalogue()[process]
    start = _text(contact.get(f"/portal/bestellen/{process}/"))
    assert chosen.words.de in start
    assert all(need.de in start for need in chosen.needs)
    draft = _begin(contact, process)
    pages = re.findall(rf'href="{draft}seite/([a-z_-]+)/"', _text(contact.get(draft)))
    asked: list[str] = []
    for page in dict.fromkeys(pages):
        names = re.findall(r'name="([a-z_]+?)(?:_0|__other)?"', _text(contact.get(f"{draft}seite/{page}/")))
        asked += [each.name for each in chosen.fields if each.name in names]

    assert sorted(asked) == sorted(each.name for each in chosen.fields)


@pytest.mark.requirement("O-4")
def test_without_a_delivery_note_the_next_steps_are_visibly_not_possible(home: Town, contact: Client) -> None:
    """The first step says what is missing and where to provide it; later pages cannot be opened from the list."""
    draft = _begin(contact, "commissioning", "EPPC0299999999")
    tasks = _text(contact.get(draft))

    assert "noch nicht möglich – Lieferschein fehlt" in tasks
    assert "Zu EPPC0299999999 ist kein Lieferschein importiert" in tasks
    assert f"{draft}seite/place/" not in tasks
    assert f"{draft}pruefen/" not in tasks
    assert contact.get(f"{draft}pruefen/").status_code == 302


@pytest.mark.requirement("O-4", "P-1")
def test_a_neighbours_gateway_looks_like_one_without_a_note(
    home: Town, contact: Client, neighbour: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Word for word the same page, but for the number that was entered."""
    pages, at = [], present.now()
    monkeypatch.setattr(present, "now", lambda: at)  # both at the same moment: the pages say what is due when
    for device in (neighbour.gateways[0], "EPPC0299999999"):
        draft = _begin(contact, "commissioning", device)
        page = _text(contact.get(draft)).replace(device, "X")
        pages.append(re.sub(r"entwurf/[\w-]+|csrf[^>]+>|CSRFToken[^}]+", "", page))

    assert pages[0] == pages[1]


@pytest.mark.requirement("O-1", "O-5")
def test_a_wrong_entry_is_said_on_top_and_at_its_field_and_is_kept(home: Town, contact: Client) -> None:
    """The same words twice, the first linked to the field; what was typed is still there when one comes back."""
    draft = _begin(contact, "commissioning", home.gateways[0])
    page = f"{draft}seite/place/"
    answer = _text(contact.post(page, {"melo": "DE123", "malos": "51238696781", "address": ""}))

    assert "<title>Fehler: " in answer
    assert 'href="#id_melo"' in answer
    assert answer.count("hat 5 Zeichen") == 2
    assert 'href="#id_address"' in answer
    assert 'value="DE123"' in _text(contact.get(page))
    assert "unvollständig" in _text(contact.get(draft))


@pytest.mark.requirement("O-1")
def test_saving_for_later_keeps_everything_and_complains_of_nothing(home: Town, contact: Client) -> None:
    """An unfinished page goes into the draft, the task list says incomplete."""
    draft = _begin(contact, "commissioning", home.gateways[0])
    answer = contact.post(f"{draft}seite/place/", {"melo": MELO, "spaeter": "1"})

    assert answer["Location"] == draft
    assert Draft.objects.get().values["melo"] == MELO
    assert "unvollständig" in _text(contact.get(draft))


@pytest.mark.requirement("O-1")
def test_what_we_know_is_not_asked_again(home: Town, contact: Client) -> None:
    """Of a device in operation its meters, locations and place are filled in, and the code number is the only one."""
    device = home.gateways[1]
    draft = _begin(contact, "commissioning", device)
    values = Draft.objects.get().values

    assert (values["gateway"], values["address"]) == (device, "Musterweg 1, 56068 Koblenz")
    assert len(values["meters"]) == len(values["malos"]) == 1
    assert "vorbelegt – bitte prüfen" in _text(contact.get(draft))
    assert "checked" in _text(contact.get(f"{draft}seite/zuordnung/"))


@pytest.mark.requirement("O-1")
def test_the_last_orders_choices_are_offered_again(home: Town, contact: Client) -> None:
    """What was chosen from lists in the client's last order of a process stands in the next one."""
    home.order("removal", home.gateways[1], whereabouts="stock", removed_at=NOW.isoformat())
    _begin(contact, "removal", home.gateways[2])

    assert Draft.objects.get().values["whereabouts"] == "stock"


@pytest.mark.requirement("O-1")
def test_offers_are_boxes_to_tick_and_others_can_be_typed(home: Town, contact: Client) -> None:
    """The client's own recipients are offered, another's are not; a typed one joins the ticked ones."""
    town("Nachbarwerke", tag="b", gateways=0)
    draft = _begin(contact, "commissioning", home.gateways[0])
    page = f"{draft}seite/profiles/"
    shown = _text(contact.get(page))
    own = Emt.objects.get(client_id=home.client).name
    assert f'value="{own}"' in shown
    assert "Nachbarwerke" not in shown
    contact.post(page, {"tafs": ["7"], "emts": [own], "emts__other": "Netz AG\n", "han": "no"})

    assert Draft.objects.get().values["emts"] == [own, "Netz AG"]
    assert "Netz AG</textarea>" in _text(contact.get(page))


@pytest.mark.requirement("T-6")
def test_the_time_page_says_before_sending_what_holds(home: Town, contact: Client) -> None:
    """Planned with twelve hours of service time ahead, unplanned below, with the due instant, the reason, a picture."""
    draft = _begin(contact, "wake_up", home.gateways[1])
    far = NOW + timedelta(days=30)
    planned = {"when": "at", "requested_at_0": f"{far:%Y-%m-%d}", "requested_at_1": "10:00"}
    for address, more in ((f"{draft}vorschau/", {}), (f"{draft}seite/termin/", {"vorschau": "1"})):
        shown = _text(contact.post(address, planned | more))
        assert "geplant" in shown
        assert f"{far:%d.%m.%Y}, 10:00" in shown
        soon = _text(contact.post(address, {"when": "asap"} | more))
        assert "Ungeplant: ohne Wunschtermin" in soon
        assert '<svg xmlns="http://www.w3.org/2000/svg"' in soon
        assert "24 h Servicezeit" in soon


@pytest.mark.requirement("T-5")
def test_a_time_that_cannot_be_asked_for_is_refused_at_its_field(home: Town, contact: Client) -> None:
    """A time that has passed is named wrong at the field, and the draft cannot be sent."""
    draft = _begin(contact, "wake_up", home.gateways[1])
    past = {"when": "at", "requested_at_0": "2020-01-07", "requested_at_1": "10:00"}
    answer = _text(contact.post(f"{draft}seite/termin/", past))

    assert 'href="#id_requested_at_0"' in answer
    assert "07.01.2020 10:00" in answer
    assert contact.get(f"{draft}pruefen/").status_code == 302


@pytest.mark.requirement("O-2")
def test_check_page_and_mail_say_the_same(home: Town, contact: Client) -> None:
    """Every row of the check page stands in the order and in the mail to each contact."""
    draft = _wake_up(contact, home.gateways[1])
    page = _text(contact.get(f"{draft}pruefen/"))
    answer = contact.post(f"{draft}pruefen/", {"geplant": "nein"})
    order = Order.objects.get()
    assert answer["Location"] == f"/portal/auftraege/{order.number}/gesendet/"
    mails = list(MailOut.objects.filter(ticket__order=order, kind="order.placed"))

    assert len(mails) == 2
    for label, _, value, _ in order.summary:
        assert label in page
        assert value in page
        assert all(label in mail.text and value in mail.text for mail in mails)


@pytest.mark.requirement("O-2")
def test_every_row_that_can_change_leads_back_and_returns_here(home: Town, contact: Client) -> None:
    """„Ändern“ leads to the row's page; after saving one is back on the check page."""
    draft = _wake_up(contact, home.gateways[1])
    links = re.findall(rf'href="({draft}seite/[a-z]+/\?zurueck=pruefen)"', _text(contact.get(f"{draft}pruefen/")))
    assert {link.rsplit("/", 2)[1] for link in links} == {"geraet", "order", "termin", "zuordnung"}
    answer = contact.post(f"{draft}seite/order/?zurueck=pruefen", {"reason": "Neu"})

    assert answer["Location"] == f"{draft}pruefen/"
    assert "Neu" in _text(contact.get(answer["Location"]))


@pytest.mark.requirement("O-2")
def test_sending_twice_orders_once(home: Town, contact: Client) -> None:
    """A double click, a reload, a second window: the first order's page, one order, one ticket."""
    draft = _wake_up(contact, home.gateways[1])
    answers = [contact.post(f"{draft}pruefen/", {"geplant": "nein"}) for _ in range(3)]

    assert len({answer["Location"] for answer in answers}) == 1
    assert (Order.objects.count(), Ticket.objects.count()) == (1, 1)
    assert contact.get(draft)["Location"] == answers[0]["Location"]


@pytest.mark.requirement("T-6")
def test_a_promise_that_has_changed_is_shown_before_it_is_sent(home: Town, contact: Client) -> None:
    """What the person has seen is what is ordered: otherwise the page comes back with the new promise."""
    draft = _wake_up(contact, home.gateways[1])
    answer = contact.post(f"{draft}pruefen/", {"geplant": "ja"})

    assert "Die Zusage hat sich geändert" in _text(answer)
    assert not Order.objects.exists()


@pytest.mark.requirement("O-4", "O-6")
def test_preconditions_stand_on_the_check_page_and_nothing_is_sent(home: Town, contact: Client) -> None:
    """What stands against the order is said with its remedy, the button is off, and a forced POST is refused."""
    draft = _begin(contact, "commissioning", home.gateways[0])
    row = Draft.objects.get()
    row.values |= {**commissioning_fields(home, 0), "_when": "asap"}
    row.done = ["geraet", "place", "devices", "profiles", "installation", "termin"]
    row.save()
    page = _text(contact.get(f"{draft}pruefen/"))

    assert "kein Zertifikat des BSI" in page
    assert 'aria-disabled="true"' in page
    assert "nicht gesendet" in _text(contact.post(f"{draft}pruefen/", {"geplant": "nein"}))
    assert not Order.objects.exists()


@pytest.mark.requirement("P-3")
def test_a_client_being_set_up_can_look_but_not_order(db: None, visitor: Any) -> None:
    """The pages say why; beginning is not offered."""
    new = town("Neuwerk", tag="n", active=False)
    page = _text(visitor(new.contact).get("/portal/bestellen/wake_up/"))

    assert "Getestet: 0 von 2" in page
    assert 'aria-disabled="true"' in page


@pytest.mark.requirement("O-1")
def test_a_draft_can_be_deleted_after_a_question(home: Town, contact: Client) -> None:
    """First the question, then it is gone."""
    draft = _begin(contact, "wake_up")
    assert "Entwurf löschen?" in _text(contact.get(f"{draft}loeschen/"))
    contact.post(f"{draft}loeschen/")

    assert not Draft.objects.exists()
    assert contact.get(draft).status_code == 404


@pytest.mark.requirement("O-1")
def test_devices_are_found_by_a_part_of_their_number(home: Town, contact: Client, neighbour: Town) -> None:
    """With and without JavaScript; only the client's own; a click takes one."""
    draft = _begin(contact, "wake_up")
    live = _text(contact.post(f"{draft}geraete/", {"gateway": home.gateways[1][-5:]}))
    plain = _text(contact.post(f"{draft}seite/geraet/", {"gateway": home.gateways[1][-5:], "suchen": "1"}))
    taken = contact.post(f"{draft}seite/geraet/", {"gateway": ["", home.gateways[1]]})

    assert f'value="{home.gateways[1]}"' in live
    assert f'value="{home.gateways[1]}"' in plain
    assert neighbour.gateways[0] not in _text(contact.post(f"{draft}geraete/", {"gateway": "EPPC"}))
    assert taken.status_code == 302
    assert Draft.objects.get().values["gateway"] == home.gateways[1]
