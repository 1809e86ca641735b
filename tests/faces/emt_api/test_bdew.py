"""The BDEW dialect: always taken, answered by calls of ours, each transaction once (spec/07 point 11)."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clientele import DEVICE, Clientele, clientele
from interface_world import Caller, coupled

from torwart.adapters.engine import AbsurdEngine
from torwart.faces.emt_api.bdew.order import offered
from torwart.processes.definition import catalogue
from torwart.services import bdew, interface
from torwart.services import order as orders
from torwart.services import webhook as webhooks
from torwart.services.interface_event import KEPT
from torwart.sim.pki import TestPki
from torwart.store.models import (
    BdewTransaction,
    Coupling,
    Delivery,
    IdempotencyKey,
    InterfaceCall,
    InterfaceEvent,
    Order,
)
from torwart.wire import bdew as wire
from torwart.wire.certificate import Role

pytestmark = pytest.mark.requirement("O-7")
PATH, WAKE = "/bdew/v1/wake-up", {"gateway": DEVICE, "reason": "Test"}
UNKNOWN = {"gateway": "EPPC0299999999"}


@pytest.fixture
def partner(caller: Caller) -> Caller:
    """A caller with an address to answer at."""
    return addressed(caller)


def addressed(caller: Caller) -> Caller:
    answer = caller.post("/v1/webhooks", {"url": "https://partner.example/api", "dialect": "bdew"}, key="address")
    assert answer.status_code == 201, answer.content
    assert answer.json()["dialect"] == "bdew"
    return caller


def call(caller: Caller, body: Any = None, *, first: str = "", path: str = PATH, **heads: str) -> Any:
    """One attempt; ``first``: the transaction it repeats."""
    headers = {"transactionId": str(uuid.uuid4()), "creationDateTime": wire.written(datetime.now(UTC))}
    if first:
        headers["initialTransactionId"] = first
    headers |= heads
    given = {name: value for name, value in headers.items() if value is not None}
    return caller.post(path, WAKE if body is None else body, headers=given)


def answers() -> list[tuple[str, str, dict[str, Any]]]:
    """What is on its way to the partner: kind, reference, data."""
    rows = Delivery.objects.filter(transaction__isnull=False).select_related("event", "transaction").order_by("id")
    return [(row.event.type, str(row.transaction.initial), row.event.data) for row in rows]


def test_a_call_is_taken_and_answered_by_a_call(partner: Caller, world: Clientele) -> None:
    """202 without content; order, transaction and the preliminary answer with number and due date stand together."""
    first = str(uuid.uuid4())
    answer = call(partner, {**WAKE, "reference": "R-1"}, transactionId=first)
    order = Order.objects.get()

    assert (answer.status_code, answer.content) == (202, b"")
    assert "Content-Type" not in answer
    assert (order.client_id, order.process, order.channel, order.reference) == (
        world.client.pk,
        "wake_up",
        "interface",
        "R-1",
    )
    ((kind, reference, data),) = answers()
    assert (kind, reference) == (wire.ACCEPTED, first)
    assert (data["id"], data["due_at"], data["planned"]) == (order.number, order.due_at.isoformat(), False)
    call(partner, {**WAKE, "reference": "R-1"}, first=first)
    lines = InterfaceCall.objects.filter(path=PATH).values_list("key", "subject")
    assert list(lines) == [(first, order.number)] * 2


def test_the_end_of_the_order_is_the_final_answer(partner: Caller, world: Clientele) -> None:
    """Steps in between are not told; an order of the same client by another way is not told here at all."""
    call(partner)
    number = Order.objects.get().number
    orders.withdraw(AbsurdEngine(), number, client=world.client.pk, actor="user:x", now=datetime.now(UTC))
    partner.post("/v1/operations/wake-up", WAKE, key="other")

    assert [kind for kind, _, _ in answers()] == [wire.ACCEPTED, "de.torwart.operation.withdrawn"]
    assert Delivery.objects.count() == 2, "nothing else goes to an address of the dialect"
    assert len({reference for _, reference, _ in answers()}) == 1


def test_a_refused_order_is_taken_and_refused_by_a_call(partner: Caller) -> None:
    """Like /v1 refuses it, by pointer; nothing is placed, and the feed knows it too."""
    first = str(uuid.uuid4())
    assert call(partner, UNKNOWN, transactionId=first).status_code == 202
    ((kind, reference, data),) = answers()

    assert not Order.objects.exists()
    assert (kind, reference, data["process"]) == (wire.REFUSED, first, "wake-up")
    assert data["refusal"]["code"] == data["errors"][0]["code"] == "process.gateway_unknown"
    assert BdewTransaction.objects.get().order is None
    fed = partner.get("/v1/events").json()["items"]
    assert [(event["type"], event["subject"]) for event in fed] == [(wire.REFUSED, first)]


def test_what_no_database_can_hold_is_refused_and_told(partner: Caller) -> None:
    """A refusal repeats what was sent, also a NUL, and is told all the same."""
    assert call(partner, {**UNKNOWN, "remark": "\x08\x00"}).status_code == 202
    ((kind, _, data),) = answers()
    assert kind == wire.REFUSED
    assert any("\x08\ufffd" in each["de"] for each in data["errors"])


def test_everything_wrong_is_told_in_one_answer(partner: Caller) -> None:
    """All fields by pointer, as /v1 lists them."""
    fields = catalogue()["commissioning"].fields
    body = {field.name: [field.example] if field.many else field.example for field in fields if not field.optional}
    body |= {"gateway": DEVICE, "melo": "DE1", "malos": ["1"]}
    assert call(partner, body, path="/bdew/v1/commissioning").status_code == 202
    ((_, _, data),) = answers()
    assert {each["pointer"] for each in data["errors"]} == {"#/melo", "#/malos"}
    assert all(each["de"] and each["en"] for each in data["errors"])


def test_what_is_offered_is_in_the_catalogue(partner: Caller) -> None:
    """Commissioning, wake-up, and profile change as soon as there is one; capabilities say the same."""
    names = {process.name for process in offered()}
    told = partner.get("/v1/capabilities").json()["dialects"]

    assert {"commissioning", "wake_up"} <= names <= {"commissioning", "wake_up", "profile_change"}
    assert ("profile_change" in names) == ("profile_change" in catalogue())
    assert {path.rpartition("/")[2].replace("-", "_") for path in told[0]["operations"]} == names
    assert call(partner, path="/bdew/v1/removal").status_code == 404
    assert partner.get(PATH).status_code == 405


@pytest.mark.parametrize(
    ("heads", "code"),
    [
        ({"transactionId": None}, "bdew.header"),
        ({"transactionId": "1"}, "bdew.header"),
        ({"initialTransactionId": "1"}, "bdew.header"),
        ({"creationDateTime": None}, "bdew.header"),
        ({"creationDateTime": "2026-11-23T12:00:00+01:00"}, "bdew.header"),
        ({"creationDateTime": "2024-11-23T12:00:00Z"}, "bdew.creation_time"),
        ({"creationDateTime": "2099-11-23T12:00:00Z"}, "bdew.creation_time"),
    ],
)
def test_unusable_headers_are_refused_at_once(partner: Caller, heads: dict[str, Any], code: str) -> None:
    """400, the key stays free, nobody is called."""
    answer = call(partner, **heads)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not IdempotencyKey.objects.exclude(key="address").exists()
    assert not answers()


def test_a_body_that_does_not_fit_is_refused_at_once(partner: Caller) -> None:
    """400 by pointer, as the source has no 422."""
    for body in ({"gateway": 7}, {**WAKE, "farbe": "rot"}, []):
        answer = call(partner, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "interface.body_invalid"), body
        assert answer.json()["errors"]
    assert not Order.objects.exists()
    assert not answers()


def test_without_an_address_nothing_is_taken(caller: Caller) -> None:
    """403 with what to do; one address for each system, changed and not added twice."""
    assert call(caller).json()["code"] == "bdew.no_address"
    assert not Order.objects.exists()
    addressed(caller)
    again = caller.post("/v1/webhooks", {"url": "https://two.example/", "dialect": "bdew"}, key="second")
    assert (again.status_code, again.json()["code"]) == (409, "bdew.address_taken")
    assert call(caller).status_code == 202


@pytest.mark.requirement("R-4")
def test_incompatible_software_is_sent_to_the_form(partner: Caller, world: Clientele) -> None:
    """The gate is before both dialects."""
    coupling = Coupling.objects.get(client=world.client).pk
    verdict = interface.Compatibility.INCOMPATIBLE
    interface.judge(coupling, verdict, reason="zu alt", actor="user:a", now=datetime.now(UTC))
    refused = call(partner)
    assert (refused.status_code, refused.json()["code"]) == (403, "interface.suspended")
    assert "/portal/bestellen/wake_up" in refused.json()["detail"]


@pytest.mark.requirement("P-1")
def test_without_proof_nothing_is_answered(caller: Caller) -> None:
    """401 here as there, for what exists and what does not; only the description is open."""
    for path in (PATH, "/bdew/v1/nonsense", "/bdew/v1/"):
        assert caller.http.post(path).status_code == 401
    assert caller.http.get("/bdew/v1/openapi.json").status_code == 200


# --- each transaction once: the nine cases of the key (spec/07 point 3) ----------------------------------------------


def test_key_1_2_a_retry_is_taken_again_and_nothing_happens_twice(partner: Caller) -> None:
    """A new transactionId with the first one as initialTransactionId: one order, one answer, however often."""
    first = str(uuid.uuid4())
    taken = [call(partner, transactionId=first), *(call(partner, first=first) for _ in range(3))]
    taken.append(call(partner, transactionId=first))
    taken.append(call(partner, first=first.upper()))

    assert {answer.status_code for answer in taken} == {202}
    assert Order.objects.count() == BdewTransaction.objects.count() == len(answers()) == 1


def test_key_3_another_body_in_the_same_transaction_is_refused(partner: Caller) -> None:
    """409, also in the other dialect; nothing is done."""
    first = str(uuid.uuid4())
    call(partner, transactionId=first)
    again = call(partner, {**WAKE, "reference": "x"}, first=first)
    elsewhere = partner.post("/v1/operations/wake-up", WAKE, key=first)
    for answer in (again, elsewhere):
        assert (answer.status_code, answer.json()["code"]) == (409, "interface.key_reused")
    assert Order.objects.count() == len(answers()) == 1


def test_key_4_a_refused_order_is_not_refused_twice(partner: Caller) -> None:
    """A refusal is an answer and belongs to its transaction; the corrected order is another one."""
    first = str(uuid.uuid4())
    taken = [call(partner, UNKNOWN, transactionId=first), call(partner, UNKNOWN, first=first)]
    assert [answer.status_code for answer in taken] == [202, 202]
    assert len(answers()) == 1
    assert call(partner, WAKE, first=first).status_code == 409
    assert call(partner, WAKE).status_code == 202


@pytest.mark.requirement("P-1")
def test_key_6_another_partners_same_transaction_is_another(partner: Caller, pki: TestPki) -> None:
    """Transactions are a client's own, and so are the answers."""
    first = str(uuid.uuid4())
    call(partner, transactionId=first)
    other = clientele("Andernort", gateway="EPPC0200000777", code="9900360000008")
    there = coupled(other, pki.issue_triple(Role.EMT, "Stadtwerk Andernort", unit="9903100000006").tls.certificate)
    addressed(there)
    foreign = call(there, WAKE, transactionId=first)

    assert foreign.status_code == 202
    assert Order.objects.count() == 1, "its gateway is not theirs"
    told = Delivery.objects.filter(transaction__client=other.client).get()
    assert told.event.data["refusal"]["code"] == "process.gateway_unknown"
    assert told.webhook.client_id == other.client.pk


