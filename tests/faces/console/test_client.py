"""Clients, their contacts and everybody's accounts: taken in, invited, locked; by administrators only."""

from datetime import datetime
from typing import Any

import portal_world
import pytest
from console_world import Office, Shown, Web, get
from django.db import connection
from django.test.utils import CaptureQueriesContext

from torwart.services import client as clients
from torwart.store import models

PERSON = {
    "first_name": "Petra",
    "name": "Neu",
    "phone": "+49 261 4711",
    "email": "petra.neu@example.org",
    "language": "de",
}


def send(web: Any, path: str, **values: Any) -> Shown:
    return Shown(web.post(f"/konsole/{path}", values, follow=True))


def checks(web: Any, client: int) -> list[str]:
    shown = get(web, f"/konsole/auftraggeber/{client}/")
    return [each.split(" ")[0] for each in shown.all("//ul[contains(@class, 'ko-checks')]/li")]


@pytest.mark.requirement("P-3")
def test_a_client_is_led_through_its_onboarding(people: Office, web: Web) -> None:
    """What is missing is counted down: code number with check digit, contacts, a user who may order."""
    admin = web(people.administrator)
    shown = send(admin, "auftraggeber/neu/", name="Gemeindewerke Neuwied")
    client = models.Client.objects.get(name="Gemeindewerke Neuwied").pk
    assert "Gemeindewerke Neuwied" in shown.one("//h1")
    assert checks(admin, client) == ["fehlt"] * 4

    wrong = send(admin, f"auftraggeber/{client}/codenummer/", code="9905048000008", name="GW")
    assert wrong.status == 422
    assert wrong.one("//input[@name='code']/@value") == "9905048000008"
    send(admin, f"auftraggeber/{client}/codenummer/", code="9905048000007", name="GW Neuwied")
    send(admin, f"auftraggeber/{client}/ansprechpartner/", **PERSON)
    send(admin, f"auftraggeber/{client}/einladen/", **PERSON, roles=["contact"])

    assert checks(admin, client) == ["erledigt", "fehlt", "erledigt", "fehlt"]
    assert models.Client.objects.get(pk=client).state == "onboarding"


def test_a_client_is_there_once(people: Office, web: Web) -> None:
    """The same name leads to the same client."""
    admin = web(people.administrator)
    send(admin, "auftraggeber/neu/", name="Stadtwerke")
    send(admin, "auftraggeber/neu/", name="Stadtwerke")

    assert models.Client.objects.filter(name="Stadtwerke").count() == 1


@pytest.mark.requirement("P-4")
def test_user_data_and_link_go_by_two_mails(people: Office, web: Web) -> None:
    """The data on the secure way to the contact, the link apart from it; neither holds what the other does."""
    admin = web(people.administrator)
    town = portal_world.town()
    send(admin, f"auftraggeber/{town.client}/ansprechpartner/", **PERSON)
    send(admin, f"auftraggeber/{town.client}/einladen/", **PERSON, roles=["contact", "reader"])

    link = models.MailOut.objects.get(kind="account.link")
    assert (link.address, link.secure) == ("petra.neu@example.org", False)
    assert "/konto/einladung/" in link.text
    assert "Petra" not in link.text
    assert all("/konto/einladung/" not in mail.text for mail in models.MailOut.objects.exclude(pk=link.pk))
    user = models.User.objects.get(email="petra.neu@example.org")
    assert user.roles == ["contact", "reader"]
    assert models.Contact.objects.get(email="petra.neu@example.org").user_id == user.pk


@pytest.mark.requirement("P-4")
def test_the_link_is_shown_to_nobody_here(people: Office, web: Web) -> None:
    """Whoever reads the mail room must not be able to take over an account."""
    send(web(people.administrator), f"auftraggeber/{portal_world.town().client}/einladen/", **PERSON, roles=["reader"])
    link = models.MailOut.objects.get(kind="account.link")

    shown = get(web(people.operator), f"/konsole/post/ausgang/{link.pk}/")

    assert "einladung" not in shown.text
    assert "nur für den Empfänger bestimmt" in shown.text


