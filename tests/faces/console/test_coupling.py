"""A client's system coupled, judged, suspended and uncoupled by the provider (R-4)."""

from datetime import UTC, datetime
from typing import Any

import portal_world
import pytest
from console_world import Office, Shown, Web, get
from portal_world import Town

from torwart.kernel.refusals import Refusal
from torwart.services import interface
from torwart.store.models import AuditEntry, Coupling

pytestmark = pytest.mark.requirement("R-4")


@pytest.fixture
def home(people: Office) -> Town:
    return portal_world.town()


def send(web: Any, path: str, **values: Any) -> Shown:
    return Shown(web.post(f"/konsole/auftraggeber/{path}", values, follow=True))


def test_a_system_is_coupled_judged_and_uncoupled(people: Office, web: Web, home: Town) -> None:
    """Each step is audited with who did it, and the page says what holds."""
    admin, pk = web(people.administrator), home.client
    send(admin, f"{pk}/kopplung/neu/", common_name="Stadtwerk.EMT", software="EMT Pro", software_version="3.1")
    row = Coupling.objects.get()
    assert (row.client_id, row.compatibility) == (pk, "unknown")
    send(admin, f"{pk}/kopplung/{row.pk}/", verdict="incompatible", reason="3.1 ist zu alt")
    shown = get(admin, f"/konsole/auftraggeber/{pk}/kopplung/")
    assert "ausgesetzt" in shown.text
    assert "3.1 ist zu alt" in shown.text
    send(admin, f"{pk}/kopplung/{row.pk}/", verdict="compatible", reason="")
    send(admin, f"{pk}/kopplung/{row.pk}/entkoppeln/")
    row.refresh_from_db()
    assert (row.compatibility, row.active) == ("compatible", False)
    trail = AuditEntry.objects.filter(subject="coupling:Stadtwerk.EMT").order_by("id")
    actor = f"user:{people.administrator.email}"
    assert list(trail.values_list("action", "actor")) == [
        ("interface.coupled", actor),
        ("interface.incompatible", actor),
        ("interface.compatible", actor),
        ("interface.uncoupled", actor),
    ]


def test_an_uncoupled_system_is_turned_away(home: Town, pki: Any) -> None:
    """From that moment on, whatever certificate it shows."""
    from torwart.wire.certificate import identify

    certificate, now = pki.emt.tls.certificate, datetime.now(UTC)
    name = identify(certificate).common_name
    pk = interface.couple(home.client, name, software="", software_version="", actor="test")
    assert interface.peer(pki.emt.tls.certificate_der, now).client == home.client
    interface.uncouple(pk, actor="test", now=now)

    with pytest.raises(Refusal, match="not_coupled"):
        interface.peer(pki.emt.tls.certificate_der, now)


def test_a_name_serves_one_client_and_pages_show_only_their_own(people: Office, web: Web, home: Town) -> None:
    """A second client cannot have the same certificate; a coupling is not found below another client."""
    other = portal_world.town("Nachbarwerke", tag="b")
    admin = web(people.administrator)
    send(admin, f"{home.client}/kopplung/neu/", common_name="Stadtwerk.EMT")
    refused = send(admin, f"{other.client}/kopplung/neu/", common_name="Stadtwerk.EMT")
    assert refused.status == 422
    assert Coupling.objects.count() == 1
    assert admin.get(f"/konsole/auftraggeber/{other.client}/kopplung/{Coupling.objects.get().pk}/").status_code == 404


def test_only_administrators_couple(people: Office, web: Web, home: Town) -> None:
    """Operators see the couplings; the verbs are not there for them."""
    operator = web(people.operator)
    assert operator.get(f"/konsole/auftraggeber/{home.client}/kopplung/").status_code == 200
    assert operator.get(f"/konsole/auftraggeber/{home.client}/kopplung/neu/").status_code == 404
