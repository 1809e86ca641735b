"""The sandbox over the interface: what can be asked of it, what it refuses, and whose it is."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clientele import Clientele, clientele
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from interface_world import RULES, Caller, coupled

from torwart.services import present, sandbox
from torwart.sim.pki import TestPki
from torwart.store.models import AuditEntry, SandboxGateway
from torwart.wire.certificate import Role

pytestmark = pytest.mark.requirement("O-7")
ON = override_settings(TORWART_SANDBOX=True, ROOT_URLCONF="torwart.faces.emt_api.sandbox_urls")


@pytest.fixture
def rules(db: None) -> Iterator[None]:
    present.forget()
    with RULES, ON:
        yield
    present.forget()


@pytest.fixture
def one(rules: None) -> Clientele:
    return clientele()


@pytest.fixture
def caller(one: Clientele, pki: TestPki) -> Caller:
    return coupled(one, pki.emt.tls.certificate)


@pytest.fixture
def other(one: Clientele, pki: TestPki) -> Caller:
    shown = pki.issue_triple(Role.EMT, "Andere Stadtwerke", unit="9903100000006")
    return coupled(clientele("Andere", gateway="EPPC0200000077", code="9903100000006"), shown.tls.certificate)


def code(answer: Any) -> str:
    return str(answer.json()["code"])


def test_time_is_moved_on_for_everything_that_asks(caller: Caller) -> None:
    """The clock tells both times; service time is ahead at once, protocol time is not."""
    before = caller.get("/v1/sandbox/clock").json()
    assert before["ahead"] == 0
    moved = caller.post("/v1/sandbox/clock", {"advance": "P3DT1H"}).json()
    assert moved["ahead"] == 3 * 86_400 + 3600
    assert present.ahead() == timedelta(days=3, hours=1)
    assert abs(present.now() - present.real() - present.ahead()) < timedelta(seconds=1)
    real = datetime.fromisoformat(moved["real"])
    assert abs(real - datetime.now(UTC)) < timedelta(seconds=5)
    at = present.now() + timedelta(days=2)
    again = caller.post("/v1/sandbox/clock", {"until": at.isoformat()}).json()
    assert at <= datetime.fromisoformat(again["now"]) < at + timedelta(seconds=5)
    entry = AuditEntry.objects.filter(action="sandbox.time_moved").latest("id")
    assert entry.at > datetime.now(UTC) + timedelta(days=5)


@pytest.mark.parametrize(
    ("body", "status", "refusal"),
    [
        ({}, 422, "sandbox.one_of"),
        ({"advance": "PT1H", "until": "2099-01-01T00:00:00Z"}, 422, "sandbox.one_of"),
        ({"advance": "soon"}, 422, "sandbox.duration"),
        ({"advance": "PT0S"}, 422, "sandbox.backwards"),
        ({"until": "2020-01-01T00:00:00Z"}, 422, "sandbox.backwards"),
        ({"advance": "P401D"}, 422, "sandbox.too_far"),
        ({"until": "9999-12-31T23:59:59Z"}, 422, "interface.body_invalid"),
        ({"until": 1}, 422, "interface.body_invalid"),
        ({"back": "P1D"}, 422, "interface.body_invalid"),
    ],
)
def test_what_time_cannot_do(caller: Caller, body: dict[str, Any], status: int, refusal: str) -> None:
    """It never goes back nor too far, and nothing is guessed at."""
    answer = caller.post("/v1/sandbox/clock", body)
    assert answer.status_code == status, answer.content
    codes = {code(answer), *(each["code"] for each in answer.json().get("errors", ()))}
    assert refusal in codes, codes
    assert caller.get("/v1/sandbox/clock").json()["ahead"] == 0


def test_gateways_are_wished_for_and_limited(caller: Caller) -> None:
    """Each is a row for the host; fifty at a time, and a reset makes room."""
    answer = caller.post("/v1/sandbox/gateways", {"behaviour": "slow", "meters": 2, "count": 3})
    assert answer.status_code == 202
    assert [each["state"] for each in answer.json()["items"]] == ["wanted"] * 3
    assert {(row.behaviour, row.meter_count) for row in SandboxGateway.objects.all()} == {("slow", 2)}
    assert code(caller.post("/v1/sandbox/gateways", {"count": 48})) == "sandbox.too_many"
    assert caller.post("/v1/sandbox/gateways", {"count": 47}).status_code == 202
    told = caller.post("/v1/sandbox/reset").json()
    assert (told["gateways"], told["cancelled"]) == (50, [])
    assert caller.post("/v1/sandbox/reset").json()["gateways"] == 0
    assert caller.post("/v1/sandbox/gateways", {"count": 50}).status_code == 202


@pytest.mark.parametrize("body", [{"behaviour": "evil"}, {"count": 0}, {"count": 51}, {"meters": 5}, {"silent": True}])
def test_what_no_gateway_can_be(caller: Caller, body: dict[str, Any]) -> None:
    """The list of behaviours is closed, numbers have bounds, unknown members are refused."""
    answer = caller.post("/v1/sandbox/gateways", body)
    assert answer.status_code == 422
    assert not SandboxGateway.objects.exists()


def test_a_list_costs_the_same_with_one_and_with_three(caller: Caller) -> None:
    """Calls do not grow with the gateways."""
    counts = []
    for _ in range(2):
        caller.post("/v1/sandbox/gateways", {"count": 1 if not counts else 2})
        with CaptureQueriesContext(
            connection,
        ) as seen:
            caller.get("/v1/sandbox/gateways")
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_anothers_gateways_are_nothing(caller: Caller, other: Caller) -> None:
    """Seen, changed, switched or reset by another client they answer like those there are not (P-1)."""
    (mine,) = caller.post("/v1/sandbox/gateways", {}).json()["items"]
    for name in (mine["id"], "00000000-0000-4000-8000-000000000000", "x"):
        path = f"/v1/sandbox/gateways/{name}"
        answers = [
            other.get(path),
            other.call("PUT", path, b'{"behaviour": "silent"}'),
            other.post(f"{path}/power", {"on": True}),
        ]
        assert {(each.status_code, code(each)) for each in answers} == {(404, "sandbox.gateway_unknown")}
    assert other.get("/v1/sandbox/gateways").json() == {"items": []}
    assert other.post("/v1/sandbox/reset").json()["gateways"] == 0
    row = SandboxGateway.objects.get()
    assert (row.state, row.behaviour, row.power, row.revision) == ("wanted", "good", "auto", 1)


def test_the_host_follows_the_last_wish(caller: Caller) -> None:
    """A wish taken back while the gateway is made makes none; what was wished for later is followed later."""
    (first, second) = caller.post("/v1/sandbox/gateways", {"count": 2}).json()["items"]
    assert {wish.state for wish in sandbox.wishes()} == {"wanted"}
    wish, gone = sandbox.wishes()
    sandbox.made(wish.pk, "EPPC0D60000001", ["1EMH0060000001"], {"gateway": "EPPC0D60000001"}, wish.revision)
    caller.call("PUT", f"/v1/sandbox/gateways/{first['id']}", b'{"behaviour": "silent"}')
    caller.post(f"/v1/sandbox/gateways/{first['id']}/power", {"on": True})
    (again, waiting) = sandbox.wishes()
    assert (again.behaviour, again.on, waiting.pk) == ("silent", True, gone.pk)
    sandbox.applied(again.pk, again.revision, powered=True)
    assert [each.pk for each in sandbox.wishes()] == [gone.pk]
    caller.post("/v1/sandbox/reset")
    sandbox.made(gone.pk, "EPPC0D60000002", [], {}, gone.revision)
    assert not SandboxGateway.objects.exclude(state="retired").exists()
    assert {each.on for each in sandbox.wishes()} == {False}
    assert second["id"] != first["id"]


def test_where_no_sandbox_is_there_are_no_addresses(db: None, pki: TestPki) -> None:
    """They answer like any address there is not, and capabilities name none."""
    with RULES:
        caller = coupled(clientele(), pki.emt.tls.certificate)
        unknown = caller.get("/v1/nonsense")
        for answer in (caller.get("/v1/sandbox/clock"), caller.post("/v1/sandbox/reset")):
            assert (answer.status_code, code(answer)) == (404, code(unknown))
        assert caller.get("/v1/capabilities").json()["sandbox"] is None
    with RULES, ON:
        assert caller.get("/v1/capabilities").json()["sandbox"] == "/v1/sandbox"
