"""The two clients: the same methods, waiting in their own way."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from torwart_client import steps
from torwart_client.model import Cancelled, Delivery, Event, History, Operation, Webhook
from torwart_client.processes import AsyncProcesses, Processes
from torwart_client.sandbox import AsyncSandbox, Sandbox
from torwart_client.steps import Answer, Call, Pause, Steps

T = TypeVar("T")
_SECONDS = 30.0


def _options(base_url: str, tls: ssl.SSLContext | bool, language: str) -> dict[str, Any]:
    headers = {"Torwart-Version": steps.VERSION, "Accept-Language": language, "User-Agent": "torwart-client"}
    return {"base_url": base_url, "verify": tls, "headers": headers, "timeout": _SECONDS, "trust_env": False}


def _sent(call: Call) -> dict[str, Any]:
    return {
        "json": call.body,
        "params": call.params,
        "headers": call.headers,
        "timeout": httpx.Timeout(_SECONDS + call.slow, connect=10.0),
    }


class TorwartClient(Processes):
    """The interface at ``base_url`` by the TLS of ``tls_context``. ``patience``: seconds to go on trying a request;
    ``transport``: httpx's, to go another way (then ``tls`` is its affair).

    One method for each process stands in ``Processes``; ``sandbox``: what only test systems have. May be used by
    several threads.
    """

    def __init__(
        self,
        base_url: str,
        tls: ssl.SSLContext | bool = True,
        *,
        language: str = "de",
        patience: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(**_options(base_url, tls, language), transport=transport)
        self.patience = patience
        self.sandbox = Sandbox(self._run, lambda: self.patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # --- operations ---

    def order(self, process: str, body: Mapping[str, Any], *, key: str | None = None) -> Operation:
        """Order a process by its name; the methods of ``Processes`` do the same with named fields."""
        return self._run(steps.order(process, body, key, self.patience))

    def get(self, number: str, *, wait: int = 0) -> Operation:
        """An order as it stands; ``wait``: up to 30 seconds for something to change."""
        return self._run(steps.get(number, wait, self.patience))

    def wait(self, number: str, *, seconds: float = 300.0) -> Operation:
        """The order when it has ended; ``StillRunning`` after ``seconds``."""
        return self._run(steps.wait_for(number, seconds, self.patience))

    def operations(
        self,
        *,
        state: str = "",
        process: str = "",
        subject: str = "",
        reference: str = "",
        since: datetime | None = None,
    ) -> Iterator[Operation]:
        """The client's orders, newest first, page after page."""
        asked = {"state": state, "process": process, "subject": subject, "reference": reference, "since": since}
        cursor: str | None = ""
        while cursor is not None:
            page = self._run(steps.operations({**asked, "cursor": cursor}, self.patience))
            yield from page.items
            cursor = page.next

    def history(self, number: str) -> History:
        return self._run(steps.history(number, self.patience))

    def withdraw(self, number: str) -> Operation:
        return self._run(steps.withdraw(number, self.patience))

    def cancel(self, number: str, *, reason: str = "") -> Cancelled:
        return self._run(steps.cancel(number, reason, self.patience))

    def choose(self, number: str, time: datetime) -> Operation:
        """Take one of the proposed times."""
        return self._run(steps.choose(number, time, self.patience))

    def capabilities(self) -> dict[str, Any]:
        return self._run(steps.capabilities(self.patience))

    # --- events and webhooks ---

    def events(self, after: str = "", *, follow: bool = False) -> Iterator[tuple[Event, str]]:
        """Events behind a mark, oldest first, each with the mark to go on from; ``follow``: for ever."""
        while True:
            page = self._run(steps.events(after, 30 if follow else 0, self.patience))
            after = page.next or after
            yield from ((event, after) for event in page.items)
            if not page.items and not follow:
                return
            if not page.items:
                time.sleep(0.2)

    def webhooks(self) -> tuple[Webhook, ...]:
        return self._run(steps.webhooks(self.patience)).items

    def add_webhook(self, url: str, *, key: str | None = None) -> Webhook:
        return self._run(steps.add_webhook(url, key, self.patience))

    def change_webhook(self, webhook: str, *, url: str | None = None, active: bool | None = None) -> Webhook:
        return self._run(steps.change_webhook(webhook, {"url": url, "active": active}, self.patience))

    def remove_webhook(self, webhook: str) -> None:
        self._run(steps.remove_webhook(webhook, self.patience))

    def rotate_webhook(self, webhook: str) -> Webhook:
        return self._run(steps.rotate_webhook(webhook, self.patience))

    def test_webhook(self, webhook: str) -> str:
        return self._run(steps.test_webhook(webhook, self.patience))

    def resend(self, webhook: str, delivery: str | None = None) -> int:
        return self._run(steps.resend(webhook, delivery, self.patience))

    def deliveries(self, webhook: str) -> Iterator[Delivery]:
        """What was delivered and what was not, newest first."""
        cursor: str | None = ""
        while cursor is not None:
            page = self._run(steps.deliveries(webhook, cursor, self.patience))
            yield from page.items
            cursor = page.next

    def _order(self, process: str, body: Mapping[str, Any], key: str | None) -> Operation:
        return self.order(process, body, key=key)

    def _run(self, going: Steps[T]) -> T:
        answer: Answer = None
        try:
            while True:
                step = going.send(answer)
                answer = None
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                else:
                    answer = self._send(step)
        except StopIteration as ended:
            found: T = ended.value
            return found

    def _send(self, call: Call) -> Answer:
        try:
            return self._http.request(call.method, call.path, **_sent(call))
        except httpx.TransportError as error:
            return error


