"""Approved device types: what holds, why something does not, whom a change touches, and that it takes two (O-6)."""

from datetime import datetime, timedelta
from typing import Any

import console_world
import portal_world
import pytest
from console_world import Office, Shown, Web, get
from django.db import connection
from django.test.utils import CaptureQueriesContext

from torwart.rules.precondition import GatewayType
from torwart.services import approved_configuration as configurations
from torwart.store import models

ONE = "/konsole/geraetetypen/typ/"


def states(shown: Shown) -> list[str]:
    return [row.split(" ")[-1] for row in shown.all("//main//tbody/tr")]


@pytest.mark.requirement("O-6")
def test_a_type_that_cannot_be_ordered_says_why(people: Office, now: datetime, web: Web) -> None:
    """CC certificate missing or past, approval not begun or ended."""
    console_world.types(now)
    bare = GatewayType("SMGW-X", "1.0")
    configurations.approve(bare, "eHZ", actor="user:a")
    configurations.approve(bare, "later", actor="user:a", begin=now + timedelta(days=3))
    configurations.approve(bare, "over", actor="user:a", end=now - timedelta(days=3))

    rows = get(web(people.auditor), "/konsole/geraetetypen/").all("//main//tbody/tr/td[last()]")

    assert rows == [
        "CC-Zertifikat nicht gültig",
        "CC-Zertifikat nicht gültig",
        "ja",
        "ja",
        "kein CC-Zertifikat",
        "noch nicht gültig",
        "abgelaufen",
    ]


@pytest.mark.requirement("O-6", "P-2")
def test_a_change_needs_two_people_and_holds_at_once(people: Office, now: datetime, web: Web) -> None:
    """The operator asks with dates and reason, the approver says yes, the list and its history show it."""
    console_world.types(now)
    operator, approver = web(people.operator), web(people.approver)
    values = {
        "number": "BSI-DSZ-CC-0831-1.3.0",
        "gateway_type": "SMGW-P",
        "firmware": "1.3.0",
        "begin": "2026-01-01",
        "end": "2028-06-30",
        "reason": "Rezertifizierung",
    }

    asked = Shown(operator.post("/konsole/geraetetypen/zertifikat/", values, follow=True))
    before = get(operator, "/konsole/geraetetypen/").all("//main//tbody/tr/td[last()]")
    pk = models.Approval.objects.get().pk
    approver.post(f"/konsole/freigaben/{pk}/", {"decision": "yes", "remark": "Urkunde gesehen."})
    after = get(operator, "/konsole/geraetetypen/").all("//main//tbody/tr/td[last()]")
    history = get(operator, ONE, typ="SMGW-P", firmware="1.3.0")

    assert "eine zweite Person entscheidet" in asked.text
    assert before.count("ja") == 2
    assert after.count("ja") == 4
    assert f"approval:{pk}" in history.all("//main//tbody/tr/td[2]")
    kept = models.CcCertificate.objects.get(number="BSI-DSZ-CC-0831-1.3.0")
    assert kept.valid_until is not None
    assert kept.valid_until.isoformat() == "2028-06-30T21:59:59+00:00"


def test_a_rejected_change_changes_nothing(people: Office, now: datetime, web: Web) -> None:
    """The list stays as it was."""
    values = {"gateway_type": "SMGW-Q", "firmware": "2.0", "meter_type": "eHZ", "reason": "Neu"}
    web(people.operator).post("/konsole/geraetetypen/freigeben/", values)
    pk = models.Approval.objects.get().pk

    web(people.approver).post(f"/konsole/freigaben/{pk}/", {"decision": "no", "remark": "Prüfstand fehlt."})

    assert not models.ApprovedConfiguration.objects.exists()


def test_dates_the_wrong_way_round_are_said_at_their_field(people: Office, web: Web) -> None:
    """Nothing is asked for."""
    values = {
        "gateway_type": "SMGW-Q",
        "firmware": "2.0",
        "meter_type": "eHZ",
        "begin": "2027-01-01",
        "end": "2026-01-01",
        "reason": "Neu",
    }
    shown = Shown(web(people.operator).post("/konsole/geraetetypen/freigeben/", values))

    assert shown.status == 422
    assert "Das Ende liegt vor dem Beginn." in shown.one("//div[@role='alert']")
    assert not models.Approval.objects.exists()


@pytest.mark.requirement("O-6")
def test_a_change_says_whom_it_touches_and_begins_with_what_holds(people: Office, now: datetime, web: Web) -> None:
    """Gateways of the type, and those of them in our care; dates as they are."""
    console_world.types(now)
    portal_world.town()
    client = web(people.operator)
    link = get(client, ONE, typ="SMGW-P", firmware="1.4.2").all("//a[contains(@href, 'zertifikat')]/@href")[0]

    form = get(client, link)

    assert "Betrifft 3 Gateways dieses Typs, davon 2 in unserer Verwaltung." in form.text
    assert form.one("//input[@name='number']/@value") == "BSI-DSZ-CC-0831-1.4.2"
    assert form.one("//input[@name='end']/@value") == "2027-12-28"


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_asks_the_same_however_long(people: Office, now: datetime, web: Web, count: int) -> None:
    """Six questions to the database."""
    for place in range(count):
        configurations.approve(GatewayType("SMGW-P", "1"), f"meter {place}", actor="user:a")
    client: Any = web(people.operator)
    client.get("/konsole/tasten/")

    with CaptureQueriesContext(connection) as queries:
        shown = get(client, "/konsole/geraetetypen/")

    assert len(shown.tickets) == count
    assert len(queries) == 6, [each["sql"][:90] for each in queries]