def test_key_7_after_thirty_days_a_transaction_is_fresh(partner: Caller) -> None:
    """As long as a key is kept, and no longer."""
    first = str(uuid.uuid4())
    call(partner, transactionId=first)
    old = datetime.now(UTC) - interface.KEYS_KEPT - timedelta(minutes=1)
    IdempotencyKey.objects.update(created_at=old)
    Order.objects.update(state="done")
    assert call(partner, first=first).status_code == 202
    assert Order.objects.count() == 2


# Case 5 (no usable key) is above; 8 and 9 (a twin under way, a process killed around the commit) are of
# ``interface.once``, which both dialects go through: test_twice.py.


# --- addresses --------------------------------------------------------------------------------------------------------


def test_an_address_at_rest_loses_nothing(partner: Caller, world: Clientele) -> None:
    """Answers of an address at rest wait for it; removed, it takes its answers with it and the feed keeps them."""
    hook = partner.get("/v1/webhooks").json()["items"][0]["id"]
    call(partner)
    partner.call("PATCH", f"/v1/webhooks/{hook}", json.dumps({"active": False}).encode())
    number = Order.objects.get().number
    orders.withdraw(AbsurdEngine(), number, client=world.client.pk, actor="user:x", now=datetime.now(UTC))
    now = datetime.now(UTC) + timedelta(seconds=1)

    assert [kind for kind, _, _ in answers()][-1] == "de.torwart.operation.withdrawn"
    assert webhooks.due(now) == []
    partner.call("PATCH", f"/v1/webhooks/{hook}", json.dumps({"active": True}).encode())
    assert [due.type for due in webhooks.due(now)] == [wire.ACCEPTED], "the preliminary answer goes first"
    assert partner.call("DELETE", f"/v1/webhooks/{hook}").status_code == 204
    assert not Delivery.objects.exists()
    assert InterfaceEvent.objects.filter(type=wire.ACCEPTED).exists()


def test_refused_calls_are_forgotten_in_time(partner: Caller) -> None:
    """After 90 days, like their events; what has become an order stays with it."""
    call(partner, UNKNOWN)
    call(partner)
    assert bdew.forget(datetime.now(UTC)) == 0
    bdew.forget(datetime.now(UTC) + KEPT + timedelta(minutes=1))
    assert BdewTransaction.objects.get().order is not None
