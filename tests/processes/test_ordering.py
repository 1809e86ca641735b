"""Ordering: everything that stands against an order at once, what it may count on, and one file per process."""

import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clientele import CODE, DEVICE, MONDAY, Clientele, clientele, staff
from django.db import connection
from django.test.utils import CaptureQueriesContext
from order_desk import Desk, desk

import torwart.processes
from torwart.kernel.client_state import ClientState
from torwart.kernel.identifiers import BdewCode
from torwart.kernel.refusals import Refusal
from torwart.kernel.role import Role
from torwart.processes import ordering
from torwart.processes.definition import catalogue, process
from torwart.processes.ordering import Header, Orderer
from torwart.processes.summary import as_json, summary
from torwart.processes.telling import story_of
from torwart.store.models import AuditEntry, Client, Gateway, MailOut, MarketParticipant, Meter, Order, User

FIELDS = {"gateway": DEVICE, "reason": ""}
FOREIGN = "EPPC0200000002"
UNKNOWN = "EPPC0200000003"
NEIGHBOUR, NOBODY, SECOND = (BdewCode.complete(f"99000{number}000000") for number in range(3))


@pytest.fixture
def people(db: None) -> Clientele:
    return clientele()


def examined(people: Clientele, **header: object) -> dict[str, str]:
    """Codes of what is wrong with the header, by field."""
    found = ordering.examine(
        "connectivity_test",
        FIELDS,
        client=people.client.pk,
        now=MONDAY,
        header=Header(**header),  # type: ignore[arg-type]
    )
    assert not found.good or not found.errors
    return {name: refusal.code for name, refusal in found.errors.items()}


def unmet(people: Clientele, fields: dict[str, str], orderer: Orderer | None = None) -> list[str]:
    found = ordering.examine(
        "connectivity_test", fields, client=people.client.pk, now=MONDAY, header=Header(), orderer=orderer
    )
    return [refusal.code for refusal in found.unmet]


# --- examine ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("O-5", "O-1")
def test_a_good_order_has_nothing_against_it(people: Clientele) -> None:
    """Fields in canonical form, no errors, nothing unmet; nothing is written."""
    before = AuditEntry.objects.count()
    found = ordering.examine(
        "connectivity_test",
        {"gateway": "e ppc 02 00000001"},
        client=people.client.pk,
        now=MONDAY,
        header=Header(),
        orderer=people.orderer,
    )

    assert found.good
    assert found.fields == {"gateway": DEVICE, "reason": ""}
    assert (AuditEntry.objects.count(), Order.objects.count()) == (before, 0)


@pytest.mark.requirement("T-5")
def test_a_time_nobody_can_keep_is_an_error_at_its_field(people: Clientele) -> None:
    """In the past: refused. At night: refused unless the process runs unattended."""
    night = datetime(2026, 6, 3, 22, tzinfo=UTC)
    assert examined(people, requested_at=MONDAY - timedelta(minutes=1)) == {"requested_at": "service_time.in_the_past"}
    assert examined(people, requested_at=MONDAY) == {"requested_at": "service_time.in_the_past"}
    assert process("connectivity_test").unattended
    assert examined(people, requested_at=night) == {}
    attended = ordering.examine("incident", {}, client=people.client.pk, now=MONDAY, header=Header(requested_at=night))
    assert attended.errors["requested_at"].code == "service_time.outside_hours"
    assert "zum Beispiel 04.06.2026 08:00" in attended.errors["requested_at"].text("de")  # Corpus Christi is no holiday


@pytest.mark.requirement("O-1", "P-1")
def test_the_code_number_is_the_clients_own(people: Clientele) -> None:
    """The only one is filled in; a foreign one is refused like an unknown one; of several one must be chosen."""
    other = clientele("Nachbarwerke", gateway=FOREIGN, code=NEIGHBOUR).client
    assert examined(people, participant=CODE) == {}
    foreign = ordering.examine(
        "connectivity_test", FIELDS, client=people.client.pk, now=MONDAY, header=Header(participant=NEIGHBOUR)
    ).errors["participant"]
    nobody = ordering.examine(
        "connectivity_test", FIELDS, client=people.client.pk, now=MONDAY, header=Header(participant=NOBODY)
    ).errors["participant"]
    assert foreign.code == nobody.code == "order.participant_unknown"
    assert foreign.text("de").replace(NEIGHBOUR, "#") == nobody.text("de").replace(NOBODY, "#")
    assert examined(people, participant="9905048000008") == {"participant": "identifier.check_digit"}

    MarketParticipant.objects.create(client=people.client, code=SECOND, name="Zweite")
    assert examined(people) == {"participant": "process.field_missing"}
    MarketParticipant.objects.filter(client=other).delete()
    assert ordering.examine(
        "connectivity_test", {"gateway": FOREIGN}, client=other.pk, now=MONDAY, header=Header()
    ).good