@pytest.mark.requirement("P-2")
def test_roles_are_of_one_side(people: Office, web: Web) -> None:
    """A client's person can get no role of ours, ours none of a client's; the form does not even offer it."""
    admin = web(people.administrator)
    town = portal_world.town()

    offered = get(admin, f"/konsole/auftraggeber/{town.client}/einladen/").all("//input[@name='roles']/@value")
    tried = send(admin, f"auftraggeber/{town.client}/einladen/", **PERSON, roles=["operator"])
    ours = get(admin, "/konsole/leute/einladen/").all("//input[@name='roles']/@value")

    assert offered == ["contact", "reader"]
    assert tried.status == 422
    assert ours == ["operator", "approver", "auditor", "administrator"]


@pytest.mark.requirement("P-4")
def test_locking_ends_sessions_and_inviting_again_opens(people: Office, web: Web) -> None:
    """At once, with the reason kept; never oneself."""
    admin = web(people.administrator)
    operator = web(people.operator)
    assert operator.get("/konsole/").status_code == 200

    send(admin, f"leute/{people.operator.pk}/sperren/", reason="Laptop verloren")
    assert operator.get("/konsole/").status_code == 302
    assert "Laptop verloren" in get(admin, "/konsole/leute/").text

    send(admin, f"leute/{people.operator.pk}/neu-einladen/")
    assert models.User.objects.get(pk=people.operator.pk).is_active
    assert send(admin, f"leute/{people.administrator.pk}/sperren/", reason="Ich").status == 422


def test_roles_change_from_now_on(people: Office, web: Web) -> None:
    """The next page already follows."""
    operator = web(people.operator)
    send(web(people.administrator), f"leute/{people.operator.pk}/rollen/", roles=["auditor"])

    assert operator.get("/konsole/pruefpfad/").status_code == 200
    assert operator.post("/konsole/uebernehmen/").status_code == 404


@pytest.mark.requirement("P-3")
def test_two_contacts_always_remain(people: Office, web: Web) -> None:
    """Taking one of two out is refused with the reason; of three it is done."""
    admin = web(people.administrator)
    town = portal_world.town()
    first = models.Contact.objects.filter(client=town.client).order_by("id")[0]
    address = f"auftraggeber/{town.client}/ansprechpartner/{first.pk}/herausnehmen/"

    refused = send(admin, address)
    send(admin, f"auftraggeber/{town.client}/ansprechpartner/", **PERSON)
    send(admin, address)

    assert refused.status == 422
    assert not models.Contact.objects.get(pk=first.pk).active


def test_a_contact_of_another_client_is_not_found(people: Office, web: Web) -> None:
    """The address names both, and both must fit."""
    first, second = portal_world.town(), portal_world.town("Andere", tag="b")
    foreign = models.Contact.objects.filter(client=second.client)[0]

    status = web(people.administrator).get(
        f"/konsole/auftraggeber/{first.client}/ansprechpartner/{foreign.pk}/testmail/"
    )

    assert status.status_code == 404


def test_suspending_resuming_ending(people: Office, now: datetime, web: Web) -> None:
    """With a reason each; what the table forbids is said, what was ended stays so."""
    admin = web(people.administrator)
    town = portal_world.town()
    address = f"auftraggeber/{town.client}/stand"
    states = []
    for name in ("aussetzen", "aufnehmen", "beenden"):
        send(admin, f"{address}/{name}/", reason="Vertrag")
        states.append(models.Client.objects.get(pk=town.client).state)

    again = send(admin, f"{address}/aufnehmen/", reason="Doch")

    assert states == ["suspended", "active", "ended"]
    assert again.status == 422
    assert admin.get(f"/konsole/{address}/zaubern/").status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_asks_the_same_however_long(people: Office, web: Web, count: int) -> None:
    """Six questions to the database; part of a name or a code number's beginning narrows it."""
    for place in range(count):
        pk = clients.create(f"Werk {place}", actor="test")
        models.MarketParticipant.objects.create(client_id=pk, code=f"990000000000{place}", name="x")
    admin = web(people.administrator)
    admin.get("/konsole/tasten/")

    with CaptureQueriesContext(connection) as queries:
        shown = get(admin, "/konsole/auftraggeber/")

    assert len(shown.tickets) == count
    assert len(queries) == 6, [each["sql"][:90] for each in queries]
    assert get(admin, "/konsole/auftraggeber/", q="WERK 0").tickets == ["Werk 0"]
    assert get(admin, "/konsole/auftraggeber/", q="9900000000000").tickets == ["Werk 0"]


