"""The BDEW dialect with real processes: a partner orders, is called back over mutual TLS, and loses nothing."""

import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from interface_stage import System, interface_scene, system
from staging import Scene, eventually

from torwart.sim.emt import Partner
from torwart.sim.emt.files import EmtFiles
from torwart.sim.emt.partner import Call, Sent
from torwart.store.models import Attempt, Gateway, Order

pytestmark = pytest.mark.requirement("O-7", "O-8")


@pytest.fixture(scope="module")
def stage(stage_database_apart: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with interface_scene(tmp_path_factory.mktemp("bdew"), stage_database_apart, count=4) as scene:
        yield scene


@pytest.fixture(scope="module")
def emt(stage: Scene) -> System:
    return system(stage)


@pytest.fixture(scope="module")
def partner(stage: Scene, emt: System) -> Iterator[Partner]:
    """The client's system as a server too, showing the certificate it also calls with."""
    files = EmtFiles(stage.stage.site.directory / "emt")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ecdh_curve("brainpoolP256r1")
    context.load_cert_chain(files.chain, files.key)
    context.load_verify_locations(files.root)
    context.verify_mode = ssl.CERT_REQUIRED
    made = Partner(context).start()
    stage.turn()
    added = emt.call("POST", "/v1/webhooks", {"url": made.url, "dialect": "bdew"}, key="address")
    assert added.status == 201, added
    yield made
    made.stop()


@pytest.fixture
def scene(stage: Scene) -> Scene:
    stage.turn()
    return stage


def told(partner: Partner, first: str, count: int, seconds: float = 30) -> list[Call]:
    """What was answered, as soon as there are so many; nothing more may come after them."""
    assert eventually(lambda: len(partner.told(first)) >= count, seconds), partner.told(first)
    assert not partner.complaints
    return partner.told(first)


def answers(calls: list[Call]) -> list[str]:
    return [call.answer for call in calls]


def test_a_commissioning_is_ordered_accepted_and_done(scene: Scene, emt: System, partner: Partner) -> None:
    """202, then „possible“ with number and due date, then „succeeded“ with the result; both over mutual TLS."""
    device = scene.take()
    sent = partner.order(
        emt.address, emt.context, "commissioning", {**scene.fields(device), "reference": "Bestellung 4711"}
    )
    assert (sent.status, sent.problem) == (202, None)
    (preliminary,) = told(partner, sent.first, 1)
    number = preliminary.body["id"]
    order = Order.objects.select_related("run").get(number=number)
    scene.install({device: str(order.run.run_id)})
    scene.ended(str(order.run.run_id))
    _, final = told(partner, sent.first, 2)

    assert answers([preliminary, final]) == ["preliminaryResultPositive", "resultPositive"]
    assert preliminary.body["due_at"]
    assert (final.body["statePositive"], final.body["id"]) == ("succeeded", number)
    assert final.body["result"]["rows"]
    assert emt.get(f"/v1/operations/{number}")["state"] == "done"
    _print(sent, preliminary, final)


def test_a_lost_answer_and_its_retries_make_one_order(scene: Scene, emt: System, partner: Partner) -> None:
    """The connection breaks before the 202; the partner repeats as long as it likes and is answered once."""
    device = scene.take()
    Gateway.objects.filter(device_id=device).update(state="operational")
    body = {"gateway": device, "reference": "verloren"}
    lost = partner.order(emt.address, emt.context, "wake-up", body, lose=True)
    retries: list[Sent] = []

    def taken() -> bool:
        retries.append(partner.order(emt.address, emt.context, "wake-up", body, first=lost.first))
        return retries[-1].status == 202

    assert eventually(taken, 20), retries[-1]
    assert partner.order(emt.address, emt.context, "wake-up", body, first=lost.first).status == 202
    assert {sent.status for sent in retries} <= {202, 409}
    preliminary, final = told(partner, lost.first, 2, 60)
    assert Order.objects.filter(reference="verloren").count() == 1
    assert preliminary.answer == "preliminaryResultPositive"
    assert final.answer in ("resultPositive", "resultNegative")
    assert len([call for call in partner.calls if call.reference == lost.first]) == 2, "no answer came twice"


def test_a_refused_order_is_told_by_a_preliminary_answer(scene: Scene, emt: System, partner: Partner) -> None:
    """Taken with 202, refused by a call with code and pointer; headers that do not fit are refused at once."""
    sent = partner.order(emt.address, emt.context, "wake-up", {"gateway": "EPPC0299999999"})
    assert sent.status == 202
    (refused,) = told(partner, sent.first, 1)

    assert refused.answer == "preliminaryResultNegative"
    assert (refused.body["stateNegative"], refused.body["reasonNegative"]) == ("failed", "unable")
    assert refused.body["errors"][0]["code"] == "process.gateway_unknown"
    bare = emt.call("POST", "/bdew/v1/wake-up", {"gateway": "EPPC0299999999"})
    assert (bare.status, bare.json()["code"]) == (400, "bdew.header")


def test_what_a_partner_was_down_for_comes_later(scene: Scene, emt: System, partner: Partner) -> None:
    """Nobody answers at the address; as soon as somebody does again, everything comes, in order, as retries."""
    device = scene.take()
    Gateway.objects.filter(device_id=device).update(state="operational")
    partner.stop()
    try:
        sent = partner.order(emt.address, emt.context, "wake-up", {"gateway": device, "reference": "still"})
        assert sent.status == 202
        number = Order.objects.get(reference="still").number
        assert eventually(lambda: Attempt.objects.filter(delivery__subject=number).exists(), 20)
        assert partner.told(sent.first) == []
    finally:
        partner.start()
    preliminary, final = told(partner, sent.first, 2, 90)

    assert preliminary.answer == "preliminaryResultPositive"
    assert final.answer.startswith("result")
    assert preliminary.transaction != preliminary.key, "a retry, by its own id"


def _print(sent: Sent, *calls: Call) -> None:
    """The exchange as it was, for docs/api/bdew.md (TORWART_EXCHANGE names where to)."""
    if not (where := os.environ.get("TORWART_EXCHANGE")):
        return
    parts = [sent.request, sent.response, *map(_said, calls)]
    Path(where).write_text("\n\n---\n\n".join(parts))


def _said(call: Call) -> str:
    import json

    heads: dict[str, Any] = dict(call.headers)
    lines = [f"POST {call.path} HTTP/1.1", *(f"{name}: {value}" for name, value in heads.items())]
    return "\n".join((*lines, "", json.dumps(call.body, ensure_ascii=False, indent=2)))