@pytest.mark.requirement("O-5")
def test_own_reference_and_remark_are_checked(people: Clientele) -> None:
    """Control characters and novels are refused at their field."""
    assert examined(people, reference="a\x07b", remark="x" * 5000) == {
        "reference": "process.field_invalid",
        "remark": "process.field_invalid",
    }


@pytest.mark.requirement("P-3")
def test_a_client_in_onboarding_orders_nothing(db: None) -> None:
    """Refused with the reason and what is missing; a suspended or ended one is told so."""
    people = clientele(tested=1)
    found = ordering.examine("connectivity_test", FIELDS, client=people.client.pk, now=MONDAY)
    assert [refusal.code for refusal in found.unmet] == ["contact.client_not_active"]
    assert "getestet sind 1" in found.unmet[0].text("de")
    for state in (ClientState.SUSPENDED, ClientState.ENDED):
        Client.objects.update(state=state)
        assert unmet(people, FIELDS) == ["contact.client_closed"]


@pytest.mark.requirement("P-2")
def test_only_an_active_contact_of_the_client_orders(people: Clientele) -> None:
    """A reader, a locked account, another client's contact and the provider's staff are refused alike."""
    reader = User.objects.create(email="l@stadtwerke.example", name="L", client=people.client, roles=["reader"])
    locked = User.objects.create(
        email="g@stadtwerke.example", name="G", client=people.client, roles=["contact"], is_active=False
    )
    foreign = clientele("Nachbarwerke", gateway=FOREIGN, code="").user
    ours = staff("Anna", Role.OPERATOR)
    for user in (reader.pk, locked.pk, foreign.pk, ours.pk, 10**9):
        orderer = Orderer(people.client.pk, user, "x", "user:x")
        assert unmet(people, FIELDS, orderer) == ["order.not_allowed"]
    assert unmet(people, FIELDS, people.orderer) == []


@pytest.mark.requirement("P-1")
def test_a_foreign_gateway_costs_and_says_what_an_unknown_one_does(people: Clientele) -> None:
    """The same refusal, the same words, the same number of queries, and nothing of it is looked at."""
    clientele("Nachbarwerke", gateway=FOREIGN, code="")
    answers, costs = [], []
    for device in (FOREIGN, UNKNOWN):
        with CaptureQueriesContext(connection) as captured:
            found = ordering.examine("commissioning", _commissioning(device), client=people.client.pk, now=MONDAY)
        answers.append([(r.code, r.text("de").replace(device, "#")) for r in found.unmet])
        costs.append([query["sql"].replace(device, "#") for query in captured])

    assert answers[0] == answers[1]
    assert [code for code, _ in answers[0]] == ["process.gateway_unknown"]
    assert costs[0] == costs[1]


@pytest.mark.requirement("P-1")
def test_a_foreign_meter_is_unknown(people: Clientele) -> None:
    """Also its type is not told: a stranger's meter is refused exactly like one nobody has."""
    neighbour = clientele("Nachbarwerke", gateway=FOREIGN, code="").client
    Meter.objects.create(device_id="1EMH0000000001", client=neighbour, state="delivered", details={"model": "geheim"})
    found = ordering.examine("commissioning", _commissioning(DEVICE), client=people.client.pk, now=MONDAY)

    assert [refusal.code for refusal in found.unmet] == ["process.meter_unknown"]
    assert "geheim" not in found.unmet[0].text("de")


def _commissioning(gateway: str) -> dict[str, object]:
    return {
        "gateway": gateway,
        "meters": ["1EMH0000000001"],
        "melo": "DE0003605606800000000000000000001",
        "malos": ["51238696781"],
        "address": "Musterweg 1",
        "install_at": "2026-11-24T09:30+01:00",
        "technician": "E",
        "technician_phone": "+49 261 123456",
        "wan_type": "LTE",
        "tafs": ["7"],
        "emts": ["Stadtwerk"],
        "han": "no",
    }


@pytest.mark.requirement("O-4")
def test_all_preconditions_are_told_at_once(people: Clientele) -> None:
    """Wrong client state, wrong person, open order: one answer names them all."""
    Gateway.objects.update(state="operational")
    shop_order(people, "A-100000009")
    Client.objects.update(state="suspended")
    orderer = Orderer(people.client.pk, 10**9, "x", "user:x")
    found = ordering.examine(
        "connectivity_test", FIELDS, client=people.client.pk, now=MONDAY, header=Header(), orderer=orderer
    )

    assert [refusal.code for refusal in found.unmet] == ["contact.client_closed", "order.not_allowed", "order.open"]
    assert "A-100000009" in found.unmet[2].text("de")


