"""Four eyes: what one asks for, another decides, seeing what, why and what follows (P-2)."""

from datetime import datetime
from typing import Any

import console_world
import portal_world
import pytest
from console_world import Office, Shown, Web, get
from django.db import connection
from django.test.utils import CaptureQueriesContext

from torwart.kernel.role import Role
from torwart.services import approval as approvals
from torwart.store import models

REASON = "Gerät wurde gestohlen."


@pytest.fixture
def asked(people: Office, now: datetime) -> int:
    return ask(people.operator, now)


def ask(person: Any, now: datetime) -> int:
    return approvals.request(
        "certificate.revoke", "gateway:E1", {"gateway": "E1"}, REASON, user=person.pk, client=None, now=now
    )


def decide(web: Any, pk: int, **values: str) -> Shown:
    return Shown(web.post(f"/konsole/freigaben/{pk}/", values, follow=True))


@pytest.mark.requirement("P-2")
def test_another_person_decides_with_a_remark(people: Office, asked: int, web: Web) -> None:
    """What, why and by whom are there before the decision, decider and remark after it."""
    client = web(people.approver)
    before = get(client, f"/konsole/freigaben/{asked}/")
    assert REASON in before.text
    assert "Otto Keller" in before.text

    after = decide(client, asked, decision="yes", remark="Anzeige liegt vor.")

    row = models.Approval.objects.get(pk=asked)
    assert (row.state, row.decided_by_id, row.remark) == ("approved", people.approver.pk, "Anzeige liegt vor.")
    assert "Frieda Sommer" in after.text
    assert after.posts == []


@pytest.mark.requirement("P-2")
def test_nobody_decides_what_they_asked_for(people: Office, now: datetime, web: Web) -> None:
    """Not with both roles either; the page says why, and offers to take the request back."""
    models.User.objects.filter(pk=people.operator.pk).update(roles=[Role.OPERATOR.value, Role.APPROVER.value])
    pk = ask(people.operator, now)
    client = web(people.operator)

    shown = get(client, f"/konsole/freigaben/{pk}/")
    tried = client.post(f"/konsole/freigaben/{pk}/", {"decision": "yes", "remark": "x"})

    assert "entscheiden muss eine andere Person" in shown.text
    assert tried.status_code == 409
    assert models.Approval.objects.get(pk=pk).state == "pending"
    client.post(f"/konsole/freigaben/{pk}/zurueckziehen/")
    assert models.Approval.objects.get(pk=pk).state == "withdrawn"


def test_a_decision_needs_a_choice_and_a_remark(people: Office, asked: int, web: Web) -> None:
    """Neither is chosen beforehand."""
    shown = decide(web(people.approver), asked)

    assert shown.status == 422
    assert len(shown.all("//div[@role='alert']//li")) == 2


def test_what_is_decided_stays_decided(people: Office, asked: int, now: datetime, web: Web) -> None:
    """A second decision is not taken."""
    client = web(people.approver)
    decide(client, asked, decision="no", remark="Nein.")

    assert decide(client, asked, decision="yes", remark="Doch.").status == 409
    assert models.Approval.objects.get(pk=asked).state == "rejected"


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_asks_the_same_however_long(people: Office, now: datetime, web: Web, count: int) -> None:
    """Six questions to the database; what waits and what is decided stand apart."""
    for _ in range(count):
        ask(people.operator, now)
    client = web(people.approver)
    client.get("/konsole/tasten/")

    with CaptureQueriesContext(connection) as queries:
        shown = get(client, "/konsole/freigaben/")

    assert len(shown.tickets) == count
    assert len(queries) == 6, [each["sql"][:90] for each in queries]
    assert get(client, "/konsole/freigaben/", entschieden="").tickets == []


# --- overrides of preconditions ---------------------------------------------------------------------------------------


@pytest.fixture
def refused(people: Office, now: datetime) -> str:
    """A ticket whose order was refused because a precondition is not met: the type is not approved."""
    town = portal_world.town()
    console_world.types(now)
    console_world.certified(town, now)
    fields = dict(portal_world.commissioning_fields(town, 0))
    number = "T" + town.order("commissioning", town.gateways[0], at=now, **fields)[1:]
    models.ApprovedConfiguration.objects.all().delete()
    models.Order.objects.update(state="refused", ended_at=now)
    models.Run.objects.update(state="refused", ended_at=now)
    return number


@pytest.mark.requirement("P-2", "O-6")
def test_an_override_runs_at_once_when_approved(people: Office, refused: str, web: Web) -> None:
    """One operator asks with a reason, another person says yes, and the process begins whatever stands against it."""
    operator, approver = web(people.operator), web(people.approver)
    operator.post(f"/konsole/vorgang/{refused}/tun/ausnahme/", {"reason": "Pilotgerät, BSI weiß davon."})
    row = models.Approval.objects.get()
    page = get(approver, f"/konsole/freigaben/{row.pk}/")
    assert "Ausnahme von einer Voraussetzung" in page.one("//h1")
    assert "freigegeben" in page.one("//dd[.//*[contains(text(), 'Nicht erfüllt')]]")

    decide(approver, row.pk, decision="yes", remark="In Ordnung.")

    run = models.Run.objects.order_by("-id")[0]
    assert (run.process, run.state) == ("P03", "accepted")
    assert models.AuditEntry.objects.filter(actor=f"approval:{row.pk}", action="commissioning.ordered").count() == 1


def test_a_rejected_override_runs_nothing(people: Office, refused: str, web: Web) -> None:
    """No is no."""
    web(people.operator).post(f"/konsole/vorgang/{refused}/tun/ausnahme/", {"reason": "Pilotgerät."})
    runs = models.Run.objects.count()

    decide(web(people.approver), models.Approval.objects.get().pk, decision="no", remark="Nein.")

    assert models.Run.objects.count() == runs


def test_an_override_that_cannot_run_decides_nothing(people: Office, refused: str, now: datetime, web: Web) -> None:
    """Where the run is refused for another reason, the decision is not taken either, and the reason is said."""
    web(people.operator).post(f"/konsole/vorgang/{refused}/tun/ausnahme/", {"reason": "Pilotgerät."})
    row = models.Approval.objects.get()
    gateway = models.Order.objects.get().gateway_id
    models.Run.objects.filter(gateway=gateway).update(state="running")

    shown = decide(web(people.approver), row.pk, decision="yes", remark="Gut.")

    assert shown.status == 422
    assert "Gut." in shown.one("//textarea[@name='remark']")
    assert models.Approval.objects.get().state == "pending"


def test_nothing_is_overridden_that_nothing_stands_against(people: Office, now: datetime, web: Web) -> None:
    """Then the process can simply be ordered."""
    town = portal_world.town()
    number = console_world.ordered(town, "connectivity_test", town.gateways[1], now)
    models.Order.objects.update(state="refused")

    shown = Shown(web(people.operator).post(f"/konsole/vorgang/{number}/tun/ausnahme/", {"reason": "Warum nicht."}))

    assert shown.status == 422
    assert "Nichts steht dagegen" in shown.text
    assert not models.Approval.objects.exists()
