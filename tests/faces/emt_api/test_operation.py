"""Operations: orders over the interface, each key once, each refusal told by pointer (spec/07 points 2 to 4)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clientele import DEVICE, Clientele, clientele
from interface_world import Caller, coupled

from torwart.adapters.engine import AbsurdEngine
from torwart.kernel.refusals import Refusal
from torwart.processes import api_call, ordering
from torwart.processes.definition import catalogue
from torwart.processes.ordering import Header, Orderer
from torwart.processes.summary import LABELS
from torwart.services import interface
from torwart.services import order as orders
from torwart.sim.pki import TestPki
from torwart.store.models import AuditEntry, IdempotencyKey, InterfaceCall, InterfaceEvent, MailOut, Order, Ticket
from torwart.wire.certificate import Role

WAKE = {"gateway": DEVICE, "reason": "Test"}
PATH = "/v1/operations/wake-up"


def elsewhere(pki: TestPki) -> Caller:
    """Another client with a coupled system of its own."""
    other = clientele("Andernort", gateway="EPPC0200000777", code="9900360000008")
    return coupled(other, pki.issue_triple(Role.EMT, "Stadtwerk Andernort", unit="9903100000006").tls.certificate)


def ordered(caller: Caller, key: str = "k1", **more: Any) -> Any:
    return caller.post(PATH, {**WAKE, **more}, key=key)


@pytest.mark.requirement("O-2", "O-7")
def test_an_order_over_the_interface_is_the_same_order_as_from_the_form(caller: Caller, world: Clientele) -> None:
    """202 with an Operation; order, ticket, mail, audit entry and event stand together."""
    answer = ordered(caller, reference="R-1")
    body = answer.json()

    assert answer.status_code == 202, body
    assert answer["Location"] == f"/v1/operations/{body['id']}"
    assert int(answer["Retry-After"]) >= 1
    order = Order.objects.get(number=body["id"])
    assert (order.client_id, order.channel, order.process, order.reference) == (
        world.client.pk,
        "interface",
        "wake_up",
        "R-1",
    )
    assert body["ticket"] == Ticket.objects.get(order=order).number
    assert body["state"] == "submitted"
    assert set(body["allowed_actions"]) == {"withdraw", "cancel"}
    assert MailOut.objects.filter(kind="order.placed").exists()
    assert AuditEntry.objects.filter(subject=f"order:{order.number}", action="order.placed").exists()
    assert InterfaceEvent.objects.get(subject=order.number).type == "de.torwart.operation.submitted"


@pytest.mark.requirement("C-1")
def test_every_process_marked_for_the_interface_is_an_operation(caller: Caller) -> None:
    """What the catalogue marks is there under its name, what it does not mark is not; capabilities say the same."""
    offered = {process.name for process in catalogue().values() if process.over_interface}
    told = caller.get("/v1/capabilities").json()

    assert {each["name"].replace("-", "_") for each in told["processes"]} == offered
    assert {"commissioning", "removal", "wake_up", "connectivity_test"} <= offered
    for name in offered:
        assert caller.post(f"/v1/operations/{name.replace('_', '-')}", {}, key="k").status_code == 422
    note = next(each for each in told["refused"] if each["code"] == "P01")
    assert "4.1" in note["why"]["de"]


@pytest.mark.requirement("O-2", "C-1")
def test_the_call_shown_for_an_order_places_the_same_order(caller: Caller, world: Clientele) -> None:
    """The body the portal shows for an order from the form, placed over the interface: the same summary."""
    wish = datetime(2031, 3, 4, 9, 30, tzinfo=UTC)
    orderer = Orderer(world.client.pk, None, "Erika", "client:erika")
    header = Header(wish, "", "R-7", "Bitte\nvorher anrufen")
    number = ordering.place(AbsurdEngine(), "wake_up", WAKE, orderer=orderer, header=header, now=datetime.now(UTC))
    first = Order.objects.get(number=number)
    orders.withdraw(AbsurdEngine(), number, client=world.client.pk, actor="client:erika", now=datetime.now(UTC))
    process = catalogue()["wake_up"]
    call = api_call.of(
        process, first.fields, Header(first.requested_at, first.participant, first.reference, first.remark)
    )
    answer = caller.post(call.path, json.loads(call.json), key="as-shown")
    assert answer.status_code == 202, answer.json()
    second = Order.objects.get(number=answer.json()["id"])

    same = [row for row in first.summary if row[0] != LABELS["orderer"].de]
    assert [row for row in second.summary if row[0] != LABELS["orderer"].de] == same
    assert (second.fields, second.requested_at, second.remark) == (first.fields, wish, "Bitte\nvorher anrufen")


@pytest.mark.requirement("O-7")
def test_a_delivery_note_never_comes_this_way(caller: Caller) -> None:
    """The refusal names KL 4.1 and the form, whatever was sent."""
    answer = caller.post("/v1/operations/delivery-note-import", {"anything": 1}, key="k")
    body = answer.json()

    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"
    assert body["code"] == "order.not_over_interface"
    assert "Kundenleitfaden 4.1" in body["detail"]
    assert "/portal/bestellen/delivery_note_import" in body["detail"]


@pytest.mark.requirement("O-5")
def test_everything_wrong_is_told_by_json_pointer(caller: Caller) -> None:
    """All fields at once, each with code, sentence and a page about it; nothing is placed, the key stays free."""
    answer = caller.post("/v1/operations/commissioning", {**COMMISSIONING, "melo": "DE1", "malos": ["1"]}, key="k1")
    body = answer.json()

    assert answer.status_code == 422
    assert {each["pointer"] for each in body["errors"]} == {"#/melo", "#/malos"}
    assert all("/schnittstelle/probleme/identifier." in each["type"] for each in body["errors"])
    assert not Order.objects.exists()
    assert not IdempotencyKey.objects.exists()


COMMISSIONING: dict[str, Any] = {
    "gateway": DEVICE,
    "meters": ["1EMH0000000001"],
    "melo": "DE0003604780400000000000010000176",
    "malos": ["51238696781"],
    "address": "Musterweg 1, 56068 Koblenz",
    "install_at": "2027-02-01T09:30:00+01:00",
    "technician": "Erika Muster",
    "technician_phone": "+49 261 123456",
    "wan_type": "LTE",
    "tafs": ["7"],
    "emts": ["Stadtwerk"],
    "han": "no",
}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"tafs": ["99"]}, "#/tafs/0"),
        ({"tafs": "7"}, "#/tafs"),
        ({"wan_type": "Brieftaube"}, "#/wan_type"),
        ({"install_at": "2027-02-01T09:30:00"}, "#/install_at"),
        ({"farbe": "rot"}, "#/farbe"),
        ({"address": None}, "#/address"),
        ({"address": 7}, "#/address"),
    ],
)
def test_a_body_that_does_not_fit_the_description_is_refused(
    caller: Caller, changes: dict[str, Any], pointer: str
) -> None:
    """Types, members and choices are as described; nothing is guessed or dropped."""
    answer = caller.post("/v1/operations/commissioning", {**COMMISSIONING, **changes}, key="k")

    assert answer.status_code == 422
    assert pointer in [each["pointer"] for each in answer.json()["errors"]]


@pytest.mark.requirement("O-4")
def test_an_order_without_a_delivery_note_is_refused_with_that_reason(caller: Caller) -> None:
    """O-4: an unknown gateway and one without an imported note are told like in the form."""
    answer = caller.post(PATH, {"gateway": "EPPC0299999999"}, key="k")

    assert answer.status_code == 422
    assert answer.json()["code"] == "process.gateway_unknown"


# --- each key once (spec/07 point 3): the nine cases ------------------------------------------------------------------


def test_key_1_the_first_use_does_it(caller: Caller) -> None:
    """A fresh key: one order."""
    assert ordered(caller).status_code == 202
    assert Order.objects.count() == 1


def test_key_2_the_same_request_again_gets_the_same_answer(caller: Caller) -> None:
    """Octet for octet, however the body is spelled; still one order."""
    first = ordered(caller)
    again = caller.call(
        "POST",
        PATH,
        f'{{ "reason":"Test" , "gateway" : "{DEVICE}" }}'.encode(),
        headers={"Idempotency-Key": "k1"},
    )

    assert (again.status_code, again.content, again["Location"]) == (202, first.content, first["Location"])
    assert again["Idempotency-Replayed"] == "true"
    assert Order.objects.count() == 1


def test_key_3_another_body_with_the_same_key_is_refused(caller: Caller) -> None:
    """409, and nothing is done."""
    ordered(caller)
    answer = ordered(caller, reference="other")

    assert (answer.status_code, answer.json()["code"]) == (409, "interface.key_reused")
    assert Order.objects.count() == 1


def test_key_4_a_refused_request_leaves_the_key_free(caller: Caller) -> None:
    """Nothing has happened, so the corrected request may use the key."""
    assert caller.post(PATH, {"gateway": "EPPC0299999999"}, key="k1").status_code == 422
    assert ordered(caller, "k1").status_code == 202


def test_key_5_without_a_usable_key_nothing_is_done(caller: Caller) -> None:
    """No key, an empty one, one with blanks or of 101 characters: 400 with what to send."""
    for key in ("", " ", "a b", "x" * 101, "ä"):
        answer = caller.call("POST", PATH, b"{}", headers={"Idempotency-Key": key} if key else {})
        assert answer.status_code in (400, 422), key
    assert caller.post(PATH, WAKE).json()["code"] == "interface.key_missing"
    assert not Order.objects.exists()


@pytest.mark.requirement("P-1")
def test_key_6_another_clients_same_key_is_another_key(caller: Caller, pki: TestPki) -> None:
    """Keys are a client's own: the answer of one is never given to another (P-1)."""
    ordered(caller)
    other = elsewhere(pki)
    answer = other.post(PATH, {"gateway": "EPPC0200000777", "reason": "Test"}, key="k1")

    assert answer.status_code == 202
    assert "Idempotency-Replayed" not in answer
    assert Order.objects.count() == 2