def shop_order(people: Clientele, number: str) -> None:
    Order.objects.create(
        number=number,
        client=people.client,
        orderer_name="E",
        channel="form",
        process="connectivity_test",
        gateway=Gateway.objects.get(device_id=people.gateway),
        fields={},
        summary=[],
        submitted_at=MONDAY,
        planned=False,
        due_at=MONDAY,
        starts_at=MONDAY,
        withdrawable_until=MONDAY,
    )


@pytest.mark.requirement("O-7")
def test_a_delivery_note_does_not_come_over_the_interface(people: Clientele) -> None:
    """KL 4.1: refused there with the reason and the address of the form; what we do ourselves nobody orders."""
    api = Orderer(people.client.pk, None, "System", "interface:1", "interface")
    note = {"note_number": "LS-1", "maker": "M", "device_count": "1", "smgw_types": ["SMGW G3"]}
    found = ordering.examine("delivery_note_import", note, client=people.client.pk, now=MONDAY, orderer=api)
    assert [refusal.code for refusal in found.unmet] == ["order.not_over_interface"]
    assert "Kundenleitfaden 4.1" in found.unmet[0].text("de")
    assert "/portal/" in found.unmet[0].text("de")

    renewal = ordering.examine("renewal", FIELDS, client=people.client.pk, now=MONDAY, orderer=people.orderer)
    assert [refusal.code for refusal in renewal.unmet] == ["order.not_over_form"]


# --- preview ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("T-6", "T-3", "T-4")
def test_the_preview_says_what_can_be_counted_on(people: Clientele) -> None:
    """Planned, unplanned, impossible: the due instant, the counted stretches that add up, why, and other times."""
    wednesday = datetime(2026, 6, 3, 10, tzinfo=UTC)
    planned = ordering.preview("commissioning", wednesday, now=MONDAY)
    assert planned.commitment.planned
    assert (planned.commitment.due, planned.refusal, planned.alternatives) == (wednesday, None, [])
    assert sum((each.length for each in planned.strip), timedelta(0)) == timedelta(hours=12)

    soon = ordering.preview("commissioning", MONDAY + timedelta(hours=2), now=MONDAY)
    assert not soon.commitment.planned
    assert sum((each.length for each in soon.strip), timedelta(0)) == timedelta(hours=24)
    assert len(soon.alternatives) == 3
    assert "2 h Servicezeit" in soon.commitment.why.de

    none = ordering.preview("commissioning", None, now=MONDAY)
    assert (none.commitment.planned, none.refusal, none.alternatives) == (False, None, [])

    past = ordering.preview("commissioning", MONDAY - timedelta(hours=1), now=MONDAY)
    assert past.refusal is not None
    assert past.refusal.code == "service_time.in_the_past"
    assert len(past.alternatives) == 3

    beyond = ordering.preview("commissioning", datetime(2200, 1, 1, tzinfo=UTC), now=MONDAY)
    assert beyond.refusal is not None
    assert (beyond.refusal.code, beyond.alternatives) == ("service_time.out_of_range", [])
    assert examined(people, requested_at=datetime(2200, 1, 1, tzinfo=UTC)) == {
        "requested_at": "service_time.out_of_range"
    }

    staff("Anna", Role.OPERATOR)
    night = ordering.preview("incident", datetime(2026, 6, 3, 22, tzinfo=UTC), now=MONDAY)
    assert night.refusal is not None
    assert night.refusal.code == "service_time.outside_hours"
    assert night.alternatives


# --- the summary ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("O-2")
def test_the_summary_has_every_field_in_both_languages() -> None:
    """Header first, then the form in its order; choices in words, what was left out as a dash."""
    chosen = process("removal")
    fields = chosen.check(
        {"gateway": DEVICE, "whereabouts": "stolen", "removed_at": "24.11.2026 09:30", "final_readings": ["1=2", "3=4"]}
    )
    rows = summary(chosen, fields, Header(MONDAY, CODE, "R", ""), orderer="Erika")
    shown = {row.label.de: (row.value.de, row.value.en) for row in rows}

    assert shown["Prozess"] == ("Ausbau / Außerbetriebnahme", "Removal")
    assert shown["Wunschtermin"] == ("01.06.2026 10:00", "01.06.2026 10:00")
    assert shown["Verbleib"] == ("ist gestohlen", "is stolen")
    assert shown["Endstände"] == ("1=2, 3=4", "1=2, 3=4")
    assert shown["Bemerkung"] == ("–", "–")
    assert [row.name for row in rows][6:] == [field.name for field in chosen.fields]
    assert all(len(row) == 4 and all(row) for row in as_json(rows))


