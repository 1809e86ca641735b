"""The receiver of webhooks: believes signatures alone, counts an event once, and turns away when told to."""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from torwart.sim.emt.hooks import HookServer
from torwart.wire import webhook as signing

pytestmark = pytest.mark.requirement("O-7")

KEY = signing.private_key(bytes(32), "hook", "1")
OTHER = signing.private_key(bytes(32), "hook", "2")


@pytest.fixture
def server() -> Iterator[HookServer]:
    made = HookServer().start()
    yield made
    made.stop()


def event(state: str = "done", subject: str = "A-123456782") -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "urn:torwart",
        "type": f"de.torwart.operation.{state}",
        "subject": subject,
        "time": "2026-11-23T08:00:00+00:00",
        "data": {},
    }


def send(server: HookServer, told: dict[str, Any], key: Any = KEY, *, at: float | None = None) -> int:
    body = json.dumps(told).encode()
    headers = signing.headers(told["id"], int(at or time.time()), body, [key])
    try:
        with urllib.request.urlopen(urllib.request.Request(server.url, body, headers), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_only_what_a_known_key_has_signed_is_taken(server: HookServer) -> None:
    """Another key, an old timestamp: 401, kept apart, and never among the events."""
    server.know([signing.public_text(KEY)])
    good = event()

    assert send(server, good) == 204
    assert send(server, event(), OTHER) == 401
    assert send(server, event(), at=time.time() - 3600) == 401
    assert [each["id"] for each in server.taken()] == [good["id"]]
    assert len(server.forged) == 2


def test_an_event_that_comes_again_counts_once(server: HookServer) -> None:
    """What was turned away is not taken until it comes again; a repeat is known by its id."""
    server.behave = lambda number: 500 if number == 0 else 204
    first, second = event("submitted"), event("done")

    assert [send(server, each) for each in (first, first, second, second)] == [500, 204, 204, 204]
    assert [each["id"] for each in server.taken()] == [first["id"], second["id"]]
    assert len(server.events("A-123456782")) == 4