def test_key_7_after_thirty_days_a_key_is_fresh(caller: Caller) -> None:
    """What is kept 30 days is no longer answered from memory on the 31st."""
    number = ordered(caller).json()["id"]
    IdempotencyKey.objects.update(created_at=datetime.now(UTC) - interface.KEYS_KEPT - timedelta(minutes=1))
    Order.objects.filter(number=number).update(state="done")
    again = ordered(caller)

    assert again.status_code == 202
    assert again.json()["id"] != number


# Cases 8 and 9 (a twin under way; a process killed between commit and answer) need real transactions:
# tests/faces/emt_api/test_twice.py.


# --- looking ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("P-1")
def test_what_is_another_clients_does_not_exist(caller: Caller, pki: TestPki) -> None:
    """A foreign order answers exactly like one that does not exist, in every operation on it."""
    number = ordered(caller).json()["id"]
    other = elsewhere(pki)
    for method, tail in (("GET", ""), ("GET", "/history"), ("POST", "/cancel"), ("POST", "/withdraw")):
        foreign = other.call(method, f"/v1/operations/{number}{tail}", b"{}" if method == "POST" else b"")
        missing = other.call(method, f"/v1/operations/A-000000000{tail}", b"{}" if method == "POST" else b"")
        assert foreign.status_code == missing.status_code == 404
        assert _without_instance(foreign, number) == _without_instance(missing, "A-000000000")
    assert other.get("/v1/operations").json()["items"] == []
    assert other.get("/v1/events").json()["items"] == []


