"""A fleet made for looking and measuring is as true as one that has grown."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.db import connection
from django.db.models import Count, F

from torwart.config.fleet import fill
from torwart.config.fleet_life import FAILING, SILENT, WAYS, cases, lives
from torwart.kernel.gateway_state import ADMINISTERED
from torwart.kernel.identifiers import CaseNumber, DeviceId, MaLoId, MeLoId
from torwart.kernel.order_state import OrderState
from torwart.kernel.refusals import Refusal
from torwart.services import audit, ticket_clock
from torwart.services import client as clients
from torwart.store import models

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def fleet(db: None) -> dict[str, int]:
    return fill(240, now=NOW)


def test_everything_hangs_together(fleet: dict[str, int]) -> None:
    """Foreign keys were not checked while copying; they hold all the same, and so does the chain of the audit trail."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'f' AND connamespace = "
                       "'public'::regnamespace")  # fmt: skip
        for table, name in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD {_definition(cursor, table, name)}")
    verdict = audit.verify()
    assert (verdict.broken, verdict.pending, verdict.unchained) == (None, 0, 0)
    assert fleet["auditlink"] == fleet["auditentry"] > 5 * 240


def _definition(cursor: object, table: str, name: str) -> str:
    cursor.execute(  # type: ignore[attr-defined]
        "SELECT format('CONSTRAINT %%I %%s', conname, pg_get_constraintdef(oid)) FROM pg_constraint "
        "WHERE conrelid = %s::regclass AND conname = %s",
        [table, name],
    )
    return str(cursor.fetchone()[0])  # type: ignore[attr-defined]


def test_shape_and_identifiers(fleet: dict[str, int]) -> None:
    """One order, one ticket, one run and three certificates a gateway; every number passes its own check."""
    assert fleet["gateway"] == fleet["order"] == fleet["run"] == 240
    assert fleet["certificate"] == 3 * (240 + 40 + fleet["client"])
    assert not models.Gateway.objects.annotate(n=Count("orders")).exclude(n=1).exists()
    assert not models.Gateway.objects.exclude(orders__client=F("client")).exists()
    for row in models.Order.objects.select_related("ticket", "gateway"):
        assert CaseNumber.parse(row.number).ticket == row.ticket.number
        assert DeviceId.parse(row.fields["gateway"]) == row.gateway.device_id
    for meter in models.Meter.objects.exclude(melo=""):
        assert [MaLoId.parse(malo) for malo in meter.malos] == meter.malos
        assert MeLoId.parse(meter.melo) == meter.melo


def test_clock_of_open_tickets(fleet: dict[str, int]) -> None:
    """What a ticket shows as its deadline is what the audit trail says of it."""
    found = models.Ticket.objects.filter(order__isnull=False).exclude(state__in=("closed", "resolved"))
    assert found.exists()
    for row in found:
        assert ticket_clock.timing(row.number).due == row.due_at


def test_life_goes_on(fleet: dict[str, int]) -> None:
    """The next row of anybody else gets a free key, and indexes and triggers are as before."""
    assert clients.create("Neu", actor="test") == fleet["client"] + 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM store_auditpending")
        assert cursor.fetchone() == (1,)
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname IN ('gateway_search', 'certificate_horizon')")
        assert cursor.fetchone() == (2,)


def test_never_into_what_is_not_empty(db: None) -> None:
    """A database in which anything lies is left alone."""
    clients.create("Stadtwerke", actor="test")
    with pytest.raises(Refusal) as caught:
        fill(20, now=NOW)
    assert caught.value.code == "sim.fleet_database"
    assert not models.Gateway.objects.exists()


def test_shares() -> None:
    """States, silence and failures come in the shares that are promised, and the same seed draws the same fleet."""
    fleet = list(lives(20_000, 120, now=NOW, random=Random(1)))
    ours = [each for each in fleet if each.state in ADMINISTERED]
    silent = [each for each in ours if each.contact is None or each.contact < NOW - timedelta(hours=24)]
    assert abs(len(silent) / len(ours) - SILENT) < 0.005
    for state, (share, _) in WAYS.items():
        assert abs(sum(each.state is state for each in fleet) / 200 - share) < 1
    drawn = cases(fleet, now=NOW, random=Random(2))
    assert abs(sum(case.state is OrderState.FAILED for case in drawn) / 20_000 - FAILING) < 0.004
    assert [case.submitted for case in drawn] == sorted(case.submitted for case in drawn)
    assert all(case.submitted < NOW and (case.ended is None or case.ended <= NOW) for case in drawn)
    assert list(lives(50, 3, now=NOW, random=Random(1))) == list(lives(50, 3, now=NOW, random=Random(1)))