def test_clients_follow_each_other_by_name(people: Office, web: Web) -> None:
    """Fifty a page, none twice, none left out."""
    models.Client.objects.bulk_create(models.Client(name=f"Werk {place:03d}") for place in range(53))
    admin = web(people.administrator)

    first = get(admin, "/konsole/auftraggeber/")
    second = get(admin, "/konsole/auftraggeber/" + first.one("//a[@rel='next']/@href"))

    assert len(first.tickets) == 50
    assert second.tickets == ["Werk 050", "Werk 051", "Werk 052"]


@pytest.mark.parametrize("people_count", [1, 3])
def test_a_client_s_page_asks_the_same_however_many_people(people: Office, web: Web, people_count: int) -> None:
    """Ten questions to the database."""
    town = portal_world.town()
    for place in range(people_count):
        models.Contact.objects.create(
            client_id=town.client, first_name="P", name=str(place), phone="1", email=f"p{place}@example.org"
        )
    admin = web(people.administrator)
    admin.get("/konsole/tasten/")

    with CaptureQueriesContext(connection) as queries:
        get(admin, f"/konsole/auftraggeber/{town.client}/")

    assert len(queries) == 10, [each["sql"][:90] for each in queries]


@pytest.mark.requirement("S-MAIL-3")
def test_an_operator_allows_old_encryption_and_ends_it(people: Office, web: Web) -> None:
    """With its consequences said and a reason in the trail; what was decided is seen by all, decided by operators."""
    operator, town = web(people.operator), portal_world.town()
    page = f"auftraggeber/{town.client}/"
    person = models.Contact.objects.filter(client=town.client, active=True).order_by("id")[0]
    address = f"{page}ansprechpartner/{person.pk}/aes-cbc/"
    form = get(operator, f"/konsole/{address}").text
    assert "CBC bemerkt nicht, wenn jemand den verschlüsselten Inhalt unterwegs verändert" in form
    assert web(people.administrator).post(f"/konsole/{address}", {"reason": "x"}).status_code == 404

    assert send(operator, address, reason="").status == 422
    send(operator, address, reason="Altes Mailprogramm bis Januar")
    assert models.Contact.objects.get(pk=person.pk).legacy
    assert "Mails mit AES-CBC erlaubt" in get(web(people.auditor), f"/konsole/{page}").text
    assert "Mails an diesen Ansprechpartner werden wieder mit AES-GCM" in get(operator, f"/konsole/{address}").text
    send(operator, address, reason="Neues Programm")

    assert not models.Contact.objects.get(pk=person.pk).legacy
    entries = models.AuditEntry.objects.filter(action__startswith="contact.legacy").order_by("id")
    assert [(each.action, each.payload["reason"], each.client_id) for each in entries] == [
        ("contact.legacy_allowed", "Altes Mailprogramm bis Januar", town.client),
        ("contact.legacy_ended", "Neues Programm", town.client),
    ]


@pytest.mark.requirement("P-1")
def test_old_encryption_of_another_clients_contact_is_not_found(people: Office, web: Web) -> None:
    """The address names both, and both must fit; nor is there a decision about somebody taken out."""
    first, second = portal_world.town(), portal_world.town("Andere", tag="b")
    foreign = models.Contact.objects.filter(client=second.client)[0]
    operator = web(people.operator)
    address = f"/konsole/auftraggeber/{first.client}/ansprechpartner/{foreign.pk}/aes-cbc/"
    assert operator.post(address, {"reason": "x"}).status_code == 404
    own = models.Contact.objects.filter(client=first.client)[0]
    models.Contact.objects.filter(pk=own.pk).update(active=False)
    assert operator.get(f"/konsole/auftraggeber/{first.client}/ansprechpartner/{own.pk}/aes-cbc/").status_code == 404
    assert not models.Contact.objects.filter(legacy=True).exists()