def _without_instance(answer: Any, number: str) -> dict[str, Any]:
    body = {name: value for name, value in answer.json().items() if name != "instance"}
    return {name: str(value).replace(number, "#") for name, value in body.items()}


def test_a_list_goes_on_where_it_stopped(caller: Caller, world: Clientele) -> None:
    """Newest first by cursor, narrowed by state, process and reference; a foreign cursor is refused."""
    numbers = []
    for turn in range(3):
        numbers.append(ordered(caller, f"k{turn}", reference=f"R-{turn}").json()["id"])
        Order.objects.filter(number=numbers[-1]).update(state="done")
    first = caller.get("/v1/operations", limit=2).json()
    second = caller.get("/v1/operations", limit=2, cursor=first["next"]).json()

    assert [each["id"] for each in first["items"] + second["items"]] == numbers[::-1]
    assert second["next"] is None
    assert [each["id"] for each in caller.get("/v1/operations", reference="R-1").json()["items"]] == [numbers[1]]
    assert caller.get("/v1/operations", state="failed").json()["items"] == []
    assert caller.get("/v1/operations", cursor="AAAA").json()["code"] == "interface.cursor_invalid"


@pytest.mark.requirement("O-10")
def test_an_order_is_withdrawn_and_cancelled_over_the_interface(caller: Caller) -> None:
    """While nothing has begun it is withdrawn; what has ended can be neither, with the reason."""
    number = ordered(caller).json()["id"]
    withdrawn = caller.post(f"/v1/operations/{number}/withdraw").json()

    assert (withdrawn["state"], withdrawn["allowed_actions"]) == ("withdrawn", [])
    again = caller.post(f"/v1/operations/{number}/cancel", {"reason": "zu spät"})
    assert (again.status_code, again.json()["code"]) == (409, "state.not_allowed")
    other = ordered(caller, "k2").json()["id"]
    cancelled = caller.post(f"/v1/operations/{other}/cancel", {"reason": "doch nicht"}).json()
    assert (cancelled["operation"]["state"], cancelled["stays"]) == ("cancelled", [])


