"""The interface without a network: what to send, what to do with the answer, when to try again.

Each function is a generator. It yields a ``Call`` (send it, give back an ``httpx.Response`` or what hindered it) or a
``Pause`` (wait), and returns the result. The sync and the async client only differ in how they do what is yielded.
"""

import json
import random
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from torwart_client import model
from torwart_client.errors import StillRunning, Unreachable, problem
from torwart_client.model import (
    Cancelled,
    DeliveryPage,
    EventPage,
    History,
    Operation,
    OperationPage,
    Webhook,
    Webhooks,
)

VERSION = "2026-11-23"
"""The version of the interface this package speaks."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``key``: its Idempotency-Key; ``slow``: seconds the answer may take beyond the ordinary."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    slow: float = 0.0

    @property
    def headers(self) -> dict[str, str]:
        return {"Idempotency-Key": self.key} if self.key else {}

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does what sending it once does."""
        return bool(self.key) or self.method in ("GET", "PUT", "DELETE", "PATCH")


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


Answer = httpx.Response | httpx.TransportError | None
Steps = Generator[Call | Pause, Answer, T]


def exchange(call: Call, patience: float, *, clock: Callable[[], float] = time.monotonic) -> Steps[httpx.Response]:
    """Send until there is an answer that stands; raises a ``Problem`` or ``Unreachable``.

    The key rule: what has a key, and what changes nothing, is repeated as it was after a lost connection, 502 to 504
    and „your twin is under way“. 429 has done nothing and is repeated always.
    """
    deadline = clock() + patience
    for attempt in range(1_000_000):
        answer = yield call
        again, wait = _judge(call, answer, attempt)
        if not again and isinstance(answer, httpx.Response) and answer.is_success:
            return answer
        if not again or clock() + wait > deadline:
            raise _error(call, answer)
        yield Pause(wait)
    raise AssertionError("patience has an end")


def _judge(call: Call, answer: Answer, attempt: int) -> tuple[bool, float]:
    """Whether to send it again, and after how many seconds."""
    back_off = min(30.0, 0.2 * 2 ** min(attempt, 10)) * random.uniform(0.5, 1)  # noqa: S311  not a secret
    if not isinstance(answer, httpx.Response):
        return call.repeatable, back_off
    told = answer.headers.get("retry-after", "")
    wait = max(float(told), back_off) if told.isdigit() else back_off
    if answer.status_code == 429:
        return True, wait
    if answer.status_code in (502, 503, 504):
        return call.repeatable, wait
    return answer.status_code == 409 and _document(answer).get("code") == "interface.key_in_progress", wait


def _error(call: Call, answer: Answer) -> Exception:
    if isinstance(answer, httpx.Response):
        return problem(answer.status_code, _document(answer), answer.headers)
    return Unreachable(f"{call.method} {call.path}: {answer}")


