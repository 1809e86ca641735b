"""A client's own system (EMT system): orders by ``torwart-client``, takes webhooks, reads the event feed.

What it knows of an order it knows from three sides: it can look at it, it reads the feed, and it is told by webhooks.
``fates`` puts them together; they must agree.
"""

import ssl
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

import httpx
from torwart_client import Event, Operation, TorwartClient
from torwart_client.model import ENDED

from torwart.sim.emt.hooks import HookServer

PREFIX = "de.torwart.operation."
"""Types of the events about orders; the state an order has come into follows."""
_PAUSE = 1.0
"""Seconds between two looks: each costs some of the calls a client has a minute."""
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Fate:
    """What the system knows of one order: how it stands, and the states it went through by feed and by webhooks."""

    operation: Operation
    feed: tuple[str, ...]
    hooks: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether all three tell the same, and the end was told once."""
        ends = sum(state in ENDED for state in self.feed)
        return ends == self.operation.ended and self.feed == self.hooks and self.feed[-1:] == (self.operation.state,)

    def __str__(self) -> str:
        told = "; ".join(
            f"{name} {' → '.join(states)}" for name, states in (("feed", self.feed), ("hooks", self.hooks))
        )
        return f"{self.operation.id} {self.operation.state} ({told})"


class EmtSystem:
    """``url``: the interface; ``tls``: see ``EmtFiles``. Between ``start`` and ``stop`` it is told by webhooks."""

    def __init__(
        self,
        url: str,
        tls: ssl.SSLContext,
        *,
        language: str = "de",
        patience: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.torwart = TorwartClient(url, tls, language=language, patience=patience, transport=transport)
        self.hooks = HookServer()
        self.webhook = ""
        self._mark = ""
        self.since = datetime.now(UTC) - _SKEW
        self._feed: list[Event] = []
        self._reading = Lock()

    def start(self) -> "EmtSystem":
        """From now on: what was in the feed before is not this system's."""
        for _, mark in self.torwart.events():
            self._mark = mark
        self.hooks.start()
        with self.hooks.registering():
            made = self.torwart.add_webhook(self.hooks.url)
            self.hooks.know(key.public for key in made.keys)
        self.webhook = made.id
        return self

    def stop(self) -> None:
        self.hooks.stop()
        self.torwart.close()

    def leave(self) -> None:
        """Take the webhook away: nobody will be there any more."""
        self.torwart.remove_webhook(self.webhook)

    def feed(self) -> list[Event]:
        """All events since ``start``."""
        with self._reading:
            for event, mark in self.torwart.events(self._mark):
                self._feed.append(event)
                self._mark = mark
            return list(self._feed)

    def fates(self, numbers: Collection[str] | None = None) -> list[Fate]:
        """What became of all orders the system was told of since ``start``, or of these."""
        feed = _states((event.type, event.subject) for event in self.feed())
        hooks = _states((event["type"], event["subject"]) for event in self.hooks.taken())
        wanted = set(feed) | set(hooks) if numbers is None else set(numbers)
        looked = [found for found in self.torwart.operations(since=self.since) if found.id in wanted]
        return [Fate(found, feed.get(found.id, ()), hooks.get(found.id, ())) for found in reversed(looked)]

    def settled(self, numbers: Collection[str] | None = None, *, seconds: float = 15.0) -> list[Fate]:
        """The same as soon as all agree, at the latest after ``seconds``."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.fates(numbers)
            if all(fate.agrees for fate in found) or time.monotonic() > deadline:
                return found
            time.sleep(_PAUSE)


def _states(told: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The states each order went through, in the order they were told."""
    found: dict[str, tuple[str, ...]] = {}
    for kind, subject in told:
        if kind.startswith(PREFIX):
            found[subject] = (*found.get(subject, ()), kind.removeprefix(PREFIX))
    return found