@pytest.mark.requirement("O-8")
def test_events_tell_every_step_in_order(world: Clientele, caller: Caller) -> None:
    """The feed holds what a webhook would have told, as CloudEvents."""
    number = ordered(caller).json()["id"]
    caller.post(f"/v1/operations/{number}/withdraw")
    rows = list(InterfaceEvent.objects.filter(subject=number).order_by("id"))

    assert [row.type.rpartition(".")[2] for row in rows] == ["submitted", "withdrawn"]
    assert rows[0].data["id"] == number
    assert rows[0].data["subject"] == DEVICE


# --- who calls, and how -----------------------------------------------------------------------------------------------


@pytest.mark.requirement("P-1")
def test_without_proof_nothing_is_answered(caller: Caller) -> None:
    """401 for every address, also for one that does not exist; the refusal says nothing about anything."""
    for path in ("/v1/operations", "/v1/capabilities", "/v1/nonsense"):
        answer = caller.http.get(path)
        assert answer.status_code == 401
        assert answer.json()["code"] == "interface.peer_unproven"


@pytest.mark.requirement("P-1")
def test_an_uncoupled_certificate_is_nobody(world: Clientele, pki: TestPki) -> None:
    """A good EMT certificate that no client has coupled gets 403 with what to do; a gateway's or a SIG one gets 401."""
    stranger = Caller(pki.emt.tls.certificate_der, coupled_http())
    assert stranger.get("/v1/capabilities").json()["code"] == "interface.peer_not_coupled"
    for der in (pki.emt.sig.certificate_der, pki.operational_triple("EPPC0211358875").tls.certificate_der):
        assert Caller(der, coupled_http()).get("/v1/capabilities").status_code == 401


def coupled_http() -> Any:
    from django.test import Client

    return Client()