class AsyncTorwartClient(AsyncProcesses):
    """``TorwartClient`` with ``await``; one event loop."""

    def __init__(
        self,
        base_url: str,
        tls: ssl.SSLContext | bool = True,
        *,
        language: str = "de",
        patience: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(**_options(base_url, tls, language), transport=transport)
        self.patience = patience
        self.sandbox = AsyncSandbox(self._run, lambda: self.patience)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    # --- operations ---

    async def order(self, process: str, body: Mapping[str, Any], *, key: str | None = None) -> Operation:
        return await self._run(steps.order(process, body, key, self.patience))

    async def get(self, number: str, *, wait: int = 0) -> Operation:
        return await self._run(steps.get(number, wait, self.patience))

    async def wait(self, number: str, *, seconds: float = 300.0) -> Operation:
        return await self._run(steps.wait_for(number, seconds, self.patience))

    async def operations(
        self,
        *,
        state: str = "",
        process: str = "",
        subject: str = "",
        reference: str = "",
        since: datetime | None = None,
    ) -> AsyncIterator[Operation]:
        asked = {"state": state, "process": process, "subject": subject, "reference": reference, "since": since}
        cursor: str | None = ""
        while cursor is not None:
            page = await self._run(steps.operations({**asked, "cursor": cursor}, self.patience))
            for each in page.items:
                yield each
            cursor = page.next

    async def history(self, number: str) -> History:
        return await self._run(steps.history(number, self.patience))

    async def withdraw(self, number: str) -> Operation:
        return await self._run(steps.withdraw(number, self.patience))

    async def cancel(self, number: str, *, reason: str = "") -> Cancelled:
        return await self._run(steps.cancel(number, reason, self.patience))

    async def choose(self, number: str, time: datetime) -> Operation:
        return await self._run(steps.choose(number, time, self.patience))

    async def capabilities(self) -> dict[str, Any]:
        return await self._run(steps.capabilities(self.patience))

    # --- events and webhooks ---

    async def events(self, after: str = "", *, follow: bool = False) -> AsyncIterator[tuple[Event, str]]:
        while True:
            page = await self._run(steps.events(after, 30 if follow else 0, self.patience))
            after = page.next or after
            for event in page.items:
                yield event, after
            if not page.items and not follow:
                return
            if not page.items:
                await asyncio.sleep(0.2)

    async def webhooks(self) -> tuple[Webhook, ...]:
        return (await self._run(steps.webhooks(self.patience))).items

    async def add_webhook(self, url: str, *, key: str | None = None) -> Webhook:
        return await self._run(steps.add_webhook(url, key, self.patience))

    async def change_webhook(self, webhook: str, *, url: str | None = None, active: bool | None = None) -> Webhook:
        return await self._run(steps.change_webhook(webhook, {"url": url, "active": active}, self.patience))

    async def remove_webhook(self, webhook: str) -> None:
        await self._run(steps.remove_webhook(webhook, self.patience))

    async def rotate_webhook(self, webhook: str) -> Webhook:
        return await self._run(steps.rotate_webhook(webhook, self.patience))

    async def test_webhook(self, webhook: str) -> str:
        return await self._run(steps.test_webhook(webhook, self.patience))

    async def resend(self, webhook: str, delivery: str | None = None) -> int:
        return await self._run(steps.resend(webhook, delivery, self.patience))

    async def deliveries(self, webhook: str) -> AsyncIterator[Delivery]:
        cursor: str | None = ""
        while cursor is not None:
            page = await self._run(steps.deliveries(webhook, cursor, self.patience))
            for each in page.items:
                yield each
            cursor = page.next

    async def _order(self, process: str, body: Mapping[str, Any], key: str | None) -> Operation:
        return await self.order(process, body, key=key)

    async def _run(self, going: Steps[T]) -> T:
        answer: Answer = None
        try:
            while True:
                step = going.send(answer)
                answer = None
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                else:
                    answer = await self._send(step)
        except StopIteration as ended:
            found: T = ended.value
            return found

    async def _send(self, call: Call) -> Answer:
        try:
            return await self._http.request(call.method, call.path, **_sent(call))
        except httpx.TransportError as error:
            return error
