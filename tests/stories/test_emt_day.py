"""A client's own system at work for a day: many orders, faults on all sides, and in the end everything adds up."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from emt_scenario import commissioning, fitters, written
from interface_stage import interface_scene
from staging import Scene, eventually

from torwart.config.demo.scenario import Part, cast
from torwart.config.demo.stage import PATIENCE
from torwart.services import audit, ticket_clock
from torwart.sim.emt.clumsy import ClumsyTransport
from torwart.sim.emt.day import Day
from torwart.sim.emt.files import EmtFiles
from torwart.sim.emt.scenario import Scenario
from torwart.sim.emt.system import EmtSystem
from torwart.sim.gateway.fault import Fault
from torwart.store.models import Delivery, IdempotencyKey, InterfaceEvent, Order, Ticket

pytestmark = pytest.mark.requirement("O-7", "O-2")

GATEWAYS, ORDERS = 25, 200
WEATHER = (Fault.DROP_BODY, Fault.DROP_REQUEST, Fault.SILENT, Fault.PIPELINING, Fault.CMS_CBC_CMAC, Fault.CLOCK_5S)


def expected(part: Part) -> dict[str, Any]:
    """What the commissioning of such a gateway comes to, as the client's system sees it."""
    if part.state == "waiting":
        return {"expect": "open"}
    return {"readings": True} if part.state == "succeeded" else {"expect": "failed", "code": part.code}


def the_day(scene: Scene, parts: list[Part]) -> list[Mapping[str, Any]]:
    """200 orders: all gateways into operation as far as they can, then everything a day brings."""
    devices = [str(config.device) for config in scene.stage.devices]
    good = [device for device, part in zip(devices, parts, strict=True) if part.state == "succeeded"]
    removed, lasting = good[-3:], good[:-3]
    orders: list[Mapping[str, Any]] = [
        {"process": "connectivity-test", "gateways": devices[:6], "then": "withdraw", "expect": "withdrawn"},
        *(commissioning(scene, device, **expected(part)) for device, part in zip(devices, parts, strict=True)),
        {"process": "incident", "gateways": lasting[:6], "fields": INCIDENT, "expect": "open"},
        {"process": "wake-up", "gateways": lasting, "count": 60},
        {"process": "connectivity-test", "gateways": lasting, "count": 70},
        {"process": "wake-up", "gateways": lasting[:9], "in_days": 7, "then": "cancel", "expect": "cancelled"},
        {"process": "connectivity-test", "gateways": lasting[:10], "in_days": 8, "expect": "planned"},
        {"process": "removal", "gateways": removed, "fields": {"whereabouts": "return", "removed_at": "{now}"}},
        {"process": "delivery-note-import", "count": 3, "refused": "order.not_over_interface"},
        {"process": "wake-up", "gateways": ["EPPC0299999999"], "count": 4, "refused": "process.gateway_unknown"},
        {"process": "commissioning", "count": 4, "fields": {"melo": "DE1"}, "refused": "interface.body_invalid"},
    ]
    return orders


INCIDENT = {
    "object": "gateway",
    "name": "{gateway}",
    "symptom": "no_values",
    "description": "Seit gestern.",
    "since": "{now}",
}
HEAD = """
title = "The day"
parallel = 12
seconds = 240
seed = 4

[faults]
cut = 0.08
twice = 0.1
other_body = 0.05
malformed = 0.05
webhooks = { after = 120, count = 25, status = 500 }
"""


@contextmanager
def trouble(scene: Scene, day: Day, lasting: list[str], kills: Counter[str]) -> Iterator[None]:
    """Weather over the gateways, and at a third and at half of the day a process of ours is killed."""
    over, chance = threading.Event(), random.Random(4)
    stage = scene.stage

    def killed() -> None:
        for share, name, kill in ((3, "api", api), (2, "worker", stage.crash_worker)):
            while not over.is_set() and sum(each.placed is not None for each in day.told) < ORDERS // share:
                time.sleep(0.1)
            if not over.is_set():
                kill()
                kills[name] += 1

    def api() -> None:
        stage.family["api"].kill()
        stage.start_api()

    def weather() -> None:
        while not over.wait(0.5):
            ready = {each.errand.gateway for each in day.told if each.errand.plan.process == "wake-up" and each.placed}
            if ready:
                device, fault = chance.choice(sorted(ready & set(lasting)) or lasting), chance.choice(WEATHER)
                scene.fault(device, fault)
                over.wait(1.5)
                scene.fault(device, fault, on=False)
                kills["weather"] += 1

    threads = [threading.Thread(target=work, name=work.__name__) for work in (killed, weather)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_day_of_200_orders_adds_up(stage_database_apart: str, tmp_path: Path) -> None:
    """Faults of gateways and of the system itself, the API and a worker killed: every order ends as told, told the
    same by look, feed and webhook, exactly once; tickets, keys, audit trail and deadlines agree with it.
    """
    parts = list(cast(GATEWAYS))
    worker = {"patience": PATIENCE, "wake_ups": 1000, "lease": 2.0}
    with interface_scene(
        tmp_path / "stage", stage_database_apart, parts=parts, grace=3, workers=2, worker=worker
    ) as scene:
        scene.turn()
        stage, site = scene.stage, scene.stage.site
        scenario = Scenario.read(written(the_day(scene, parts), HEAD))
        files = EmtFiles.write(tmp_path / "own", site.pki)
        clumsy = ClumsyTransport(files.context(), scenario.faults.cut, scenario.seed)
        system = EmtSystem(stage.api_url, files.context(), transport=clumsy).start()
        kills: Counter[str] = Counter()
        day = Day(system, scenario, receiver=stage.emt, transport=clumsy)
        lasting = [str(c.device) for c, part in zip(stage.devices, parts, strict=True) if part.state == "succeeded"][
            :-3
        ]
        try:
            with fitters(scene), trouble(scene, day, lasting, kills):
                day.play()
        finally:
            (tmp_path / "report.json").write_text(json.dumps({**day.report(), "kills": kills}, indent=1))
            system.stop()
        report = day.report()
        print(json.dumps({**report, "each": [], "kills": kills}))

        assert not [(each["number"], each["odd"]) for each in report["each"] if not each["ok"]]
        assert day.verified, report["strays"]
        assert (report["orders"], report["as_told"]) == (ORDERS, ORDERS)
        assert kills["api"] == kills["worker"] == 1
        assert min(report["faults"].values()) > 0, report["faults"]
        assert report["webhooks"]["turned_away"] >= 25
        _stands(report)


def _stands(report: Mapping[str, Any]) -> None:
    """What the system was told is what the database holds."""
    mine = {each["order"]: each for each in report["each"] if each["order"]}
    states = dict(Order.objects.values_list("number", "state"))
    assert {number: each["outcome"].partition(" ")[0] for number, each in mine.items()} == states
    assert (
        Ticket.objects.count() == IdempotencyKey.objects.filter(location__contains="/operations/").count() == len(mine)
    )
    told = Counter(InterfaceEvent.objects.filter(subject__in=mine).values_list("subject", flat=True))
    assert told == {number: len(each["feed"]) for number, each in mine.items()}
    assert eventually(lambda: not Delivery.objects.filter(state="pending").exists(), 20)
    assert not Delivery.objects.exclude(state="delivered").exists()
    assert all(ticket_clock.timing(row.number).due == row.due_at for row in Ticket.objects.all())
    while audit.link_pending():
        pass
    assert audit.verify().intact
