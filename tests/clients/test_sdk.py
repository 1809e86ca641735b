"""torwart-client: methods as the definitions say, repeats by the key rule, and it stands alone."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from answering import OPERATION, Script, Server, answering
from torwart_client import (
    AsyncTorwartClient,
    BadSignature,
    Invalid,
    KeyReused,
    OnlyByForm,
    Suspended,
    TooManyRequests,
    TorwartClient,
    Unavailable,
    Unreachable,
    WebhookVerifier,
)

from torwart.config import sdk
from torwart.wire import webhook as signing

PACKAGE = Path(__file__).parents[2] / "clients/python"


@pytest.fixture
def server() -> Iterator[Server]:
    with answering() as made:
        yield made


def problem(status: int, code: str, **headers: str) -> Script:
    return status, headers, {"code": code, "status": status, "detail": "so", "type": f"https://x/{code}"}


def test_the_methods_are_those_of_the_catalogue() -> None:
    """The committed file is what the definitions make now."""
    assert sdk.PATH.read_text(encoding="utf-8") == sdk.source(), "python -m torwart.config.sdk"


@pytest.mark.parametrize(
    "hindrance", [None, (502, {}, {}), problem(503, "x"), problem(429, "y"), problem(409, "interface.key_in_progress")]
)
def test_an_order_is_repeated_with_the_same_key_until_it_is_answered(server: Server, hindrance: Script | None) -> None:
    """Lost connection, gateway errors, too many calls and the twin under way; body and key stay as they were."""
    server.script = [hindrance, hindrance, (202, {}, OPERATION)]
    with TorwartClient(server.url) as torwart:
        found = torwart.wake_up(gateway="EPPC0200000001", reference="R")

    assert (found.id, found.result[0].label.en if found.result else "") == ("A-123456782", "Connected")
    assert found.submitted_at == datetime(2026, 11, 23, 8, 0, 0, 123456, UTC)
    assert len(server.asked) == 3
    assert len({json.dumps(each) for each in server.asked}) == 1
    method, path, key, body = server.asked[0]
    assert (method, path) == ("POST", "/v1/operations/wake-up")
    assert len(key) == 36
    assert body == {"gateway": "EPPC0200000001", "participant": "", "reference": "R", "remark": ""}


def test_the_async_client_does_the_same(server: Server) -> None:
    """One rule for both."""
    server.script = [None, problem(503, "x"), (202, {}, OPERATION), (200, {}, {"items": [], "next": None})]

    async def story() -> list[Any]:
        async with AsyncTorwartClient(server.url) as torwart:
            placed = await torwart.wake_up(gateway="EPPC0200000001", key="mine")
            assert placed.ticket == "T-123456782"
            return [event async for event in torwart.events()]

    assert asyncio.run(story()) == []
    assert [each[2] for each in server.asked] == ["mine"] * 3 + [""]


def test_what_has_no_key_is_not_sent_twice(server: Server) -> None:
    """Cancelling may have happened when the connection was lost: the caller looks, nobody guesses."""
    server.script = [None]
    with TorwartClient(server.url) as torwart, pytest.raises(Unreachable):
        torwart.cancel("A-123456782")
    assert len(server.asked) == 1


def test_patience_has_an_end(server: Server) -> None:
    """A wait longer than the patience is the caller's decision; so is a front that stays away."""
    server.script = [problem(429, "interface.too_many_calls", **{"Retry-After": "60"})]
    with TorwartClient(server.url, patience=5) as torwart, pytest.raises(TooManyRequests) as refused:
        torwart.get("A-1")
    assert refused.value.retry_after == 60.0
    server.script = [problem(503, "x")] * 50
    began = time.monotonic()
    with TorwartClient(server.url, patience=1) as torwart, pytest.raises(Unavailable):
        torwart.get("A-1")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem(422, "order.invalid"), Invalid),
        (problem(403, "interface.suspended"), Suspended),
        (problem(403, "order.not_over_interface"), OnlyByForm),
        (problem(409, "interface.key_reused"), KeyReused),
    ],
)
def test_each_no_is_an_exception_of_its_own(server: Server, answer: Script, kind: type[Exception]) -> None:
    """By code first, by status else; asked once."""
    server.script = [answer]
    with TorwartClient(server.url) as torwart, pytest.raises(kind):
        torwart.wake_up(gateway="X")
    assert len(server.asked) == 1


def test_a_time_without_zone_is_refused_before_it_is_sent(server: Server) -> None:
    """Nobody guesses zones."""
    with TorwartClient(server.url) as torwart, pytest.raises(ValueError, match="zone"):
        torwart.wake_up(gateway="X", requested_at=datetime(2026, 11, 24, 9))
    assert server.asked == []


def test_a_webhook_is_believed_only_with_a_signature_of_a_known_key() -> None:
    """Signed by ours it is the event; changed, old, by another key or under another id it is nothing."""
    ours, other = (signing.private_key(bytes(32), "hook", name) for name in ("k1", "k2"))
    event = {
        "id": "e-1",
        "source": "https://x/v1",
        "type": "de.torwart.operation.done",
        "subject": "A-123456782",
        "time": "2026-11-23T08:00:00Z",
        "data": {"state": "done"},
    }
    body, now = json.dumps(event).encode(), int(time.time())
    verifier = WebhookVerifier([signing.public_text(ours)])
    good = signing.headers("e-1", now, body, [other, ours])

    assert verifier.verify({name.title(): value for name, value in good.items()}, body).data == {"state": "done"}
    for headers, sent, at in (
        (good, body + b" ", now),
        (good, body, now + 400),
        (signing.headers("e-1", now, body, [other]), body, now),
        (signing.headers("e-2", now, body, [ours]), body, now),
        ({}, body, now),
    ):
        with pytest.raises(BadSignature):
            verifier.verify(headers, sent, now=at)


def test_the_wheel_stands_alone(tmp_path: Path) -> None:
    """Built from its own folder it installs elsewhere, with its types, and needs nothing of torwart."""
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", str(tmp_path)]
    source = tmp_path / "source"
    subprocess.run(["cp", "-r", str(PACKAGE), str(source)], check=True)
    subprocess.run([*build, str(source)], check=True, timeout=120)
    (wheel,) = tmp_path.glob("torwart_client-*.whl")
    code = (
        f"import sys; sys.path.insert(0, {str(wheel)!r}); import torwart_client, importlib.util;"
        "assert not [name for name in sys.modules if name == 'torwart' or name.startswith('torwart.')];"
        "print(torwart_client.__file__, torwart_client.VERSION)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert str(wheel) in done.stdout, done.stderr
    import zipfile

    assert "torwart_client/py.typed" in zipfile.ZipFile(wheel).namelist()
