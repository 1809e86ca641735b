"""Many clients at once, connections that break, an API process that dies: still each key exactly once (spec/07)."""

import contextlib
import http.client
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from interface_stage import System, inbox, interface_scene, system
from staging import Scene, eventually

from torwart.sim.emt.hooks import HookServer
from torwart.store.models import Delivery, Gateway, IdempotencyKey, InterfaceEvent, MailOut, Order, Run, Ticket

pytestmark = pytest.mark.requirement("O-7", "O-2")

CLIENTS, BROKEN = 20, 0.05


@pytest.fixture(scope="module")
def stage(stage_database_apart: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with interface_scene(tmp_path_factory.mktemp("load"), stage_database_apart, count=1) as scene:
        yield scene


class Caller:
    """One of the clients: keeps a connection, breaks some, and repeats with the same key until it is answered."""

    def __init__(self, emt: System, number: int) -> None:
        self._emt, self._chance = emt, random.Random(number)
        self._connection: http.client.HTTPSConnection | None = None
        self.seen: Counter[str] = Counter()

    def order(self, device: str) -> str:
        """The order's number, as the answer that came at last says."""
        body = json.dumps({"gateway": device, "reason": "Last"})
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                status, answer, wait = self._try(body, f"key-{device}")
            except (OSError, http.client.HTTPException):
                self.seen["broken"] += 1
                self._hang_up()
                time.sleep(self._chance.uniform(0.01, 0.2))
                continue
            self.seen[str(status)] += 1
            if status == 202:
                return str(answer["id"])
            assert status in (409, 429, 503), answer
            time.sleep(min(wait, 1) * self._chance.uniform(0.5, 1))
        raise AssertionError(f"{device}: no answer")

    def _try(self, body: str, key: str) -> tuple[int, Any, float]:
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(*self._emt.address, context=self._emt.context, timeout=30)
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        self._connection.request("POST", "/v1/operations/connectivity-test", body, headers)
        if self._chance.random() < BROKEN:
            time.sleep(self._chance.uniform(0, 0.1))
            raise ConnectionResetError("broken on purpose")
        response = self._connection.getresponse()
        return response.status, json.loads(response.read()), float(response.headers.get("Retry-After", "1"))

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def storm(scene: Scene, count: int, first: int, hooks: HookServer) -> Counter[str]:
    """``count`` orders by all clients together, the API killed in the middle; everything stands exactly once."""
    scene.turn()
    client, emt = scene.stage.site.client, system(scene)
    devices = [f"EPPC02{first + number:08d}" for number in range(count)]
    Gateway.objects.bulk_create(Gateway(device_id=each, client_id=client, state="operational") for each in devices)
    assert emt.call("POST", "/v1/webhooks", {"url": hooks.url}, key=f"hook-{first}").status == 201
    callers = [Caller(emt, first + number) for number in range(CLIENTS)]
    numbers: dict[str, str] = {}

    def work(caller: Caller, mine: list[str]) -> None:
        for device in mine:
            numbers[device] = caller.order(device)

    with ThreadPoolExecutor(CLIENTS) as pool:
        jobs = [pool.submit(work, caller, devices[n::CLIENTS]) for n, caller in enumerate(callers)]
        assert eventually(lambda: len(numbers) >= count // 2, 120)
        scene.stage.family["api"].kill()
        scene.stage.start_api()
        for job in jobs:
            job.result(180)
    _each_once(devices, numbers)
    _each_ended(numbers, hooks, seconds=max(60, count / 4))
    return sum((caller.seen for caller in callers), Counter())


def _each_once(devices: list[str], numbers: dict[str, str]) -> None:
    """Order, ticket, run, mail, key and first event: one of each for each device, and the numbers that were told."""
    orders = Order.objects.filter(gateway__device_id__in=devices)
    assert dict(orders.values_list("gateway__device_id", "number")) == numbers
    assert orders.count() == len(devices) == len(set(numbers.values()))
    assert Ticket.objects.filter(order__in=orders).count() == len(devices)
    assert Run.objects.filter(gateway__device_id__in=devices).count() == len(devices)
    assert IdempotencyKey.objects.filter(key__in=[f"key-{each}" for each in devices]).count() == len(devices)
    submitted = InterfaceEvent.objects.filter(subject__in=numbers.values(), type="de.torwart.operation.submitted")
    assert submitted.count() == len(devices)
    tickets = [number.replace("A-", "T-") for number in numbers.values()]
    mails = Counter(
        MailOut.objects.filter(kind="order.placed", ticket__number__in=tickets).values_list("ticket", flat=True)
    )
    assert set(mails.values()) == {2}, "one for each contact"


def _each_ended(numbers: dict[str, str], hooks: HookServer, seconds: float) -> None:
    """One result each, one event of the end each, and each event delivered, in its order."""
    mine = set(numbers.values())
    ended = InterfaceEvent.objects.filter(subject__in=mine, type="de.torwart.operation.done")
    assert eventually(lambda: ended.count() >= len(mine), seconds), ended.count()
    assert Order.objects.filter(number__in=mine, state="done").count() == ended.count() == len(mine)
    waiting = Delivery.objects.filter(subject__in=mine, state="pending")
    assert eventually(lambda: not waiting.exists(), seconds), waiting.count()
    told: dict[str, list[str]] = {number: [] for number in mine}
    seen = set()
    for event in hooks.events():
        if event["subject"] in mine and event["id"] not in seen:  # a repeat has the same id
            seen.add(event["id"])
            told[event["subject"]].append(event["type"].rpartition(".")[2])
    assert Counter(map(tuple, told.values())) == {("submitted", "in_progress", "done"): len(mine)}


def test_a_hundred_orders_from_twenty_clients_stand_once(stage: Scene) -> None:
    """5 % of the connections broken, the API killed with -9 in the middle: 100 orders, 100 results."""
    with inbox() as hooks:
        seen = storm(stage, 100, 1_000_000, hooks)
        _forget(stage)

    assert seen["202"] == 100
    assert seen["broken"] >= 1


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_a_thousand_orders_from_twenty_clients_stand_once(stage: Scene) -> None:
    """The same with 1,000."""
    with inbox() as hooks:
        seen = storm(stage, 1000, 2_000_000, hooks)
        _forget(stage)

    assert seen["202"] == 1000
    assert seen["broken"] >= 20


def _forget(scene: Scene) -> None:
    """Nobody is at these addresses any more."""
    emt = system(scene)
    for hook in emt.get("/v1/webhooks")["items"]:
        with contextlib.suppress(AssertionError):
            emt.call("DELETE", f"/v1/webhooks/{hook['id']}")
