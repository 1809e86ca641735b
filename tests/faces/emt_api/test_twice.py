"""Exactly one order per key, also when two ask at once or a process dies at the worst moment (spec/07 point 3)."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from clientele import DEVICE, Clientele, clientele
from django.db import connections
from django.db.models.signals import post_init
from interface_world import RULES, Caller, coupled

from torwart.sim.pki import TestPki
from torwart.store.models import IdempotencyKey, InterfaceEvent, MailOut, Order, Run, Ticket

PATH = "/v1/operations/wake-up"
WAKE = {"gateway": DEVICE, "reason": "Test"}


@pytest.fixture
def world(own_database: str) -> Iterator[Clientele]:
    with RULES:
        yield clientele()


@pytest.fixture
def caller(world: Clientele, pki: TestPki) -> Caller:
    return coupled(world, pki.emt.tls.certificate)


def call(caller: Caller, key: str) -> Any:
    try:
        return caller.post(PATH, WAKE, key=key)
    finally:
        connections.close_all()


def test_key_8_a_twin_under_way_is_refused_and_then_answered(caller: Caller) -> None:
    """While the first is being worked on the second gets 409 at once; afterwards it gets the first one's answer."""
    inside, go_on = threading.Event(), threading.Event()

    def hold(**_: Any) -> None:
        inside.set()
        assert go_on.wait(10)

    post_init.connect(hold, sender=MailOut)
    try:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(call, caller, "k1")
            assert inside.wait(10)
            twin = call(caller, "k1")
            go_on.set()
            answer = first.result(10)
    finally:
        post_init.disconnect(hold, sender=MailOut)

    assert (twin.status_code, twin.json()["code"]) == (409, "interface.key_in_progress")
    assert twin["Retry-After"]
    assert answer.status_code == 202
    assert call(caller, "k1").content == answer.content
    assert Order.objects.count() == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_key_9_a_process_killed_around_the_commit_leaves_one_order_or_none(
    caller: Caller, own_database: str, moment: str
) -> None:
    """Killed before the commit nothing has happened and the key is free; killed between commit and answer everything
    has, and the repeated request gets the answer that was lost. One order either way, and all that belongs to it.
    """
    child = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_CHILD), moment, caller.certificate.hex()],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "torwart.config.api_settings",
            "TORWART_DATABASE_URL": own_database,
            "TORWART_API_SECRET": bytes(range(32)).hex(),
        },
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()[-2000:]
    assert Order.objects.count() == (moment == "after")

    again = call(caller, "k1")

    assert again.status_code == 202
    assert ("Idempotency-Replayed" in again) == (moment == "after")
    number = json.loads(again.content)["id"]
    assert [order.number for order in Order.objects.all()] == [number]
    assert Ticket.objects.count() == Run.objects.count() == IdempotencyKey.objects.count() == 1
    assert InterfaceEvent.objects.count() == 1
    assert MailOut.objects.filter(kind="order.placed").count() == 2  # one for each contact


_CHILD = """
    import os, signal, sys

    from torwart.config.installation import django_setup

    django_setup(api=True)
    from django.db import connection, transaction
    from django.test import Client

    sys.path.insert(0, "tests/support")
    from interface_world import Caller

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    def watch(execute, sql, params, many, context):
        done = execute(sql, params, many, context)
        if "INSERT INTO store_idempotencykey" in sql:
            die() if sys.argv[1] == "before" else transaction.on_commit(die)
        return done

    caller = Caller(bytes.fromhex(sys.argv[2]), Client())
    with connection.execute_wrapper(watch):
        caller.post("/v1/operations/wake-up", {"gateway": "EPPC0200000001", "reason": "Test"}, key="k1")
"""


def test_twenty_at_once_with_the_same_keys_make_one_order_each(world: Clientele, caller: Caller) -> None:
    """Many threads repeat few keys: every key ends in one order, every answer of a key is the same."""
    from torwart.store.models import Gateway

    devices = [f"EPPC02000001{number:02d}" for number in range(6)]
    for device in devices:
        Gateway.objects.create(device_id=device, client=world.client, state="operational")

    def one(turn: int) -> tuple[int, int, bytes]:
        try:
            device = devices[turn % len(devices)]
            while True:
                answer = caller.post(PATH, {"gateway": device}, key=f"k-{device}")
                if answer.status_code != 409:
                    return turn % len(devices), answer.status_code, answer.content
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(48)))

    assert {status for _, status, _ in answers} == {202}
    assert Order.objects.count() == len(devices)
    assert len({content for _, _, content in answers}) == len(devices)


def test_an_event_of_a_slow_transaction_is_not_skipped(world: Clientele, caller: Caller) -> None:
    """Who reads the feed while an earlier transaction is still open waits for it, and misses nothing afterwards."""
    from torwart.store.models import Gateway

    Gateway.objects.create(device_id="EPPC0200000102", client=world.client, state="operational")
    inside, go_on = threading.Event(), threading.Event()

    def hold(**_: Any) -> None:
        inside.set()
        assert go_on.wait(10)

    with ThreadPoolExecutor(1) as pool:
        post_init.connect(hold, sender=MailOut)
        slow = pool.submit(call, caller, "slow")
        assert inside.wait(10)
        post_init.disconnect(hold, sender=MailOut)
        quick = caller.post(PATH, {"gateway": "EPPC0200000102"}, key="quick")
        early = caller.get("/v1/events").json()
        go_on.set()
        slow.result(10)
    seen = (
        early["items"] + caller.get("/v1/events", **({"after": early["next"]} if early["next"] else {})).json()["items"]
    )

    assert quick.status_code == 202
    assert len({event["id"] for event in seen}) == len(seen) == 2
    assert {event["subject"] for event in seen} == {order.number for order in Order.objects.all()}