# --- one file ---------------------------------------------------------------------------------------------------------

THROW_AWAY = '''
"""P99, a process that only this test knows."""

from torwart.kernel.words import Words
from torwart.processes import fields
from torwart.processes.definition import Field, Process, Step


def tell(run):
    run.enter("only")
    return {"said": run.order["word"]}


PROCESS = Process(
    code="P99",
    name="throw_away",
    words=Words("Wegwerfprozess", "Throw-away"),
    fields=(
        fields.GATEWAY,
        Field("word", Words("Wort", "Word"), Words("Ein Wort.", "A word."), "ja", fields.line),
    ),
    steps=(Step("only", Words("Einziger Schritt", "Only step")),),
    tell=tell,
    about=Words("Nichts.", "Nothing."),
    needs=(Words("ein Wort", "a word"),),
    duration=Words("kurz", "short"),
    result=lambda result: [(Words("Gesagt", "Said"), result["said"])],
)
'''


@pytest.fixture
def throw_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A file more on the package's path, and gone again afterwards."""
    (tmp_path / "throw_away.py").write_text(textwrap.dedent(THROW_AWAY))
    monkeypatch.setattr(torwart.processes, "__path__", [*torwart.processes.__path__, str(tmp_path)])
    catalogue.cache_clear()
    yield
    sys.modules.pop("torwart.processes.throw_away", None)
    catalogue.cache_clear()


@pytest.mark.requirement("O-1")
def test_adding_a_process_means_adding_one_file(own_database: str, throw_away: None) -> None:
    """It is in the catalogue, can be examined, summed up, previewed, ordered, and its result is mailed."""
    shop: Desk = desk()
    assert list(catalogue())[-1] == "throw_away"
    wrong = ordering.examine("throw_away", {"gateway": DEVICE}, client=shop.people.client.pk, now=MONDAY)
    assert set(wrong.errors) == {"word"}
    assert ordering.preview("throw_away", None, now=MONDAY).commitment.due > MONDAY

    shop.register(process("throw_away"))
    number = shop.played("throw_away", gateway=DEVICE, word="Donau")
    assert shop.states(number) == ("done", "resolved", "succeeded")
    placed, done = (MailOut.objects.get(kind=kind, language="de").text for kind in ("order.placed", "order.done"))
    assert "Donau" in placed
    assert "Wegwerfprozess" in placed
    assert "Gesagt:  Donau" in done
    assert "Einziger Schritt" in done


@pytest.mark.requirement("O-3")
def test_every_process_can_say_its_result_and_its_words(db: None) -> None:
    """What a story answers is said without tripping, also where the run found little."""
    results = {
        "commissioning": {"first_value_at": "2026-06-01T10:00:00+00:00", "profiles": 7},
        "removal": {"profiles_deleted": 3, "revoked": 3, "whereabouts": "return"},
        "renewal": {"not_after": "2028-06-01T10:00:00+00:00"},
        "wake_up": {"connected": False, "woken": True, "latency_ms": None},
        "connectivity_test": {"light": "red", "text": {"de": "a", "en": "b"}, "status": {}, "meters": {}},
        "delivery_note_import": {
            "number": "LS-1",
            "maker": "M",
            "imported": 1,
            "known": 0,
            "refused": 2,
            "repeated": True,
            "differs": [["device_count", "5", "3"]],
        },
        "contact_change": {"contact": "Erika", "action": "add", "tested": "2026-06-01T10:00:00+00:00"},
        "incident": {"text": "Stecker", "by": "Anna"},
    }
    for chosen in catalogue().values():
        assert chosen.result is not None
        # A process added later says its results in its own test.
        rows = chosen.result(results[chosen.name]) if chosen.name in results else []
        assert bool(rows) == (chosen.name in results)
        assert all(label.de and label.en and value for label, value in rows)
        if chosen.not_cancellable_from:
            assert chosen.position(chosen.not_cancellable_from)
        assert story_of


@pytest.mark.requirement("O-5")
def test_placing_refuses_the_first_thing_that_stands_against_it(own_database: str) -> None:
    """Nothing is written, and the refusal is the one the form shows first."""
    shop = desk()
    with pytest.raises(Refusal) as caught:
        ordering.place(
            shop.engine, "connectivity_test", {"gateway": "E"}, orderer=shop.people.orderer, now=shop.clock.time
        )
    assert caught.value.code.startswith("identifier.")
    assert not Order.objects.exists()