@pytest.mark.requirement("R-4")
def test_incompatible_software_is_sent_to_the_form_until_it_fits(caller: Caller, world: Clientele) -> None:
    """Ordering is refused with the form's address; looking still works; a confirmed version resumes it."""
    from torwart.store.models import Coupling

    coupling = Coupling.objects.get(client=world.client).pk
    verdict = interface.Compatibility
    interface.judge(coupling, verdict.INCOMPATIBLE, reason="3.1 zu alt", actor="user:a", now=datetime.now(UTC))
    refused = ordered(caller)

    assert (refused.status_code, refused.json()["code"]) == (403, "interface.suspended")
    assert "/portal/bestellen/wake_up" in refused.json()["detail"]
    assert caller.get("/v1/operations").status_code == 200
    interface.judge(coupling, verdict.COMPATIBLE, reason="", actor="user:a", now=datetime.now(UTC))
    number = ordered(caller).json()["id"]
    interface.judge(coupling, verdict.INCOMPATIBLE, reason="wieder", actor="user:a", now=datetime.now(UTC))
    for verb in ("withdraw", "cancel"):
        refused = caller.post(f"/v1/operations/{number}/{verb}", {})
        assert (refused.status_code, refused.json()["code"]) == (403, "interface.suspended"), verb
        assert f"/portal/auftraege/{number}" in refused.json()["detail"]
    told = [event["type"] for event in caller.get("/v1/events").json()["items"]]
    assert [kind for kind in told if "coupling" in kind] == [
        "de.torwart.coupling.suspended",
        "de.torwart.coupling.resumed",
        "de.torwart.coupling.suspended",
    ]


def test_too_many_calls_are_told_when_to_come_again(world: Clientele, pki: TestPki, settings: Any) -> None:
    """429 with Retry-After; every answer says what is left."""
    settings.TORWART_API_RATE = (3, 60.0)
    caller = coupled(world, pki.emt.tls.certificate)
    answers = [caller.get("/v1/operations") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0]["RateLimit-Limit"] == "3"
    assert answers[0]["RateLimit-Remaining"] == "2"
    assert 1 <= int(answers[3]["Retry-After"]) <= 60


@pytest.fixture
def settings() -> Iterator[Any]:
    from django.test import override_settings

    class Changed:
        def __setattr__(self, name: str, value: Any) -> None:
            change = override_settings(**{name: value})
            change.enable()
            stack.append(change)

    stack: list[Any] = []
    yield Changed()
    for change in reversed(stack):
        change.disable()


def test_every_answer_is_named_and_every_change_is_logged(caller: Caller, world: Clientele) -> None:
    """X-Request-Id on every answer; orders and refusals are in the log the client's people see, looking is not."""
    answer = ordered(caller)
    caller.get("/v1/operations")
    refused = caller.get("/v1/operations/A-000000000")
    rows = list(InterfaceCall.objects.filter(client=world.client).order_by("id"))

    assert [(row.method, row.status) for row in rows] == [("POST", 202), ("GET", 404)]
    assert str(rows[0].request_id) == answer["X-Request-Id"]
    assert (rows[0].key, rows[1].code) == ("k1", "order.unknown")
    assert refused.json()["instance"].endswith(refused["X-Request-Id"])


def test_versions_are_pinned_at_the_first_call(caller: Caller, world: Clientele) -> None:
    """The first call pins today's version; an unknown one is refused with the known ones."""
    from torwart.store.models import Coupling

    assert caller.get("/v1/operations")["Torwart-Version"] == interface.VERSIONS[-1]
    assert Coupling.objects.get(client=world.client).version == interface.VERSIONS[-1]
    refused = caller.get("/v1/operations", headers={"Torwart-Version": "1999-01-01"})
    assert (refused.status_code, refused.json()["code"]) == (400, "interface.version_unknown")


def test_a_problem_speaks_the_callers_language(caller: Caller) -> None:
    """Accept-Language: en gets English, everything else German."""
    german = caller.get("/v1/operations/A-000000000").json()
    english = caller.get("/v1/operations/A-000000000", headers={"Accept-Language": "en-GB"}).json()

    assert german["title"] == "Nicht gefunden"
    assert english["title"] == "Not found"
    assert german["detail"] != english["detail"]


def test_a_name_couples_with_one_client_only(caller: Caller, world: Clientele, pki: TestPki) -> None:
    """Whoever is coupled with one client cannot be coupled with another, and nobody learns with whom (P-1)."""
    other = clientele("Andernort", gateway="EPPC0200000777", code="")
    with pytest.raises(Refusal) as refused:
        coupled(other, pki.emt.tls.certificate)

    assert refused.value.code == "interface.coupling_taken"
    assert "Stadtwerke" not in refused.value.text("de")
    assert orders.form_url("x")
