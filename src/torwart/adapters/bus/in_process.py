"""The bus of the one-process mode: handlers run as tasks of the loop, no bytes leave the process."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from torwart.adapters.bus.limits import MAX_PAYLOAD, check_size, failure
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.bus import BUS_HANDLER_FAILED, BUS_NO_RESPONDER, BUS_TIMEOUT, BUS_UNAVAILABLE
from torwart.ports.bus import Handler

__all__ = ["MAX_PAYLOAD", "InProcessBus"]


@dataclass(eq=False)
class _Subscription:
    bus: "InProcessBus"
    subject: str
    handler: Handler
    queue: str | None
    served: int = field(default=0)

    async def unsubscribe(self) -> None:
        self.bus._remove(self)


class InProcessBus:
    """``ports.bus.Bus`` within one event loop. Other threads go through ``BlockingBus``."""

    def __init__(self) -> None:
        self._exact: dict[str, list[_Subscription]] = {}
        self._patterns: list[_Subscription] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def request(self, subject: str, payload: bytes, *, timeout: float) -> bytes:
        receivers = self._receivers(subject, payload)
        if not receivers:
            raise BUS_NO_RESPONDER(subject=subject)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        for receiver in receivers:
            self._start(receiver, subject, payload, answer)
        try:
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError:
            raise BUS_TIMEOUT(subject=subject, seconds=timeout) from None

    async def publish(self, subject: str, payload: bytes) -> None:
        for receiver in self._receivers(subject, payload):
            self._start(receiver, subject, payload, None)

    async def subscribe(self, subject: str, handler: Handler, *, queue: str | None = None) -> _Subscription:
        if self._closed:
            raise BUS_UNAVAILABLE(why="closed")
        subscription = _Subscription(self, subject, handler, queue)
        if _is_pattern(subject):
            self._patterns.append(subscription)
        else:
            self._exact.setdefault(subject, []).append(subscription)
        return subscription

    async def close(self) -> None:
        """End all subscriptions; handlers already running finish first."""
        self._closed = True
        self._exact.clear()
        self._patterns.clear()
        if running := self._tasks - {asyncio.current_task()}:
            await asyncio.wait(running)

    def _receivers(self, subject: str, payload: bytes) -> list[_Subscription]:
        """Who gets a message: every plain subscriber, and of each queue group the member that served least."""
        if self._closed:
            raise BUS_UNAVAILABLE(why="closed")
        check_size(payload)
        receivers: list[_Subscription] = []
        groups: dict[tuple[str, str], _Subscription] = {}
        for subscription in self._matching(subject):
            if subscription.queue is None:
                receivers.append(subscription)
                continue
            group = (subscription.subject, subscription.queue)
            best = groups.get(group)
            if best is None or subscription.served < best.served:
                groups[group] = subscription
        for chosen in groups.values():
            chosen.served += 1
        return [*receivers, *groups.values()]

    def _matching(self, subject: str) -> Iterator[_Subscription]:
        yield from self._exact.get(subject, ())
        if self._patterns:
            tokens = subject.split(".")
            yield from (s for s in self._patterns if _matches(s.subject.split("."), tokens))

    def _start(
        self, receiver: _Subscription, subject: str, payload: bytes, answer: "asyncio.Future[bytes] | None"
    ) -> None:
        task = asyncio.create_task(_serve(receiver.handler, subject, payload, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _remove(self, subscription: _Subscription) -> None:
        if _is_pattern(subscription.subject):
            if subscription in self._patterns:
                self._patterns.remove(subscription)
            return
        members = self._exact.get(subscription.subject, [])
        if subscription in members:
            members.remove(subscription)
        if not members:
            self._exact.pop(subscription.subject, None)


async def _serve(handler: Handler, subject: str, payload: bytes, answer: "asyncio.Future[bytes] | None") -> None:
    try:
        reply = await handler(subject, payload)
        if reply is not None and answer is not None:
            check_size(reply)
            if not answer.done():
                answer.set_result(reply)
    except Exception as error:  # noqa: BLE001 – whatever a handler raises is told to the requester, not to the loop
        refusal: Refusal = BUS_HANDLER_FAILED(subject=subject, why=failure(error, subject))
        if answer is not None and not answer.done():
            answer.set_exception(refusal)


def _is_pattern(subject: str) -> bool:
    return "*" in subject or subject.endswith(">")


def _matches(pattern: list[str], tokens: list[str]) -> bool:
    for index, part in enumerate(pattern):
        if part == ">":
            return len(tokens) > index
        if index >= len(tokens) or part not in ("*", tokens[index]):
            return False
    return len(pattern) == len(tokens)