def _document(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


# --- operations -------------------------------------------------------------------------------------------------------


def order(process: str, body: Mapping[str, Any], key: str | None, patience: float) -> Steps[Operation]:
    """Place an order."""
    sent = {name: _plain(value) for name, value in body.items() if value is not None}
    call = Call("POST", f"/v1/operations/{_segment(process)}", sent, key=key or new_key())
    return _read(call, Operation, patience)


def get(number: str, wait: int, patience: float) -> Steps[Operation]:
    return _read(_look(number, wait), Operation, patience)


def wait_for(
    number: str, seconds: float, patience: float, *, clock: Callable[[], float] = time.monotonic
) -> Steps[Operation]:
    """Look until the order has ended; ``StillRunning`` after ``seconds``."""
    deadline = clock() + seconds
    while True:
        began = clock()
        left = max(0, min(30, int(deadline - began)))
        found = yield from get(number, left, patience)
        if found.ended:
            return found
        if clock() >= deadline:
            raise StillRunning(f"{number} is {found.state}")
        if clock() - began < 0.5:  # no seat for a long poll was free
            yield Pause(min(1.0, max(0.0, deadline - clock())))


def operations(params: Mapping[str, Any], patience: float) -> Steps[OperationPage]:
    given = {name: _plain(value) for name, value in params.items() if value}
    return _read(Call("GET", "/v1/operations", params=given), OperationPage, patience)


def history(number: str, patience: float) -> Steps[History]:
    return _read(Call("GET", f"/v1/operations/{_segment(number)}/history"), History, patience)


def withdraw(number: str, patience: float) -> Steps[Operation]:
    return _read(Call("POST", f"/v1/operations/{_segment(number)}/withdraw"), Operation, patience)


def cancel(number: str, reason: str, patience: float) -> Steps[Cancelled]:
    call = Call("POST", f"/v1/operations/{_segment(number)}/cancel", {"reason": reason})
    return _read(call, Cancelled, patience)


def choose(number: str, time: datetime, patience: float) -> Steps[Operation]:
    call = Call("POST", f"/v1/operations/{_segment(number)}/choose", {"time": time.isoformat()})
    return _read(call, Operation, patience)


def capabilities(patience: float) -> Steps[dict[str, Any]]:
    """The living manual, as it came."""
    answer = yield from exchange(Call("GET", "/v1/capabilities"), patience)
    found: dict[str, Any] = answer.json()
    return found


# --- events and webhooks ----------------------------------------------------------------------------------------------


def events(after: str, wait: int, patience: float) -> Steps[EventPage]:
    given = {"after": after, "wait": f"{wait}s"}
    return _read(Call("GET", "/v1/events", params=given, slow=wait), EventPage, patience)


def webhooks(patience: float) -> Steps[Webhooks]:
    return _read(Call("GET", "/v1/webhooks"), Webhooks, patience)


def add_webhook(url: str, key: str | None, patience: float) -> Steps[Webhook]:
    return _read(Call("POST", "/v1/webhooks", {"url": url}, key=key or new_key()), Webhook, patience)


def change_webhook(webhook: str, changes: Mapping[str, Any], patience: float) -> Steps[Webhook]:
    given = {name: value for name, value in changes.items() if value is not None}
    return _read(Call("PATCH", f"/v1/webhooks/{_segment(webhook)}", given), Webhook, patience)


def remove_webhook(webhook: str, patience: float) -> Steps[None]:
    yield from exchange(Call("DELETE", f"/v1/webhooks/{_segment(webhook)}"), patience)


def rotate_webhook(webhook: str, patience: float) -> Steps[Webhook]:
    return _read(Call("POST", f"/v1/webhooks/{_segment(webhook)}/rotate"), Webhook, patience)


def test_webhook(webhook: str, patience: float) -> Steps[str]:
    """Send a test event; its id."""
    answer = yield from exchange(Call("POST", f"/v1/webhooks/{_segment(webhook)}/test"), patience)
    return str(answer.json()["event"])


def resend(webhook: str, delivery: str | None, patience: float) -> Steps[int]:
    """Send the dead again, or one delivery; how many."""
    one = f"/deliveries/{_segment(delivery)}" if delivery else ""
    answer = yield from exchange(Call("POST", f"/v1/webhooks/{_segment(webhook)}{one}/resend"), patience)
    return int(answer.json()["count"])


def deliveries(webhook: str, cursor: str, patience: float) -> Steps[DeliveryPage]:
    call = Call("GET", f"/v1/webhooks/{_segment(webhook)}/deliveries", params={"cursor": cursor})
    return _read(call, DeliveryPage, patience)


# --- what they share --------------------------------------------------------------------------------------------------


def new_key() -> str:
    return str(uuid.uuid4())


def _look(number: str, wait: int) -> Call:
    return Call("GET", f"/v1/operations/{_segment(number)}", params={"wait": f"{wait}s"}, slow=wait)


def _read(call: Call, kind: type[T], patience: float) -> Steps[T]:
    answer = yield from exchange(call, patience)
    return model.read(kind, json.loads(answer.content))


def _segment(text: str) -> str:
    return quote(text, safe="")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time needs its zone")
        return value.isoformat()
    return value
